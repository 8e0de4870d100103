"""The resolver on conflict-rich closures, against ``uv pip compile`` and ``pip install --dry-run`` in the same run.

    python bench/resolve.py [--runs 5] [--closures 20] [--seed 1] [--json]

The closures are those of the folder of shared tools beside the project, and random ones, on a scan of the synthetic
wheelhouse that ``bench/scan.py`` makes. pip and uv get its layers with ``--find-links``; uv starts with an empty cache.
Times in process begin with the opening of the catalogue, in a fresh process each; every solution is checked, and
whether there is one is compared with uv. Then: how the time grows with packages and with wheels, and worlds made to
backtrack.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
if str(_ROOT) not in sys.path:
    sys.path.insert(0, str(_ROOT))

from bench import scan  # noqa: E402 - found by the line above
from bench._closures import FOUR, ONE, Answer  # noqa: E402
from bench._projects import ROOT, WORK, index_variables, peers  # noqa: E402
from bench._report import Row, tell  # noqa: E402
from bench._timing import Run, in_turn, run_once  # noqa: E402
from tumpline.catalogue.content import Content, Needs, WheelRow  # noqa: E402
from tumpline.catalogue.encoding import encode  # noqa: E402
from tumpline.catalogue.store import open_catalogue  # noqa: E402
from tumpline.catalogue.writer import write_catalogue  # noqa: E402
from tumpline.values import Name, normalise  # noqa: E402

_HERE = WORK / "resolve"
_CLOSURES = ROOT.parent / "shared" / "tools" / "closures"
_LAYERS = ("gentoo2023/x86-64-v4", "gentoo2023/x86-64-v3", "gentoo2023/generic", "generic")
_SIZES = ("60", "250")
_MOST_SECONDS = {"60": 0.08, "250": 0.6}
_MOST_RANDOM, _MEDIAN_RANDOM = 1.5, 0.3
_MOST_BACKTRACKING = 10.0
_MOST_MIB = 250.0

Places = Sequence[tuple[str, str]]
Limit = tuple[str, float, float | None]


def main() -> int:
    """Measure, print the figures, and return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--closures", type=int, default=20, help="random closures of 50 to 250 packages")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not _CLOSURES.is_dir():
        raise SystemExit(f"{_CLOSURES} is not there: the synthetic wheelhouse can not be made without it")
    bench = _Bench()
    rows = bench.whole_processes(options.runs)
    limits = bench.in_process(options.runs)
    random_limits, refuted = bench.random_closures(options.closures, options.seed)
    limits += random_limits + bench.growth() + bench.backtracking()
    status = tell(rows, limits, as_json=options.json)
    for row in rows:
        if row.way.startswith("tumpline") and row.mib > _MOST_MIB:
            refuted.append(f"{row.way}: {row.mib:.0f} MiB, goal {_MOST_MIB:.0f}")
    for text in [*refuted, *bench.faults]:
        print(f"missed: {text}", file=sys.stderr)
    return 1 if refuted or bench.faults else status


class _Bench:
    """The synthetic wheelhouse, its catalogue, and what is asked of it; `faults` are those of all solutions."""

    def __init__(self) -> None:
        self.root = scan.synthetic_tree(WORK / "synth")
        self.catalogue = _HERE / "synthetic.sqlite"
        self.faults: list[str] = []
        self.variables = index_variables(
            TUMPLINE_CACHE=str(_HERE / "cache"),
            UV_CACHE_DIR=str(_HERE / "uv-cache"),
            PIP_NO_INDEX="1",
            UV_PYTHON_DOWNLOADS="never",
        )
        # As bench/scan.py does: the layers are those that the profiles name.
        wheelhouse = self.root / "wheelhouse"
        scanning: list[str | Path] = [_tumpline(), "catalogue", "scan", "fir", "--quiet", "--wheelhouse", wheelhouse]
        run_once([*scanning, "--output", self.catalogue], self.variables)
        self.links = [word for layer in _LAYERS for word in ("--find-links", wheelhouse / layer)]
        truth = json.loads((self.root / "proj.json").read_text("utf-8"))
        self.projects = [str(name) for name, *_ in truth]

    def ask(self, questions: Sequence[tuple[Sequence[str], Places]], catalogue: Path | None = None) -> list[Answer]:
        """Ask each question in a fresh process."""
        return [self._ask_one(names, places, catalogue or self.catalogue) for names, places in questions]

    def _ask_one(self, names: Sequence[str], places: Places, catalogue: Path) -> Answer:
        question = json.dumps([{"names": list(names), "places": list(places)}])
        command = [sys.executable, str(ROOT / "bench" / "_closures.py"), str(catalogue)]
        done = subprocess.run(
            command, input=question, env=self.variables, capture_output=True, text=True, check=True, cwd=ROOT
        )
        answer = Answer(**json.loads(done.stdout)[0])
        self.faults += [f"{len(names)} names: {fault}" for fault in answer.faults]
        return answer

    def whole_processes(self, runs: int) -> list[Row]:
        """Time the two closures as whole processes, and for four targets against four runs of uv."""
        uv: list[str | Path] = [peers() / "uv", "pip", "compile", "--quiet", "--no-index", *self.links]
        pip: list[str | Path] = [peers() / "python", "-m", "pip", "install", "--quiet", "--dry-run"]
        pip += ["--ignore-installed", *self.links, "--requirement"]
        ways: dict[str, Callable[[], Run]] = {}
        compared: dict[str, tuple[str, float]] = {}
        for size in _SIZES:
            names = _HERE / f"{size}.txt"
            names.write_text("".join(f"{line}\n" for line in _lines(size)), "utf-8")
            one, four = (_project(_HERE / f"{size}-{len(places)}", _lines(size), places) for places in (ONE, FOUR))
            ways[f"uv, {size}, cold"] = self._cold([*uv, "--python-version", ONE[0][1], names])
            several = " && ".join(
                " ".join(f"'{word}'" for word in [*uv, "--python-version", python, names]) for _, python in FOUR
            )
            ways[f"uv, {size}, four runs, cold"] = self._cold(["sh", "-c", several])
            if size == "60":
                # Of the larger one pip had no answer after 580 s.
                ways["pip, 60"] = partial(run_once, [*pip, names], self.variables)
            ways[f"tumpline, {size}"] = self._locked(one)
            ways[f"tumpline, {size}, four targets"] = self._locked(four)
            compared[f"tumpline, {size}"] = (f"uv, {size}, cold", 1.0) if size == "60" else (f"uv, {size}, cold", 3.0)
            compared[f"tumpline, {size}, four targets"] = (f"uv, {size}, four runs, cold", 1.0)
        found = in_turn(lambda name: ways[name](), ways, runs)
        rows = [Row(name, each, *compared.get(name, ())) for name, each in found.items()]
        return [*rows, Row("tumpline, 60 (against pip)", found["tumpline, 60"], "pip, 60", 1 / 8)]

    def _cold(self, command: Sequence[str | Path]) -> Callable[[], Run]:
        def way() -> Run:
            shutil.rmtree(_HERE / "uv-cache", ignore_errors=True)
            return run_once(command, self.variables)

        return way

    def _locked(self, project: Path) -> Callable[[], Run]:
        command: list[str | Path] = [_tumpline(), "lock", "--quiet", "--offline", "--project", project]
        command += ["--catalogue", self.catalogue]

        def way() -> Run:
            (project / "tumpline.lock").unlink(missing_ok=True)
            return run_once(command, self.variables)

        return way

    def in_process(self, runs: int) -> list[Limit]:
        """Time the two closures in process, for one target and for four."""
        limits: list[Limit] = []
        for size in _SIZES:
            one, four = (
                statistics.median(answer.seconds for answer in self.ask([(_lines(size), places)] * runs))
                for places in (ONE, FOUR)
            )
            limits.append((f"closure {size} in process, 1 target", one, _MOST_SECONDS[size]))
            limits.append((f"closure {size} in process, 4 targets", four, 2 * one))
        return limits

    def random_closures(self, count: int, seed: int) -> tuple[list[Limit], list[str]]:
        """Resolve random closures of 50 to 250 packages; return times, and where uv finds what is not found here."""
        dice = random.Random(seed)
        seconds: list[float] = []
        refuted: list[str] = []
        unsolvable = 0
        while len(seconds) < count:
            names = dice.sample(self.projects, dice.choice((3, 5, 8, 12, 16, 20, 25, 30)))
            (answer,) = self.ask([(names, ONE)])
            if not answer.packages:
                unsolvable += 1
                if self._uv_solves(names):
                    refuted.append(f"uv solves {' '.join(names)}")
            elif 50 <= answer.packages <= 250:
                seconds.append(answer.seconds)
        limits: list[Limit] = [
            (f"{count} random closures: slowest", max(seconds), _MOST_RANDOM),
            (f"{count} random closures: median", statistics.median(seconds), _MEDIAN_RANDOM),
        ]
        print(f"{unsolvable} further random closures have no solution, by uv as well", file=sys.stderr)
        return limits, refuted

    def _uv_solves(self, names: Iterable[str]) -> bool:
        listed = _HERE / "random.txt"
        listed.write_text("".join(f"{name}\n" for name in names), "utf-8")
        command = [peers() / "uv", "pip", "compile", "--quiet", "--no-index", "--python-version", ONE[0][1]]
        words = [str(word) for word in [*command, *self.links, listed]]
        return subprocess.run(words, env=self.variables, capture_output=True, check=False).returncode == 0

    def growth(self) -> list[Limit]:
        """Time growing closures on one catalogue, and one closure on growing catalogues."""
        limits: list[Limit] = []
        names: list[str] = []
        packages = 0
        sizes = [50, 100, 200, 400]
        # Grown name by name, since nearly no large set that is thrown together has a solution.
        for name in random.Random(2).sample(self.projects, len(self.projects)):
            (answer,) = self.ask([([*names, name], ONE)])
            if answer.packages > packages:
                names.append(name)
                packages = answer.packages
                if packages >= sizes[0]:
                    del sizes[0]
                    found = self.ask([(names, ONE)] * 3)
                    seconds = statistics.median(answer.seconds for answer in found)
                    limits.append((f"growth: {packages} packages, {answer.conflicts} conflicts", seconds, None))
                    if not sizes:
                        break
        with open_catalogue(self.catalogue) as catalogue:
            rows = list(catalogue.rows())
        # Projects depend on those made before them, so the first ones are a wheelhouse by themselves.
        first = {normalise(name) for name in self.projects[:420]}
        some = [row for row in rows if row.name in first]
        copies = [
            row._replace(name=Name(f"copy{number}-{row.name}"), spelling=f"copy{number}_{row.spelling}")
            for number in (1, 2, 3)
            for row in rows
        ]
        names = self.projects[:420:40]
        for part in (some, rows, [*rows, *copies]):
            path = _HERE / f"{len(part)}.sqlite"
            _write(path, part)
            found = self.ask([(names, ONE)] * 5, path)
            seconds = statistics.median(answer.seconds for answer in found)
            limits.append((f"growth: {len(part):,} wheels, the same {found[0].packages} packages", seconds, None))
        return limits

    def backtracking(self) -> list[Limit]:
        """Time worlds that are made to backtrack."""
        late = [
            *(
                _wheel(p, i, f"{chr(ord(p) + 1)}=={i}" if p == "a" else "z<2" * (i > 0))
                for p in "ab"
                for i in range(1000)
            )
        ]
        late += [_wheel("z", 1), _wheel("z", 2), _wheel("y", 1, "z>=2")]
        holes = [_wheel(f"pigeon{p}", h, f"hole{h}=={p}") for p in range(8) for h in range(7)]
        holes += [_wheel(f"hole{h}", p) for h in range(7) for p in range(8)]
        limits: list[Limit] = []
        for what, rows, names in (
            ("1,000 versions, late conflict", late, ["a", "y"]),
            ("8 pigeons, 7 holes", holes, [f"pigeon{p}" for p in range(8)]),
        ):
            path = _HERE / "backtracking.sqlite"
            _write(path, rows)
            (answer,) = self.ask([(names, ONE)], path)
            limits.append((f"backtracking: {what}", answer.seconds, _MOST_BACKTRACKING))
        return limits


def _lines(size: str) -> list[str]:
    return (_CLOSURES / f"{size}.txt").read_text("utf-8").split()


def _wheel(name: str, version: int, requires: str = "") -> WheelRow:
    return WheelRow(
        Name(name), f"{version}", _LAYERS[-1], "py3-none-any", "", name, (), 1, 1, Needs("", "", requires), b"\1" * 32
    )


def _write(path: Path, rows: Sequence[WheelRow]) -> None:
    with open_catalogue(_HERE / "synthetic.sqlite") as catalogue:
        layers = catalogue.info.layers
    content = Content("fir", "scanned", "2026-01-01", "bench", (), layers, rows, (), (), (), depth="metadata")
    write_catalogue(path, content, encode(content))


def _tumpline() -> Path:
    return Path(sys.executable).parent / "tumpline"


def _project(folder: Path, lines: Sequence[str], places: Places) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    targets = [
        f'[tool.tumpline.targets.t{number}]\nsite = "{site}"\npython = "{python}"'
        for number, (site, python) in enumerate(places)
    ]
    content = [
        '[project]\nname = "closure"\nversion = "1"',
        f"dependencies = {json.dumps(list(lines))}",
        '[tool.tumpline]\npolicy = "wheelhouse"',
        *targets,
    ]
    (folder / "pyproject.toml").write_text("\n".join(content) + "\n", "utf-8")
    return folder


if __name__ == "__main__":
    raise SystemExit(main())
