"""Requirements files as text: from bytes to logical lines (pip documentation, "Requirements File Format")."""

from __future__ import annotations

import codecs
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tumpline.errors import InputError

__all__ = ["Line", "logical_lines", "read_text"]

_MARKS = (
    # The mark of UTF-32-LE begins with that of UTF-16-LE.
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODING = re.compile(rb"#.*?coding[:=][ \t]*([A-Za-z0-9._-]+)")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Line:
    """A logical line, without comment and outer blanks; `number` is that of its first line in the file, from 1."""

    number: int
    text: str


def read_text(path: Path, largest: int) -> tuple[str, bool]:
    """Return the text of a file, and whether it had to be taken for Latin-1 because it is not UTF-8.

    A byte order mark or a coding comment (PEP 263) in the first two lines decides the encoding. Raises InputError
    ``missing-file``, ``cannot-read``, ``too-large`` (more than `largest` bytes), ``not-text``.
    """
    content = _read(path, largest)
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decoded(path, content[len(mark) :], encoding), False
    for line in content.split(b"\n", 2)[:2]:
        if (coding := _CODING.match(line.lstrip())) is not None:
            return _decoded(path, content, coding[1].decode("ascii")), False
    try:
        text, latin = content.decode("utf-8"), False
    except UnicodeDecodeError:
        text, latin = content.decode("latin-1"), True
    if (place := _NOT_TEXT.search(text)) is not None:
        raise _not_text(path, f"byte {place.start()} is {ord(place[0]):#04x}")
    return text, latin


def logical_lines(text: str) -> Iterator[Line]:
    """Join lines that end in a backslash, then drop comments and blank lines; a comment is never continued."""
    parts: list[str] = []
    first = 0
    for number, raw in enumerate(_NEWLINE.split(text), start=1):
        comment = _COMMENT.match(raw) is not None
        first = first if parts else number
        if raw.endswith("\\") and not comment:
            parts.append(raw.rstrip("\\"))
            continue
        parts.append(f" {raw}" if comment else raw)
        yield from _cleaned(first, "".join(parts))
        parts = []
    yield from _cleaned(first, "".join(parts))


def _cleaned(number: int, text: str) -> Iterator[Line]:
    if cleaned := _COMMENT.sub("", text).strip():
        yield Line(number, cleaned)


def _read(path: Path, largest: int) -> bytes:
    try:
        # A pipe or a device could block for ever, or never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError.of("cannot-read", f"{path.name} is not a file", where=str(path), hint="name a file")
        with path.open("rb") as stream:
            content = stream.read(largest + 1)
    except FileNotFoundError as error:
        raise InputError.of(
            "missing-file",
            f"there is no file {path.name}",
            where=str(path),
            hint="correct the name, or restore the file",
        ) from error
    except (OSError, ValueError) as error:
        why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise InputError.of(
            "cannot-read", f"{path.name} can not be read", where=str(path), why=why, hint="check the file's permissions"
        ) from error
    if len(content) > largest:
        raise InputError.of(
            "too-large",
            f"{path.name} is too large for a requirements file",
            where=str(path),
            why=f"with the files it includes it has more than {largest / 2**20:.0f} MiB",
            hint="check that this is the right file",
        )
    return content


def _decoded(path: Path, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except LookupError as error:
        raise _not_text(path, f"it says that its encoding is {encoding}, which is not known") from error
    except ValueError as error:
        raise _not_text(path, f"it says that it is {encoding}, and is not") from error


def _not_text(path: Path, why: str) -> InputError:
    return InputError.of(
        "not-text", f"{path.name} is not a text file", where=str(path), why=why, hint="save it as UTF-8 text"
    )
