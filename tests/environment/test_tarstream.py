"""The archives that images are written in: `tarfile` reads what we write, and we read nothing else."""

from __future__ import annotations

import io
import tarfile
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumpline.environment.tarstream import END, MTIME, Member, header_of, members, padding
from tumpline.errors import InputError

Form = Literal[0, 1, 2]
NAMES = st.text(st.characters(exclude_characters="/\\\x7f", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1)
PATHS = st.lists(NAMES.filter(lambda name: name not in (".", "..") and name[1:2] != ":"), min_size=1, max_size=5)


class Bytes:
    """A source in memory."""

    def __init__(self, content: bytes) -> None:
        self._stream = io.BytesIO(content)
        self._size = len(content)

    def take(self, count: int) -> bytes:
        return self._stream.read(count)

    def ended(self) -> bool:
        return self._stream.tell() == self._size


def read(content: bytes) -> list[tuple[Member, bytes]]:
    source = Bytes(content)
    found = []
    for member in members(source, "x.tar"):
        found.append((member, source.take(member.size)))
        source.take(padding(member.size))
    return found


@given(PATHS.map("/".join), st.binary(max_size=1500), st.booleans())
def test_what_is_written_is_read(path: str, content: bytes, executable: bool) -> None:
    member = Member(path, size=len(content), executable=executable)
    archive = header_of(member) + content + bytes(padding(len(content))) + END
    assert read(archive) == [(member, content)]
    with tarfile.open(fileobj=io.BytesIO(archive)) as reader:
        (found,) = reader.getmembers()
        stream = reader.extractfile(found)
        assert stream is not None
        assert (found.name, stream.read(), found.mtime) == (path, content, MTIME)
        assert found.mode == (0o755 if executable else 0o644)


@pytest.mark.parametrize(
    "member",
    [
        Member("folder", "folder"),
        Member("a/b", "link", target="../c"),
        Member("l" * 200, "link", target="t" * 300),
        Member("large", size=8**11 + 5),
    ],
)
def test_other_members(member: Member) -> None:
    source = Bytes(header_of(member))
    assert list(members(source, "x.tar")) == [member]
    with tarfile.open(fileobj=io.BytesIO(header_of(member) + END)) as reader:
        info = reader.next()
    assert info is not None
    assert (info.name, info.size, info.linkname) == (member.path, member.size, member.target)


def by_tarfile(
    name: str, kind: bytes = tarfile.REGTYPE, form: Literal[0, 1, 2] = tarfile.USTAR_FORMAT, **more: object
) -> bytes:
    """A header that we would not write."""
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in more.items():
        setattr(info, key, value)
    return info.tobuf(form)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (header_of(Member("../a")), "image-unsafe"),
        (header_of(Member("a/../../b")), "image-unsafe"),
        (header_of(Member("/etc/passwd")), "image-unsafe"),
        (header_of(Member("a\\b")), "image-unsafe"),
        (header_of(Member("C:a")), "image-unsafe"),
        (header_of(Member("a\nb")), "image-unsafe"),
        (header_of(Member("./a")), "image-unsafe"),
        (header_of(Member("a//b")), "image-unsafe"),
        (header_of(Member("../" + "a" * 120)), "image-unsafe"),
        (by_tarfile("dev", tarfile.CHRTYPE), "image-unsafe"),
        (by_tarfile("dev", tarfile.BLKTYPE), "image-unsafe"),
        (by_tarfile("pipe", tarfile.FIFOTYPE), "image-unsafe"),
        (by_tarfile("hard", tarfile.LNKTYPE, linkname="a"), "image-unsafe"),
        (by_tarfile("sparse", tarfile.GNUTYPE_SPARSE), "image-unsafe"),
        (by_tarfile("folder", tarfile.DIRTYPE, size=512), "image-unsafe"),
        (by_tarfile("a" * 90 + "/" + "b" * 90), "image-damaged"),
        (by_tarfile("a" * 200, form=tarfile.GNU_FORMAT), "image-damaged"),
        (by_tarfile("a", form=tarfile.PAX_FORMAT, pax_headers={"mtime": "1.5"}), "image-damaged"),
        (b"\1" + header_of(Member("a"))[1:], "image-damaged"),
        (b"\1" * 512, "image-damaged"),
        (END + header_of(Member("a")), "image-damaged"),
        (header_of(Member("é" * 60))[:-512], "image-damaged"),
    ],
)
def test_refused(content: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read(content)
    assert caught.value.code == code
    assert caught.value.problems[0].where == "x.tar"
