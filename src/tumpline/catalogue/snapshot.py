"""A snapshot: a whole catalogue as one small file, to carry, to attach, to publish.

One line of text, one line of JSON, and then columns, each compressed by itself with xz: what is alike lies together, so
that a wheel with all that it requires takes some 30 bytes. The form is documented byte by byte in
``docs/reference/snapshot.md``, and a newer tumpline goes on reading it: what changes gets a new number in the first
line.
"""

from __future__ import annotations

import errno
import hashlib
import json
import lzma
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tumpline.catalogue.checks import check_content
from tumpline.catalogue.columns import COLUMNS, content_of_columns, to_columns
from tumpline.catalogue.content import Content
from tumpline.catalogue.encoding import IDENTITY_SCHEME, Tables, encode
from tumpline.catalogue.schema import SNAPSHOT
from tumpline.catalogue.store import Catalogue
from tumpline.errors import EnvironmentFailure, InputError

__all__ = ["LARGEST", "MAGIC", "Head", "content_of", "pack", "read_head", "read_snapshot", "unpack"]

MAGIC = SNAPSHOT + b"1\n"
"""The first line of every snapshot of this form."""

LARGEST = 64 * 2**20
"""Bytes of the largest file that is read: forty times a snapshot of 40,000 wheels."""

_LARGEST_HEAD = 64 * 2**10
_LARGEST_PLAIN = 256 * 2**20
"""Bytes that all columns may have together when they are unpacked: forty times, too."""

_MOST_WHEELS = 500_000
"""Ten times the Alliance's wheelhouse; so many take half a gigabyte of memory."""

_UNPACKER_MEMORY = 128 * 2**20
_PRESET = 6 | lzma.PRESET_EXTREME
"""A dictionary of 8 MiB: larger ones would only cost whoever unpacks memory."""


class Head(NamedTuple):
    """What stands in clear at the head: `identity` is the catalogue's, `digest` the sha256 of all behind the head.

    `scheme` says how the identity was worked out; `columns` are (name, packed bytes, plain bytes) in the order of the
    file.
    """

    site: str
    grade: str
    date: str
    made_by: str
    identity: str
    scheme: int
    wheels: int
    projects: int
    digest: str
    columns: tuple[tuple[str, int, int], ...]


def content_of(catalogue: Catalogue) -> Content:
    """Return everything that a catalogue holds."""
    info = catalogue.info
    return Content(
        site=info.site,
        grade=info.grade,
        date=info.date,
        made_by=info.made_by,
        sources=info.sources,
        layers=info.layers,
        wheels=tuple(catalogue.rows()),
        dummies=catalogue.dummies(),
        modules=catalogue.modules(),
        pythons=catalogue.pythons(),
        notes=catalogue.notes(),
        depth=catalogue.depth,
        fingerprint=catalogue.fingerprint,
        views=catalogue.views(),
        module_notes=catalogue.module_notes(),
    )


def pack(content: Content) -> bytes:
    """Return a snapshot of the content; the same content gives the same bytes, but for the version of liblzma (R14).

    Nothing is left out, not even the times of files and the fingerprint of the folders: where the wheelhouse is, a scan
    on top of an imported catalogue reads only what has changed since. Raises InputError ``not-exportable`` for a
    content that `unpack` would refuse.
    """
    try:
        check_content(content)
    except ValueError as error:
        raise InputError.of(
            "not-exportable",
            f"the catalogue of {content.site} can not be exported",
            why=str(error),
            hint="rename what is named so and scan again; a catalogue from elsewhere may be damaged",
        ) from error
    tables = encode(content)
    columns = to_columns(content)
    packed = {name: lzma.compress(plain, preset=_PRESET) for name, plain in columns.items()}
    body = b"".join(packed.values())
    head = {
        "site": content.site,
        "grade": content.grade,
        "date": content.date,
        "made-by": content.made_by,
        "identity": tables.identity,
        "identity-scheme": IDENTITY_SCHEME,
        "wheels": len(content.wheels),
        "projects": len(tables.projects),
        "sha256": hashlib.sha256(body).hexdigest(),
        "columns": [[name, len(packed[name]), len(columns[name])] for name in columns],
    }
    return MAGIC + json.dumps(head, ensure_ascii=True, separators=(",", ":")).encode() + b"\n" + body


def read_snapshot(path: Path) -> bytes:
    """Return a snapshot's bytes.

    Raises InputError ``snapshot-missing``, ``snapshot-too-large``; EnvironmentFailure ``cannot-read``.
    """
    where = str(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            # A pipe or a device could block for ever, or never end.
            raise OSError(errno.EINVAL, "it is not a file")
        with path.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError.of(
            "snapshot-missing", "there is no such file", where=where, hint="check the path of the snapshot"
        ) from error
    except OSError as error:
        raise EnvironmentFailure.of(
            "cannot-read",
            "the snapshot can not be read",
            where=where,
            why=error.strerror or str(error),
            hint="check that it is a file and that you may read it",
        ) from error
    if len(raw) > LARGEST:
        raise _too_large(where, f"it has more than {LARGEST >> 20} MiB")
    return raw


def read_head(raw: bytes, where: str) -> tuple[Head, int]:
    """Return the head of a snapshot, and where its columns begin.

    Raises InputError ``not-a-snapshot``, ``snapshot-newer``, ``snapshot-damaged``, ``snapshot-too-large``.
    """
    if raw.startswith(SNAPSHOT) and not raw.startswith(MAGIC):
        raise InputError.of(
            "snapshot-newer",
            "the snapshot was made by a newer tumpline",
            where=where,
            why="its form is not known here",
            hint="update tumpline",
        )
    if not raw.startswith(MAGIC):
        raise InputError.of(
            "not-a-snapshot",
            "the file is not a snapshot",
            where=where,
            hint="give a file that tumpline catalogue export has made",
        )
    end = raw.find(b"\n", len(MAGIC), len(MAGIC) + _LARGEST_HEAD)
    if end < 0:
        raise _damaged(where, "its head has no end")
    try:
        table = json.loads(raw[len(MAGIC) : end])
        head = Head(
            site=_text(table, "site"),
            grade=_text(table, "grade"),
            date=_text(table, "date"),
            made_by=_text(table, "made-by"),
            identity=_text(table, "identity"),
            scheme=_count(table["identity-scheme"]),
            wheels=_count(table["wheels"]),
            projects=_count(table["projects"]),
            digest=_text(table, "sha256"),
            columns=tuple((str(name), _count(packed), _count(plain)) for name, packed, plain in table["columns"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _damaged(where, f"its head makes no sense ({type(error).__name__})") from error
    if sum(plain for _, _, plain in head.columns) > _LARGEST_PLAIN:
        raise _too_large(where, f"unpacked it would have more than {_LARGEST_PLAIN >> 20} MiB")
    if head.wheels > _MOST_WHEELS:
        raise _too_large(where, f"it would have more than {_MOST_WHEELS:,} wheels")
    return head, end + 1


def unpack(raw: bytes, where: str) -> tuple[Content, Tables]:
    """Return the content of a snapshot, and that encoded; `where` names it in errors.

    It is checked against its digest and its catalogue's identity.

    Nothing is unpacked beyond what the head states, and no value is taken that could not come from a wheelhouse. An
    identity that another tumpline worked out in another way can not be checked. Raises as `read_head`.
    """
    head, start = read_head(raw, where)
    if hashlib.sha256(memoryview(raw)[start:]).hexdigest() != head.digest:
        raise _damaged(where, "its content does not have the digest that its head states")
    try:
        content = content_of_columns(dict(_columns(raw, head, start)), head.wheels)
        tables = encode(content)
    except (ValueError, TypeError, LookupError, lzma.LZMAError, OverflowError, RecursionError) as error:
        raise _damaged(where, f"{type(error).__name__}: {error}") from error
    held = (content.site, content.grade, content.date, content.made_by, len(tables.projects))
    stated = (head.site, head.grade, head.date, head.made_by, head.projects)
    if held != stated or (head.scheme == IDENTITY_SCHEME and tables.identity != head.identity):
        raise _damaged(where, "it holds another catalogue than its head says")
    return content, tables


def _columns(raw: bytes, head: Head, start: int) -> Iterator[tuple[str, bytes]]:
    if [name for name, _, _ in head.columns] != list(COLUMNS):
        raise ValueError("its columns are not those of this form")
    for name, packed, length in head.columns:
        unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_UNPACKER_MEMORY)
        plain = unpacker.decompress(raw[start : start + packed], length + 1)
        if len(plain) != length or not unpacker.eof or unpacker.unused_data:
            raise ValueError(f"the column {name} does not have the length that the head states")
        yield name, plain
        start += packed
    if start != len(raw):
        raise ValueError("there is something behind the last column")


def _text(table: Mapping[str, object], key: str) -> str:
    value = table[key]
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{key} is no text")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 2**40:
        raise ValueError("a number is out of range")
    return value


def _damaged(where: str, why: str) -> InputError:
    return InputError.of(
        "snapshot-damaged", "the snapshot is damaged", where=where, why=why, hint="copy or download the file again"
    )


def _too_large(where: str, why: str) -> InputError:
    return InputError.of(
        "snapshot-too-large",
        "the snapshot is too large to be read",
        where=where,
        why=why,
        hint="check that it is the file that was meant, and where it is from",
    )
