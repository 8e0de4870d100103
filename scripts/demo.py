"""The main job on the example project, each step a command that a user would type."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "field-station"

STEPS = (
    ("One set of versions for two clusters and this machine:", ["tumpline", "lock"]),
    ("What differs between the three, and why:", ["tumpline", "parity"]),
    ("The environment for this machine, from the lock alone:", ["tumpline", "sync", "--target", "laptop"]),
    (
        "The project's own script, in that environment:",
        ["tumpline", "run", "--target", "laptop", "--", "python", "-m", "field_station"],
    ),
)

ACTIVATE = Path(sys.prefix, "bin", "activate")

AFTERWARDS = f"""\
The figure is {EXAMPLE.relative_to(ROOT) / "figure.png"}.

What to try next:
  source {shlex.quote(str(ACTIVATE.relative_to(ROOT) if ACTIVATE.is_relative_to(ROOT) else ACTIVATE))}
  cd {EXAMPLE.relative_to(ROOT)}
  tumpline site show narval           what is known of a cluster
  tumpline export --target laptop     the lock, for pip and uv
  tumpline lock --upgrade numpy       choose a version anew, keep the others
  make replica                        in {ROOT.name}/: a small wheelhouse to try without a cluster
and read docs/tutorial/first-day.md for a first day on one."""


def main() -> int:
    """Run the steps; stop at the first that fails, with its exit status."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    # The colours and progress bars of the steps are their own business: they share this terminal.
    environment = os.environ | {"PATH": path}
    print(f"The example project: {EXAMPLE.relative_to(ROOT)}", flush=True)
    begun = time.monotonic()
    for purpose, command in STEPS:
        print(f"\n{purpose}\n$ {shlex.join(command)}", flush=True)
        status = subprocess.run(command, cwd=EXAMPLE, env=environment, check=False).returncode
        if status != 0:
            print(f"\nThat step ended with status {status}; the others were left out.", file=sys.stderr)
            return status
    print(f"\nDone in {time.monotonic() - begun:.0f} s. {AFTERWARDS}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
