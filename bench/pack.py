"""Images against tar, zstd and squashfs; `verify` against reading the files: the same environment, in the same run.

    python -m bench.pack [--runs 3] [--wheels DIR] [--folder DIR] [--json]

The environment is made by ``tumpline sync`` from the wheels of `bench.sync`, or from those of another folder. Times are
those of whole processes, page cache warm, and medians; the ways take turns. Images are written to `--folder` and read
from there; they are unpacked to a memory disk (``/dev/shm``) and to `--folder`. Nothing is flushed to the disk in
between, for any of the ways. mksquashfs and unsquashfs are left out where they are not installed, and it says so.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from bench import sync
from bench._report import Row, tell
from bench._timing import Run, clean_variables, in_turn, peak_memory, run_once

_WORK = sync.ROOT / ".work" / "bench" / "pack"
_MEMORY = Path("/dev/shm")  # noqa: S108 - the memory disk itself
_TAR, _ZSTD, _SQUASHFS = "tar", "tar, zstd -3 -T0", "mksquashfs -comp zstd, level 3"
_SIZE = 1.2
"""Times the size of the best tool of the same kind that an image may have."""

Command = list[str | Path]


def main() -> int:
    """Measure and print the figures; return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--wheels", type=Path, help="make the environment of these wheels")
    parser.add_argument("--folder", type=Path, default=_WORK / "places", help="where images and environments are made")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    wheels = options.wheels.resolve() if options.wheels else sync.fetch_wheels()
    folder = options.folder.resolve() / "bench-pack"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    variables = clean_variables(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels), TUMPLINE_CACHE=str(_WORK / "cache"))
    place = folder / "env"
    project = sync.make_project(sorted(wheels.iterdir()), _WORK / "project")
    run_once([*_ours("sync", "-q", "--offline", "--target", "here"), "--project", project, "--env", place], variables)
    packing = _Packing(place, folder, variables)
    packed = in_turn(packing.run, packing.ways, options.runs)
    sizes = {name: path.stat().st_size for name, path in packing.images.items()}
    rows = [Row(name, packed[name]) for name in (_TAR, _ZSTD, _SQUASHFS) if name in packed]
    rows += [
        Row("tumpline pack, .tar", packed[".tar"], _TAR),
        Row("tumpline pack, .tar.zst", packed[".tar.zst"], _ZSTD, _SIZE),
        Row("tumpline pack, .tar.gz", packed[".tar.gz"]),
        Row("the same as .tar.zst, checked, with bytecode", packed["full"]),
    ]
    memory = peak_memory(packing.ways[".tar.zst"], variables)
    for name, target in (("memory", _MEMORY), ("disk", folder)):
        if target.is_dir():
            rows += _unpacked(name, target / "bench-unpacked", packing, options.runs)
    rows += _verified(place, variables, options.runs, memory)
    if not options.json:
        _tell_sizes(place, sizes)
    shutil.rmtree(folder)
    status = tell(rows, as_json=options.json)
    missed = [name for name, peer in ((".tar", _TAR), (".tar.zst", _ZSTD)) if sizes[name] > _SIZE * sizes[peer]]
    if missed and not options.json:
        print(f"missed: size of {', '.join(missed)}")
    return 1 if missed else status


class _Packing:
    """The ways to make one file of an environment, and the files that they make."""

    def __init__(self, place: Path, folder: Path, variables: dict[str, str]) -> None:
        self.folder = place.resolve()
        self.variables = variables
        self.images = {
            _TAR: folder / "peer.tar",
            _ZSTD: folder / "peer.tar.zst",
            _SQUASHFS: folder / "peer.squashfs",
            ".tar": folder / "ours.tar",
            ".tar.zst": folder / "ours.tar.zst",
            ".tar.gz": folder / "ours.tar.gz",
            "full": folder / "full.tar.zst",
        }
        script = f"tar -C {self.folder} -cf - . | zstd -q -3 -T0 -f -o {self.images[_ZSTD]}"
        self.ways: dict[str, Command] = {
            _TAR: ["tar", "-C", self.folder, "-cf", self.images[_TAR], "."],
            _ZSTD: ["sh", "-c", script],
        }
        if shutil.which("mksquashfs"):
            level = ["-comp", "zstd", "-Xcompression-level", "3", "-noappend", "-quiet", "-no-progress"]
            self.ways[_SQUASHFS] = ["mksquashfs", self.folder, self.images[_SQUASHFS], *level]
        else:
            print("mksquashfs is not here", file=sys.stderr)
            del self.images[_SQUASHFS]
        for name in (".tar", ".tar.zst", ".tar.gz"):
            pack = _ours("pack", "-q", "--no-compile", "--no-check", "--env", place, "-o", self.images[name])
            self.ways[name] = pack
        self.ways["full"] = _ours("pack", "-q", "--env", place, "-o", self.images["full"])

    def run(self, name: str) -> Run:
        return run_once(self.ways[name], self.variables)


def _unpacked(where: str, target: Path, packing: _Packing, runs: int) -> list[Row]:
    images = packing.images
    ways: dict[str, Command] = {
        "tar x": ["tar", "-C", target, "-xf", images[_TAR]],
        "zstd, tar x": ["tar", "-C", target, "--zstd", "-xf", images[_ZSTD]],
        ".tar": _ours("unpack", "-q", images[".tar"], target / "env"),
        ".tar.zst": _ours("unpack", "-q", images[".tar.zst"], target / "env"),
        "full": _ours("unpack", "-q", images["full"], target / "env"),
    }
    if _SQUASHFS in images:
        ways["unsquashfs"] = ["unsquashfs", "-q", "-n", "-f", "-d", target / "x", images[_SQUASHFS]]

    def run(name: str) -> Run:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        return run_once(ways[name], packing.variables)

    found = in_turn(run, ways, runs)
    shutil.rmtree(target)
    peers = [name for name in ("tar x", "zstd, tar x", "unsquashfs") if name in ways]
    return [
        *(Row(f"{name}, to {where}", found[name]) for name in peers),
        Row(f"tumpline unpack .tar, to {where}", found[".tar"], f"tar x, to {where}", 1.3),
        Row(f"tumpline unpack .tar.zst, to {where}", found[".tar.zst"], f"zstd, tar x, to {where}", 1.3),
        Row(f"the same with bytecode, to {where}", found["full"]),
    ]


def _verified(place: Path, variables: dict[str, str], runs: int, memory: float) -> list[Row]:
    folder = place.resolve()
    ways: dict[str, Command] = {
        "cat": ["sh", "-c", f"find {folder} -type f -print0 | xargs -0 cat > /dev/null"],
        "verify": _ours("verify", "-q", "--env", place),
    }
    found = in_turn(lambda name: run_once(ways[name], variables), ways, runs)
    ours = tuple(replace(run, mib=memory) for run in found["verify"])
    return [Row("cat of all files", found["cat"]), Row("tumpline verify", ours, "cat of all files", 1.5)]


def _ours(*words: str | Path) -> Command:
    return [sys.executable, "-m", "tumpline", *words]


def _tell_sizes(place: Path, sizes: dict[str, int]) -> None:
    files = [Path(folder, name) for folder, _, names in os.walk(place.resolve()) for name in names]
    total = sum(path.lstat().st_size for path in files)
    print(f"{len(files)} files, {total / 1e6:.0f} MB")
    for name, size in sizes.items():
        print(f"  {size / 1e6:8.1f} MB  {name}")


if __name__ == "__main__":
    raise SystemExit(main())
