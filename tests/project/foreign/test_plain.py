"""Requirements files, freezes and pip's lists as foreign lists: every line is a row, and slips are mended or told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumpline.errors import InputError
from tumpline.project.foreign import Foreign, Row
from tumpline.project.foreign.read import read_foreign


def reading(tmp_path: Path, content: str | bytes, name: str = "old.txt") -> Foreign:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_foreign(path, {})


def shown(found: Foreign) -> list[tuple[str, str]]:
    return [(row.kind, str(row.requirement or row.name or row.written)) for row in found.rows]


def test_a_file_with_everything(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("pandas\n-e ./lib\n")
    (tmp_path / "limits.txt").write_text("six<2\n")
    (tmp_path / "lib").mkdir()
    found = reading(
        tmp_path,
        "\ufeff# comment\r\n-f /cvmfs/soft.computecanada.ca/custom/python/wheelhouse/generic\r\n"
        "numpy==1.26.4+computecanada \\\r\n  --hash=sha256:" + "ab" * 32 + "\r\n-r more.txt\r\n-c limits.txt\r\n"
        "pyarrow @ file:///tmp/ebuser/avx2/Arrow/17.0.0/x/python\r\n-r nowhere.txt\r\n>=1\r\n",
    )
    assert found.form == "requirements"
    assert shown(found) == [
        ("option", "-f /cvmfs/soft.computecanada.ca/custom/python/wheelhouse/generic"),
        ("package", "numpy==1.26.4"),
        ("include", "-r more.txt"),
        ("package", "pandas"),
        ("folder", "-e ./lib"),
        ("include", "-c limits.txt"),
        ("constraint", "six<2"),
        ("module", "pyarrow"),
        ("refused", "-r nowhere.txt"),
        ("refused", ">=1"),
    ]
    assert [row.origin for row in found.rows][1:5] == ["old.txt:3", "old.txt:5", "more.txt:1", "more.txt:2"]
    assert found.rows[1].site_local
    assert [note.code for note in found.notes] == ["hashes-not-kept"]
    assert [problem.code for problem in found.problems] == ["missing-file", "bad-requirement"]
    assert all(problem.where and problem.why and problem.hint for problem in found.problems)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("pyzmq-26.2.1+computecanada", "pyzmq==26.2.1"),
        ("some-name-1.0+computecanada", "some-name==1.0"),
        ("pinyin --no-index", "pinyin"),
        ("numpy==1.26.4 --no-index --no-deps", "numpy==1.26.4"),
        ("torch==2.1+computecanada --no-index", "torch==2.1"),
    ],
)
def test_what_can_mean_one_thing_only_is_read_as_that(tmp_path: Path, line: str, meant: str) -> None:
    (row,) = reading(tmp_path, line).rows
    assert (row.kind, str(row.requirement), row.why) == ("package", meant, f"read as {meant}")


@pytest.mark.parametrize("line", ["pyzmq-26.2.1", "numpy --pre", "numpy --index-url https://example.org", "a b c d"])
def test_what_could_mean_something_else_is_not_guessed(tmp_path: Path, line: str) -> None:
    (row,) = reading(tmp_path, line).rows
    if row.kind == "package":  # a name that looks like one with a version is a name
        assert row.why
        assert row.hint
    else:
        assert row.problem is not None
        assert row.problem.hint


def test_what_a_variable_holds_is_not_carried_over(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text("numpy==${VERSION}\nx @ git+https://${TOKEN}@example.org/x\n")
    found = read_foreign(path, {"TOKEN": "hunter2", "VERSION": "1.26.4"})
    assert shown(found)[0] == ("package", "numpy==1.26.4")
    assert found.rows[1].kind == "refused"
    assert [problem.code for problem in found.problems] == ["address-with-variable"]
    assert "hunter2" not in str(found)


def test_a_table_of_pip_list(tmp_path: Path) -> None:
    found = reading(tmp_path, "Package Version\n------- -------\nnumpy   1.26.4+computecanada\nbroken\n")
    assert found.form == "pip-list"
    assert [kind for kind, _ in shown(found)] == ["heading", "heading", "package", "refused"]


def test_json_of_pip_list(tmp_path: Path) -> None:
    listed = [
        {"name": "numpy", "version": "1.26.4+computecanada"},
        {"name": "mine", "version": "0.1", "editable_project_location": "/somewhere"},
        {"name": "odd"},
        {"name": "x y", "version": "1"},
    ]
    for name in ("list.json", "list.txt"):
        found = reading(tmp_path, json.dumps(listed), name)
        assert found.form == "pip-list"
        assert [row.kind for row in found.rows] == ["package", "folder", "refused", "refused"]
        assert found.rows[0].origin == f"{name}[0]"
        assert found.rows[0].site_local


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("pyproject.toml", "[project]\n", "not-a-list"),
        ("Pipfile.lock", "{}", "not-a-list"),
        ("setup.py", "import os\n", "not-a-list"),
        ("tumpline.lock", "x", "not-a-list"),
        ("some.toml", "a = 1\n", "not-a-list"),
        ("explicit.txt", "@EXPLICIT\nhttps://example.org/a.conda\n", "not-a-list"),
        ("list.json", "{", "not-json"),
        ("list.json", "[" * 100_000, "not-json"),
        ("list.json", '{"a": 1}', "not-a-list"),
        ("empty.txt", "# nothing\n\n", "empty-list"),
        ("binary.txt", b"\x00\x01\x02", "not-text"),
        ("uv.lock", "version = \n", "not-toml"),
        ("uv.lock", "package = 1\n", "bad-lock"),
        ("uv.lock", '[[package]]\nversion = "1"\n', "bad-lock"),
    ],
)
def test_what_is_no_list(tmp_path: Path, name: str, content: str | bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        reading(tmp_path, content, name)
    assert caught.value.code == code
    assert caught.value.problems[0].hint
    assert str(tmp_path / name) in caught.value.problems[0].where


def test_latin_1_is_told(tmp_path: Path) -> None:
    found = reading(tmp_path, "# année\r\nnumpy\r\n".encode("latin-1"))
    assert [note.code for note in found.notes] == ["not-utf-8"]
    conda = reading(tmp_path, "# année\ndependencies:\n  - numpy\n".encode("latin-1"), "environment.yml")
    assert "not-utf-8" in [note.code for note in conda.notes]


def test_many_mistakes_are_not_listed_to_the_end(tmp_path: Path) -> None:
    found = reading(tmp_path, "numpy\n" + "><\n" * 500)
    kinds = [row.kind for row in found.rows]
    assert (kinds.count("package"), kinds.count("refused"), kinds.count("not-looked-at")) == (1, 100, 400)


WORDS = "numpy == 1.2 +computecanada -e -r -c . git+https://x/ #egg= @ file:///tmp/ebuser/x ; python_version [a] é ' \""
MARKS = "--hash= - : pip: dependencies: [[package]] name = { } [ ] & * | > -- --- @EXPLICIT ${X} =1=0 \\"

PIECES = st.sampled_from([*WORDS.split(), *MARKS.split(), "\t", "\n", "\r\n", "\ufeff", "\x00", " ", "\n", "  "])


@settings(max_examples=300, deadline=None)
@given(
    text=st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join)),
    name=st.sampled_from(["old.txt", "environment.yml", "uv.lock", "poetry.lock", "pylock.toml", "list.json", "x"]),
)
def test_whatever_a_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str, name: str
) -> None:
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        found = read_foreign(path, {})
    except InputError as error:
        hints = [problem.hint for problem in error.problems]
    else:
        hints = []
        for row in found.rows:
            _sound(row)
    assert all(hints)


def _sound(row: Row) -> None:
    assert row.origin
    assert (row.requirement is not None) == (row.kind in ("package", "constraint"))
    if row.kind == "refused":
        assert row.problem is not None
        assert row.problem.hint


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(PIECES.filter(lambda piece: "\n" not in piece and "\r" not in piece)).map("".join)))
def test_every_line_is_accounted_for(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    """Each line but comments, blanks and those joined to the line before is in exactly one place of the account."""
    path = tmp_path_factory.mktemp("lines") / "old.txt"
    path.write_text("numpy\n" + "\n".join(line.replace("\\", "") for line in lines), encoding="utf-8")
    try:
        found = read_foreign(path, {})
    except InputError:
        return  # the file as a whole is something else, which is said
    if found.form != "requirements":
        return
    numbers = {row.origin.rpartition(":")[2] for row in found.rows}
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        text = line.strip("\ufeff")
        if text.strip() and not text.strip().startswith("#"):
            assert str(number) in numbers, line
