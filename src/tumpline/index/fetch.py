"""Fetching one file whose address a person gave: no index, the same transport."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tumpline.errors import EnvironmentFailure, InputError
from tumpline.index.settings import IndexSettings, shown, split_credentials
from tumpline.index.transport import Transport, is_loopback

if TYPE_CHECKING:
    from tumpline.index.transport import Answer

__all__ = ["fetch"]

_BY_OTHER_MEANS = "check the address, the network and the proxy, or download the file by other means"


def fetch(address: str, settings: IndexSettings, *, limit: int) -> bytes:
    """Return what is at an https address, with pip's certificates, proxies and credentials; at most `limit` bytes.

    Plain http is taken of this machine only, not even of pip's trusted hosts. Raises InputError ``address-unusable``
    or ``insecure-address``, and EnvironmentFailure ``download-failed`` or ``download-too-large``, besides those of the
    transport that say what is wrong with certificates and proxies.
    """
    try:
        url, credentials = split_credentials(address)
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname or ""
    except ValueError:
        url, credentials, scheme, host = "", None, "", ""
    if not host or scheme not in ("http", "https"):
        raise InputError.of(
            "address-unusable",
            f"{shown(address)} is not an address that can be fetched",
            hint="give an address that begins with https://, or a file",
        )
    if scheme == "http" and not is_loopback(host):
        raise InputError.of(
            "insecure-address",
            f"{host} is reached over plain http, where anybody on the way can change the file",
            where=shown(address),
            hint="use the https address, or download the file by other means",
        )
    settings = replace(settings, trusted_hosts=())
    if credentials is not None:
        settings = replace(settings, credentials=(*settings.credentials, credentials))

    def receive(answer: Answer) -> bytes:
        if answer.status != 200:
            raise _failed(address, f"the server answers with status {answer.status}")
        stated = answer.headers.get("Content-Length", "")
        if stated.isascii() and stated.isdecimal() and int(stated[:20]) > limit:
            raise _too_large(address, limit)
        content = bytearray()
        for chunk in answer.chunks(decode=False):
            content += chunk
            if len(content) > limit:
                raise _too_large(address, limit)
        return bytes(content)

    transport = Transport(settings)
    try:
        return transport.exchange(url, receive)
    except EnvironmentFailure as error:
        # The words of an index would mislead: nothing is in a cache, and nothing is gained with --offline.
        if error.code in ("index-fails", "index-timeout", "index-unreachable"):
            raise _failed(address, error.problems[0].why or error.problems[0].message) from error
        raise
    finally:
        transport.close()


def _failed(address: str, why: str) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "download-failed", "the file could not be downloaded", where=shown(address), why=why, hint=_BY_OTHER_MEANS
    )


def _too_large(address: str, limit: int) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "download-too-large",
        f"the file has more than {limit >> 20} MiB",
        where=shown(address),
        hint="check that it is the address that was meant",
    )
