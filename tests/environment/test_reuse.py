"""What a new generation takes over of the one before: by links, and nothing that is not what the wheel says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.environment.worlds import (
    MINOR,
    indexed,
    installed_record,
    layout_in,
    lock_of,
    make_environment,
    python_says,
    record_of,
    tiny_pip,
)
from tests.wheelmaker import make_wheel
from tumpline.environment.install import WheelJob, install_wheel
from tumpline.errors import InputError

FILES: dict[str, str | bytes] = {
    "kept/__init__.py": "says = 'right'\n",
    "kept/tool.so": b"\x7fELF",
    "Kept-1.data/scripts/where": "#!python\nimport sys; print(sys.prefix)\n",
    "Kept-1.data/data/etc/x.conf": "[x]",
}


def package(place: Path, path: str) -> Path:
    return place / f"lib/python{MINOR}/site-packages" / path


def is_shared(old: Path, new: Path, path: str) -> bool:
    return package(old, path).stat().st_ino == package(new, path).stat().st_ino


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The first generation, of ``kept`` and ``changing 1``."""
    return grow(tmp_path, "1")


def grow(tmp_path: Path, version: str) -> Path:
    wheels, place = tmp_path / "wheels", tmp_path / "there" / "env"
    kept = make_wheel(wheels, "Kept", "1", files=FILES, entry_points={"console_scripts": {"say": "kept:says"}})
    changing = {"changing/__init__.py": f"version = {version}\n", "changing/same.py": "x = 1\n"}
    lock = lock_of(*map(indexed, [tiny_pip(wheels), kept, make_wheel(wheels, "changing", version, files=changing)]))
    make_environment(lock, place, wheels)
    return place.resolve()


def test_what_is_the_same_is_shared_and_the_rest_is_new(tmp_path: Path, old: Path) -> None:
    new = grow(tmp_path, "2")
    assert new != old
    for path in ("kept/__init__.py", "kept/tool.so", "changing/same.py"):
        assert is_shared(old, new, path)
    assert (old / "etc/x.conf").stat().st_ino == (new / "etc/x.conf").stat().st_ino
    assert not is_shared(old, new, "changing/__init__.py")
    # Scripts hold the path of their environment, and RECORD their digests.
    for script in ("where", "say"):
        assert (new / "bin" / script).stat().st_nlink == 1
        assert str(new) in (new / "bin" / script).read_text()
    info = next(package(new, "").glob("Kept-1.dist-info"))
    assert installed_record(info)["kept/__init__.py"] == installed_record(package(old, info.name))["kept/__init__.py"]
    assert python_says(new, "import changing, kept; print(changing.version, kept.says)") == "2 right"
    assert python_says(old, "import changing; print(changing.version)") == "1"


def edit(path: Path) -> None:
    path.write_text("says = 'wrong'\n")


def lengthen(path: Path) -> None:
    path.write_text("says = 'right'\n# and more\n")


def let_others_write(path: Path) -> None:
    path.chmod(0o666)


def let_all_run(path: Path) -> None:
    path.chmod(0o755)


def replace_by_link(path: Path) -> None:
    target = path.with_name("target")
    path.rename(target)
    path.symlink_to(target)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "tamper",
    [edit, lengthen, let_others_write, let_all_run, replace_by_link, replace_by_folder, replace_by_pipe, Path.unlink],
)
def test_what_was_changed_behind_our_back_is_not_taken_over(tmp_path: Path, old: Path, tamper: object) -> None:
    assert callable(tamper)
    tamper(package(old, "kept/__init__.py"))
    new = grow(tmp_path, "2")
    module = package(new, "kept/__init__.py")
    assert module.read_text() == FILES["kept/__init__.py"]
    assert not module.is_symlink()
    assert module.stat().st_nlink == 1
    assert module.stat().st_mode == package(new, "changing/same.py").stat().st_mode
    assert is_shared(old, new, "changing/same.py")


def test_what_is_installed_is_what_record_says(tmp_path: Path) -> None:
    """A wheel whose content is another than its RECORD says is refused, unless the right content is there already."""
    good = make_wheel(tmp_path / "good", "alpha", "1", files={"alpha.py": "x = 1\n"})
    bad = make_wheel(tmp_path / "bad", "alpha", "1", files={"alpha.py": "x = 2\n"}, record=record_of(good))
    earlier, root = tmp_path / "earlier", tmp_path / "root"
    with pytest.raises(InputError) as caught:
        install_wheel(WheelJob(bad), layout_in(tmp_path / "refused"), 0o022)
    assert caught.value.code == "bad-record"
    install_wheel(WheelJob(good), layout_in(earlier), 0o022)
    install_wheel(WheelJob(bad), layout_in(root), 0o022, str(earlier))
    assert package(root, "alpha.py").read_text() == "x = 1\n"


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_on_another_file_system_everything_is_unpacked(tmp_path: Path) -> None:
    import tempfile

    wheel = make_wheel(tmp_path, "alpha", "1")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        install_wheel(WheelJob(wheel), layout_in(Path(other) / "earlier"), 0o022)
        done = install_wheel(WheelJob(wheel), layout_in(tmp_path / "root"), 0o022, f"{other}/earlier")
    again = install_wheel(WheelJob(wheel), layout_in(tmp_path / "third"), 0o022)
    assert (done.files, done.size) == (again.files, again.size)
    assert package(tmp_path / "root", "alpha/__init__.py").stat().st_nlink == 1
