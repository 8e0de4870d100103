"""The pages of an index: JSON (PEP 691, 700) and HTML (PEP 503, 592, 658, 714), read into files.

A page is hostile input: names with folders in them, addresses of other kinds and values of the wrong type are refused.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from tumpline.errors import EnvironmentFailure
from tumpline.index.model import IndexFile
from tumpline.index.settings import is_local, shown, split_credentials

__all__ = ["ACCEPT", "HTML_TYPES", "JSON_TYPE", "parse_html", "parse_page", "safe_file_name"]

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPES = ("application/vnd.pypi.simple.v1+html", "text/html")
ACCEPT = f"{JSON_TYPE}, {HTML_TYPES[0]};q=0.2, {HTML_TYPES[1]};q=0.1"
"""What a client sends as ``Accept`` (PEP 691): JSON where it can be had."""

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_DISTRIBUTIONS = (".whl", ".tar.gz", ".zip")
_SEPARATORS = frozenset("/\\:")
_PLAIN_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/[A-Za-z0-9._~/%+-]*")
"""An address that is used as it stands; taking apart the thousands of a large page takes longer than fetching it."""


def parse_page(content_type: str, content: bytes, url: str, index: str) -> list[IndexFile]:
    """Return the files that a page lists, addresses made absolute against `url`, in the page's order.

    Raises EnvironmentFailure ``index-answer-unreadable`` for another content type and for a body that is not what
    its type says, and ``index-too-new`` for a later major version of the interface.
    """
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    if kind == JSON_TYPE:
        return _parse_json(content, url, index)
    if kind in HTML_TYPES:
        charset = re.search(r"charset=[\"']?([\w.-]+)", parameters)
        return parse_html(content, url, index, charset[1] if charset else "utf-8")
    return _unreadable(url, f"its content type is {kind or 'missing'!r}, not one of {JSON_TYPE} and {HTML_TYPES[1]}")


def safe_file_name(file: str) -> bool:
    """Say whether a name is one plain component of a path on every system."""
    return bool(file) and file[0] != "." and file.isprintable() and _SEPARATORS.isdisjoint(file)


def _parse_json(content: bytes, url: str, index: str) -> list[IndexFile]:
    try:
        page = json.loads(content)
    except (ValueError, RecursionError):
        _unreadable(url, "it says that it is JSON, and is not")
    # The version first: a page of another one may be laid out otherwise.
    meta = page.get("meta") if isinstance(page, dict) else None
    version = meta.get("api-version") if isinstance(meta, dict) else None
    _check_version(version if isinstance(version, str) else "1.0", url)
    if not isinstance(page, dict) or not isinstance(page.get("files"), list):
        _unreadable(url, "it has no list of files")
    files: list[IndexFile] = []
    for position, row in enumerate(page["files"]):
        if not isinstance(row, dict):
            _unreadable(url, f"files[{position}] is not a table")
        found = _json_file(row, url, index, f"files[{position}]")
        if found is not None:
            files.append(found)
    return files


def _json_file(row: dict[str, object], url: str, index: str, where: str) -> IndexFile | None:
    def text(key: str) -> str:
        value = row.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            _unreadable(url, f"{where}.{key} is not a text")
        return value

    file, size, hashes = text("filename"), row.get("size"), row.get("hashes") or {}
    if not file or not text("url"):
        _unreadable(url, f"{where} lacks a file name or an address")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        _unreadable(url, f"{where}.size is not a number of bytes")
    if not isinstance(hashes, dict):
        _unreadable(url, f"{where}.hashes is not a table")
    # PEP 714: the newer key wins where both are there.
    metadata = row.get("core-metadata", row.get("dist-info-metadata"))
    advertised = ""
    if isinstance(metadata, dict):
        advertised = _sha256(metadata.get("sha256"), url, where) or "yes"
    elif metadata:
        advertised = "yes"
    address = _address(url, text("url"))
    if address is None or not safe_file_name(file):
        return None
    return IndexFile(
        file,
        address,
        index,
        size,
        _sha256(hashes.get("sha256"), url, where),
        text("requires-python"),
        bool(row.get("yanked")),
        advertised,
        text("upload-time"),
    )


def parse_html(content: bytes, url: str, index: str, charset: str = "utf-8") -> list[IndexFile]:
    """Return the files that the links of a page point to.

    The file name is the last part of a link's address, as PEP 503 demands. A page that offers a form or a
    program and no files is somebody's log-in page, and refused as ``index-answer-unreadable``.
    """
    from tumpline.index.htmllinks import read_links

    try:
        text = content.decode(charset, "replace")
    except LookupError:
        text = content.decode("utf-8", "replace")
    page = read_links(text)
    _check_version(page.version, url)
    base = urljoin(url, page.base) if page.base else url
    files: list[IndexFile] = []
    for link in page.links:
        address = _address(base, link.get("href", ""))
        if address is None:
            continue
        file = unquote(urlsplit(address).path.rpartition("/")[2])
        if not file.endswith(_DISTRIBUTIONS) or not safe_file_name(file):
            continue
        algorithm, _, digest = urldefrag(link["href"]).fragment.partition("&")[0].partition("=")
        metadata = link.get("data-core-metadata", link.get("data-dist-info-metadata"))
        advertised = ""
        if metadata is not None and metadata != "false":
            kind, _, value = metadata.partition("=")
            advertised = _sha256(value, url, file) if kind == "sha256" else "yes"
        files.append(
            IndexFile(
                file,
                address,
                index,
                None,
                _sha256(digest, url, file) if algorithm == "sha256" else "",
                link.get("data-requires-python", ""),
                "data-yanked" in link,
                advertised,
            )
        )
    if not files and page.interactive:
        _unreadable(url, "it is a web page for people, perhaps of a log-in, and lists no files")
    return files


def _address(base: str, target: str) -> str | None:
    """Return an absolute address without fragment and credentials, or None for one that must not be followed."""
    if _PLAIN_ADDRESS.fullmatch(target):
        return target
    try:
        url = split_credentials(urldefrag(urljoin(base, target)).url)[0]
        scheme = urlsplit(url).scheme
    except ValueError:
        return None
    # A page from the network must not make us read files of this machine.
    return url if scheme in ("http", "https") or (scheme == "file" and is_local(base)) else None


def _sha256(value: object, url: str, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        _unreadable(url, f"the sha256 of {where} is malformed")
    return value.lower()


def _check_version(version: str, url: str) -> None:
    major = version.partition(".")[0]
    if major != "1":
        raise EnvironmentFailure.of(
            "index-too-new",
            f"the index speaks version {version} of the simple interface, and this tumpline knows version 1",
            where=shown(url),
            hint="update tumpline",
        )


def _unreadable(url: str, why: str) -> NoReturn:
    raise EnvironmentFailure.of(
        "index-answer-unreadable",
        "the answer is not a page of a package index",
        where=shown(url),
        why=why,
        hint="check the address of the index; a network with a log-in page answers in its place until you log in",
    )
