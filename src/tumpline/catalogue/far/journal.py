"""What a pull has received so far, in a file beside the catalogue, until the catalogue is written.

Only ever appended to, each record with its length and checksum, so a pull may be killed at any byte: what follows the
last whole record is cut off by the next one. A record is a zlib stream of JSON:

    ["listing", layer, [entry, ...]]             replaces an earlier one of that layer
    ["wheels", layer, [[entry, reading], ...]]

A reading counts for a wheel of the same layer, name, size and time, as a catalogue's does.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tumpline.catalogue.far.answers import decode, entry_of, listing_row, reading_of_row, reading_row
from tumpline.catalogue.far.frames import BadMessage
from tumpline.catalogue.listing import Found, Listing, Odd
from tumpline.catalogue.reading import Reading
from tumpline.errors import EnvironmentFailure

__all__ = ["Journal", "journal_path"]

_MARK = b"tumpline-pull 1\n"
_HEAD = struct.Struct(">2I")
_LARGEST_RECORD = 64 * 1024 * 1024
_LARGEST = 1024 * 1024 * 1024
"""Bytes of a record, inflated, and of the file; what is larger was not written here and is begun anew."""


def journal_path(catalogue: Path) -> Path:
    """Return where the journal of a pull to this catalogue is."""
    return catalogue.with_name(f".{catalogue.name}.pull")


class Journal:
    """The journal of a catalogue file; reads what is there. Raises EnvironmentFailure ``cannot-write``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.listings: dict[str, Listing] = {}
        self.readings: dict[Found, Reading] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                self._load()
            except BaseException:
                os.close(self._file)
                raise
        except OSError as error:
            raise self._failure(error) from error

    def note_listing(self, layer: str, listing: Listing) -> None:
        """Keep the listing of a layer."""
        rows = [*map(listing_row, listing.wheels), *map(listing_row, listing.others)]
        self._append(["listing", layer, rows])

    def note_readings(self, layer: str, read: Iterable[tuple[Found, Reading]]) -> None:
        """Keep what wheels of a layer say."""
        if rows := [[listing_row(found), reading_row(reading)] for found, reading in read]:
            self._append(["wheels", layer, rows])

    def close(self) -> None:
        """Close the file, which stays for the next pull unless it holds nothing."""
        if os.fstat(self._file).st_size <= len(_MARK):
            self.remove()
        os.close(self._file)

    def remove(self) -> None:
        """Remove the file: all that it held is in the catalogue."""
        self._path.unlink(missing_ok=True)

    def _append(self, record: Sequence[object]) -> None:
        packed = zlib.compress(json.dumps(record, separators=(",", ":")).encode("ascii"))
        try:
            content = _HEAD.pack(len(packed), zlib.crc32(packed)) + packed
            while content:
                content = content[os.write(self._file, content) :]
        except OSError as error:
            raise self._failure(error) from error

    def _load(self) -> None:
        size = os.fstat(self._file).st_size
        whole = 0
        if size <= _LARGEST:
            with os.fdopen(os.dup(self._file), "rb") as stream:
                content = stream.read()
            for end, record in _records(content):
                self._take(record)
                whole = end
        if whole < size:
            os.ftruncate(self._file, whole)
        if not whole:
            os.write(self._file, _MARK)

    def _take(self, record: object) -> None:
        match record:
            case ["listing", str(layer), list(rows)]:
                entries = [entry_of(layer, row) for row in rows]
                self.listings[layer] = Listing(
                    [entry for entry in entries if isinstance(entry, Found)],
                    [entry for entry in entries if isinstance(entry, Odd)],
                )
            case ["wheels", str(layer), list(pairs)]:
                for pair in pairs:
                    match pair:
                        case [entry, row]:
                            found, reading = entry_of(layer, entry), reading_of_row(row)
                            if isinstance(found, Found) and reading is not None:
                                self.readings[found] = reading

    def _failure(self, error: OSError) -> EnvironmentFailure:
        return EnvironmentFailure.of(
            "cannot-write",
            f"cannot write {self._path.name}",
            where=str(self._path),
            why=error.strerror or str(error),
            hint="check that the folder exists, is writable and has space left",
        )


def _records(content: bytes) -> Iterator[tuple[int, object]]:
    """Give the whole records of a journal, each with the place where it ends."""
    place = len(_MARK)
    if not content.startswith(_MARK):
        return
    while place + _HEAD.size <= len(content):
        length, checksum = _HEAD.unpack_from(content, place)
        start = place + _HEAD.size
        place = start + length
        packed = content[start:place]
        if len(packed) != length or zlib.crc32(packed) != checksum:
            return
        try:
            stream = zlib.decompressobj()
            record = stream.decompress(packed, _LARGEST_RECORD)
            if not stream.eof:
                return
            yield place, decode(record)
        except (zlib.error, BadMessage):
            return
