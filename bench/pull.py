"""``tumpline catalogue pull`` of 40,000 wheels over a real OpenSSH server on this machine: bytes and times.

    python -m bench.pull [--folder DIR] [--json]

The tree is that of ``bench/scan.py``; a copy of it, made of links, is changed as a week changes a wheelhouse. Each row
is one run of the whole process. The bytes are those that go through ``ssh``, before its encryption. The line has no
delay here; on a real one a first pull waits for some thirty round trips more, one of an unchanged tree for six. Every
catalogue must be that of a scan of the same tree.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from bench._timing import Run, clean_variables, run_once
from bench.scan import synthetic_tree
from tests.sshd import HOST, Server
from tests.wheelmaker import make_wheel

_WORK = Path(__file__).resolve().parent.parent / ".work" / "bench"
_LAYERS = ("gentoo2023/x86-64-v4", "gentoo2023/x86-64-v3", "gentoo2023/generic", "generic")
_TUMPLINE = Path(sys.executable).parent / "tumpline"
_NEW, _GONE = 60, 3
_CUT = 1_200_000
"""Bytes after which the connection is cut: some half of all."""

_GOALS = {"first pull": 3_000_000, "again, unchanged": 1_000, "a week later": 60_000}
"""The most bytes received."""


_RELAY = """python3 -c 'import os
left = {count}
while left:
    part = os.read(0, left)
    left -= len(part)
    while part:
        part = part[os.write(1, part) :]'"""
"""Passes on so many bytes as they come."""


def main() -> int:
    """Measure, print the figures, and return 1 where a goal is missed or a catalogue differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=_WORK / "synth", help="where the tree is, or is made")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tree = synthetic_tree(options.folder.resolve()) / "wheelhouse"
    out = _WORK / "pull"
    shutil.rmtree(out, ignore_errors=True)
    house = out / "wheelhouse"
    for layer in _LAYERS:
        (house / layer).mkdir(parents=True)
        for entry in os.scandir(tree / layer):
            # Another file system has no links in common with ours; a symbolic one is as good.
            (house / layer / entry.name).symlink_to(entry.path)
    with tempfile.TemporaryDirectory() as keys:
        server = Server(Path(keys))
        try:
            rows, missed = _measure(server, house, out)
        finally:
            server.close()
    if options.json:
        print(json.dumps({"rows": rows, "missed": missed}, indent=2))
        return 1 if missed else 0
    print(f"{'pull':<18} {'s':>7} {'cpu s':>7} {'MiB':>5} {'sent':>9} {'received':>10} {'read':>7} {'resumed':>8}")
    for row in rows:
        figures = f"{row['sent']:>9} {row['received']:>10} {row['read']:>7} {row['resumed']:>8}"
        print(f"{row['pull']:<18} {row['seconds']:>7} {row['processor']:>7} {row['mib']:>5} {figures}")
    for text in missed:
        print(f"missed: {text}")
    return 1 if missed else 0


def _measure(server: Server, house: Path, out: Path) -> tuple[list[dict[str, object]], list[str]]:
    variables = clean_variables(TUMPLINE_CACHE=str(out / "cache"), PYTHONDONTWRITEBYTECODE="")
    common: list[str | Path] = ["narval", "--quiet", "--json", "--wheelhouse", house]
    rows: list[dict[str, object]] = []
    missed: list[str] = []

    def scan() -> tuple[Run, str]:
        run = run_once([_TUMPLINE, "catalogue", "scan", *common, "--output", out / "scan.sqlite"], variables)
        return run, str(json.loads(run.stdout)["identity"])

    def pull(name: str, output: str, *, cut: int = 0, identity: str = "") -> None:
        server.session(
            f'eval "$SSH_ORIGINAL_COMMAND" | ({_RELAY.format(count=cut)}; kill -9 $PPID)\n'
            if cut
            else 'exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND"\n'
        )
        words = [_TUMPLINE, "catalogue", "pull", *common, "--host", HOST, "--ssh", server.words]
        words += ["--output", out / output]
        # The command that is cut off fails, and must: `true` behind it keeps the bench going.
        run = run_once(["sh", "-c", '"$@" || true', "sh", *words], variables)
        answer = json.loads(run.stdout)
        if cut:
            if answer.get("problems", [{}])[0].get("code") != "connection-cut":
                missed.append(f"{name}: {answer.get('problems', 'it was not cut')}")
            answer = {"sent": "-", "received": cut, "read": "-", "resumed": "-"}
        elif answer.get("identity") != identity:
            missed.append(f"{name}: the catalogue is not that of a scan: {answer.get('problems', '')}")
        goal = _GOALS.get(name)
        if goal and int(answer["received"]) > goal:
            missed.append(f"{name}: {answer['received']} bytes, goal {goal}")
        facts = {"pull": name, "seconds": round(run.seconds, 2), "processor": round(run.processor, 2)}
        rows.append(
            {**facts, "mib": round(run.mib)} | {key: answer[key] for key in ("sent", "received", "read", "resumed")}
        )

    _, identity = scan()
    pull("first pull", "pull.sqlite", identity=identity)
    pull("again, unchanged", "pull.sqlite", identity=identity)
    pull("cut", "cut.sqlite", cut=_CUT)
    pull("resumed", "cut.sqlite", identity=identity)
    for number in range(_NEW):
        make_wheel(house / _LAYERS[number % 4], f"new-{number}", "1.0", requires=["numpy>=1.26"], files={})
    for path in sorted((house / "generic").iterdir())[:_GONE]:
        path.unlink()
    _, identity = scan()
    pull("a week later", "pull.sqlite", identity=identity)
    return rows, missed


if __name__ == "__main__":
    raise SystemExit(main())
