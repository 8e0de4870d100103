"""The reference is complete: every code, command and option is documented, and nothing that is gone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.list_error_codes import codes_of
from scripts.make_command_reference import REFERENCE, command_reference

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
ERRORS = DOCS / "reference" / "errors.md"
DEPENDENCIES = DOCS / "explanation" / "dependencies.md"


def _documented() -> dict[str, list[str]]:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|(.*)\|$", ERRORS.read_text(encoding="utf-8"), re.MULTILINE)
    return {code: [cell.strip() for cell in cells.split("|")] for code, cells in rows}


def test_every_code_can_be_told() -> None:
    assert codes_of().unclear == []


def test_every_code_is_documented_and_no_other() -> None:
    raised, documented = set(codes_of().places), set(_documented())
    assert sorted(raised - documented) == [], "add these to docs/reference/errors.md"
    assert sorted(documented - raised) == [], "these are raised no more: remove them from docs/reference/errors.md"


def test_every_code_has_cause_and_cure_once() -> None:
    text = ERRORS.read_text(encoding="utf-8")
    for code, cells in _documented().items():
        assert len(cells) == 2, code
        assert all(cells), code
        assert text.count(f"| `{code}` |") == 1, code
    assert list(_documented()) == sorted(_documented())


def test_commands_and_options_are_documented() -> None:
    hint = "run `make docs`"
    assert REFERENCE.read_text(encoding="utf-8") == command_reference(), hint


def test_every_dependency_is_justified() -> None:
    table = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("\ndependencies = [")[2].partition("]")[0]
    names = re.findall(r'"([A-Za-z0-9_-]+)', table)
    assert names
    text = DEPENDENCIES.read_text(encoding="utf-8")
    assert [name for name in names if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("page", sorted([ROOT / "README.md", *DOCS.rglob("*.md")]), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_index_names_every_page() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    pages = [str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if page != DOCS / "README.md"]
    assert [page for page in sorted(pages) if f"({page})" not in index] == []


class TestCodeLister:
    """The script that finds the codes finds them through variables, parameters and returned values."""

    def _codes(self, tmp_path: Path, **modules: str) -> tuple[list[str], list[str]]:
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(text)
        codes = codes_of(tmp_path, ["."])
        return list(codes.places), codes.unclear

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("InputError.of('a-b', 'x')", ["a-b"]),
            ("Problem('a-b', 'x')\nProblem(code='c-d', message='x')", ["a-b", "c-d"]),
            ("Problem('a-b' if y else 'c-d', 'x')", ["a-b", "c-d"]),
            ("def f(y):\n  code = 'a-b'\n  if y:\n    code = 'c-d'\n  raise NotSo.of(code, 'x')", ["a-b", "c-d"]),
            ("def _f(x, code): return Problem(code, x)\n_f(1, 'a-b')\n_f(1, code='c-d')", ["a-b", "c-d"]),
            ("def _f(w): return InputError.of(f'unknown-{w}', '')\n_f('x')\n_f('y')", ["unknown-x", "unknown-y"]),
            ("def _f(y):\n  return 'a-b' if y else 'c-d'\nProblem(_f(1), 'x')", ["a-b", "c-d"]),
            ("C = 'a-b'\ndef f(): raise NotSo.of(C, 'x')", ["a-b"]),
            ("dict.of('a-b')", []),
        ],
    )
    def test_found(self, tmp_path: Path, text: str, found: list[str]) -> None:
        assert self._codes(tmp_path, module=text) == (found, [])

    def test_callers_in_other_modules_count_where_they_fit(self, tmp_path: Path) -> None:
        here = "class D:\n  def complain(self, code, message, keys): return Problem(code, message)"
        there = "document.complain('a-b', 'x', ())\nrow.complain('key', 'is missing')"
        assert self._codes(tmp_path, here=here, there=there) == (["a-b"], [])

    @pytest.mark.parametrize("text", ["Problem(load(), 'x')", "Problem('Not Kebab', 'x')", "def _f(c): Problem(c, '')"])
    def test_unclear(self, tmp_path: Path, text: str) -> None:
        assert self._codes(tmp_path, module=text)[1] == ["module.py:1"]
