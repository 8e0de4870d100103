"""What a source says of itself, and where only a build can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tumpline.addresses.trees import static_tree
from tumpline.errors import InputError
from tumpline.index.static import NotStatic
from tumpline.wheels import CoreMetadata

STANDARD = """\
[project]
name = "Lib"
version = "1.5"
requires-python = ">=3.9"
dependencies = ["dep>=1 ; os_name == 'posix'", "Lib[more]"]
[project.optional-dependencies]
More = ["one", "two<3 ; python_version < '3.12'"]
"""

POETRY = """\
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
[tool.poetry]
name = "lib"
version = "1.5"
[tool.poetry.dependencies]
python = "^3.9"
dep = "^1.2"
one = { version = "*", optional = true }
[tool.poetry.extras]
more = ["one"]
"""

POETRY_2 = """\
[build-system]
requires = ["poetry-core>=2"]
build-backend = "poetry.core.masonry.api"
[project]
name = "lib"
requires-python = ">=3.9"
dynamic = ["version", "dependencies"]
[project.optional-dependencies]
more = ["two"]
[tool.poetry]
version = "1.5"
[tool.poetry.dependencies]
dep = "^1.2"
"""

PKG_INFO = "Metadata-Version: 2.2\nName: lib\nVersion: 1.5\nRequires-Dist: dep\n\nText\n"


def read(folder: Path = Path("/lib"), pkg_info: str = "", **files: str) -> CoreMetadata:
    found = {"pyproject.toml": files["pyproject"].encode()} if "pyproject" in files else {}
    return static_tree(found | ({"PKG-INFO": pkg_info.encode()} if pkg_info else {}), folder)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            STANDARD,
            CoreMetadata(
                "Lib",
                "1.5",
                (
                    'dep>=1; os_name == "posix"',
                    "Lib[more]",
                    'one; extra == "more"',
                    'two<3; python_version < "3.12" and extra == "more"',
                ),
                ">=3.9",
                ("more",),
            ),
        ),
        (
            POETRY,
            CoreMetadata("lib", "1.5", ("dep<2.0,>=1.2", 'one; extra == "more"'), ">=3.9,<4.0", ("more",)),
        ),
        (POETRY_2, CoreMetadata("lib", "1.5", ("dep<2.0,>=1.2", 'two; extra == "more"'), ">=3.9", ("more",))),
        ('[project]\nname = "a"\nversion = "1"\ndynamic = ["readme"]', CoreMetadata("a", "1")),
        ('﻿[project]\nname = "a"\nversion = "1"', CoreMetadata("a", "1")),
    ],
)
def test_static(text: str, found: CoreMetadata) -> None:
    assert read(pyproject=text) == found


def test_pkg_info() -> None:
    dynamic = STANDARD.replace("dependencies = [", 'dynamic = ["version"]\ndependencies = [').replace(
        'version = "1.5"\n', ""
    )
    assert read(pyproject=dynamic, pkg_info=PKG_INFO) == CoreMetadata("lib", "1.5", ("dep",))
    assert read(pkg_info=PKG_INFO) == CoreMetadata("lib", "1.5", ("dep",))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[project]\nname = "a"\ndynamic = ["version"]', "leaves open version (project.dynamic)"),
        ('[project]\nname = "a"\nversion = "1"\ndynamic = ["dependencies"]', "leaves open dependencies"),
        ('[project]\nname = "a"\nversion = "1"\ndynamic = ["optional-dependencies"]', "leaves open optional-"),
        ('[project]\nname = "a"', "has no version"),
        ('[project]\nversion = "1"', "has no name"),
        ("[tool.black]", "has no [project] table"),
        (POETRY.replace("poetry.core.masonry.api", "poetry_dynamic_versioning.backend"), "has no [project] table"),
        (POETRY_2.replace("poetry.core.masonry.api", "setuptools.build_meta"), "leaves open version, dependencies"),
    ],
)
def test_only_a_build_can_tell(text: str, why: str) -> None:
    with pytest.raises(NotStatic) as caught:
        read(pyproject=text)
    assert why in caught.value.why


def test_without_any_file() -> None:
    with pytest.raises(NotStatic):
        read()
    with pytest.raises(NotStatic) as caught:
        read(pkg_info=PKG_INFO.replace("2.2", "2.1"))
    assert "2.2" in caught.value.why


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[project", "not-toml"),
        ("\udcff", "not-utf-8"),
        ('project = "x"', "wrong-type"),
        ('[project]\nname = "a"\nversion = 1', "wrong-type"),
        ('[project]\nname = "a"\nversion = "1"\ndependencies = ["b @ nowhere"]', "bad-address"),
        ('[project]\nname = "a"\nversion = "1"\nrequires-python = "3.11"', "bad-requires-python"),
    ],
)
def test_what_no_build_would_take(text: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        static_tree({"pyproject.toml": text.encode("utf-8", "surrogateescape")}, Path("/lib"))
    assert caught.value.code == code


def test_relative_paths_count_from_the_source() -> None:
    text = '[project]\nname = "a"\nversion = "1"\ndependencies = ["b @ ../b ; os_name == \'nt\'"]'
    assert read(Path("/some/lib"), pyproject=text).requires_dist == ('b @ file:///some/b ; os_name == "nt"',)
