"""What `verify` finds: each way in which an environment can come to differ, and nothing where it does not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.environment.images import PACKAGES, make_small
from tests.environment.worlds import indexed, lock_of, make_environment, python_says, tiny_pip, variables
from tests.wheelmaker import make_wheel, record_line
from tumpline.environment.imports import Module, check_imports, modules_of
from tumpline.environment.inventory import read_distributions
from tumpline.environment.make import InstallerName, SyncSettings
from tumpline.environment.record import EnvironmentRecord, Expected, read_record
from tumpline.environment.verify import VerifyReport, verify


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EnvironmentRecord]:
    base = tmp_path_factory.mktemp("verify")
    return make_small(base, base / "env")


@pytest.fixture
def folder(tmp_path: Path, pristine: tuple[Path, EnvironmentRecord]) -> Path:
    shutil.copytree(pristine[0], tmp_path / "copy", symlinks=True)
    return tmp_path / "copy"


def look(folder: Path, pristine: tuple[Path, EnvironmentRecord]) -> VerifyReport:
    return verify(folder, pristine[1], environ=variables(), jobs=2)


def found(report: VerifyReport) -> list[tuple[str, str]]:
    return [(each.kind, each.path or each.package) for each in report.differences]


def test_nothing_where_nothing_changed(folder: Path, pristine: tuple[Path, EnvironmentRecord]) -> None:
    python_says(folder, "import tool, alpha")
    assert list(folder.rglob("__pycache__"))
    report = look(folder, pristine)
    assert found(report) == []
    files = [path for path in folder.rglob("*") if path.is_file() and ".dist-info" not in str(path)]
    assert report.files >= len([path for path in files if "site-packages" in str(path) and path.suffix != ".pyc"])
    assert report.size > 0
    assert report.packages == 3


INIT = f"{PACKAGES}/alpha/__init__.py"
INFO = f"{PACKAGES}/alpha-1.dist-info"
INSTALLER, RECORD = f"{INFO}/INSTALLER", f"{INFO}/RECORD"


def _same_size(folder: Path) -> None:
    path = folder / INIT
    content = bytearray(path.read_bytes())
    status = path.stat()
    content[-2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _link(folder: Path) -> None:
    (folder / INIT).rename(folder.parent / "moved.py")
    (folder / INIT).symlink_to(folder.parent / "moved.py")


def _pipe(folder: Path) -> None:
    (folder / INIT).unlink()
    os.mkfifo(folder / INIT)


def _other_package(folder: Path) -> None:
    info = folder / PACKAGES / "beta-2.dist-info"
    info.mkdir()
    (folder / PACKAGES / "beta.py").write_text("x = 1\n")
    (info / "INSTALLER").write_text("pip\n")
    (info / "RECORD").write_text(
        f"{record_line('beta.py', b'x = 1' + bytes([10]))}\nbeta-2.dist-info/RECORD,,\nbeta-2.dist-info/INSTALLER,,\n"
    )


CHANGES: list[tuple[Callable[[Path], object], list[tuple[str, str]]]] = [
    (_same_size, [("changed", INIT)]),
    (lambda folder: (folder / INIT).write_text(""), [("changed", INIT)]),
    (lambda folder: (folder / INIT).unlink(), [("missing", INIT)]),
    (lambda folder: shutil.rmtree(folder / PACKAGES / "alpha"), [("missing", INIT)]),
    (lambda folder: (folder / "bin" / "tool").unlink(), [("missing", "bin/tool")]),
    (lambda folder: (folder / "pyvenv.cfg").unlink(), [("missing", "pyvenv.cfg")]),
    (lambda folder: (folder / "bin" / "python").unlink(), [("missing", "bin/python")]),
    (lambda folder: (folder / "bin" / "activate").unlink(), [("missing", "bin/activate")]),
    (
        lambda folder: (folder / INSTALLER).unlink(),
        [("missing", INSTALLER), ("package-replaced", "alpha 1")],
    ),
    (_link, [("unreadable", INIT)]),
    (_pipe, [("changed", INIT)]),
    (lambda folder: (folder / "share" / "notes").write_text(""), [("extra", "share/notes")]),
    (lambda folder: (folder / PACKAGES / "notes.py").symlink_to(folder / INIT), [("extra", f"{PACKAGES}/notes.py")]),
    (lambda folder: os.mkfifo(folder / "pipe"), [("extra", "pipe")]),
    (_other_package, [("package-added", "beta 2")]),
    (
        lambda folder: (folder / INSTALLER).write_text("pip\n"),
        [("package-replaced", "alpha 1"), ("changed", INSTALLER)],
    ),
    (lambda folder: (folder / INFO).rename(folder / PACKAGES / "alpha-2.dist-info"), [("package-replaced", "alpha 2")]),
    (lambda folder: shutil.rmtree(folder / INFO), [("package-missing", "alpha 1"), ("extra", INIT)]),
    (
        lambda folder: (folder / RECORD).write_text("../../../../../etc/passwd,,\n"),
        [("unreadable", RECORD), ("extra", INIT)],
    ),
    (
        lambda folder: (folder / RECORD).write_text("a,b\n"),
        [("unreadable", RECORD), ("extra", INIT)],
    ),
    (lambda folder: (folder / RECORD).unlink(), [("unreadable", RECORD), ("extra", INIT)]),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_each_change_is_found(
    folder: Path,
    pristine: tuple[Path, EnvironmentRecord],
    change: Callable[[Path], object],
    expected: list[tuple[str, str]],
) -> None:
    change(folder)
    differences = found(look(folder, pristine))
    assert [each for each in expected if each not in differences] == []
    # Where a RECORD is gone, the package's other files are told too; nothing of another package is.
    assert [path for _, path in differences if "alpha" not in path and (_, path) not in expected] == []


def test_two_packages_with_one_file(tmp_path: Path) -> None:
    """One of them has won, so that the RECORD of the other does not fit: that is no change."""
    wheels = tmp_path / "wheels"
    shared = [make_wheel(wheels, name, "1", files={"shared.py": f"name = '{name}'\n"}) for name in ("one", "two")]
    make_environment(lock_of(indexed(tiny_pip(wheels)), *map(indexed, shared)), tmp_path / "env", wheels)
    folder = (tmp_path / "env").resolve()
    record = read_record(folder)
    assert record is not None
    assert verify(folder, record, environ=variables()).differences == ()
    (folder / PACKAGES / "shared.py").write_text("name = 'six'\n")
    assert found(verify(folder, record, environ=variables())) == [("changed", f"{PACKAGES}/shared.py")]


def test_a_purge_is_told_as_one(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    many = [
        make_wheel(wheels, name, "1", files={f"{name}/m{number}.py": "" for number in range(15)})
        for name in ("one", "two")
    ]
    make_environment(lock_of(indexed(tiny_pip(wheels)), *map(indexed, many)), tmp_path / "env", wheels)
    folder = (tmp_path / "env").resolve()
    record = read_record(folder)
    assert record is not None
    for path in (folder / PACKAGES / "one").iterdir():
        path.unlink()
    assert verify(folder, record, environ=variables()).remarks == ()
    for number in range(8):
        (folder / PACKAGES / "two" / f"m{number}.py").unlink()
    (remark,) = verify(folder, record, environ=variables()).remarks
    assert remark.code == "looks-purged"
    assert remark.message.startswith("23 files of 2 packages are gone")


BROKEN = {
    "numpy_abi.py": "raise ImportError('numpy.core.multiarray failed to import')",
    "abi2.py": "import sys; print('A module that was compiled using NumPy 1.x cannot be run', file=sys.stderr); 1 / 0",
    "glibc.py": 'raise ImportError("/lib/libc.so.6: version `GLIBC_2.99\' not found (required by x.so)")',
    "library.py": "raise ImportError('libcuda.so.1: cannot open shared object file: No such file or directory')",
    "illegal.py": "import os, signal; os.kill(os.getpid(), signal.SIGILL)",
    "segfault.py": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "lacking.py": "import does_not_exist.inner",
    "bymodule.py": "import pyarrow",
    "syntax.py": "def (:",
    "exits.py": "import sys; sys.exit(3)",
    "other.py": "raise RuntimeError('for another reason')",
    "home.py": "import os; open(os.path.expanduser('~/.trace'), 'w').close()",
    "prints.py": "print('[0, \"\"]'); import sys; sys.stdin.read()",
    "good/__init__.py": "",
    "space/inner/__init__.py": "",
    "space/module.py": "",
    "bad-name.py": "1 / 0",
    "nested/__init__.py": "",
    "nested/deep/__init__.py": "1 / 0",
}

CAUSES = {
    "numpy_abi": "numpy-abi",
    "abi2": "numpy-abi",
    "glibc": "glibc",
    "library": "missing-library",
    "illegal": "illegal-instruction",
    "segfault": "crash",
    "lacking": "missing-module",
    "bymodule": "missing-module",
    "syntax": "wrong-python",
    "exits": "other",
    "other": "other",
}


def test_imports_and_their_causes(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    broken = make_wheel(wheels, "broken", "1", files=BROKEN)
    make_environment(lock_of(indexed(tiny_pip(wheels)), indexed(broken)), tmp_path / "env", wheels)
    folder = (tmp_path / "env").resolve()
    record = read_record(folder)
    assert record is not None
    record = record._replace(cpu_level="x86-64-v4", expected=(Expected("pyarrow", "17.0.0", "arrow/17.0.0"),))
    modules = modules_of(read_distributions(str(folder)))
    names = [module.name for module in modules]
    plain = [path.removesuffix(".py") for path in BROKEN if "/" not in path and "-" not in path]
    assert names == sorted([*plain, "good", "nested", "pip", "space.inner", "space.module"])
    home = tmp_path / "home"
    home.mkdir()
    calls: list[int] = []
    failures = check_imports(
        folder, record, modules, environ=variables(HOME=str(home)), jobs=2, done=lambda: calls.append(1)
    )
    assert {each.module: each.cause for each in failures} == CAUSES
    assert len(calls) == len(modules)
    hints = {each.module: each.hint for each in failures}
    assert "x86-64-v4" in hints["illegal"]
    assert "module load arrow/17.0.0" in hints["bymodule"]
    assert "numpy<2" in hints["numpy_abi"]
    whys = {each.module: each.why for each in failures}
    assert "SIGSEGV" in whys["segfault"]
    assert "GLIBC_2.99" in whys["glibc"]
    assert list(home.iterdir()) == []
    assert not list(folder.rglob("__pycache__"))
    assert verify(folder, record, environ=variables()).differences == ()


def test_an_import_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tumpline.environment.imports._SECONDS", 0.5)
    wheels = tmp_path / "wheels"
    hanging = make_wheel(wheels, "hanging", "1", files={"hanging.py": "import time; time.sleep(60)"})
    make_environment(lock_of(indexed(tiny_pip(wheels)), indexed(hanging)), tmp_path / "env", wheels)
    folder = (tmp_path / "env").resolve()
    record = read_record(folder)
    assert record is not None
    (failure,) = check_imports(folder, record, [Module("hanging", "hanging 1")], environ=variables())
    assert failure.cause == "hangs"


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_an_environment_that_another_installer_filled(
    tmp_path: Path, installer: InstallerName, request: pytest.FixtureRequest
) -> None:
    """All but pip itself, which is put there first, says that pip or uv installed it; who comes later is told."""
    if installer == "uv":
        request.getfixturevalue("uv_on_path")
    wheels = tmp_path / "wheels"
    packages = [indexed(make_wheel(wheels, name, "1")) for name in ("alpha", "beta", "gamma")]
    settings = SyncSettings(installer=installer)
    make_environment(lock_of(*packages), tmp_path / "env", wheels, settings=settings)
    folder = (tmp_path / "env").resolve()
    record = read_record(folder)
    assert record is not None
    assert (folder / INSTALLER).read_text().strip() == installer
    assert verify(folder, record, environ=variables()).differences == ()
    for name in ("pip", "beta"):
        (info,) = (folder / PACKAGES).glob(f"{name}-*.dist-info")
        (info / "INSTALLER").write_text("conda\n")
    kinds = {
        each.package.split()[0]: each.kind
        for each in verify(folder, record, environ=variables()).differences
        if not each.path
    }
    assert kinds == {"pip": "package-added", "beta": "package-replaced"}
