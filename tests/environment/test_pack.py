"""Packing an environment and unpacking it elsewhere: the same environment, in one file, made of the same bytes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.environment.images import PACKAGES, contents, image_identity, make_small, pack_to, small_world
from tests.environment.worlds import MINOR, indexed, lock_of, make_environment, python_says, tiny_pip, variables
from tests.wheelmaker import make_wheel
from tumpline.environment.image import PLACEHOLDER, read_image
from tumpline.environment.pack import PackSettings, pack
from tumpline.environment.record import EnvironmentRecord, read_record
from tumpline.environment.unpack import unpack
from tumpline.environment.verify import verify
from tumpline.environment.whereabouts import made_at, moved_from, spellings
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.lock import Lock

FORMATS = [".tar", ".tar.gz", ".tar.zst"]
needs_zstd = pytest.mark.skipif(shutil.which("zstd") is None, reason="needs the program zstd")
formats = pytest.mark.parametrize("suffix", [*FORMATS[:2], pytest.param(FORMATS[2], marks=needs_zstd)])


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EnvironmentRecord]:
    base = tmp_path_factory.mktemp("small")
    return make_small(base, base / "env")


@pytest.fixture
def changed(tmp_path: Path, small: tuple[Path, EnvironmentRecord]) -> tuple[Path, EnvironmentRecord]:
    """A copy of the environment, to be changed; its scripts lead to where it was."""
    shutil.copytree(small[0], tmp_path / "copy", symlinks=True)
    return tmp_path / "copy", small[1]


def says(*command: Path | str) -> str:
    return subprocess.run(
        [str(word) for word in command], env=variables(), check=True, capture_output=True, text=True
    ).stdout.strip()


@formats
@pytest.mark.parametrize("where", ["there", "with space é", "long" * 30])
def test_there_and_back(tmp_path: Path, small: tuple[Path, EnvironmentRecord], suffix: str, where: str) -> None:
    folder, record = small
    image = pack_to(folder, record, tmp_path / f"image{suffix}").path
    place = tmp_path / where / "env"
    report = unpack(image, place, environ=variables())
    new = place.resolve()
    assert says(place / "bin" / "tool") == f"tool {new}"
    assert says(place / "bin" / "tool-script") == f"script {new}"
    assert says(place / "bin" / "tool.sh") == "sh"
    assert python_says(place, "import alpha; print(alpha.__version__)") == "1"
    # Scripts have another first line in a longer place, and so another digest.
    before, after = contents(folder), contents(new)
    assert before.keys() == after.keys()
    assert [path for path in before if before[path] != after[path] and not path.endswith("/RECORD")] in (
        [],
        ["bin/tool", "bin/tool-script"],
    )
    found = verify(new, read_record(new) or record, environ=variables())
    assert found.differences == ()
    assert found.files > 15
    assert report.files == read_image(image).head.files
    activated = f". '{place}/bin/activate'; command -v tool"
    assert says("sh", "-c", activated) == str(new / "bin" / "tool")


@formats
def test_the_same_environment_makes_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    images = []
    for name, jobs in (("one", 1), ("another-place", 3)):
        folder, record = make_small(tmp_path / name, tmp_path / name / "env")
        python_says(tmp_path / name / "env", "import tool" if jobs == 1 else "import alpha")
        for path in folder.rglob("*.py"):
            os.utime(path, (jobs * 1e9, jobs * 1e9))
        images.append(pack_to(folder, record, tmp_path / f"{name}{suffix}", compile=True, jobs=jobs).path)
    assert image_identity(images[0]) == image_identity(images[1])
    unpack(images[0], tmp_path / "third" / "env", environ=variables())
    folder = (tmp_path / "third" / "env").resolve()
    found = read_record(folder)
    assert found is not None
    again = pack_to(folder, found, tmp_path / f"third{suffix}", compile=True).path
    assert image_identity(images[0]) == image_identity(again)


@formats
def test_tar_reads_it(tmp_path: Path, small: tuple[Path, EnvironmentRecord], suffix: str) -> None:
    folder, record = small
    image = pack_to(folder, record, tmp_path / f"image{suffix}").path
    (tmp_path / "out").mkdir()
    done = subprocess.run(["tar", "-xf", image, "-C", tmp_path / "out"], check=True, capture_output=True, text=True)
    assert done.stderr == ""
    out = contents(tmp_path / "out")
    assert out["share/tool/settings.json"][1] == b'{"a": 1}'
    assert out[f"{PACKAGES}/tool/données.txt"][1] == "é".encode()
    assert PLACEHOLDER.encode() in out["bin/tool"][1]
    assert sorted(set(contents(folder)) - set(out)) == []


def test_the_standard_library_reads_gzip(tmp_path: Path, small: tuple[Path, EnvironmentRecord]) -> None:
    with tarfile.open(pack_to(*small, tmp_path / "image.tar.gz").path) as archive:
        assert archive.getnames()[0] == "tumpline-image.json"
        assert f"{PACKAGES}/alpha/__init__.py" in archive.getnames()


def test_bytecode_is_valid_where_it_is_unpacked(tmp_path: Path, small: tuple[Path, EnvironmentRecord]) -> None:
    image = pack_to(*small, tmp_path / "image.tar", compile=True).path
    assert read_image(image).head.bytecode
    place = tmp_path / "there" / "env"
    unpack(image, place, environ=variables())
    cached = Path(python_says(place, "import tool; print(tool.__spec__.cached)"))
    assert cached.is_file()
    # Python takes bytecode only if it states the time and the size of its source; else it would write it anew.
    source = (place / PACKAGES / "tool" / "__init__.py").stat()
    header = cached.read_bytes()[:16]
    assert int.from_bytes(header[8:12], "little") == int(source.st_mtime)
    assert int.from_bytes(header[12:16], "little") == source.st_size
    assert not list((place / PACKAGES / "tool" / "__pycache__").glob("broken*"))
    assert python_says(place, "import tool; print(tool.main.__code__.co_filename)") == str(
        place / PACKAGES / "tool" / "__init__.py"
    )


def test_the_name_says_target_and_content(tmp_path: Path, small: tuple[Path, EnvironmentRecord]) -> None:
    report = pack_to(*small, tmp_path)
    assert report.path.name == f"here-{report.head.content[:12]}{'.tar.zst' if shutil.which('zstd') else '.tar.gz'}"
    assert [path.name for path in tmp_path.iterdir()] == [report.path.name]


def test_without_zstd(tmp_path: Path, small: tuple[Path, EnvironmentRecord]) -> None:
    environ = variables(PATH=str(Path(sys.executable).parent))
    assert pack(*small, PackSettings(tmp_path), environ=environ).path.name.endswith(".tar.gz")
    with pytest.raises(EnvironmentFailure) as caught:
        pack(*small, PackSettings(tmp_path / "image.tar.zst"), environ=environ)
    assert caught.value.code == "no-zstd"


def test_what_holds_the_path_and_can_not_be_moved_is_told(
    tmp_path: Path, changed: tuple[Path, EnvironmentRecord]
) -> None:
    folder, record = changed
    (folder / PACKAGES / "alpha" / "where.txt").write_text(f"at {folder}")
    (folder / "share" / "binary").write_bytes(b"\0" + os.fsencode(folder))
    (folder / "share" / "text").write_text(f"at {folder}/bin")
    (folder / PACKAGES / "here.pth").write_text(f"{folder}/share\n")
    report = pack_to(folder, record, tmp_path / "image.tar")
    assert report.holding == (f"{PACKAGES}/alpha/where.txt", "share/binary")
    place = tmp_path / "there" / "env"
    unpack(report.path, place, environ=variables())
    assert (place / "share" / "text").read_text() == f"at {place.resolve()}/bin"
    assert (place / PACKAGES / "here.pth").read_text() == f"{place.resolve()}/share\n"


def test_links_and_empty_folders(tmp_path: Path, changed: tuple[Path, EnvironmentRecord]) -> None:
    folder, record = changed
    (folder / "share" / "inner").symlink_to("tool/settings.json")
    (folder / "empty").mkdir()
    image = pack_to(folder, record, tmp_path / "image.tar").path
    place = tmp_path / "there" / "env"
    unpack(image, place, environ=variables())
    assert (place / "share" / "inner").read_text() == '{"a": 1}'
    assert (place / "share" / "inner").is_symlink()
    assert (place / "empty").is_dir()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "../../../copy"])
def test_links_out_are_refused(tmp_path: Path, changed: tuple[Path, EnvironmentRecord], target: str) -> None:
    folder, record = changed
    (folder / "share" / "out").symlink_to(target)
    with pytest.raises(InputError) as caught:
        pack_to(folder, record, tmp_path / "image.tar")
    assert caught.value.code == "cannot-pack"
    assert not list(tmp_path.glob("*image*"))


@pytest.mark.parametrize("name", ["a\nb", "a\\b", "bin/activate.d/a", "BIN/python3"])
def test_what_would_not_be_unpacked_is_not_packed(
    tmp_path: Path, changed: tuple[Path, EnvironmentRecord], name: str
) -> None:
    folder, record = changed
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("")
    with pytest.raises(InputError) as caught:
        pack_to(folder, record, tmp_path / "image.tar")
    assert caught.value.code == "cannot-pack"
    assert "\n" not in caught.value.problems[0].where


@pytest.mark.parametrize("where", ["link", "moved"])
def test_scripts_that_spell_another_folder_are_moved_too(tmp_path: Path, where: str) -> None:
    """Home's ``projects/def-…`` are links on a cluster: one folder has two paths."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    _, record = make_small(tmp_path, tmp_path / "link" / "env")
    if where == "moved":
        (tmp_path / "real").rename(tmp_path / "moved")
        folder = (tmp_path / "moved" / "env").resolve()
    else:
        folder = (tmp_path / "real" / "env").resolve()
        assert str(folder) not in (folder / "bin" / "tool").read_text()
    report = pack_to(folder, record, tmp_path / "image.tar")
    assert report.holding == ()
    place = tmp_path / "there" / "env"
    unpack(report.path, place, environ=variables())
    assert says(place / "bin" / "tool") == f"tool {place.resolve()}"
    assert str(tmp_path / "link") not in (place / "bin" / "tool-script").read_text()
    assert verify(place.resolve(), record, environ=variables()).differences == ()


@pytest.mark.parametrize("name", ["a'b", 'a"b$c', "a b", "é", "a 'é' b", "long" * 30])
def test_odd_paths_to_be_moved_from(tmp_path: Path, name: str) -> None:
    folder, record = make_small(tmp_path, tmp_path / name / "env")
    assert moved_from(folder) == ""
    assert made_at(str(folder)) == str(folder)
    assert spellings(str(folder)) == (str(folder),)
    place = tmp_path / "there" / "env"
    unpack(pack_to(folder, record, tmp_path / "image.tar").path, place, environ=variables())
    assert says(place / "bin" / "tool") == f"tool {place.resolve()}"


def test_no_environment_in_a_folder_that_path_can_not_name(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        make_small(tmp_path, tmp_path / "a:b" / "env")
    assert caught.value.code == "bad-folder"


def test_sockets_are_refused(
    tmp_path: Path, changed: tuple[Path, EnvironmentRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, record = changed
    # The path of a socket is short.
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("s")
        with pytest.raises(InputError) as caught:
            pack_to(folder, record, tmp_path / "image.tar")
    assert caught.value.code == "cannot-pack"


def test_a_python_that_does_not_start(tmp_path: Path, changed: tuple[Path, EnvironmentRecord]) -> None:
    folder, record = changed
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").symlink_to("/bin/false")
    with pytest.raises(EnvironmentFailure) as caught:
        pack_to(folder, record, tmp_path / "image.tar", compile=True)
    assert caught.value.code == "bytecode-failed"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy"]


@pytest.mark.parametrize("name", ["image", "image.zip", "image.tar.xz"])
def test_names_that_say_nothing(tmp_path: Path, small: tuple[Path, EnvironmentRecord], name: str) -> None:
    with pytest.raises(InputError) as caught:
        pack_to(*small, tmp_path / name)
    assert caught.value.code == "which-image-format"


def test_no_folder_to_write_to(tmp_path: Path, small: tuple[Path, EnvironmentRecord]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailure) as caught:
        pack_to(*small, tmp_path / "file" / "image.tar")
    assert caught.value.code == "cannot-write"
    assert "-o" in caught.value.problems[0].hint


@formats
@pytest.mark.parametrize("room", [1, 8, 32, 64, 96])
def test_full_disk(small_disk: Path, changed: tuple[Path, EnvironmentRecord], room: int, suffix: str) -> None:
    (changed[0] / "share" / "noise").write_bytes(os.urandom(400_000))
    status = os.statvfs(small_disk)
    used = (status.f_blocks - status.f_bfree) * status.f_frsize
    subprocess.run(["mount", "-o", f"remount,size={used + room * 4096}", small_disk], check=True)
    with pytest.raises(EnvironmentFailure) as caught:
        pack_to(*changed, small_disk / f"image{suffix}")
    assert caught.value.code == "disk-full"
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("room", [0, 8, 32, 64, 96])
def test_full_disk_when_unpacking(
    tmp_path: Path, small_disk: Path, changed: tuple[Path, EnvironmentRecord], room: int
) -> None:
    (changed[0] / "share" / "noise").write_bytes(os.urandom(400_000))
    image = pack_to(*changed, tmp_path / "image.tar").path
    place = small_disk / "env"
    make_environment(_other_lock(tmp_path), place, tmp_path / "wheels")
    before = sorted(path.name for path in small_disk.iterdir())
    status = os.statvfs(small_disk)
    used = (status.f_blocks - status.f_bfree) * status.f_frsize
    subprocess.run(["mount", "-o", f"remount,size={used + room * 4096}", small_disk], check=True)
    with pytest.raises(EnvironmentFailure) as caught:
        unpack(image, place, environ=variables())
    assert caught.value.code == "disk-full"
    assert sorted(path.name for path in small_disk.iterdir()) == before
    assert python_says(place, "import beta; print(beta.__version__)") == "3"


def _other_lock(base: Path) -> Lock:
    return lock_of(indexed(tiny_pip(base / "wheels")), indexed(make_wheel(base / "wheels", "beta", "3")))


def test_unpacked_again_it_stays(tmp_path: Path, small: tuple[Path, EnvironmentRecord]) -> None:
    image = pack_to(*small, tmp_path / "image.tar").path
    place = tmp_path / "there" / "env"
    assert unpack(image, place, environ=variables()).changed
    generation = place.resolve()
    assert not unpack(image, place, environ=variables()).changed
    assert place.resolve() == generation
    (generation / "tumpline-environment.json").unlink()
    assert unpack(image, place, environ=variables()).changed


def test_renewed_it_is_whole_again(tmp_path: Path, small: tuple[Path, EnvironmentRecord]) -> None:
    folder, record = small
    image = pack_to(folder, record, tmp_path / "image.tar").path
    place = tmp_path / "env"
    unpack(image, place, environ=variables())
    (place / "bin" / "tool").unlink()
    assert not unpack(image, place, environ=variables()).changed
    assert unpack(image, place, environ=variables(), renew=True).changed
    assert verify(place.resolve(), record, environ=variables()).differences == ()


def test_a_sync_takes_an_unpacked_environment_for_what_it_is(tmp_path: Path) -> None:
    lock = small_world(tmp_path / "wheels")
    make_environment(lock, tmp_path / "env", tmp_path / "wheels")
    folder = (tmp_path / "env").resolve()
    record = read_record(folder)
    assert record is not None
    image = pack_to(folder, record, tmp_path / "image.tar").path
    place = tmp_path / "there" / "env"
    unpack(image, place, environ=variables())
    assert not make_environment(lock, place, tmp_path / "wheels").changed


def test_several_at_once_on_one_node(tmp_path: Path, small: tuple[Path, EnvironmentRecord]) -> None:
    image = pack_to(*small, tmp_path / "image.tar.gz").path
    place = tmp_path / "there" / "env"
    code = "import sys; from pathlib import Path; from tests.environment.worlds import variables\n"
    code += "from tumpline.environment.unpack import unpack\n"
    code += "unpack(Path(sys.argv[1]), Path(sys.argv[2]), environ=variables(), jobs=1)"
    command = [sys.executable, "-c", code, str(image), str(place)]
    running = [
        subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE, text=True) for _ in range(6)
    ]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    folder = place.resolve()
    record = read_record(folder)
    assert record is not None
    assert verify(folder, record, environ=variables()).differences == ()


def test_killed_while_packing_and_unpacking(tmp_path: Path, small: tuple[Path, EnvironmentRecord]) -> None:
    image = pack_to(*small, tmp_path / "image.tar").path
    code = "import sys; from pathlib import Path; from tests.environment.images import pack_to, variables\n"
    code += "import os; from tumpline.environment.crew import Crew; Crew.ask = lambda *_: os.kill(os.getpid(), 9)\n"
    unpacking = code + "from tumpline.environment.unpack import unpack\n"
    unpacking += "unpack(Path(sys.argv[1]), Path(sys.argv[2]), environ=variables())"
    packing = code + "from tumpline.environment.record import read_record\n"
    packing += "pack_to(Path(sys.argv[1]), read_record(Path(sys.argv[1])), Path(sys.argv[2]))"
    place, output = tmp_path / "there" / "env", tmp_path / "out" / "image.tar"
    output.parent.mkdir()
    root = Path(__file__).parents[2]
    for script, source, target in ((unpacking, image, place), (packing, small[0], output)):
        command = [sys.executable, "-c", script, str(source), str(target)]
        assert subprocess.run(command, cwd=root, check=False).returncode == -9
        assert not os.path.lexists(target)
        assert len(list(target.parent.iterdir())) == 2
    assert unpack(image, place, environ=variables()).changed
    assert len(list(place.parent.iterdir())) == 2
    pack_to(*small, output)
    assert [path.name for path in output.parent.iterdir()] == ["image.tar"]


def test_editable_files_keep_leading_to_the_project(tmp_path: Path, changed: tuple[Path, EnvironmentRecord]) -> None:
    folder, record = changed
    (folder / PACKAGES / "__editable__.mine-1.pth").write_text("/somewhere/else/src\n")
    image = pack_to(folder, record._replace(project="mine"), tmp_path / "image.tar").path
    place = tmp_path / "there" / "env"
    unpack(image, place, environ=variables())
    assert (place / PACKAGES / "__editable__.mine-1.pth").read_text() == "/somewhere/else/src\n"


def test_modes_follow_the_umask(tmp_path: Path, small: tuple[Path, EnvironmentRecord]) -> None:
    image = pack_to(*small, tmp_path / "image.tar").path
    before = os.umask(0o027)
    try:
        unpack(image, tmp_path / "env", environ=variables())
    finally:
        os.umask(before)
    assert (tmp_path / "env" / "bin" / "tool").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "env" / PACKAGES / "tool" / "__init__.py").stat().st_mode & 0o777 == 0o640


def test_the_python_of_the_node_is_used(tmp_path: Path, small: tuple[Path, EnvironmentRecord]) -> None:
    """The path in the record is another machine's: what counts is the version, and what is on PATH."""
    folder, record = small
    elsewhere = record._replace(interpreter="/nowhere/bin/python3")
    image = pack_to(folder, elsewhere, tmp_path / "image.tar").path
    report = unpack(image, tmp_path / "env", environ=variables())
    found = read_record((tmp_path / "env").resolve())
    assert found is not None
    assert found.interpreter == record.interpreter
    assert report.python.startswith(MINOR)
