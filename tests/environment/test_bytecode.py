"""Bytecode: compiled once, and taken over of the generation before where neither source nor bytecode changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.environment.worlds import MINOR, indexed, lock_of, make_environment, python_says, tiny_pip
from tests.wheelmaker import make_wheel
from tumpline.environment.inventory import walk
from tumpline.environment.record import BYTECODE_NAME
from tumpline.environment.sync import SyncSettings


def package(place: Path, path: str) -> Path:
    return place / f"lib/python{MINOR}/site-packages" / path


def bytecode(place: Path, folder: str, name: str = "__init__") -> Path:
    (found,) = package(place, folder).glob(f"__pycache__/{name}.*.pyc")
    return found


def grow(root: Path, version: str, *, compiled: bool = True) -> Path:
    """Sync ``kept``, which stays, and ``changing`` in a version; return the generation."""
    wheels, place = root / "wheels", root / "there" / "env"
    kept = {"kept/__init__.py": "says = 'right'\n", "kept/broken.py": "def\n", "kept/other.py": "x = 1\n"}
    changing = {"changing/__init__.py": f"version = {version}\n", "changing/same.py": "x = 1\n"}
    lock = lock_of(
        indexed(tiny_pip(wheels)),
        indexed(make_wheel(wheels, "Kept", "1", files=kept)),
        indexed(make_wheel(wheels, "changing", version, files=changing)),
    )
    make_environment(lock, place, wheels, settings=SyncSettings(compile=compiled, jobs=2))
    return place.resolve()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return grow(tmp_path, "1")


def is_shared(old: Path, new: Path, folder: str, name: str = "__init__") -> bool:
    return bytecode(old, folder, name).samefile(bytecode(new, folder, name))


def checked(path: Path) -> bool:
    """Whether bytecode is bound to the content of its source."""
    return path.read_bytes()[4:8] == b"\3\0\0\0"


@pytest.mark.skipif(os.name != "posix", reason="nothing is shared there")
def test_what_did_not_change_is_not_compiled_again(tmp_path: Path, old: Path) -> None:
    assert not any(entry.path == BYTECODE_NAME for entry in walk(str(old))), "it is no package's file"
    new = grow(tmp_path, "2")
    assert new != old
    assert is_shared(old, new, "kept")
    assert is_shared(old, new, "changing", "same")
    assert not is_shared(old, new, "changing")
    assert checked(bytecode(new, "changing"))
    assert list(package(new, "kept").glob("__pycache__/broken*")) == []
    assert python_says(new, "import changing, kept; print(changing.version, kept.says)") == "2 right"
    # And once more: what was taken over is noted as well.
    assert is_shared(new, grow(tmp_path, "3"), "kept")


def test_where_nothing_was_compiled_before(tmp_path: Path) -> None:
    old = grow(tmp_path, "1", compiled=False)
    python_says(old, "import kept")
    assert not (old / BYTECODE_NAME).exists()
    new = grow(tmp_path, "2")
    assert checked(bytecode(new, "kept"))


def test_compiled_later(tmp_path: Path) -> None:
    old = grow(tmp_path, "1", compiled=False)
    python_says(old, "import kept")
    assert not checked(bytecode(old, "kept")), "Python itself goes by the time of the source"
    assert grow(tmp_path, "1") == old
    assert checked(bytecode(old, "kept"))
    assert checked(bytecode(old, "kept", "other"))
    assert is_shared(old, grow(tmp_path, "2"), "kept")


def damage(old: Path) -> None:
    path = bytecode(old, "kept")
    path.write_bytes(path.read_bytes()[:-3])


def put_another(old: Path) -> None:
    """Right by its head, as Python sees it, and not what was compiled."""
    head = bytecode(old, "kept").read_bytes()[:16]
    bytecode(old, "kept").write_bytes(head + bytecode(old, "kept", "other").read_bytes()[16:])


def edit_source(old: Path) -> None:
    package(old, "kept/__init__.py").write_text("says = 'wrong'\n")
    assert python_says(old, "import kept; print(kept.says)") == "wrong"  # compiles it anew


def replace_by_link(old: Path) -> None:
    path = bytecode(old, "kept")
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def let_others_write(old: Path) -> None:
    bytecode(old, "kept").chmod(0o666)


def remove(old: Path) -> None:
    bytecode(old, "kept").unlink()


def remove_notes(old: Path) -> None:
    (old / BYTECODE_NAME).unlink()


def empty_notes(old: Path) -> None:
    (old / BYTECODE_NAME).write_bytes(b"")


def write_other_notes(old: Path) -> None:
    (old / BYTECODE_NAME).write_text("tumpline-bytecode 2\n")


def write_hostile_notes(old: Path) -> None:
    rows = (old / BYTECODE_NAME).read_text().splitlines()[:1]
    rows += ["", "x", "a b ../../../../etc/__pycache__/passwd.x.pyc", "a b /etc/passwd", "a b x.pyc", "a b c d\0e"]
    (old / BYTECODE_NAME).write_text("\n".join(rows))


def write_no_text(old: Path) -> None:
    (old / BYTECODE_NAME).write_bytes(b"\xff\xfe")


@pytest.mark.parametrize(
    "tamper",
    [
        *(damage, put_another, edit_source, replace_by_link, let_others_write, remove),
        *(remove_notes, empty_notes, write_other_notes, write_hostile_notes, write_no_text),
    ],
)
def test_only_what_was_compiled_is_taken_over(tmp_path: Path, old: Path, tamper: object) -> None:
    assert callable(tamper)
    tamper(old)
    new = grow(tmp_path, "2")
    found = bytecode(new, "kept")
    assert checked(found)
    assert not found.is_symlink()
    assert found.stat().st_nlink == 1
    assert found.stat().st_mode == bytecode(new, "changing").stat().st_mode
    assert python_says(new, "import kept; print(kept.says)") == "right"


def test_a_file_of_several_packages_is_compiled_as_it_is(tmp_path: Path) -> None:
    wheels, place = tmp_path / "wheels", tmp_path / "there" / "env"

    def sync(version: str, *names: str) -> Path:
        made = [make_wheel(wheels, name, version, files={"shared.py": f"says = '{name}'\n"}) for name in names]
        lock = lock_of(indexed(tiny_pip(wheels)), *map(indexed, made))
        make_environment(lock, place, wheels, settings=SyncSettings(compile=True, jobs=2))
        return place.resolve()

    sync("1", "aa", "zz")
    assert python_says(sync("2", "aa"), "import shared; print(shared.says)") == "aa"
    assert python_says(sync("3", "aa", "zz"), "import shared; print(shared.says)") == "zz"
