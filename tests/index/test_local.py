"""Places on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wheelmaker import make_wheel
from tumpline.errors import EnvironmentFailure
from tumpline.index import local as local_module
from tumpline.index.client import IndexClient
from tumpline.index.places import project_of_file
from tumpline.index.settings import IndexLocation, IndexSettings
from tumpline.values import normalise

FOO = normalise("foo")


def client_of(tmp_path: Path, *locations: IndexLocation) -> IndexClient:
    return IndexClient(IndexSettings(locations=locations), tmp_path / "cache")


@pytest.mark.parametrize(
    ("file", "project"),
    [
        ("Foo_Bar-1.0-py3-none-any.whl", "foo-bar"),
        ("foo-bar-1.0.tar.gz", "foo-bar"),
        ("foo-2-1.0.zip", "foo-2"),
        ("foo-1.0-1.tar.gz", "foo"),
        ("foo.tar.gz", None),
        ("foo-bar.tar.gz", None),
        ("-1.0.zip", None),
        ("whl.whl", None),
        ("foo-1.0.exe", None),
    ],
)
def test_whose_file_it_is(file: str, project: str | None) -> None:
    assert project_of_file(file) == project


def test_a_folder_of_files(tmp_path: Path) -> None:
    house = tmp_path / "a house"
    wheel = make_wheel(house, "foo", "1.0", requires=["bar>=2"])
    make_wheel(house, "foo", "2.0+local", tags="cp311-cp311-linux_x86_64")
    make_wheel(house, "other", "1.0")
    make_wheel(house / "folder", "foo", "3.0")
    (house / "foo-9-py3-none-any.whl").symlink_to(house / "nowhere")
    (house / "notes.txt").write_text("hello")
    client = client_of(tmp_path, IndexLocation("find-links-1", house.as_uri(), "links"))

    page = client.page(FOO)

    assert page is not None
    assert [release.version for release in page.releases] == ["1.0", "2.0+local"]
    (file,) = page.files(0)
    assert (file.file, file.url, file.index, file.size, file.sha256) == (
        wheel.name,
        wheel.as_uri(),
        "find-links-1",
        wheel.stat().st_size,
        "",
    )
    assert client.metadata(file).requires_dist == ("bar>=2",)
    assert client.download(file) == wheel
    assert client.page(normalise("absent")) is None


def test_a_single_wheel_and_a_page_of_links_in_a_file(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "w", "foo", "1.0")
    links = tmp_path / "links.html"
    links.write_text('<a href="w/foo-2.0-py3-none-any.whl">x</a> <a href="bar-1.0.zip">x</a>')
    client = client_of(
        tmp_path,
        IndexLocation("find-links-1", wheel.as_uri(), "links"),
        IndexLocation("find-links-2", links.as_uri(), "links"),
    )

    page = client.page(FOO)

    assert page is not None
    assert [page.files(position)[0].url for position in (0, 1)] == [
        wheel.as_uri(),
        (tmp_path / "w/foo-2.0-py3-none-any.whl").as_uri(),
    ]


def test_a_place_that_does_not_exist_offers_nothing(tmp_path: Path) -> None:
    client = client_of(
        tmp_path,
        IndexLocation("find-links-1", (tmp_path / "absent").as_uri(), "links"),
        IndexLocation("pypi", (tmp_path / "absent").as_uri()),
    )

    assert client.page(FOO) is None


def test_an_index_in_folders(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "files", "foo", "1.0")
    page_path = tmp_path / "simple" / "foo" / "index.html"
    page_path.parent.mkdir(parents=True)
    page_path.write_text(f'<a href="../../files/{wheel.name}#sha256={"0" * 64}">x</a>')
    client = client_of(tmp_path, IndexLocation("extra-1", (tmp_path / "simple").as_uri()))

    page = client.page(FOO)

    assert page is not None
    (file,) = page.files(0)
    assert file.url == wheel.as_uri()
    assert client.metadata(file).name == "foo"
    with pytest.raises(EnvironmentFailure) as caught:
        client.download(file)
    assert caught.value.code == "wrong-hash"
    assert client.page(normalise("other")) is None


def test_an_index_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "simple" / "foo" / "index.html").mkdir(parents=True)
    client = client_of(tmp_path, IndexLocation("pypi", (tmp_path / "simple").as_uri()))

    with pytest.raises(EnvironmentFailure) as caught:
        client.page(FOO)

    assert caught.value.code == "index-unreachable"
    assert caught.value.problems[0].where.endswith("index.html")


def test_a_page_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    links = tmp_path / "links.html"
    links.write_text(" " * 3000)
    monkeypatch.setattr(local_module, "LARGEST_PAGE", 2999)
    client = client_of(tmp_path, IndexLocation("find-links-1", links.as_uri(), "links"))

    with pytest.raises(EnvironmentFailure) as caught:
        client.page(FOO)

    assert caught.value.code == "answer-too-large"


def test_a_hash_is_worked_out_once_and_again_when_the_file_changes(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "w", "foo", "1.0")
    location = IndexLocation("find-links-1", (tmp_path / "w").as_uri(), "links")

    def hashed() -> str:
        client = client_of(tmp_path, location)
        page = client.page(FOO)
        assert page is not None
        found = client.with_hash(page.files(0)[0])
        assert found.size == wheel.stat().st_size
        assert client.with_hash(found) is found
        return found.sha256

    first = hashed()
    assert hashed() == first
    make_wheel(tmp_path / "w", "foo", "1.0", requires=["bar"])
    assert hashed() != first


def test_a_local_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = make_wheel(tmp_path / "w", "foo", "1.0")
    client = client_of(tmp_path, IndexLocation("find-links-1", (tmp_path / "w").as_uri(), "links"))
    page = client.page(FOO)
    assert page is not None
    # Permissions do not hold back a superuser, and a link to itself does.
    monkeypatch.setattr(Path, "is_file", lambda path: True)
    wheel.unlink()
    wheel.symlink_to(wheel)

    with pytest.raises(EnvironmentFailure) as caught:
        client.with_hash(page.files(0)[0])
    assert caught.value.code == "cannot-read"


def test_a_local_file_that_went_away(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "w", "foo", "1.0")
    client = client_of(tmp_path, IndexLocation("find-links-1", (tmp_path / "w").as_uri(), "links"))
    page = client.page(FOO)
    assert page is not None
    (file,) = page.files(0)
    wheel.unlink()

    for question in (client.download, client.with_hash):
        with pytest.raises(EnvironmentFailure) as caught:
            question(file)
        assert caught.value.code == "file-gone-from-index"
