"""Several pages of one project."""

from __future__ import annotations

from tumpline.index import IndexFile, ProjectPage
from tumpline.index.merge import merge_pages
from tumpline.index.model import page_of, release_of_file
from tumpline.values import normalise

FOO = normalise("foo")


def page(index: str, *files: str, yanked: bool = False, python: str = "", uploaded: str = "") -> ProjectPage:
    return page_of(
        FOO,
        [IndexFile(file, f"https://{index}/{file}", index, None, "", python, yanked, "", uploaded) for file in files],
    )


def tags_of(merged: ProjectPage, version: str) -> set[str]:
    (release,) = (release for release in merged.releases if release.version == version)
    return {tag for bit, tag in enumerate(merged.tags) if release.tags >> bit & 1}


def files_of(merged: ProjectPage) -> list[list[tuple[str, str]]]:
    return [[(file.file, file.index) for file in merged.files(position)] for position in range(len(merged.releases))]


def test_a_single_page_is_left_alone() -> None:
    one = page("pypi", "foo-1.0-py3-none-any.whl")

    assert merge_pages([one]) is one


def test_releases_and_files_of_all_places_are_there_in_order_of_version() -> None:
    local = page("find-links-1", "foo-1.5-cp311-cp311-linux_x86_64.whl", "foo-2.0-cp311-cp311-linux_x86_64.whl")
    main = page(
        "pypi",
        "foo-1.9-py2-none-any.whl",
        "foo-1.10-py3-none-any.whl",
        "foo-2.0-py3-none-any.whl",
        "foo-2.0.tar.gz",
    )
    extra = page("extra-1", "foo-1.10.tar.gz", "foo-3.0.zip")

    merged = merge_pages([local, main, extra])

    assert [(release.version, release.sdist) for release in merged.releases] == [
        ("1.5", False),
        ("1.9", False),
        ("1.10", True),
        ("2.0", True),
        ("3.0", True),
    ]
    assert files_of(merged) == [
        [("foo-1.5-cp311-cp311-linux_x86_64.whl", "find-links-1")],
        [("foo-1.9-py2-none-any.whl", "pypi")],
        [("foo-1.10-py3-none-any.whl", "pypi"), ("foo-1.10.tar.gz", "extra-1")],
        [
            ("foo-2.0-cp311-cp311-linux_x86_64.whl", "find-links-1"),
            ("foo-2.0-py3-none-any.whl", "pypi"),
            ("foo-2.0.tar.gz", "pypi"),
        ],
        [("foo-3.0.zip", "extra-1")],
    ]
    assert tags_of(merged, "2.0") == {"cp311-cp311-linux_x86_64", "py3-none-any"}
    assert tags_of(merged, "1.9") == {"py2-none-any"}
    assert tags_of(merged, "1.5") == {"cp311-cp311-linux_x86_64"}
    assert tags_of(merged, "3.0") == set()


def test_a_file_that_several_places_have_is_taken_from_the_first() -> None:
    pages = [page(index, "foo-1.0-py3-none-any.whl") for index in ("find-links-1", "pypi", "extra-1")]

    assert files_of(merge_pages(pages)) == [[("foo-1.0-py3-none-any.whl", "find-links-1")]]
    assert files_of(merge_pages(pages[::-1])) == [[("foo-1.0-py3-none-any.whl", "extra-1")]]


def test_the_first_place_that_says_something_of_a_release_is_believed() -> None:
    one = page("find-links-1", "foo-1.0-py3-none-any.whl", uploaded="2024")
    two = page("pypi", "foo-1.0-py3-none-any.whl", "foo-2.0.zip", yanked=True, python=">=3.9", uploaded="2023")

    (first, second) = merge_pages([one, two]).releases

    assert (first.requires_python, first.yanked, first.uploaded) == (">=3.9", False, "2023")
    assert second.yanked


def test_a_yanked_file_gives_way_to_the_same_file_unyanked() -> None:
    yanked = page("pypi", "foo-1.0-py3-none-any.whl", yanked=True)
    other = page("extra-1", "foo-1.0-py3-none-any.whl")

    merged = merge_pages([yanked, other])

    assert files_of(merged) == [[("foo-1.0-py3-none-any.whl", "extra-1")]]
    assert not merged.releases[0].yanked


def test_versions_are_one_release_however_they_are_spelled() -> None:
    merged = merge_pages([page("pypi", "foo-1.0.0.post1.zip", "foo-2.zip"), page("extra-1", "foo-1.0.0-1.zip")])

    assert [release.version for release in merged.releases] == ["1.0.0.post1", "2"]


def test_a_page_does_not_bring_in_another_projects_files() -> None:
    assert release_of_file(FOO, "bar-1.0-py3-none-any.whl") is None
    assert release_of_file(FOO, "bar-1.0.tar.gz") is None
    assert release_of_file(FOO, "foobar-1.0.tar.gz") is None
    assert release_of_file(normalise("foo-bar"), "Foo__Bar-1.0.tar.gz") == ("1.0", "")
    assert release_of_file(normalise("foo-bar"), "foo-bar-1.0.zip") == ("1.0", "")
    assert release_of_file(FOO, "foo-1.0.exe") is None
    assert release_of_file(FOO, "foo-soon.zip") is None
    assert release_of_file(FOO, "foo-1.0.whl") is None
