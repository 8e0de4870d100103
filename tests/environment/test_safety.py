"""Hostile wheels: each is refused with a code, and before anything of it is written."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from tests.environment.worlds import layout_in
from tests.wheelmaker import make_wheel, record_line
from tumpline.environment.install import WheelJob, install_wheel
from tumpline.environment.safety import wrong_path
from tumpline.errors import TumplineError

INFO = "evil-1.0.dist-info"
Members = list[tuple[zipfile.ZipInfo, bytes]]


def entry(path: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo("placeholder", (2020, 1, 1, 0, 0, 0))
    made.filename = path  # past the constructor, which would tidy the name
    made.external_attr = mode << 16
    made.compress_type = zipfile.ZIP_DEFLATED
    return made


def write_wheel(folder: Path, extra: Members, *, listed: bool = True, name: str = "evil-1.0-py3-none-any.whl") -> Path:
    """Write a wheel with these members besides what a wheel must have; RECORD lists them unless told otherwise."""
    members: Members = [
        (entry("evil/__init__.py"), b"x = 1\n"),
        (entry(f"{INFO}/METADATA"), b"Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n"),
        (entry(f"{INFO}/WHEEL"), b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        *extra,
    ]
    rows = [
        record_line(f'"{info.filename}"', content) for info, content in members if listed or info.filename[:4] == "evil"
    ]
    record = "\n".join([*rows, f"{INFO}/RECORD,,"]).encode()
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for info, content in [*members, (entry(f"{INFO}/RECORD"), record)]:
            archive.writestr(info, content)
    return path


def refused(path: Path, root: Path) -> TumplineError:
    with pytest.raises(TumplineError) as caught:
        install_wheel(WheelJob(path), layout_in(root), 0o022)
    return caught.value


PATHS = {
    "climbs": ("../outside.py", "leads out"),
    "climbs-inside": ("evil/../../outside.py", "leads out"),
    "climbs-from-data": ("evil-1.0.data/data/../../../outside", "leads out"),
    "absolute": ("/tmp/outside.py", "absolute"),
    "drive": ("C:/outside.py", "absolute"),
    "backslash": ("..\\outside.py", "backslash"),
    "newline": ("evil/a\nb.py", "control characters"),
    "escape": ("evil/\x1b[31m.py", "control characters"),
    "line-separator": ("evil/a\u2028b.py", "control characters"),
    "dot": ("evil/./a.py", "plain path"),
    "empty-part": ("evil//a.py", "plain path"),
    "file-as-folder": ("evil/__init__.py/a.py", "both a file and a folder"),
    "twice": ("evil/__init__.py", "twice"),
    "case": ("evil/__INIT__.py", "case"),
    "unknown-scheme": ("evil-1.0.data/somewhere/a", "no place"),
    "no-scheme": ("evil-1.0.data/a", "no place"),
    "second-data-folder": ("other-1.0.data/scripts/a", "several data folders"),
}


@pytest.mark.parametrize(("path", "words"), PATHS.values(), ids=PATHS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_paths(tmp_path: Path, path: str, words: str) -> None:
    extra: Members = [(entry(path), b"y = 2\n")]
    if path.endswith(".data/scripts/a"):
        extra.append((entry("evil-1.0.data/scripts/b"), b""))
    error = refused(write_wheel(tmp_path, extra), tmp_path / "env")
    assert (error.code, error.exit_status) == ("unsafe-wheel", 2)
    assert words in error.problems[0].why
    assert error.problems[0].hint
    assert not (tmp_path / "env").exists()
    assert sorted(item.name for item in tmp_path.iterdir()) == ["evil-1.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    "path",
    [
        *("evil/aux.py", "evil/NUL", "con/a.py", "evil/com1.tar.gz", "evil/LPT\u00b9", "evil/CONIN$", "evil/nul .txt"),
        *("evil/a.py:stream", "evil/a.", "evil./a", "evil/a ", "evil /a", "evil/a?b", 'evil/"a"', "evil/sub./"),
    ],
)
def test_names_that_windows_takes_for_something_else(tmp_path: Path, path: str) -> None:
    assert "Windows" in wrong_path(path, windows=True)
    assert wrong_path(path, windows=False) == "", "elsewhere packages have such files"


@pytest.mark.parametrize("path", ["evil/auxiliary.py", "evil/console.py", "evil/com10.py", "evil/.nul", "a.b/c d.py"])
def test_names_that_windows_takes_as_they_are(path: str) -> None:
    assert wrong_path(path, windows=True) == ""


@pytest.mark.skipif(os.name == "nt", reason="refused there")
def test_a_module_called_aux(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, [(entry("evil/aux.py"), b"x = 1\n")])
    install_wheel(WheelJob(path), layout_in(tmp_path / "env"), 0o022)
    assert list((tmp_path / "env").glob("lib/*/site-packages/evil/aux.py"))


def test_unicode_forms_of_one_name(tmp_path: Path) -> None:
    extra: Members = [(entry("evil/caf\u00e9.py"), b""), (entry("evil/cafe\u0301.py"), b"")]
    assert refused(write_wheel(tmp_path, extra), tmp_path / "env").code == "unsafe-wheel"


@pytest.mark.parametrize(
    ("mode", "words"),
    [(stat.S_IFLNK | 0o777, "symbolic link"), (stat.S_IFIFO | 0o644, "neither"), (stat.S_IFDIR | 0o755, "folder")],
)
def test_kinds(tmp_path: Path, mode: int, words: str) -> None:
    error = refused(write_wheel(tmp_path, [(entry("evil/link", mode), b"/etc/passwd")]), tmp_path / "env")
    assert error.code == "unsafe-wheel"
    assert words in error.problems[0].why
    assert not (tmp_path / "env").exists()


def test_zero_byte_in_a_name(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, [(entry("evil/a%b.py"), b"")])
    content = path.read_bytes()
    path.write_bytes(content.replace(b"evil/a%b.py", b"evil/a\0b.py"))
    assert "control characters" in refused(path, tmp_path / "env").problems[0].why


def test_rare_compression(tmp_path: Path) -> None:
    member = entry("evil/a.py")
    member.compress_type = zipfile.ZIP_LZMA
    assert "compressed" in refused(write_wheel(tmp_path, [(member, b"x" * 100)]), tmp_path / "env").problems[0].why


def test_encrypted(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, [(entry("evil/secret.py"), b"x")])
    _patch_directory(path, b"evil/secret.py", 8, struct.pack("<H", 1))
    assert "encrypted" in refused(path, tmp_path / "env").problems[0].why


def test_folder_with_content(tmp_path: Path) -> None:
    error = refused(write_wheel(tmp_path, [(entry("evil/sub/"), b"x")]), tmp_path / "env")
    assert "folder with content" in error.problems[0].why


def test_bomb_by_ratio(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, [(entry("evil/zeros"), b"\0" * 1000)])
    # Stated, not real: the directory's word is enough to refuse it.
    _patch_directory(path, b"evil/zeros", 24, struct.pack("<L", 0xFFFFFFF0))
    assert "would unpack to" in refused(path, tmp_path / "env").problems[0].why


def test_entries_that_share_their_bytes(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, [(entry("evil/zeros"), bytes(range(256)) * 8)])
    _patch_directory(path, b"evil/zeros", 20, struct.pack("<L", 2**24))
    assert "packed bytes" in refused(path, tmp_path / "env").problems[0].why


@pytest.mark.parametrize("size", [10, 100_000])
def test_wrong_stated_size(tmp_path: Path, size: int) -> None:
    path = write_wheel(tmp_path, [(entry("evil/data"), b"\0" * 1000)])
    _patch_directory(path, b"evil/data", 24, struct.pack("<L", size))
    assert refused(path, tmp_path / "env").code == "bad-record"


@pytest.mark.parametrize("size", [10, 100_000])
def test_wrong_size_that_record_confirms(tmp_path: Path, size: int) -> None:
    """RECORD and directory agree on a size that the compressed bytes do not have."""
    content = b"\0" * 1000
    rows = [record_line("evil/data", content).replace(",1000", f",{size}")]
    for name, text in (("METADATA", _METADATA), ("WHEEL", _WHEEL)):
        rows.append(record_line(f"{INFO}/{name}", text))
    path = make_wheel(
        tmp_path,
        "evil",
        "1.0",
        files={"evil/data": content},
        metadata=_METADATA,
        record="\n".join([*rows, f"{INFO}/RECORD,,"]),
    )
    with zipfile.ZipFile(path) as archive:
        wheel = archive.read(f"{INFO}/WHEEL")
    rows[-1] = record_line(f"{INFO}/WHEEL", wheel)
    path = make_wheel(
        tmp_path,
        "evil",
        "1.0",
        files={"evil/data": content},
        metadata=_METADATA,
        record="\n".join([*rows, f"{INFO}/RECORD,,"]),
    )
    _patch_directory(path, b"evil/data", 24, struct.pack("<L", size))
    assert refused(path, tmp_path / "env").code in ("bad-record", "damaged-wheel")


_METADATA = b"Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n"
_WHEEL = b""

ENTRY_POINTS = {
    "climbs": "[console_scripts]\n../../x = evil:main\n",
    "folder": "[console_scripts]\na/b = evil:main\n",
    "dots": "[gui_scripts]\n.. = evil:main\n",
    "escape": "[console_scripts]\na\x1bb = evil:main\n",
}


@pytest.mark.parametrize("text", ENTRY_POINTS.values(), ids=ENTRY_POINTS)
def test_entry_point_names(tmp_path: Path, text: str) -> None:
    path = make_wheel(tmp_path, "evil", "1.0", entry_points=text)
    assert refused(path, tmp_path / "env").code == "unsafe-wheel"
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize(
    "text",
    [
        "[console_scripts]\nx = evil:main; import os\n",
        "[console_scripts]\nx = evil\n",
        "no section",
        "[a]\nx=%(y)s\n[console_scripts]\nx=%(y)s",
    ],
)
def test_entry_points_that_are_none(tmp_path: Path, text: str) -> None:
    assert refused(make_wheel(tmp_path, "evil", "1.0", entry_points=text), tmp_path / "env").code == "damaged-wheel"


def test_entry_points_not_utf8(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "evil", "1.0", files={"evil.py": b"", f"{INFO}/entry_points.txt": b"\xff\xfe"})
    assert refused(path, tmp_path / "env").code == "damaged-wheel"


def test_huge_entry_points(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "evil", "1.0", files={"evil.py": b"", f"{INFO}/entry_points.txt": b"#" * 5_000_000})
    assert refused(path, tmp_path / "env").code == "damaged-wheel"


def test_unknown_wheel_version(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, [])
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files[f"{INFO}/WHEEL"] = b"Wheel-Version: 2.0\nRoot-Is-Purelib: true\n"
    rows = [record_line(name, content) for name, content in files.items() if not name.endswith("RECORD")]
    files[f"{INFO}/RECORD"] = "\n".join([*rows, f"{INFO}/RECORD,,"]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    assert refused(path, tmp_path / "env").code == "wheel-too-new"


@pytest.mark.parametrize("cut", [0, 10, 500, -1])
def test_cut_short(tmp_path: Path, cut: int) -> None:
    path = make_wheel(tmp_path, "evil", "1.0")
    path.write_bytes(path.read_bytes()[:cut])
    assert refused(path, tmp_path / "env").code in ("truncated-wheel", "not-a-wheel")


def test_flipped_bit(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "evil", "1.0", files={"evil.py": b"a = 1\n" * 200}, compression=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.index(b"a = 1") + 100] ^= 1
    path.write_bytes(content)
    assert refused(path, tmp_path / "env").code == "damaged-wheel"


def test_not_there_or_not_a_file(tmp_path: Path) -> None:
    missing = tmp_path / "evil-1.0-py3-none-any.whl"
    assert refused(missing, tmp_path / "env").code == "unreadable-wheel"
    missing.mkdir()
    assert refused(missing, tmp_path / "env").code in ("unreadable-wheel", "damaged-wheel")


@pytest.mark.parametrize(("field", "code"), [("sha256", "wrong-hash"), ("record", "wrong-record")])
def test_other_than_locked(tmp_path: Path, field: str, code: str) -> None:
    path = make_wheel(tmp_path, "evil", "1.0")
    job = WheelJob(path, sha256="ab" * 32) if field == "sha256" else WheelJob(path, record="ab" * 32)
    with pytest.raises(TumplineError) as caught:
        install_wheel(job, layout_in(tmp_path / "env"), 0o022)
    assert caught.value.code == code
    assert not (tmp_path / "env").exists()


def _patch_directory(path: Path, name: bytes, offset: int, value: bytes) -> None:
    """Change a field of a member's entry in the archive's directory."""
    content = bytearray(path.read_bytes())
    at = content.rindex(name) - 46
    assert content[at : at + 4] == b"PK\x01\x02"
    content[at + offset : at + offset + len(value)] = value
    path.write_bytes(content)


def test_special_bits_and_open_modes_are_left_behind(tmp_path: Path) -> None:
    """Of a file's mode only whether it is executable counts: no set-user-id, nothing that others may write."""
    modes = {"evil/a": 0o104777, "evil/b": 0o102666, "evil/c": 0o101000, "evil/d": 0o100001}
    extra: Members = [(entry(path, mode), b"x") for path, mode in modes.items()]
    install_wheel(WheelJob(write_wheel(tmp_path, extra)), layout_in(tmp_path / "env"), 0o022)
    (folder,) = (tmp_path / "env").glob("lib/*/site-packages/evil")
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    # Under the usual umask of the tests' own files, so that only the bits that matter are looked at.
    assert not any(mode & 0o7002 for mode in found.values())
    assert {name: bool(mode & 0o111) for name, mode in found.items() if len(name) == 1} == {
        "a": True, "b": False, "c": False, "d": True,
    }  # fmt: skip


@pytest.mark.parametrize("stated", [None, 1 << 40, 3])
def test_sizes_beyond_four_gigabytes(tmp_path: Path, stated: int | None) -> None:
    """The 64-bit form of the archive is read where it is honest, and believed no more than the other."""
    path = write_wheel(tmp_path, [(entry("evil/big.bin"), b"x" * 1000)])
    # The directory's entry with its sizes in the extra field, as archives have them that hold large files.
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("evil/big.bin")
        sizes = struct.pack("<QQ", info.file_size if stated is None else stated, info.compress_size)
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02", content.rindex(b"PK\x01\x02", 0, content.rindex(b"evil/big.bin")))
    fields = bytearray(content[start : start + 46])
    struct.pack_into("<II", fields, 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", fields, 30, len(sizes) + 4)
    name = content[start + 46 : start + 46 + len("evil/big.bin")]
    assert name == b"evil/big.bin"
    extra = struct.pack("<HH", 1, len(sizes)) + sizes
    end = content.rindex(b"PK\x05\x06")
    tail = bytearray(content[end:])
    struct.pack_into("<I", tail, 12, struct.unpack_from("<I", tail, 12)[0] + len(extra))
    rest = start + 46 + len(name)
    path.write_bytes(content[:start] + bytes(fields) + name + extra + content[rest:end] + bytes(tail))
    if stated is None:
        install_wheel(WheelJob(path), layout_in(tmp_path / "env"), 0o022)
        (big,) = (tmp_path / "env").glob("lib/*/site-packages/evil/big.bin")
        assert big.stat().st_size == 1000
    else:
        assert refused(path, tmp_path / "env").code in ("unsafe-wheel", "bad-record", "damaged-wheel")
        assert not (tmp_path / "env").exists()
