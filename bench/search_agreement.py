"""Whether ``tumpline avail-wheels`` prints the rows that avail_wheels prints, for generated command lines.

    python bench/search_agreement.py [--queries 200] [--seed 1] [--replica] [--record FILE]

avail_wheels is not part of this project. Obtain it as its own README says: clone ComputeCanada/avail_wheels into
``.work/peers/avail_wheels``, make an environment ``venv`` in that folder, and install its requirements.txt into it.
Both programs get the same variables of a cluster; the wheelhouse is the synthetic one of ``bench/scan.py``, or the
replica. ``--record`` writes command lines and rows of a small tree, which the tests replay without the program.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
if str(_ROOT) not in sys.path:
    sys.path.insert(0, str(_ROOT))

from bench import scan  # noqa: E402 - found by the line above
from bench._projects import ROOT, WORK  # noqa: E402
from bench._timing import clean_variables  # noqa: E402
from tests.catalogue.avail_tree import LAYERS, PYTHONS, make_tree  # noqa: E402

__all__ = ["PEER", "Place", "peer_command", "place_of"]

PEER = ROOT / ".work" / "peers" / "avail_wheels"
_COLUMNS = ("name", "version", "localversion", "build", "python", "abi", "platform", "arch")


@dataclass(frozen=True, slots=True)
class Place:
    """A wheelhouse that both programs look into: its variables, its catalogue, and the spellings of its projects."""

    variables: Mapping[str, str]
    catalogue: Path
    names: tuple[str, ...]

    def run(self, command: Sequence[str | Path], words: Sequence[str], **more: str) -> subprocess.CompletedProcess[str]:
        """Run one of the programs."""
        environ = clean_variables(**self.variables, TUMPLINE_CATALOGUE=str(self.catalogue)) | more
        return subprocess.run(
            [*map(str, command), *words], env=environ, capture_output=True, text=True, check=False, timeout=60
        )


def peer_command() -> list[Path]:
    """Return how avail_wheels is started; raises SystemExit where it is not there."""
    command = [PEER / "venv" / "bin" / "python", PEER / "avail_wheels.py"]
    if not all(path.exists() for path in command):
        raise SystemExit(f"{PEER} is not there: see the head of {Path(__file__).name} for how to obtain it")
    return command


def place_of(root: Path, layers: Sequence[str], scratch: Path, site: str = "fir") -> Place:
    """Return the place of a wheelhouse with these layers; its catalogue is scanned."""
    pythons = scratch / "pythons"
    for minor in PYTHONS:
        (pythons / f"{minor}.1").mkdir(parents=True, exist_ok=True)
    configuration = scratch / "pip.conf"
    links = " ".join(str(root / layer) for layer in layers)
    configuration.write_text(f"[wheel]\nfind-links = {links}\n", "utf-8")
    catalogue = scratch / "catalogue.sqlite"
    scanning = [_tumpline(), "catalogue", "scan", site, "-q", "--wheelhouse", root, "--output", catalogue]
    subprocess.run([str(word) for word in scanning], check=True, env=clean_variables(TUMPLINE_CACHE=str(scratch)))
    variables = {
        "WHEELHOUSE": str(root),
        "PYTHON_DIRS": str(pythons),
        "RSNT_ARCH": "avx512",
        "EBVERSIONGENTOO": "2023",
        "EBVERSIONPYTHON": "3.11.1",
        "PIP_CONFIG_FILE": str(configuration),
        "CC_CLUSTER": site,
    }
    names = {path.name.partition("-")[0] for layer in layers for path in (root / layer).glob("*.whl")}
    return Place(variables, catalogue, tuple(sorted(names)))


def main() -> int:
    """Compare, tell the differences by their reason, and return 1 where one has none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replica", action="store_true", help="look into the replica rather than the synthetic tree")
    parser.add_argument("--record", type=Path, metavar="FILE")
    options = parser.parse_args()
    peer = peer_command()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if options.record:
            place = place_of(make_tree(scratch / "tree"), LAYERS, scratch)
            return _record(place, peer, options)
        root: Path
        layers: Sequence[str]
        if options.replica:
            root, layers = ROOT / ".work" / "replica" / "wheelhouse", LAYERS[1:]
        else:
            root, layers = scan.synthetic_tree(WORK / "synth") / "wheelhouse", LAYERS
        return _compare(place_of(root, layers, scratch), peer, options)


def _compare(place: Place, peer: Sequence[Path], options: argparse.Namespace) -> int:
    outcomes: Counter[str] = Counter()
    unexplained = 0
    for words, more in queries(place.names, options.queries, options.seed):
        theirs, ours = place.run(peer, words, **more), place.run([_tumpline(), "avail-wheels"], words, **more)
        verdict = judge(words, theirs.stdout, ours.stdout, theirs.stderr)
        outcomes[verdict or "UNEXPLAINED"] += 1
        if not verdict:
            unexplained += 1
            print(f"differs: {' '.join(words)} {more}\n--- theirs\n{theirs.stdout}--- ours\n{ours.stdout}{ours.stderr}")
    for verdict, count in outcomes.most_common():
        print(f"{count:>5}  {verdict}")
    return 1 if unexplained else 0


def judge(words: Sequence[str], theirs: str, ours: str, complaint: str = "") -> str:
    """Say whether two outputs have the same rows, or why they may differ; empty where they may not."""
    if theirs == ours:
        return "the same, byte for byte"
    one, other = _cells(theirs), _cells(ours)
    if one == other:
        return "the same rows; the order of equal ones, or how cells are aligned, differs"
    if "Invalid requirement" in complaint:
        return "refused by avail_wheels: it knows no '*' in the middle of a name"
    if "Traceback" in complaint:
        return "avail_wheels fails: it sorts what can not be compared"
    if _numbers(one) == _numbers(other):
        return "avail_wheels shows versions as numbers: 1.10 as 1.1"
    if one <= other and any("." in word or "-" in word for word in words):
        return "more rows: a name is found by every spelling"
    return ""


def _cells(output: str) -> Counter[tuple[str, ...]]:
    """Return the rows of a table of any style, as cells; what only places them is left out."""
    lines = (line.replace('style="text-align: right;"|', "") for line in output.splitlines())
    rows = (
        re.split(r"\s{2,}|\s*[|!]+\s*", line.strip(" |!")) for line in lines if not re.fullmatch(r"[-=|:+ ]+", line)
    )
    return Counter(tuple(filter(None, row)) for row in rows)


def _numbers(rows: Counter[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
    def number(cell: str) -> str:
        return f"{float(cell):g}" if re.fullmatch(r"\d+(?:\.\d+)?", cell) else cell

    found: Counter[tuple[str, ...]] = Counter()
    for row, count in rows.items():
        found[tuple(map(number, row))] += count
    return found


def queries(names: Sequence[str], count: int, seed: int) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Yield command lines over all options, and the variables that go with them."""
    dice = random.Random(seed)
    for _ in range(count):
        words = [_pattern(dice.choice(names), dice) for _ in range(dice.choice((1, 1, 1, 2, 3)))]
        if dice.random() < 0.05:
            words = []
        if words and dice.random() < 0.15:
            words.append("nosuch_project")
        if dice.random() < 0.15 and words:
            words = ["--name", *words]
        words += dice.choice(
            ([], [], ["--all-versions"], ["--all_versions"], ["-v", dice.choice(("1.*", "0.2.0", "2.1.*"))])
        )
        words += dice.choice(([], [], [], ["--all-pythons"], ["--python", "3.10"], ["-p", "3.11", "3.12"]))
        words += dice.choice(([], [], [], ["--all_archs"], ["--arch", "generic"], ["-a", "x86-64-v3", "generic"]))
        words += dice.choice(([], [], [], [], ["--raw"], ["--condense"], ["--mediawiki"], ["--format", "github"]))
        if dice.random() < 0.25 and "--condense" not in words:
            words += ["--column", *dice.sample(_COLUMNS, dice.randint(1, 8))]
        words += dice.choice(([], [], [], [], ["--not-available"], ["--not-available-only"]))
        yield words, {} if dice.random() < 0.8 else {"EBVERSIONPYTHON": ""}


def _pattern(name: str, dice: random.Random) -> str:
    match dice.randrange(8):
        case 0:
            return name.upper()
        case 1:
            return name.replace("_", "-")
        case 2:
            # avail_wheels knows a '*' only at the ends of letters and digits.
            return f"*{dice.choice(re.findall('[A-Za-z0-9]+', name))}*"
        case 3:
            return f"{re.findall('[A-Za-z0-9]+', name)[0]}*"
        case 4:
            return f"{name}{dice.choice(('<2', '>=1.0', '==1.*', '~=1.0', '!=1.0.0', '>0.1,<3'))}"
    return name


def _record(place: Place, peer: Sequence[Path], options: argparse.Namespace) -> int:
    rows = []
    for words, more in queries(place.names, options.queries, options.seed):
        done = place.run(peer, words, **more)
        if done.returncode == 0 and "Traceback" not in done.stderr:
            rows.append({"words": words, "variables": more, "output": done.stdout})
    options.record.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{len(rows)} command lines")
    return 0


def _tumpline() -> Path:
    return Path(sys.executable).parent / "tumpline"


if __name__ == "__main__":
    raise SystemExit(main())
