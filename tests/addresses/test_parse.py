from __future__ import annotations

from pathlib import Path

import pytest

from tumpline.addresses import bare_address
from tumpline.addresses.parse import FileAddress, GitAddress, WebAddress, parse_address
from tumpline.errors import InputError

HASH = "ab" * 32


@pytest.mark.parametrize(
    ("address", "parsed"),
    [
        ("git+https://example.org/me/lib.git", GitAddress("https://example.org/me/lib.git", None, "", "")),
        ("git+https://example.org/lib@v1.0", GitAddress("https://example.org/lib", None, "v1.0", "")),
        ("git+https://example.org/lib@a/b%2Bc", GitAddress("https://example.org/lib", None, "a/b+c", "")),
        (
            "git+https://me:pass%40word@example.org/lib@main#egg=lib&subdirectory=a/b",
            GitAddress("https://example.org/lib", None, "main", "a/b", "me:pass@word"),
        ),
        ("git+https://token@example.org/lib", GitAddress("https://example.org/lib", None, "", "", "token:")),
        ("git+ssh://git@example.org/lib@v1", GitAddress("ssh://git@example.org/lib", None, "v1", "")),
        ("git+ssh://git:pw@example.org:22/lib", GitAddress("ssh://git@example.org:22/lib", None, "", "")),
        ("git+file:///a/my%20lib@v1", GitAddress("", Path("/a/my lib"), "v1", "")),
        ("file:///a/lib", FileAddress(Path("/a/lib"), "", "")),
        (f"file:///a/l.zip#sha256={HASH}&subdirectory=/s/", FileAddress(Path("/a/l.zip"), "s", HASH)),
        (
            f"https://me:pw@example.org/x/lib-1%2Bcu-py3-none-any.whl?a=b#sha256={HASH.upper()}",
            WebAddress(
                "https://me:pw@example.org/x/lib-1%2Bcu-py3-none-any.whl?a=b",
                "https://example.org/x/lib-1%2Bcu-py3-none-any.whl?a=b",
                "lib-1+cu-py3-none-any.whl",
                "",
                HASH,
            ),
        ),
    ],
)
def test_addresses(address: str, parsed: object) -> None:
    assert parse_address(address) == parsed


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("git+ext::sh -c touch% /tmp/x", "a character that addresses do not have"),
        ("git+ext://sh", "a repository is reached by"),
        ("git+git://example.org/lib", "anybody on the way"),
        ("git+http://example.org/lib", "anybody on the way"),
        ("git+https://-oProxyCommand=x/lib", "a repository is reached by"),
        ("git+ssh://-oProxyCommand=x@example.org/lib", "names no user"),
        ("git+https:///lib", "a repository is reached by"),
        ("git+https://example.org/lib@--upload-pack=touch", "is not the name of a branch"),
        ("git+https://example.org/lib@%2D%2Dupload-pack=touch", "is not the name of a branch"),
        ("git+https://example.org/lib@", "is not the name of a branch"),
        ("git+https://example.org/lib@a..b", "is not the name of a branch"),
        ("git+https://example.org/lib@a%00b", "is not the name of a branch"),
        ("git+https://example.org/lib@HEAD~1", "is not the name of a branch"),
        ("git+https://example.org/lib#subdirectory=../x", "is not a folder inside"),
        ("git+https://example.org/lib#subdirectory=a/-b", "is not a folder inside"),
        ("git+https://example.org/lib#subdirectory=a%5Cb", "is not a folder inside"),
        ("hg+https://example.org/lib", "hg repositories are not supported"),
        ("https://example.org/lib-1.tar.bz2", "does not end with the name"),
        ("https://example.org/", "does not end with the name"),
        ("https://example.org/a%2Fb.whl", "does not end with the name"),
        ("https:///lib-1.zip", "names no host"),
        ("https://example.org:x/lib-1.zip", "Port"),
        ("https://[::1/lib-1.zip", "IPv6"),
        ("https://example.org/l.zip#md5=abc", "only sha256 is checked"),
        ("https://example.org/l.zip#sha256=abc", "its sha256 is not one"),
        ("ftp://example.org/l.zip", "ftp is none of"),
        ("./lib", "no scheme is none of"),
        ("file:///a/../b", "a whole path"),
        ("file:lib", "a whole path"),
    ],
)
def test_what_is_not_followed(address: str, why: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_address(address)
    (problem,) = caught.value.problems
    assert problem.code == "bad-address"
    assert why in problem.why
    assert problem.hint


def test_no_message_shows_a_password() -> None:
    for address in (
        "https://me:secret@example.org/x",
        "git+https://me:secret@example.org/x@-",
        "hg+https://a:secret@b",
    ):
        with pytest.raises(InputError) as caught:
            parse_address(address)
        assert "secret" not in str(caught.value.problems)
    assert "secret" not in repr(parse_address("git+https://me:secret@example.org/x"))
    assert "secret" not in repr(parse_address("https://me:secret@example.org/x.zip"))


@pytest.mark.parametrize(
    ("address", "bare"),
    [
        ("git+https://me:secret@example.org/x@v1#egg=x", "git+https://example.org/x@v1#egg=x"),
        ("git+ssh://git:secret@example.org/x", "git+ssh://git@example.org/x"),
        ("git+file:///a/b", "git+file:///a/b"),
        ("https://[::1/x", "a malformed address"),
    ],
)
def test_bare_addresses(address: str, bare: str) -> None:
    assert bare_address(address) == bare
