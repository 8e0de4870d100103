"""The same real wheels put into place by tumpline, by pip and by uv: are the trees equal, file by file?

    python -m bench.install_agreement [--wheels DIR] [--folder DIR]

Compared are paths, modes and contents of every file. Left out are pip itself and virtualenv's own files; of RECORD the
rows of INSTALLER and of scripts, and its mode, which uv takes from the wheel where pip and tumpline write it anew; of
the scripts of entry points the wording: what runs them, and their modes, are compared. Without ``--wheels`` the wheels
are those of ``bench.sync``, fetched once. Needs uv on PATH, or fetches it.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import stat
from pathlib import Path

from bench.sync import _WORK, _uv, fetch_wheels
from tests.environment.worlds import indexed, lock_of, make_environment, variables
from tumpline.environment.make import InstallerName
from tumpline.environment.sync import SyncSettings

_OWN = re.compile(r"__pycache__|site-packages/pip(-[\d.]+\.(dist-info/|virtualenv)|/)|^bin/(pip|activate|deactivate)")
_NOT_COMPARED = ("INSTALLER", "tumpline-environment.json", "pyvenv.cfg")
_INSTALLERS: tuple[InstallerName, ...] = ("tumpline", "pip", "uv")

Tree = dict[str, tuple[int, bytes]]


def main() -> int:
    """Compare and tell; return 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheels", type=Path, help="a folder of wheels, one for each package")
    parser.add_argument("--folder", type=Path, default=_WORK / "agreement", help="where the environments are made")
    options = parser.parse_args()
    wheels = options.wheels or fetch_wheels()
    lock = lock_of(*map(indexed, sorted(path for path in wheels.glob("*.whl") if not path.name.startswith("pip-"))))
    environ = variables()
    environ["PATH"] = os.pathsep.join([environ["PATH"], str(Path(_uv()).parent)])
    trees: dict[str, Tree] = {}
    for installer in _INSTALLERS:
        place = options.folder.resolve() / installer / "env"
        make_environment(lock, place, wheels, environ=environ, settings=SyncSettings(installer=installer))
        trees[installer] = _tree(place.resolve())
    shutil.rmtree(options.folder)
    ours = trees.pop("tumpline")
    print(f"{len(lock.packages)} wheels, {len(ours)} files, {sum(name.startswith('bin/') for name in ours)} scripts")
    differing = {name: _differences(ours, theirs) for name, theirs in trees.items()}
    for name, paths in differing.items():
        print(f"{name}: {len(paths)} differ", *paths[:20], sep="\n  ")
    return 1 if any(differing.values()) else 0


def _tree(root: Path) -> Tree:
    found: Tree = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not path.is_symlink() and not _OWN.search(name) and path.name not in _NOT_COMPARED:
            content = path.read_bytes().replace(str(root).encode(), b"ROOT")
            if path.name == "RECORD":
                content = _rows(content)
            elif name.startswith("bin/") and b"sys.exit(" in content:
                content = content.partition(b"\n")[0]
            mode = 0 if path.name == "RECORD" else stat.S_IMODE(path.stat().st_mode)
            found[name] = mode, content
    return found


def _rows(record: bytes) -> bytes:
    rows = csv.reader(record.decode().splitlines())
    kept = [row for row in rows if not row[0].endswith("/INSTALLER") and "/bin/" not in row[0]]
    return repr(sorted(row for row in kept if "__pycache__" not in row[0])).encode()


def _differences(ours: Tree, theirs: Tree) -> list[str]:
    return sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))


if __name__ == "__main__":
    raise SystemExit(main())
