"""The stored form of pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tumpline.index import IndexFile, ProjectPage
from tumpline.index.cache import Cache
from tumpline.index.downloads import identity
from tumpline.index.model import page_of
from tumpline.index.pagecache import Freshness, read_links, read_page, write_links, write_page
from tumpline.values import Name, normalise

FOO = normalise("foo")
FRESH = Freshness('"tag"', "yesterday", 60.0)

FILES = [
    IndexFile("foo-1.10-py3-none-any.whl", "https://f.example/x/1/foo-1.10-py3-none-any.whl", "pypi", 3, "c" * 64),
    IndexFile("foo-1.9-py3-none-any.whl", "https://f.example/x/2/foo-1.9-py3-none-any.whl", "pypi", 4, "d" * 64),
    IndexFile(
        "foo-1.9.tar.gz", "https://f.example/x/3/elsewhere?file=1", "pypi", None, "", ">=3.8", True, "yes", "2020"
    ),
]


def never() -> ProjectPage | None:
    raise AssertionError("nothing is damaged here")


def facts(page: ProjectPage | None) -> object:
    assert page is not None
    return page.name, page.tags, page.releases, [page.files(position) for position in range(len(page.releases))]


@pytest.mark.parametrize("files", [FILES, FILES[:1], []])
def test_a_page_comes_back_as_it_was(tmp_path: Path, files: list[IndexFile]) -> None:
    cache = Cache(tmp_path)
    written = write_page(cache, "p", FOO, files, FRESH, 1.0)

    stored = read_page(cache, "p", FOO, never)

    assert stored is not None
    assert stored.freshness == FRESH
    assert facts(stored.page) == facts(written) == facts(page_of(FOO, files))


def test_a_project_that_is_not_known_is_remembered_as_such(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert write_page(cache, "p", FOO, None, FRESH, 1.0) is None

    stored = read_page(cache, "p", FOO, never)

    assert stored is not None
    assert (stored.page, stored.freshness) == (None, FRESH)


def test_a_head_of_another_make_is_absent(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for head in (b"nonsense", b"[]", b'{"fresh": [1, 2]}', b'{"fresh": ["", "", 1], "known": true}'):
        cache.write("p", head, 1.0)
        assert read_page(cache, "p", FOO, never) is None
        assert read_links(cache, "p") is None
    assert read_page(cache, "absent", FOO, never) is None
    assert read_links(cache, "absent") is None


def test_damaged_files_of_a_release_are_fetched_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    write_page(cache, "p", FOO, FILES, FRESH, 1.0)
    path = tmp_path / "p"
    path.write_bytes(path.read_bytes().replace(b"d" * 64, b"e" * 64))
    # In the second answer the release is gone, in the third the whole project is.
    answers: list[ProjectPage | None] = [page_of(FOO, [*FILES, IndexFile("foo-1.tar.gz", "x")]), page_of(FOO, []), None]
    for expected in (page_of(FOO, FILES).files(0), (), ()):
        stored = read_page(cache, "p", FOO, lambda: answers.pop(0))
        assert stored is not None
        assert stored.page is not None
        assert stored.page.files(0) == expected
        assert stored.page.files(1)[0].sha256 == "c" * 64
    assert not answers


def test_the_files_of_a_release_are_read_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    write_page(cache, "p", FOO, FILES, FRESH, 1.0)
    stored = read_page(cache, "p", FOO, never)
    assert stored is not None
    assert stored.page is not None
    files = stored.page.files(0)
    (tmp_path / "p").unlink()
    assert stored.page.files(0) is files


def test_links_come_back_as_they_were(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for files in (FILES, []):
        write_links(cache, "l", files, FRESH, 1.0)
        assert read_links(cache, "l") == (tuple(files), FRESH)


def test_text_that_utf8_cannot_spell_does_no_harm(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    odd = IndexFile("foo-1.0.zip", "https://f.example/foo-1.0.zip", requires_python="\ud800")
    write_page(cache, "p", Name("foo"), [odd], FRESH, 1.0)

    stored = read_page(cache, "p", FOO, never)

    assert stored is not None
    assert facts(stored.page) == facts(page_of(FOO, [odd]))
    assert len(identity(odd)) == 64
