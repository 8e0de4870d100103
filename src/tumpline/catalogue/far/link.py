"""The near side of the conversation with the program on the far side.

Each question has one answer, in one or more messages, before the next is asked:

    D [folder, ...]             D [is a folder?, ...]
    L [layer, folder]           L [digest, wheels, others]
    C [layer, [digest, ...]]    C [differing bucket, ...], then E [entry, ...] until one is empty
    R [[layer, from, to], ...]  W [what a wheel says, or null where that is not clear, ...] until all are told
    O [layer, wheel]            O size in bytes, or -1 where it is no regular file
    G [offset, length]          G bytes of the wheel opened last

Layers are numbered as they are listed, wheels by their place among the sorted names. Where the system refuses, the
answer is X [errno, its words].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tumpline.catalogue.far.answers import entry_of, integers_of, reading_of_row
from tumpline.catalogue.far.buckets import MOST_BUCKETS, bucket_digests, deal, digest_of
from tumpline.catalogue.far.bundle import make_bundle
from tumpline.catalogue.far.conversation import Conversation, Pipe
from tumpline.catalogue.far.frames import BadMessage
from tumpline.catalogue.listing import Found, Listing, Odd
from tumpline.catalogue.reading import Reading

__all__ = ["Link"]

_MOST_ENTRIES = 1_000_000
"""Entries of a layer that are accepted: the largest wheelhouse in use has a hundredth of that."""

_MOST_TEXT = 512 * 1024 * 1024
"""Characters of requirements that are accepted in all; those of 40,000 wheels are some five million."""

_PER_BUCKET = 16
"""Entries for each bucket: the digests then weigh as much as the entries of some sixty changes (of 40,000 wheels)."""

_RANGE = 256 * 1024
"""Bytes of a wheel asked for at once."""


class Link(Conversation):
    """Asks about a wheelhouse. Raises what `Conversation` raises."""

    def __init__(self, pipe: Pipe) -> None:
        super().__init__(pipe, make_bundle())
        self._text = 0

    def are_folders(self, folders: Sequence[str]) -> list[bool]:
        """Say of each path whether it is a folder, or can not be told not to be one."""
        with self._answers():
            self._sender.send_value(b"D", folders)
            value = self._value(b"D")
            if not isinstance(value, list) or len(value) != len(folders) or {*map(type, value)} - {bool}:
                raise BadMessage("it does not say which folders are there")
            return value

    def list_layer(self, number: int, layer: str, folder: str, known: Listing) -> Listing:
        """Return the sorted listing of a folder, of which only what differs from `known` is transferred."""
        with self._answers():
            self._sender.send_value(b"L", [number, folder])
            answer = self._value(b"L")
            match answer:
                case [str(digest), int(wheels), int(others)] if 0 <= wheels + others <= _MOST_ENTRIES:
                    pass
                case _:
                    raise BadMessage("it does not say what a folder holds")
            if digest_of(known) == digest:
                return Listing(sorted(known.wheels), sorted(known.others))
            listing = self._changed(number, layer, known, wheels + others)
            if digest_of(listing) != digest and (known.wheels or known.others):
                # Two different buckets can have one short digest, if rarely.
                listing = self._changed(number, layer, Listing([], []), wheels + others)
            names = {found.file for found in listing.wheels} | {odd.file for odd in listing.others}
            if digest_of(listing) != digest or len(names) != wheels + others:
                raise BadMessage("the listing of a folder is not what it was said to be")
            return listing

    def _changed(self, number: int, layer: str, known: Listing, most: int) -> Listing:
        """Return what is known with the buckets that differ replaced; where nothing is known there are none."""
        count = min(MOST_BUCKETS, -(-(len(known.wheels) + len(known.others)) // _PER_BUCKET))
        self._sender.send_value(b"C", [number, bucket_digests(known, count)])
        differing = set(integers_of(self._value(b"C"), most=count - 1))
        listing = Listing([], [])
        for place, bucket in enumerate(deal(known, count)):
            if place not in differing:
                listing.wheels.extend(bucket.wheels)
                listing.others.extend(bucket.others)
        for entry in self._entries(layer, most):
            if isinstance(entry, Found):
                listing.wheels.append(entry)
            else:
                listing.others.append(entry)
        listing.wheels.sort()
        listing.others.sort()
        return listing

    def read(self, runs: Sequence[tuple[int, int, int]]) -> Iterator[list[Reading | None]]:
        """Read the wheels of runs (layer, from, to) and give what they say, in order, as it comes."""
        left = sum(stop - start for _, start, stop in runs)
        with self._answers():
            self._sender.send_value(b"R", runs)
            while left:
                value = self._value(b"W")
                if not isinstance(value, list) or not 0 < len(value) <= left:
                    raise BadMessage("it does not say what wheels hold")
                left -= len(value)
                readings = [reading_of_row(row) for row in value]
                self._text += sum(len("".join(one.needs)) for one in readings if one and one.needs)
                if self._text > _MOST_TEXT:
                    raise BadMessage("wheels say more than they can")
                yield readings

    def open_wheel(self, number: int, place: int) -> tuple[int, Callable[[int, int], bytes]]:
        """Return a wheel's size in bytes, -1 where it is no regular file, and the function that reads a range of it."""
        with self._answers():
            self._sender.send_value(b"O", [number, place])
            (size,) = integers_of([self._value(b"O")], least=-1)
            return size, self._get

    def _get(self, offset: int, length: int) -> bytes:
        content = b""
        while len(content) < length:
            asked = min(_RANGE, length - len(content))
            with self._answers():
                self._sender.send_value(b"G", [offset + len(content), asked])
                part = self._body(b"G")
                if len(part) > asked:
                    raise BadMessage("it sends more bytes than were asked for")
            content += part
            if len(part) < asked:
                break
        return content

    def _entries(self, layer: str, most: int) -> Iterator[Found | Odd]:
        left = most
        while rows := self._value(b"E"):
            if not isinstance(rows, list) or len(rows) > left:
                raise BadMessage("a folder holds more than it was said to")
            left -= len(rows)
            for row in rows:
                yield entry_of(layer, row)
