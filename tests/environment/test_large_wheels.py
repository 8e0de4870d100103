"""Wheels beyond what the old form of zip archives can say: they install, in little memory, and lies are refused."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.environment.test_faults import KILLS
from tests.environment.worlds import MINOR, layout_in
from tests.wheelmaker import make_wheel, record_line
from tumpline.environment.install import WheelJob, install_wheel
from tumpline.errors import TumplineError

INFO = "big-1.0.dist-info"
PIECE = 1 << 20
BEYOND = (1 << 32) + 12_345
"""Bytes: more than 32 bits can say."""

patient = pytest.mark.skipif(KILLS <= 6, reason="takes a minute; set TUMPLINE_TEST_KILLS=100 for it")

_INSTALL = """\
import resource, sys
from pathlib import Path
from tests.environment.worlds import layout_in
from tumpline.environment.install import WheelJob, install_wheel
done = install_wheel(WheelJob(Path(sys.argv[1]), record=sys.argv[3]), layout_in(Path(sys.argv[2])), 0o022)
status = Path("/proc/self/status")
if status.exists():
    # What getrusage tells counts what the parent held when it started this process.
    peak = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
print(done.files, done.size, peak)
"""


class Sparse(io.FileIO):
    """A file in which pieces of zeros take no space."""

    def write(self, content: bytes) -> int:  # type: ignore[override]
        if len(content) == PIECE and not any(content[:: 1 << 12]) and content.count(0) == PIECE:
            self.seek(PIECE, os.SEEK_CUR)
            return PIECE
        return super().write(content)


def zeros(size: int) -> Iterator[bytes]:
    """Zeros between two lines that say where they begin and end, `size` bytes in all."""
    first, last = b"begin\n", b"\nend\n"
    yield first
    rest = size - len(first) - len(last)
    piece = bytes(PIECE)
    for _ in range(rest // PIECE):
        yield piece
    yield bytes(rest % PIECE)
    yield last


def write_big(path: Path, members: Iterable[tuple[str, Iterable[bytes]]]) -> str:
    """Write a wheel with these members, not compressed, and return the sha256 of its RECORD."""
    rows: list[str] = []
    whole = [
        *members,
        (f"{INFO}/METADATA", [b"Metadata-Version: 2.1\nName: big\nVersion: 1.0\n"]),
        (f"{INFO}/WHEEL", [b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"]),
    ]
    with Sparse(path, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, pieces in whole:
            digest, size = hashlib.sha256(), 0
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=name.endswith(".bin")) as member:
                for piece in pieces:
                    digest.update(piece)
                    size += len(piece)
                    member.write(piece)
            text = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={text},{size}\n")
        record = "".join([*rows, f"{INFO}/RECORD,,\n"]).encode()
        archive.writestr(zipfile.ZipInfo(f"{INFO}/RECORD"), record)
    return hashlib.sha256(record).hexdigest()


def install(path: Path, root: Path, record: str) -> tuple[int, int, int]:
    """Install in a process of its own; return how many files and bytes, and the most memory in KiB."""
    command = [sys.executable, "-c", _INSTALL, str(path), str(root), record]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    files, size, memory = map(int, done.stdout.split())
    return files, size, memory


def package(root: Path) -> Path:
    return root / f"lib/python{MINOR}/site-packages"


@patient
def test_a_file_of_more_than_four_gigabytes(tmp_path: Path) -> None:
    if shutil.disk_usage(tmp_path).free < 10e9:
        pytest.skip("needs 10 GB on the disk")
    path = tmp_path / "big-1.0-py3-none-any.whl"
    after = b"says = 'behind it'\n"
    record = write_big(path, [("big/data.bin", zeros(BEYOND)), ("big/__init__.py", [after])])
    try:
        assert path.stat().st_size > BEYOND
        assert path.stat().st_blocks * 512 < BEYOND / 100, "the wheel itself takes no space"
        _, size, memory = install(path, tmp_path / "env", record)
        found = package(tmp_path / "env") / "big"
        assert size > BEYOND
        assert (found / "data.bin").stat().st_size == BEYOND
        with (found / "data.bin").open("rb") as stream:
            assert stream.read(6) == b"begin\n"
            stream.seek(-5, os.SEEK_END)
            assert stream.read() == b"\nend\n"
        assert (found / "__init__.py").read_bytes() == after
        assert memory < 300 * 1024
    finally:
        shutil.rmtree(tmp_path / "env", ignore_errors=True)


def test_more_files_than_sixteen_bits_can_count(tmp_path: Path) -> None:
    path = tmp_path / "big-1.0-py3-none-any.whl"
    count = 66_000
    record = write_big(path, ((f"big/{number // 1000}/{number}.txt", [b"%d" % number]) for number in range(count)))
    assert b"PK\x06\x06" in path.read_bytes()[-200:]
    files, _, memory = install(path, tmp_path / "env", record)
    assert files >= count
    assert (package(tmp_path / "env") / "big/65/65999.txt").read_bytes() == b"65999"
    assert memory < 300 * 1024


def long_form(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a small wheel in the form of large ones."""
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    path = make_wheel(folder, "big", "1.0", files={"big.py": "x = 1\n"})
    monkeypatch.undo()
    return path


def test_the_long_form_installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = long_form(tmp_path, monkeypatch)
    install_wheel(WheelJob(path), layout_in(tmp_path / "env"), 0o022)
    assert (package(tmp_path / "env") / "big.py").is_file()


_FIELDS = {"entries-here": 24, "entries": 32, "length": 40, "start": 48}
_LIES = {"one-more": 1, "one-less": -1, "huge": 1 << 40, "negative": (1 << 64) - 1, "signed": 1 << 63}


@pytest.mark.parametrize("lie", _LIES.values(), ids=_LIES)
@pytest.mark.parametrize("at", _FIELDS.values(), ids=_FIELDS)
def test_lies_in_the_end_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, lie: int) -> None:
    path = long_form(tmp_path, monkeypatch)
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x06\x06")
    (right,) = struct.unpack_from("<Q", content, end + at)
    struct.pack_into("<Q", content, end + at, right + lie if abs(lie) == 1 else lie)
    path.write_bytes(content)
    is_refused(path, tmp_path / "env")


@pytest.mark.parametrize("where", [0, 1, 1 << 32, 1 << 63, (1 << 64) - 1])
def test_an_end_record_that_is_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: int) -> None:
    path = long_form(tmp_path, monkeypatch)
    content = bytearray(path.read_bytes())
    struct.pack_into("<Q", content, content.rindex(b"PK\x06\x07") + 8, where)
    path.write_bytes(content)
    is_refused(path, tmp_path / "env")


@pytest.mark.parametrize("field", [0, 1, 2])
@pytest.mark.parametrize("value", [0, 1 << 32, 1 << 63, (1 << 64) - 1])
def test_lies_in_a_member(tmp_path: Path, field: int, value: int) -> None:
    """Its size, its packed size and where it is, in the long form."""
    path = make_wheel(tmp_path, "big", "1.0", files={"big.py": "x = 1\n" * 50})
    content = path.read_bytes()
    start = content.rindex(b"big.py") - 46
    assert content[start : start + 4] == b"PK\x01\x02"
    head = bytearray(content[start : start + 46])
    packed, size = struct.unpack_from("<2L", head, 20)
    (offset,) = struct.unpack_from("<L", head, 42)
    long = [size, packed, offset]
    long[field] = value if value != long[field] else 7
    struct.pack_into("<2L", head, 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<L", head, 42, 0xFFFFFFFF)
    extra = struct.pack("<2H3Q", 1, 24, *long)
    struct.pack_into("<H", head, 30, len(extra))
    end = content.rindex(b"PK\x05\x06")
    tail = bytearray(content[end:])
    struct.pack_into("<L", tail, 12, struct.unpack_from("<L", tail, 12)[0] + len(extra))
    behind = start + 46 + len(b"big.py")
    path.write_bytes(content[:start] + head + b"big.py" + extra + content[behind:end] + tail)
    is_refused(path, tmp_path / "env")


def is_refused(path: Path, root: Path) -> None:
    with pytest.raises(TumplineError) as caught:
        install_wheel(WheelJob(path), layout_in(root), 0o022)
    assert caught.value.code in ("damaged-wheel", "not-a-wheel", "unsafe-wheel", "bad-record", "oversized-wheel")
    assert caught.value.problems[0].hint
    assert [found for found in root.rglob("*") if found.is_file() and found.stat().st_size > 300] == []


def test_a_bomb_of_many_files(tmp_path: Path) -> None:
    """No file is large by itself; what counts is what all of them become."""
    block = bytes(1 << 20)
    files: dict[str, str | bytes] = {f"big/{number}.bin": block for number in range(20)}
    path = make_wheel(tmp_path, "big", "1.0", files=files)
    content = bytearray(path.read_bytes())
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        name = content[at + 46 : at + 46 + struct.unpack_from("<H", content, at + 28)[0]]
        if name.endswith(b".bin"):
            struct.pack_into("<L", content, at + 24, 1 << 26)
    path.write_bytes(content)
    with pytest.raises(TumplineError) as caught:
        install_wheel(WheelJob(path), layout_in(tmp_path / "env"), 0o022)
    assert caught.value.code == "unsafe-wheel"
    assert "would unpack to" in caught.value.problems[0].why
    assert not (tmp_path / "env").exists()


def test_a_record_that_says_less_than_there_is(tmp_path: Path) -> None:
    """RECORD and the archive's directory state a small file; what comes out of it is large."""
    content = bytes(50 << 20)
    path = make_wheel(tmp_path, "big", "1.0", files={"big.bin": content})
    with zipfile.ZipFile(path) as archive:
        rows = archive.read(f"{INFO}/RECORD").decode().splitlines()
    rows = [record_line("big.bin", bytes(100)) if row.startswith("big.bin,") else row for row in rows]
    path = make_wheel(tmp_path, "big", "1.0", files={"big.bin": content}, record="\n".join(rows))
    raw = bytearray(path.read_bytes())
    at = raw.rindex(b"big.bin") - 46
    struct.pack_into("<L", raw, at + 24, 100)
    path.write_bytes(raw)
    is_refused(path, tmp_path / "env")
