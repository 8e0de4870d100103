"""Pages of an index: JSON and HTML, well made and not."""

from __future__ import annotations

import json

import pytest

from tumpline.errors import EnvironmentFailure
from tumpline.index import IndexFile
from tumpline.index.pages import JSON_TYPE, parse_html, parse_page

URL = "https://index.example/simple/foo/"
A, B = "a" * 64, "b" * 64


def read_json(*files: dict[str, object], **more: object) -> list[IndexFile]:
    page = {"meta": {"api-version": "1.0"}, "name": "foo", "files": list(files), **more}
    return parse_page(JSON_TYPE, json.dumps(page).encode(), URL, "pypi")


def test_json_with_everything() -> None:
    (file,) = read_json(
        {
            "filename": "foo-1.0-py3-none-any.whl",
            "url": "../../files/foo-1.0-py3-none-any.whl#sha256=ignored",
            "hashes": {"sha256": A.upper(), "md5": "x"},
            "requires-python": ">=3.8",
            "size": 12,
            "upload-time": "2024-01-02T03:04:05.678Z",
            "yanked": "broken",
            "core-metadata": {"sha256": B},
        }
    )

    assert file == IndexFile(
        "foo-1.0-py3-none-any.whl",
        "https://index.example/files/foo-1.0-py3-none-any.whl",
        "pypi",
        12,
        A,
        ">=3.8",
        True,
        B,
        "2024-01-02T03:04:05.678Z",
    )


def test_json_with_little() -> None:
    (file,) = read_json({"filename": "foo-1.0.tar.gz", "url": "https://f.example/foo-1.0.tar.gz", "hashes": {}})

    assert file == IndexFile("foo-1.0.tar.gz", "https://f.example/foo-1.0.tar.gz", "pypi")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"core-metadata": True}, "yes"),
        ({"core-metadata": False, "dist-info-metadata": True}, ""),
        ({"dist-info-metadata": {"sha256": B}}, B),
        ({"core-metadata": {"md5": "x"}}, "yes"),
        ({}, ""),
    ],
)
def test_json_advertises_metadata(keys: dict[str, object], expected: str) -> None:
    (file,) = read_json({"filename": "f-1-py3-none-any.whl", "url": "f", "hashes": {}, **keys})

    assert file.metadata == expected


@pytest.mark.parametrize(
    "file",
    [
        {"filename": "../../etc/x-1.tar.gz", "url": "x"},
        {"filename": ".hidden-1.tar.gz", "url": "x"},
        {"filename": "c:x-1.tar.gz", "url": "x"},
        {"filename": "x\n-1.tar.gz", "url": "x"},
        {"filename": "x-1.tar.gz", "url": "file:///etc/passwd"},
        {"filename": "x-1.tar.gz", "url": "ftp://f.example/x-1.tar.gz"},
        {"filename": "x-1.tar.gz", "url": "https://[broken/x"},
    ],
)
def test_hostile_names_and_addresses_are_left_out(file: dict[str, object]) -> None:
    assert read_json({**file, "hashes": {}}) == []


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        (JSON_TYPE, b"<html>not json</html>", "index-answer-unreadable"),
        (JSON_TYPE, b"[" * 100_000, "index-answer-unreadable"),
        (JSON_TYPE, b"[]", "index-answer-unreadable"),
        (JSON_TYPE, b'{"files": {}}', "index-answer-unreadable"),
        (JSON_TYPE, b'{"files": [1]}', "index-answer-unreadable"),
        (JSON_TYPE, b'{"files": [{"filename": 1}]}', "index-answer-unreadable"),
        (JSON_TYPE, b'{"files": [{"filename": "a"}]}', "index-answer-unreadable"),
        (JSON_TYPE, b'{"files": [{"filename": "a", "url": "b", "size": true}]}', "index-answer-unreadable"),
        (JSON_TYPE, b'{"files": [{"filename": "a", "url": "b", "size": -1}]}', "index-answer-unreadable"),
        (JSON_TYPE, b'{"files": [{"filename": "a", "url": "b", "hashes": 1}]}', "index-answer-unreadable"),
        (JSON_TYPE, b'{"files": [{"filename": "a", "url": "b", "hashes": {"sha256": 1}}]}', "index-answer-unreadable"),
        (JSON_TYPE, b'{"meta": {"api-version": "2.0"}, "files": []}', "index-too-new"),
        ("application/json", b'{"files": []}', "index-answer-unreadable"),
        ("", b"", "index-answer-unreadable"),
        ("text/html", b"<form action=login><input></form>", "index-answer-unreadable"),
        ("text/html", b'<a href="x-1.tar.gz#sha256=00">x</a>', "index-answer-unreadable"),
        ("text/html", b'<meta name="pypi:repository-version" content="2.0">', "index-too-new"),
    ],
)
def test_answers_that_are_no_page(content_type: str, body: bytes, code: str) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        parse_page(content_type, body, f"{URL}?token=secret", "pypi")

    assert caught.value.code == code
    assert caught.value.problems[0].where == URL


HTML = """<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.3">
<base href="https://files.example/top/"><base href="https://unused.example/"></head><body><h1>Links</h1>
<a href="a/foo-1.0-py3-none-any.whl#sha256=AAAA" data-requires-python="&gt;=3.8,&lt;4" data-yanked="why"
   data-dist-info-metadata="sha256=BBBB">foo-1.0-py3-none-any.whl</a>
<A HREF='/foo-1.1%2Blocal-py3-none-any.whl' data-core-metadata="true">text</A>
<a href="foo-1.2.tar.gz#md5=1234" data-core-metadata="false" data-dist-info-metadata="true">foo-1.2.tar.gz</a>
<a href="../">up</a> <a name="anchor">no address</a> <a href="foo-1.3-py3-none-any.whl.asc">signature</a>
<a href="file:///etc/foo-9.zip">here</a>
</body></html>""".replace("AAAA", A).replace("BBBB", B)


def test_html_with_everything() -> None:
    files = parse_page("text/html; charset=UTF-8", HTML.encode(), URL, "extra-1")

    assert files == [
        IndexFile(
            "foo-1.0-py3-none-any.whl",
            "https://files.example/top/a/foo-1.0-py3-none-any.whl",
            "extra-1",
            None,
            A,
            ">=3.8,<4",
            True,
            B,
        ),
        IndexFile(
            "foo-1.1+local-py3-none-any.whl",
            "https://files.example/foo-1.1%2Blocal-py3-none-any.whl",
            "extra-1",
            metadata="yes",
        ),
        IndexFile("foo-1.2.tar.gz", "https://files.example/top/foo-1.2.tar.gz", "extra-1"),
    ]


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "no-such-charset"])
def test_html_in_any_charset(charset: str) -> None:
    content = b'<!-- \xe9 --><a href="foo-1.0.zip">foo</a>'

    assert [file.file for file in parse_page(f'text/html; charset="{charset}"', content, URL, "x")] == ["foo-1.0.zip"]


def test_an_html_page_without_links_is_a_project_without_files() -> None:
    assert parse_page("application/vnd.pypi.simple.v1+html", b"<html><body></body></html>", URL, "x") == []


def test_a_page_of_this_machine_may_point_to_files_of_this_machine() -> None:
    (file,) = parse_html(b'<a href="../f/foo-1.0.zip">foo</a>', "file:///simple/foo/index.html", "x")

    assert file.url == "file:///simple/f/foo-1.0.zip"


def test_credentials_in_a_page_are_dropped() -> None:
    (file,) = parse_html(b'<a href="https://u:p@f.example/foo-1.0.zip">foo</a>', URL, "x")

    assert file.url == "https://f.example/foo-1.0.zip"
