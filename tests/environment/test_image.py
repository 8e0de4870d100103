"""Images that are damaged, hostile or for another machine: refused with a code, and nothing is left of them."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from tests.environment.images import PACKAGES, Entry, file, make_image, make_small, pack_to, stream
from tests.environment.worlds import variables
from tumpline.environment.check import Surroundings
from tumpline.environment.compression import Compression, frame
from tumpline.environment.image import encode_head, read_image
from tumpline.environment.record import EnvironmentRecord
from tumpline.environment.tarstream import END, Member, header_of, padding
from tumpline.environment.unpack import unpack
from tumpline.errors import EnvironmentFailure, InputError, TumplineError

RECORD = EnvironmentRecord(
    target="here",
    site="linux",
    environment="",
    cpu_level="",
    python=f"{sys.version_info.major}.{sys.version_info.minor}",
    interpreter="/nowhere/python",
    modules=(),
    expected=(),
    key="ab" * 32,
    packages=(("alpha", "1"),),
    project="",
    tool="1",
)
FORMATS: list[Compression] = ["none", "gzip", "zstd"] if shutil.which("zstd") else ["none", "gzip"]


def refused(image: Path, here: Surroundings | None = None) -> TumplineError:
    """Unpack where there is nothing yet, see that nothing is left, and return the error."""
    place = image.parent / "there" / "env"
    with pytest.raises(TumplineError) as caught:
        unpack(image, place, environ=variables(), here=here)
    assert not place.parent.exists() or list(place.parent.iterdir()) == []
    assert sorted(path.name for path in image.parent.iterdir() if path.name != "there") == [image.name]
    return caught.value


def test_an_image_made_by_hand_is_unpacked(tmp_path: Path) -> None:
    """So that what is refused below is refused for the reason that is named."""
    for number, compression in enumerate(FORMATS):
        image = make_image(
            tmp_path / f"{number}",
            RECORD,
            [[file("share/a", b"1"), (Member("empty", "folder"), b"")]],
            [file("bin/b", b"#!/@tumpline-environment@/bin/python\n"), (Member("c", "link", target="share/a"), b"")],
            compression=compression,
        )
        place = tmp_path / f"env{number}"
        assert unpack(image, place, environ=variables()).files == 3
        assert (place / "c").read_text() == "1"
        assert str(place.resolve()) in (place / "bin/b").read_text()


LINK = Member("link", "link", target="share")


def _link(path: str, target: str) -> Entry:
    return Member(path, "link", target=target), b""


@pytest.mark.parametrize(
    ("parts", "fittings"),
    [
        ([[file("../outside")]], []),
        ([[file("/tmp/outside")]], []),
        ([[file("a/../../../outside")]], []),
        ([], [file("../outside")]),
        ([[(LINK, b"")]], []),
        ([[file("a"), file("a")]], []),
        ([[file("a")], [file("a")]], []),
        ([[file("a")]], [file("a")]),
        ([], [file("a"), file("a")]),
        ([[file("a"), file("a/b")]], []),
        ([[file("a/b"), file("a")]], []),
        ([[file("a")]], [file("a/b")]),
        ([], [file("a"), file("a/b")]),
        ([[file("bin/python")]], []),
        ([[file("pyvenv.cfg")]], []),
        ([], [file("bin/activate")]),
        ([], [file("tumpline-environment.json")]),
        ([], [(Member("lib64", "link", target="/etc"), b"")]),
        ([], [(Member("out", "link", target="/etc"), b"")]),
        ([], [(Member("out", "link", target="../../etc"), b"")]),
        ([], [(Member("a/up", "link", target=".."), b""), (Member("b", "link", target="a/up/../.."), b"")]),
        ([], [(Member("a", "link", target="."), b""), file("a/b")]),
        ([[file("pyvenv.cfg/a")]], []),
        ([[file("bin/python/a")]], []),
        ([[(Member("bin/python", "folder"), b"")]], []),
        ([[file("BIN/Python3")]], []),
        ([], [file("pyvenv.cfg/a")]),
        # Each leads out only through the one that comes after it.
        ([], [_link("a", "b/q/../.."), _link("b/q", "..")]),
        ([], [_link("a", "b/q/../.."), _link("b/q", ".."), _link("a/outside", "etc")]),
        ([], [_link("a", "b/q/../.."), _link("b/q", ".."), _link("a/made/outside", "etc")]),
        ([], [_link("a", "share"), _link("share/b", "c"), _link("a/c", "b")]),
        ([], [_link("a", "")]),
        ([], [_link("a", "é\0b")]),
    ],
)
def test_hostile(tmp_path: Path, parts: Sequence[Iterable[Entry]], fittings: Iterable[Entry]) -> None:
    error = refused(make_image(tmp_path / "image", RECORD, parts, fittings))
    assert error.code == "image-unsafe"
    assert error.exit_status == 2
    assert not Path("/tmp/outside").exists()


@pytest.mark.parametrize("record", [b"a,b\n", b'"', b"x" * 200_000])
def test_a_record_that_is_none(tmp_path: Path, record: bytes) -> None:
    fittings = [file(f"{PACKAGES}/a-1.dist-info/RECORD", record)]
    assert refused(make_image(tmp_path / "image", RECORD, [], fittings)).code == "image-damaged"


@pytest.mark.parametrize("compression", FORMATS)
def test_bombs(tmp_path: Path, compression: Compression) -> None:
    """What the head promises is more than is believable, or less than comes."""
    promised = dataclasses.replace(
        read_image(make_image(tmp_path / "other", RECORD, [], [])).head.parts[0], unpacked=2**34, stored=512
    )
    (tmp_path / "other").unlink()
    content = stream([file("a", b"x" * 100_000)])
    image = make_image(tmp_path / "image", RECORD, [content], compression=compression)
    head = read_image(image).head
    parts = (dataclasses.replace(head.parts[0], unpacked=promised.unpacked), *head.parts[1:])
    lying = encode_head(dataclasses.replace(head, parts=parts))
    image.write_bytes(lying + image.read_bytes()[len(encode_head(head)) :])
    assert refused(image).code == "image-unsafe"
    short = (dataclasses.replace(head.parts[0], unpacked=1024), *head.parts[1:])
    image.write_bytes(encode_head(dataclasses.replace(head, parts=short)) + image.read_bytes()[len(lying) :])
    assert refused(image).code == "image-damaged"


def test_more_than_the_disk_has(tmp_path: Path) -> None:
    error = refused(make_image(tmp_path / "image", RECORD, [], size=2**49))
    assert error.code == "disk-full"


def test_large_fittings_are_not_read_into_memory(tmp_path: Path) -> None:
    entries = [file("a", bytes(2**26 + 512))]
    assert refused(make_image(tmp_path / "image", RECORD, [], entries)).code == "image-unsafe"


@pytest.mark.parametrize("compression", FORMATS)
@pytest.mark.parametrize("at", [0.02, 0.3, 0.5, 0.7, 0.9, 0.995])
def test_one_byte_changed(tmp_path: Path, compression: Compression, at: float) -> None:
    entries = [file(f"file{number}", os.urandom(3000)) for number in range(6)]
    image = make_image(tmp_path / "image", RECORD, [entries[:3], entries[3:]], [file("z")], compression=compression)
    content = bytearray(image.read_bytes())
    end = len(content) - len(frame(compression, END))
    content[int(end * at)] ^= 0x20
    image.write_bytes(content)
    assert refused(image).code in ("image-damaged", "not-an-image")


@pytest.mark.parametrize("compression", FORMATS)
@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: content[: len(content) // 2],
        lambda content: content[:600],
    ],
)
def test_cut_or_grown(tmp_path: Path, compression: Compression, change: Callable[[bytes], bytes]) -> None:
    image = make_image(tmp_path / "image", RECORD, [[file("a", os.urandom(5000))]], compression=compression)
    image.write_bytes(change(image.read_bytes()))
    assert refused(image).code == "image-damaged"


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"hello", bytes(4096), b"\x28\xb5\x2f\xfd\xa0" + bytes(600), b"\x1f\x8b" + bytes(600)),
        *(header_of(Member(name)) + END for name in ("other", "tumpline-image.json2")),
    ],
)
def test_no_image(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "image").write_bytes(content)
    assert refused(tmp_path / "image").code in ("not-an-image", "image-damaged")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parts", []),
        ("parts", [{"stored": -1, "sha256": "ab" * 32, "unpacked": 512}]),
        ("parts", [{"stored": 10, "sha256": "ab", "unpacked": 512}]),
        ("files", "many"),
        ("files", True),
        ("compression", "lzma"),
        ("content", "../x"),
        ("record", {}),
        ("record.target", "../x"),
        ("record.key", "../../x"),
        ("record.python", "3.11/../../x"),
    ],
)
def test_heads_that_say_nonsense(tmp_path: Path, key: str, value: object) -> None:
    image = make_image(tmp_path / "image", RECORD, [[file("a")]])
    content = image.read_bytes()
    start, size = 512, read_image(image).offsets[0] - 512
    table = json.loads(content[start : start + size].rstrip(b"\0"))
    del table["check"]
    outer, _, inner = key.rpartition(".")
    (table[outer] if outer else table)[inner] = value
    text = json.dumps(table, indent=1)
    text = text[:-2] + f',\n "check": "{sha256(text.encode()).hexdigest()}"\n}}\n'
    assert len(text) < size + 512
    member = Member("tumpline-image.json", size=len(text))
    body = text.encode() + bytes(padding(len(text)))
    image.write_bytes(header_of(member) + body + content[start + size :])
    assert refused(image).code == "image-damaged"


def test_a_newer_form(tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", RECORD, [[file("a")]])
    image.write_bytes(image.read_bytes().replace(b'"format": 1', b'"format": 9', 1))
    assert refused(image).code == "image-newer"


def test_missing_and_forbidden(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        read_image(tmp_path / "none")
    assert caught.value.code == "image-unreadable"
    with pytest.raises(EnvironmentFailure) as caught:
        read_image(tmp_path)
    assert caught.value.code == "image-unreadable"


CLUSTER = RECORD._replace(
    site="fir", environment="2023", cpu_level="x86-64-v4", modules=("arrow/17.0.0",), python="3.11.5"
)


@pytest.mark.parametrize(
    ("here", "code", "words"),
    [
        (
            Surroundings("narval", "2023", "x86-64-v3", "3.11.5"),
            "wrong-cpu-level",
            "this environment was made for x86-64-v4 (fir); narval is x86-64-v3",
        ),
        (
            Surroundings("fir", "2026", "x86-64-v4"),
            "wrong-software-environment",
            "this environment was made for StdEnv/2023; StdEnv/2026 is loaded",
        ),
        (
            Surroundings("fir", "2023", "x86-64-v4", "3.12.4"),
            "wrong-python",
            "this environment was made for Python 3.11.5; the module of Python 3.12.4 is loaded",
        ),
    ],
)
def test_for_another_machine(tmp_path: Path, here: Surroundings, code: str, words: str) -> None:
    error = refused(make_image(tmp_path / "image", CLUSTER, [[file("a")]]), here)
    assert (error.code, error.problems[0].message) == (code, words)
    assert error.exit_status == 1


def test_modules_are_not_needed_to_unpack(tmp_path: Path) -> None:
    record = CLUSTER._replace(python=RECORD.python)
    image = make_image(tmp_path / "image", record, [[file("a")]])
    here = Surroundings("fir", "2023", "x86-64-v4")
    assert unpack(image, tmp_path / "env", environ=variables(), here=here).changed


@pytest.mark.parametrize(("system", "machine"), [("linux", "riscv64"), ("darwin", "x86_64")])
def test_for_another_kind_of_machine(tmp_path: Path, system: str, machine: str) -> None:
    image = make_image(tmp_path / "image", RECORD, [[file("a")]], system=system, machine=machine)
    assert refused(image).code == "wrong-machine"


def test_no_python(tmp_path: Path) -> None:
    record = RECORD._replace(python="3.4.2")
    error = refused(make_image(tmp_path / "image", record, [[file("a")]]))
    assert error.code == "no-python"
    assert "3.4" in error.problems[0].message


@pytest.mark.skipif(shutil.which("zstd") is None, reason="needs the program zstd")
def test_no_zstd(tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", RECORD, [[file("a")]], compression="zstd")
    bare = variables()
    bare["PATH"] = bare["PATH"].partition(os.pathsep)[0]
    with pytest.raises(EnvironmentFailure) as caught:
        unpack(image, tmp_path / "env", environ=bare)
    assert caught.value.code == "no-zstd"
    assert read_image(image).head.record == RECORD


@pytest.mark.parametrize("name", ["a'b", 'a"b', "a$b", "a`b", "a\\b", "a\nb"])
def test_places_that_scripts_can_not_name(tmp_path: Path, name: str) -> None:
    image = make_image(tmp_path / "image", RECORD, [[file("a")]])
    with pytest.raises(InputError) as caught:
        unpack(image, tmp_path / name / "env", environ=variables())
    assert caught.value.code == "bad-folder"


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", RECORD, [[file("a")]])
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError) as caught:
        unpack(image, tmp_path / "mine", environ=variables())
    assert caught.value.code == "not-our-environment"


def test_what_is_there_stays_when_an_image_is_refused(tmp_path: Path) -> None:
    folder, record = make_small(tmp_path, tmp_path / "env")
    good = pack_to(folder, record, tmp_path / "good.tar").path
    content = bytearray(good.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "bad.tar").write_bytes(content)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(InputError):
        unpack(tmp_path / "bad.tar", tmp_path / "env", environ=variables())
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "env").resolve() == folder
