"""Project files and lists as people really write them: every command that edits tells what is wrong, and loses nothing.

Each case says what is told: code, file and line (or the place on the command line), reason and remedy.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.test_bad_input import check_refused, remount, small_disk
from tests.cli.world import MINOR, World, snapshot

__all__ = ["small_disk"]

TARGETS = f"""
[tool.tumpline.targets.lake]
site = "lake"
python = "{MINOR}"

[tool.tumpline.targets.laptop]
site = "here"
python = "{MINOR}"
"""
COMMANDS = ("init", "add beta", "classify", "import list.txt", "lock")
"""`remove` is not among them: it may be the very line that is wrong which it takes out."""


@dataclass(frozen=True)
class Case:
    """A project file, and what all commands say of it: the code, and words of place, reason and remedy."""

    content: str | bytes
    code: str
    says: tuple[str, ...]


CASES = {
    "two-tables": Case(
        '[project]\nname = "x"\ndependencies = ["alpha<2"]\n[tool.poetry.dependencies]\nalpha = "^2"\n',
        "tables-disagree",
        (
            "pyproject.toml:5: tool.poetry.dependencies.alpha asks for alpha",
            "project.dependencies[0] for alpha<2",
            "no version satisfies both",
            "hint: say the version in one of the two only",
        ),
    ),
    "two-tables-and-their-pythons": Case(
        '[project]\nname = "x"\nrequires-python = "<3.9"\n[tool.poetry.dependencies]\npython = "^3.10"\n',
        "tables-disagree",
        ("pyproject.toml:3: project.requires-python is '<3.9'", "no Python satisfies both", "remove it from Poetry's"),
    ),
    "dynamic": Case(
        '[project]\nname = "x"\ndynamic = ["dependencies"]\n[build-system]\nbuild-backend = "flit_core.buildapi"\n',
        "dynamic-dependencies",
        ("pyproject.toml:3: project.dynamic[0]", "only flit_core.buildapi knows them", "under project.dependencies"),
    ),
    "a-group-that-includes-itself": Case(
        '[project]\nname = "x"\n[dependency-groups]\na = ["alpha", {include-group = "A"}]\n'
        '[tool.tumpline]\ngroups = ["a"]\n',
        "group-cycle",
        ("pyproject.toml:4: dependency-groups.a[1] includes A", "a includes a", "remove one of these includes"),
    ),
    "an-extra-of-its-own-that-is-not-there": Case(
        '[project]\nname = "x"\ndependencies = ["alpha", "x[plot]"]\noptional-dependencies.plots = []\n',
        "unknown-extra",
        ("pyproject.toml:3: project.dependencies[1] asks for x[plot]", "did you mean plots?"),
    ),
    "latin-1": Case(
        b'[project]\nname = "x"\n# caf\xe9\n', "not-utf-8", ("pyproject.toml:3: ", "0xe9", "save the file as UTF-8")
    ),
    "utf-16": Case('[project]\nname = "x"\n'.encode("utf-16"), "not-utf-8", ("pyproject.toml:1: ", "save the file")),
    "an-option": Case(
        '[project]\nname = "x"\ndependencies = [\n  "alpha",\n  "pinyin --no-index",\n]\n',
        "bad-requirement",
        ("pyproject.toml:5: project.dependencies[1]: 'pinyin --no-index'", "is an option", "remove --no-index"),
    ),
    "a-dash-for-equals": Case(
        '[project]\nname = "x"\ndependencies = ["pyzmq-26.2.1+computecanada"]\n',
        "bad-requirement",
        ("pyproject.toml:3: project.dependencies[0]: ", "a dash stands between", "write pyzmq==26.2.1"),
    ),
    "not-toml": Case('[project]\nname = "x\n', "not-toml", ("pyproject.toml:2: ", "correct the file")),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", CASES)
def test_project_files(world: World, name: str, command: str) -> None:
    case = CASES[name]
    content = case.content if isinstance(case.content, bytes) else (case.content + TARGETS).encode()
    world.pyproject.write_bytes(content)
    (world.project / "list.txt").write_text("beta\n")
    check_refused(world, command, case.code, 2, *case.says)


WORDS = {
    # words -> status, code, what is said
    ("pinyin --no-index",): (2, "bad-requirement", ("REQ: 'pinyin --no-index'", "remove --no-index")),
    ("pyzmq-26.2.1+computecanada",): (2, "bad-requirement", ("REQ: ", "a dash", "write pyzmq==26.2.1")),
    ("pyzmq-26.2.1",): (3, "package-unknown", ("write pyzmq==26.2.1 if that is meant",)),
    ("scipy-stack",): (3, "package-unknown", ("scipy-stack is a module, no package", "the project imports")),
    ("alpha=1=py_0",): (2, "bad-requirement", ("conda's spelling", "write alpha==1")),
    ("toy_project",): (2, "asks-for-itself", ("REQ: toy_project is this project", "toy_project[EXTRA]")),
    ("alpha", "--group", "../x"): (2, "bad-value", ("--group: '../x' is not the name of a group",)),
    ("beta", "--target", "moon"): (2, "unknown-target", ("--target: ", "lake, laptop")),
    ("",): (2, "bad-requirement", ("REQ: ''", "write NAME")),
}


@pytest.mark.parametrize("words", WORDS, ids=lambda words: "-".join(words) or "nothing")
def test_words_of_add(world: World, words: tuple[str, ...]) -> None:
    status, code, says = WORDS[words]
    before = snapshot(world.project)
    world.run("add", *words).refuses(code, status, *says)
    assert snapshot(world.project) == before


class TestRemarks:
    """What is legal for pip, and seldom meant: it is done, and remarked on."""

    REMARKS = (
        (
            '"alpha", "beta; sys_platform == \'never\'"',
            "note[marker-never-true]: project.dependencies[1]: no target needs beta",
            "correct the markers",
        ),
        (
            '"alpha[nope]"',
            "note[unknown-extra]: project.dependencies[0]: alpha 1.0 has no extra nope",
            "correct the name",
        ),
        (
            '"alpha>=1", "ALPHA<2"',
            "pyproject.toml:3: project.dependencies[1] asks for ALPHA, as project.dependencies[0] does",
            "make one line of the two",
        ),
        (
            '"alpha"]\n[tool.poetry]\nname = "y"\nauthors = [',
            "pyproject.toml:5: tool.poetry.name is 'y', and project.name is 'x'",
            "remove it from Poetry's table",
        ),
    )

    @pytest.mark.parametrize("command", ["lock", "add gamma", "classify"])
    @pytest.mark.parametrize(("listed", "remark", "hint"), REMARKS)
    def test_told(self, world: World, command: str, listed: str, remark: str, hint: str) -> None:
        world.pyproject.write_text(f'[project]\nname = "x"\ndependencies = [{listed}]\n{TARGETS}')
        done = world.run(*command.split()).ok()
        assert remark in done.err
        assert f"hint: {hint}" in done.err

    def test_nothing_where_all_is_well(self, world: World) -> None:
        listed = "\"alpha; sys_platform != 'never'\", \"beta>=1; python_version<'9'\", \"beta<2; python_version>'1'\""
        world.pyproject.write_text(f'[project]\nname = "x"\ndependencies = [{listed}]\n{TARGETS}')
        assert "note[" not in world.run("lock").ok().err

    def test_an_edit_does_not_guess(self, world: World) -> None:
        text = f'[project]\nname = "x"\ndependencies = [\n  "alpha>=1",\n  "Alpha<2",\n]\n{TARGETS}'
        world.pyproject.write_text(text)
        check_refused(world, "add alpha", "asked-twice", 2, "pyproject.toml:5: ", "edit the file by hand")
        world.run("remove", "alpha").ok()
        assert "lpha" not in world.pyproject.read_text()

    def test_what_both_tables_ask_for_is_removed_from_both(self, world: World) -> None:
        world.pyproject.write_text(
            '[project]\nname = "x"\ndependencies = ["alpha", "beta"]\n'
            f'[tool.poetry.dependencies]\nalpha = ">=1"\nbeta = "*"\n{TARGETS}'
        )
        done = world.run("remove", "alpha", "--json").ok()
        assert done.data["removed"] == [{"name": "alpha", "group": ""}]
        assert "alpha" not in world.pyproject.read_text()


def test_what_is_wrong_can_be_removed(world: World) -> None:
    listed = CASES["two-tables"].content
    world.pyproject.write_text(f"{listed!s}{TARGETS}")
    world.run("remove", "alpha").ok()
    world.run("lock", "--check").ok()


class TestForms:
    """Line ends, byte order marks and links stay what they are."""

    PLAIN = f'[project]\nname = "x"\ndependencies = ["alpha"]\n{TARGETS}'

    @pytest.mark.parametrize(
        "content",
        [PLAIN.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + PLAIN.encode(), ("# é\n" + PLAIN).encode()],
        ids=["windows", "mark", "letters"],
    )
    def test_they_come_back(self, world: World, content: bytes) -> None:
        world.pyproject.write_bytes(content)
        for words in ("init --target third=lake", "add beta", "classify", "import list.txt"):
            (world.project / "list.txt").write_bytes(b"gamma\r\n")
            world.run(*words.split()).ok()
            after = world.pyproject.read_bytes()
            assert after.startswith(content[:3])
            assert after.count(b"\n") == (after.count(b"\r\n") or after.count(b"\n"))
            assert (b"\r\n" in after) == (b"\r\n" in content)
        world.pyproject.write_bytes(content)
        world.run("add", "beta").ok()
        world.run("remove", "beta").ok()
        assert world.pyproject.read_bytes() == content

    def test_a_link_stays_one(self, world: World) -> None:
        real = world.root / "elsewhere.toml"
        shutil.move(world.pyproject, real)
        world.pyproject.symlink_to(os.path.relpath(real, world.project))
        for words in ("add beta", "init --target third=lake", "classify", "remove beta"):
            world.run(*words.split()).ok()
            assert world.pyproject.is_symlink()
        assert "third" in real.read_text()

    @pytest.mark.parametrize("leads_to", ["nowhere/pyproject.toml", "pyproject.toml"])
    def test_a_link_that_leads_nowhere(self, world: World, leads_to: str) -> None:
        world.pyproject.unlink()
        world.pyproject.symlink_to(leads_to)
        check_refused(world, "init", "cannot-read", 2, "pyproject.toml is a link that leads nowhere", leads_to)
        check_refused(world, "add beta", "no-project", 2)

    def test_a_file_that_may_not_be_written(self, world: World, small_disk: Path) -> None:
        """On a file system that is read-only, which even root may not write to."""
        shutil.copytree(world.project, small_disk / "project")
        remount(small_disk, "ro")
        (world.project / "list.txt").write_text("beta\n")
        for words in ("add beta", "remove alpha", "classify", "import list.txt", "init --target third=lake"):
            done = world.run(*words.split(), "--project", str(small_disk / "project"))
            done.refuses("cannot-write", 4, "pyproject.toml", "hint: ")


class TestLists:
    """Lists that no person can have meant."""

    def test_five_megabytes(self, world: World) -> None:
        (world.project / "list.txt").write_text("".join(f"package-number-{n}==1.0.{n}\n" for n in range(160_000)))
        assert (world.project / "list.txt").stat().st_size > 5_000_000
        for words in ("import list.txt", "init --from list.txt"):
            check_refused(world, words, "too-many-packages", 2, "list.txt names 160,000 packages", "in parts")

    def test_five_megabytes_on_a_line(self, world: World) -> None:
        (world.project / "list.txt").write_text(f"alpha=={'1' * 5_000_000}\nbeta\n")
        done = world.run("import", "list.txt")
        assert done.status == 1
        assert "error[bad-requirement]: list.txt:1: " in done.err
        assert "it has 5000007 characters" in done.err
        assert len(done.err) < 2_000
        assert '"beta"' in world.pyproject.read_text()

    def test_every_slip_has_line_reason_and_remedy(self, world: World) -> None:
        lines = ["pinyin --no-index", "scipy-stack", "pyzmq-26.2.1+computecanada", "numpy=1.26=py311_0", "== 3", "beta"]
        (world.project / "list.txt").write_bytes("\r\n".join(lines).encode() + b"\r\n# caf\xe9\r\n")
        done = world.run("import", "list.txt", "--dry-run", "--json")
        rows = {row["origin"]: row for row in done.data["files"][0]["rows"]}
        verdicts = [rows[f"list.txt:{number}"]["verdict"] for number in range(1, 7)]
        assert verdicts == ["kept", "module", "kept", "refused", "refused", "kept"]
        for number in range(1, 6):
            assert rows[f"list.txt:{number}"]["why"], number
        assert rows["list.txt:2"]["hint"].startswith("name the packages")
        problems = done.data["problems"]
        assert [problem["where"].rpartition(":")[2] for problem in problems] == ["4", "5"]
        assert all(problem["why"] and problem["hint"] for problem in problems)
        assert "write numpy==1.26" in problems[0]["hint"]
        assert {note["code"] for note in done.data["notes"]} >= {"not-utf-8"}
