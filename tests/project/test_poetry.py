from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tumpline.errors import InputError
from tumpline.project.poetry import platform_marker, poetry_specifier, python_marker, python_specifier

# (constraint, PEP 440): the forms and most of the examples of Poetry's "Dependency specification".
SPECIFIERS = [
    ("^1.2.3", ">=1.2.3,<2.0.0"),
    ("^1.2", ">=1.2,<2.0"),
    ("^1", ">=1,<2"),
    ("^0.2.3", ">=0.2.3,<0.3.0"),
    ("^0.0.3", ">=0.0.3,<0.0.4"),
    ("^0.0", ">=0.0,<0.1"),
    ("^0.0.0", ">=0.0.0,<0.0.1"),
    ("^0", ">=0,<1"),
    ("^ 1.2", ">=1.2,<2.0"),
    ("^0.0.0.5", ">=0.0.0.5,<0.0.1.0"),
    ("^2!1.2", ">=2!1.2,<2!2.0"),
    ("^1.2.3a1", ">=1.2.3a1,<2.0.0"),
    ("^1.0.0rc1", ">=1.0.0rc1,<2.0.0"),
    ("^1.0.post1", ">=1.0.post1,<2.0"),
    ("~1.2.3", ">=1.2.3,<1.3.0"),
    ("~1.2", ">=1.2,<1.3"),
    ("~1", ">=1,<2"),
    ("~0", ">=0,<1"),
    ("~1.2.3.4", ">=1.2.3.4,<1.3.0.0"),
    ("~=1.2.3", "~=1.2.3"),
    ("*", ""),
    ("1.*", "==1.*"),
    ("1.2.*", "==1.2.*"),
    ("==1.2.*", "==1.2.*"),
    ("!=1.2.*", "!=1.2.*"),
    ("1.*.*", "==1.*"),
    (">=1.*", ">=1"),
    ("1.2", "==1.2"),
    ("=1.2", "==1.2"),
    ("==1.2", "==1.2"),
    ("v1.2", "==1.2"),
    ("==1.12.0+cu113", "==1.12.0+cu113"),
    (">=1,<2", ">=1,<2"),
    (">= 1.2, < 1.5", ">=1.2,<1.5"),
    (">=1 <2", ">=1,<2"),
    (">=1,", ">=1"),
    ("!= 1.2.3", "!=1.2.3"),
    ("^1.0,!=1.5", ">=1.0,<2.0,!=1.5"),
    # Alternatives that meet, overlap, or leave out what != can name.
    ("^1.0||^2.0", ">=1.0,<3.0"),
    ("^2.0 | ^1.0", ">=1.0,<3.0"),
    (">=1,<3 || >=2", ">=1"),
    ("<1 || *", ""),
    ("^1.0 || ^3.0", ">=1.0,<4.0,!=2.*"),
    ("<1.3 || >=1.5", "!=1.3.*,!=1.4.*"),
    ("<2 || >2", "!=2"),
    ("1.2 || 1.2", "==1.2"),
    (">1,<=2 || >=2,<=3", ">1,<=3"),
    ("~=1.4 || >=2", ">=1.4"),
    ("!=1.5 || 1.5", ""),
    ("1.* || 2.*", ">=1,<3"),
]


@pytest.mark.parametrize(("constraint", "specifier"), SPECIFIERS)
def test_constraints_become_specifiers(constraint: str, specifier: str) -> None:
    assert poetry_specifier(constraint) == specifier
    SpecifierSet(specifier)


@pytest.mark.parametrize(
    ("constraint", "why"),
    [
        ("", "it is empty"),
        ("^1 || ", "it is empty"),
        ("^", "'^' is not a version"),
        ("latest", "'latest' is not a version"),
        ("1.2 - 2.0", "'1.2 -' is not a version"),
        ("1.0.x", "'1.0.x' is not a version"),
        ("^1.0+cu118", "Invalid specifier"),
        ("<2,>3 || <1,>5", "no version satisfies it"),
        ("1" * 2000, "it has 2000 characters"),
    ],
)
def test_what_is_no_constraint_is_refused_with_the_reason(constraint: str, why: str) -> None:
    with pytest.raises(InputError) as caught:
        poetry_specifier(constraint)
    assert caught.value.code == "bad-constraint"
    assert why in caught.value.problems[0].why
    assert caught.value.problems[0].hint


@pytest.mark.parametrize("constraint", ["1.2 || 1.3", "^1.3 || ^2.1.1", "~2.7 || ^3.6", "<1 || >2", "<1 || >=100"])
def test_a_union_that_pep_440_can_not_say_is_refused(constraint: str) -> None:
    with pytest.raises(InputError) as caught:
        poetry_specifier(constraint)
    assert caught.value.code == "constraint-union"
    assert "between" in caught.value.problems[0].why


@pytest.mark.parametrize(
    ("constraint", "specifier"),
    [
        ("^3.8", ">=3.8,<4.0"),
        ("~3.10.6", ">=3.10.6,<3.11.0"),
        (">=3.7.1,<3.10", ">=3.7.1,<3.10"),
        ("~2.7 || ^3.6", ">=2.7,<4.0,!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*,!=3.4.*,!=3.5.*"),
    ],
)
def test_the_python_of_a_project_becomes_requires_python(constraint: str, specifier: str) -> None:
    assert python_specifier(constraint) == specifier


@pytest.mark.parametrize(
    ("constraint", "python", "holds"),
    [
        ("^3.8", "3.8.0", True),
        ("^3.8", "3.12.4", True),
        ("^3.8", "3.7.9", False),
        ("<3.9", "3.8.18", True),
        ("<3.9", "3.9.0", False),
        ("3.8", "3.8.18", True),
        ("3.8.*", "3.8.18", True),
        ("3.8.1", "3.8.2", False),
        ("<=3.10", "3.10.5", False),
        (">3.8", "3.8.5", True),
        ("!=3.9.*", "3.9.1", False),
        ("~3.10.6", "3.10.5", False),
        ("~3.10.6", "3.10.6", True),
        ("<3.8 || >=3.10", "3.9.1", False),
        ("<3.8 || >=3.10", "3.10.1", True),
        ("*", "3.1.0", True),
    ],
)
def test_the_python_of_a_dependency_becomes_a_marker(constraint: str, python: str, holds: bool) -> None:
    environment = {"python_version": ".".join(python.split(".")[:2]), "python_full_version": python}
    marker = python_marker(constraint)
    assert (not marker or Marker(marker).evaluate(environment)) is holds


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        ("linux", 'sys_platform == "linux"'),
        ("!=win32", 'sys_platform != "win32"'),
        ("linux || darwin", 'sys_platform == "linux" or sys_platform == "darwin"'),
        ("*", ""),
    ],
)
def test_the_platform_of_a_dependency_becomes_a_marker(text: str, marker: str) -> None:
    assert platform_marker(text) == marker


def test_a_platform_can_not_smuggle_anything_into_the_marker() -> None:
    with pytest.raises(InputError, match="not a constraint"):
        platform_marker('linux" or "a" == "a')


releases = st.lists(st.integers(0, 12), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))


def bump(parts: list[int], place: int) -> Version:
    return Version(".".join(map(str, [*parts[:place], parts[place] + 1])))


@given(releases, releases)
def test_caret_and_tilde_agree_with_their_definition(low: str, tried: str) -> None:
    parts = [int(part) for part in low.split(".")]
    first = next((place for place, part in enumerate(parts) if part), len(parts) - 1)
    version = Version(tried)
    assert SpecifierSet(poetry_specifier(f"^{low}")).contains(tried) is (Version(low) <= version < bump(parts, first))
    place = min(1, len(parts) - 1)
    assert SpecifierSet(poetry_specifier(f"~{low}")).contains(tried) is (Version(low) <= version < bump(parts, place))


one = st.builds(
    lambda operator, version: f"{operator}{version}",
    st.sampled_from(["^", "~", ">=", "<", "<=", ">", "", "!="]),
    releases,
)


@given(st.lists(one, min_size=2, max_size=3), releases)
def test_a_union_holds_where_one_of_its_parts_holds(parts: list[str], tried: str) -> None:
    try:
        whole = SpecifierSet(poetry_specifier(" || ".join(parts)))
    except InputError as error:
        if error.code != "constraint-union":
            raise
        return
    assert whole.contains(tried) is any(SpecifierSet(poetry_specifier(part)).contains(tried) for part in parts)
