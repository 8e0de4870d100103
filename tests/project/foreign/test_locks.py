"""Locks of other tools: what their projects ask for, and who needs what."""

from __future__ import annotations

from pathlib import Path

from tumpline.project.foreign import Foreign
from tumpline.project.foreign.read import read_foreign

UV = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "job"
version = "0.1"
source = { virtual = "." }
dependencies = [
    { name = "requests", extra = ["socks"], marker = "sys_platform == 'linux'" },
    { name = "tool" },
]

[package.optional-dependencies]
plot = [{ name = "matplotlib" }]

[package.dev-dependencies]
dev = [{ name = "pytest" }]

[[package]]
name = "requests"
version = "2.31.0"
source = { registry = "https://example.org/simple" }
dependencies = [{ name = "idna" }]

[[package]]
name = "idna"
version = "3.6"
source = { registry = "https://example.org/simple" }

[[package]]
name = "matplotlib"
version = "3.8.0+computecanada"
source = { registry = "https://example.org/simple" }

[[package]]
name = "pytest"
version = "8.0.0"
source = { registry = "https://example.org/simple" }

[[package]]
name = "tool"
version = "1.0"
source = { git = "https://example.org/tool?rev=v1&subdirectory=py#abcdef" }

[[package]]
name = "beside"
version = "1.0"
source = { directory = "../beside" }
"""

POETRY = """\
[[package]]
name = "Requests"
version = "2.31.0"
optional = false

[package.dependencies]
idna = ">=2.5"

[[package]]
name = "idna"
version = "3.6"

[[package]]
name = "tool"
version = "1.0"

[package.source]
type = "git"
url = "https://example.org/tool"
resolved_reference = "abcdef"

[[package]]
name = "beside"
version = "1.0"

[package.source]
type = "directory"
url = "../beside"

[metadata]
python-versions = ">=3.10,<3.13"
content-hash = "00"
"""

PYLOCK = """\
lock-version = "1.0"
created-by = "x"
requires-python = ">=3.12"

[[packages]]
name = "requests"
version = "2.31.0"
marker = "python_version >= '3.8'"
dependencies = [{ name = "idna" }]

[[packages]]
name = "idna"
version = "3.6"

[[packages]]
name = "tool"
vcs = { type = "git", url = "https://example.org/tool", commit-id = "abcdef" }

[[packages]]
name = "archived"
archive = { url = "https://example.org/archived-1.tar.gz" }

[[packages]]
name = "here"
directory = { path = "." }
"""


def reading(tmp_path: Path, text: str, name: str) -> Foreign:
    (tmp_path / name).write_text(text)
    return read_foreign(tmp_path / name, {})


def shown(found: Foreign) -> list[tuple[str, str, bool | None]]:
    return [(row.kind, str(row.requirement or row.written), row.asked) for row in found.rows]


def test_uv(tmp_path: Path) -> None:
    found = reading(tmp_path, UV, "uv.lock")
    assert (found.form, found.python) == ("uv-lock", "3.11")
    assert shown(found) == [
        ("folder", "job", None),
        ("package", 'requests[socks]==2.31.0; sys_platform == "linux"', True),
        ("package", "idna==3.6", False),
        ("package", "matplotlib==3.8.0", True),
        ("package", "pytest==8.0.0", True),
        ("package", "tool @ git+https://example.org/tool@abcdef#subdirectory=py", True),
        ("folder", "beside 1.0", False),
    ]
    assert [row.group for row in found.rows] == ["", "", "", "plot", "dev", "", ""]
    assert found.rows[1].needs == ("idna",)
    assert found.rows[1].origin == "uv.lock:19"
    assert found.rows[3].site_local


def test_poetry(tmp_path: Path) -> None:
    found = reading(tmp_path, POETRY, "poetry.lock")
    assert (found.form, found.python) == ("poetry-lock", "3.10")
    assert shown(found) == [
        ("package", "Requests==2.31.0", None),
        ("package", "idna==3.6", None),
        ("package", "tool @ git+https://example.org/tool@abcdef", None),
        ("folder", "beside 1.0", None),
    ]
    assert found.rows[0].needs == ("idna",)


def test_poetry_with_its_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\nidna = "^3"\n')
    assert [asked for _, _, asked in shown(reading(tmp_path, POETRY, "poetry.lock"))] == [False, True, False, False]


def test_pylock(tmp_path: Path) -> None:
    for name in ("pylock.toml", "pylock.narval.toml", "renamed.lock"):
        found = reading(tmp_path, PYLOCK, name)
        assert (found.form, found.python) == ("pylock", "3.12")
        assert shown(found) == [
            ("package", 'requests==2.31.0; python_version >= "3.8"', None),
            ("package", "idna==3.6", None),
            ("package", "tool @ git+https://example.org/tool@abcdef", None),
            ("package", "archived @ https://example.org/archived-1.tar.gz", None),
            ("folder", "here", None),
        ]


def test_hostile_entries_are_rows(tmp_path: Path) -> None:
    text = '[[packages]]\nname = "a b"\nversion = "1"\n[[packages]]\nname = "ok"\nversion = "not one"\n'
    found = reading(tmp_path, text, "pylock.toml")
    assert [row.kind for row in found.rows] == ["refused", "refused"]
    assert all(problem.hint and problem.why for problem in found.problems)
