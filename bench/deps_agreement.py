"""Whether ``tumpline search --deps`` and ``pip install --dry-run --no-index`` say the same of the replica.

    python bench/deps_agreement.py [--sets 100] [--seed 1]

Random sets of requirements on packages of the replica wheelhouse (`python -m replica`), asked of both with one Python
and no module loaded: both find everything that is needed, or both do not.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
if str(_ROOT) not in sys.path:
    sys.path.insert(0, str(_ROOT))

from bench._timing import clean_variables  # noqa: E402 - found by the line above
from replica.build import Replica, make_replica  # noqa: E402

__all__ = ["Question", "main", "questions"]


class Question:
    """The replica, asked by both programs; `scratch` is for the catalogue."""

    def __init__(self, replica: Replica, scratch: Path) -> None:
        self.minor = ".".join(replica.pythons[0].split(".")[:2])
        self._python = replica.interpreters[0]
        self._variables = clean_variables(**replica.variables(), TUMPLINE_CACHE=str(scratch), TUMPLINE_SITE="replica")
        self._tumpline = Path(sys.executable).parent / "tumpline"
        self._run([self._tumpline, "catalogue", "scan", "replica", "--quiet"], check=True)
        self.names = tuple(sorted({wheel.name.partition("-")[0] for wheel in replica.wheels}))

    def pip(self, requirements: Sequence[str]) -> bool:
        """Say whether pip finds everything."""
        words = ["-m", "pip", "install", "--dry-run", "--no-index", "--ignore-installed", "--quiet", *requirements]
        return self._run([self._python, *words]).returncode == 0

    def tumpline(self, requirements: Sequence[str]) -> bool:
        """Say whether tumpline finds everything; raises SystemExit where it does not answer."""
        done = self._run([self._tumpline, "search", "--deps", *requirements, "--python", self.minor])
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr)
        return done.returncode == 0

    def _run(self, command: Sequence[str | Path], *, check: bool = False) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(word) for word in command], env=self._variables, capture_output=True, text=True, check=check
        )


def questions(names: Sequence[str], count: int, seed: int) -> list[list[str]]:
    """Return sets of one to four requirements, some of which can not be met."""
    dice = random.Random(seed)
    limits = ("", "", "", "", "", ">=1", "<2", "<1", ">=2", ">100", "==1.*")
    return [
        [f"{name}{dice.choice(limits)}" for name in dice.sample(list(names), dice.choice((1, 1, 2, 3, 4)))]
        for _ in range(count)
    ]


def main() -> int:
    """Ask, and return 1 where the answers differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        question = Question(make_replica(_ROOT / ".work" / "replica"), Path(folder))
        for requirements in questions(question.names, options.sets, options.seed):
            theirs, ours = question.pip(requirements), question.tumpline(requirements)
            outcomes[f"both say {'yes' if ours else 'no'}" if theirs == ours else "DIFFERENT"] += 1
            if theirs != ours:
                print(f"{' '.join(requirements)}: pip says {'yes' if theirs else 'no'}")
    for outcome, number in outcomes.most_common():
        print(f"{number:>5}  {outcome}")
    return 1 if outcomes["DIFFERENT"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
