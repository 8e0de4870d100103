"""Comparing two listings of a folder by digests, so that only what differs is sent. This module travels.

Entries are dealt into buckets by the checksum of their names. Both sides deal alike and compare a digest of each
bucket; the entries of those that differ are sent. One new wheel among ten thousand costs the digests and a few entries.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING

from tumpline.catalogue.listing import Listing, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOST_BUCKETS", "bucket_digests", "deal", "digest_of"]

MOST_BUCKETS = 4096
_SHORT = 8
"""Characters of a bucket's digest. Two that are alike by chance are noticed: whole listings are compared at the end."""


def digest_of(listing: Listing) -> str:
    """Return a digest of all names, sizes and times."""
    text = "".join(lines_of(listing))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def bucket_digests(listing: Listing, count: int) -> list[str]:
    """Return a short digest of each of `count` buckets."""
    return [digest_of(bucket)[:_SHORT] for bucket in deal(listing, count)]


def deal(listing: Listing, count: int) -> Sequence[Listing]:
    """Deal the entries of a listing into `count` buckets."""
    buckets = [Listing([], []) for _ in range(count)]
    for found in listing.wheels:
        buckets[_place(found.file, count)].wheels.append(found)
    for odd in listing.others:
        buckets[_place(odd.file, count)].others.append(odd)
    return buckets


def _place(file: str, count: int) -> int:
    return zlib.crc32(file.encode("utf-8", "surrogateescape")) % count
