"""Making a wheel of an index into a wheel of a wheelhouse: another version, other tags, some other requirements."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from replica.archive import ArchiveWriter
from replica.contents import LOCAL_TAG, Rewrite
from tumpline.errors import InputError
from tumpline.values import normalise, parse_requirement
from tumpline.wheels import parse_wheel_name

__all__ = ["Retagged", "record_line", "retag", "retagged_name"]

_SIGNATURES = ("RECORD.jws", "RECORD.p7s")


@dataclass(frozen=True, slots=True)
class Retagged:
    """What a wheel becomes: `stem` is ``NAME-VERSION`` in file and folder names."""

    stem: str
    version: str
    tags: str

    @property
    def file(self) -> str:
        """The file name of the wheel."""
        return f"{self.stem}-{self.tags}.whl"


def retagged_name(file: str, spelling: str) -> Retagged:
    """Say what a wheel of the index becomes: ``+computecanada``, and ``linux_x86_64`` for any manylinux tag.

    Raises InputError ``wheel-not-for-replica`` for a wheel of another platform, or one with a build number.
    """
    wheel = parse_wheel_name(file)
    interpreter, abi, platform = wheel.tags.split("-")
    if platform != "any":
        if wheel.build or not all(
            p.startswith(("manylinux", "linux_")) and p.endswith("_x86_64") for p in platform.split(".")
        ):
            raise InputError.of(
                "wheel-not-for-replica",
                f"{file} can not be made into a wheel for linux_x86_64",
                hint="remove it from the folder of downloads and run again",
            )
        platform = "linux_x86_64"
    separator = "." if "+" in wheel.version else "+"
    version = f"{wheel.version}{separator}{LOCAL_TAG}"
    return Retagged(f"{spelling}-{version}", version, f"{interpreter}-{abi}-{platform}")


def retag(source: Path, folder: Path, spelling: str, rewrite: Rewrite | None = None) -> Path:
    """Write the wheelhouse form of `source` into `folder` and return its path; the file appears whole or not at all.

    File name, dist-info and data folders, METADATA (Version, Requires-Dist), WHEEL (Tag) and RECORD are changed
    together, so that the result is a valid wheel. Signatures of RECORD, being void, are left out.
    Raises InputError ``damaged-wheel`` where the source is damaged.
    """
    new = retagged_name(source.name, spelling)
    made = folder / new.file
    scratch = folder / f".{new.file}.part"
    try:
        with zipfile.ZipFile(source) as archive, source.open("rb") as raw, ArchiveWriter(scratch) as writer:
            _rewrite_archive(archive, raw, writer, new, rewrite)
        scratch.replace(made)
    except (zipfile.BadZipFile, KeyError, StopIteration, EOFError) as error:
        raise InputError.of(
            "damaged-wheel",
            "the wheel is damaged",
            where=source.name,
            why=str(error),
            hint="remove it from the folder of downloads and run again",
        ) from error
    finally:
        scratch.unlink(missing_ok=True)
    return made


def _rewrite_archive(
    archive: zipfile.ZipFile, raw: io.BufferedReader, writer: ArchiveWriter, new: Retagged, rewrite: Rewrite | None
) -> None:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    # At the top: wheels such as setuptools' vendor others, dist-info folders and all.
    tops = (entry.filename.split("/") for entry in entries)
    old_info = next(top[0] for top in tops if len(top) == 2 and top[0].endswith(".dist-info") and top[1] == "WHEEL")
    old_stem = old_info.removesuffix(".dist-info")
    renamed = {old_info: f"{new.stem}.dist-info", f"{old_stem}.data": f"{new.stem}.data"}

    def rename(name: str) -> str:
        top, slash, rest = name.partition("/")
        return renamed.get(top, top) + slash + rest

    changed = {
        f"{old_info}/METADATA": _metadata(archive.read(f"{old_info}/METADATA"), new.version, rewrite),
        f"{old_info}/WHEEL": _wheel(archive.read(f"{old_info}/WHEEL"), new.tags),
    }
    record_file = f"{old_info}/RECORD"
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(archive.read(record_file).decode("utf-8"))) if row}
    lines: list[list[str]] = []
    for entry in entries:
        name = entry.filename
        if name == record_file or name.removeprefix(f"{old_info}/") in _SIGNATURES:
            continue
        if name in changed:
            writer.write(changed[name], rename(name), entry)
            lines.append(record_line(rename(name), changed[name]))
        else:
            writer.copy(raw, entry, rename(name))
            lines.append([rename(name), *rows[name]])
    lines.append([rename(record_file), "", ""])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    writer.write(text.getvalue().encode("utf-8"), rename(record_file), archive.getinfo(record_file))


def record_line(name: str, content: bytes) -> list[str]:
    """Return the row of RECORD for a file (sha256 in url-safe base64 without padding: the wheel specification)."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")
    return [name, f"sha256={digest}", str(len(content))]


def _metadata(content: bytes, version: str, rewrite: Rewrite | None) -> bytes:
    headers, blank, body = content.decode("utf-8").replace("\r\n", "\n").partition("\n\n")
    lines: list[str] = []
    for line in headers.split("\n"):
        field, _, value = line.partition(":")
        if field == "Version":
            lines.append(f"Version: {version}")
        elif not (field == "Requires-Dist" and rewrite is not None and _replaced(value.strip(), rewrite)):
            lines.append(line)
    if rewrite is not None:
        # Requirements stand where the others do, before the first line that could be a folded continuation.
        place = 1 + max(i for i, line in enumerate(lines) if line.startswith(("Version:", "Requires-Dist:")))
        lines[place:place] = [f"Requires-Dist: {requirement}" for requirement in rewrite.update]
    return ("\n".join(lines) + blank + body).encode("utf-8")


def _replaced(requirement: str, rewrite: Rewrite) -> bool:
    """Whether a requirement gives way: one for a name that is updated or removed, whatever its marker."""
    gone = {normalise(name) for name in rewrite.remove}
    gone.update(normalise(parse_requirement(text).name) for text in rewrite.update)
    return normalise(parse_requirement(requirement).name) in gone


def _wheel(content: bytes, tags: str) -> bytes:
    lines = [line for line in content.decode("utf-8").splitlines() if line and not line.startswith("Tag:")]
    lines += [f"Tag: {'-'.join(tag)}" for tag in product(*(part.split(".") for part in tags.split("-")))]
    return ("\n".join(lines) + "\n").encode("utf-8")
