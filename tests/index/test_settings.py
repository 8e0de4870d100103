"""Addresses: their parts, and what of them may be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tumpline.errors import InputError
from tumpline.index.settings import IndexLocation, origin_of, path_of, shown, split_credentials


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://me:secret@host.example/simple/?token=secret#secret", "https://host.example/simple/"),
        ("https://host.example:8443/simple", "https://host.example:8443/simple"),
        ("https://[broken", "a malformed address"),
    ],
)
def test_no_secret_is_shown(url: str, expected: str) -> None:
    assert shown(url) == expected


def test_an_address_without_credentials_stays_as_it_is() -> None:
    assert split_credentials("https://host.example/a?b") == ("https://host.example/a?b", None)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Host.example/x", "https://host.example:443"),
        ("http://host.example", "http://host.example:80"),
        ("http://host.example:81", "http://host.example:81"),
    ],
)
def test_origin(url: str, expected: str) -> None:
    assert origin_of(url) == expected


@pytest.mark.parametrize("url", ["file:///a%20b/c", "file://localhost/a%20b/c"])
def test_path_of_a_file_address(url: str) -> None:
    assert path_of(url) == Path("/a b/c")


@pytest.mark.parametrize("url", ["file://elsewhere.example/a", "file:///a%00b"])
def test_a_file_address_of_another_machine_is_refused(url: str) -> None:
    with pytest.raises(InputError) as caught:
        path_of(url)

    assert caught.value.code == "index-address-unusable"


def test_the_address_of_an_index_ends_with_a_slash_and_that_of_a_page_does_not_change() -> None:
    assert IndexLocation("extra-1", "https://h.example/s").address() == "https://h.example/s/"
    assert IndexLocation("find-links-1", "https://h.example/l.html", "links").address() == "https://h.example/l.html"
