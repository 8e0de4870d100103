"""Requirements are added to pyproject.toml and removed from it; all else stays byte for byte."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version

from tumpline.errors import InputError
from tumpline.project.dependencies import DependencyEdit
from tumpline.project.poetry import poetry_specifier
from tumpline.project.tilde import poetry_value, tilde
from tumpline.values import Name

NEW = Requirement("new-one~=1.2.3")
STANDARD = '[project]\nname = "x"\ndependencies = ["a>=1", "b[extra]<3; python_version > \'3\'"]\n'
POETRY = (
    '[tool.poetry]\nname = "x"\n\n[tool.poetry.dependencies]\npython = "^3.11"\na = "^1"  # why\n\n[build-system]\n'
)


def added(text: str, requirement: str | Requirement, group: str = "") -> str:
    edit = DependencyEdit(text.encode(), "pyproject.toml")
    edit.add(Requirement(requirement) if isinstance(requirement, str) else requirement, group)
    return edit.content.decode()


def removed(text: str, name: str, group: str = "") -> str:
    edit = DependencyEdit(text.encode(), "pyproject.toml")
    edit.remove(Name(name), group)
    return edit.content.decode()


def refusal(text: str, requirement: str, group: str = "") -> str:
    with pytest.raises(InputError) as caught:
        added(text, requirement, group)
    assert caught.value.problems[0].hint
    return caught.value.code


class TestStandard:
    def test_main(self) -> None:
        assert added(STANDARD, NEW) == STANDARD.replace("'3'\"]", '\'3\'", "new-one~=1.2.3"]')

    def test_no_list_yet(self) -> None:
        before = '[project]\nname = "x"\n\n[tool.x]\n'
        assert added(before, NEW) == before.replace('"x"\n', '"x"\ndependencies = [\n    "new-one~=1.2.3",\n]\n')

    def test_what_is_asked_already_is_replaced_and_keeps_extras_and_marker(self) -> None:
        after = added(STANDARD, "B~=2.1.0")
        assert tomllib.loads(after)["project"]["dependencies"] == ["a>=1", 'B[extra]~=2.1.0; python_version > "3"']
        assert tomllib.loads(added(STANDARD, 'b[other]==1; python_version > "3.9"'))["project"]["dependencies"][1] == (
            'b[other]==1; python_version > "3.9"'
        )

    def test_groups(self) -> None:
        text = f'{STANDARD}\n[project.optional-dependencies]\nplot = []\n\n[dependency-groups]\nDev = ["a"]\n'
        assert added(text, NEW, "plot") == text.replace("plot = []", 'plot = ["new-one~=1.2.3"]')
        assert added(text, NEW, "dev") == text.replace('["a"]\n', '["a", "new-one~=1.2.3"]\n')
        assert added(text, NEW, "pypi") == f'{text}pypi = [\n    "new-one~=1.2.3",\n]\n'
        edit = DependencyEdit(text.encode(), "")
        assert (edit.groups(Name("a")), edit.groups(Name("new-one"))) == (["", "Dev"], [])
        assert edit.written(Name("a"), "dev") == "a"
        assert DependencyEdit(POETRY.encode(), "").written(Name("a"), "") == 'a = "^1"'

    def test_an_included_group_stays_when_it_is_empty(self) -> None:
        text = '[project]\nname = "x"\n[dependency-groups]\ndev = [\n    "a",\n]\nall = [{include-group = "dev"}]\n'
        assert removed(text, "a", "dev") == text.replace('[\n    "a",\n]', "[\n]")

    def test_twice(self) -> None:
        text = STANDARD.replace('"a>=1"', '"a>=1; python_version > \'3\'", "A<1"')
        assert refusal(text, "a~=1.0") == "asked-twice"
        assert tomllib.loads(removed(text, "a"))["project"]["dependencies"] == ["b[extra]<3; python_version > '3'"]

    def test_a_relative_path(self) -> None:
        text = STANDARD.replace('"a>=1"', '"a @ ./packages/a"')
        assert '"a @ ./packages/a"' not in removed(text, "a")


class TestNamedGroups:
    """Groups that are named among those that are locked, for all targets or for some."""

    TARGETS = '[tool.tumpline.targets.a]\nsite = "narval"\n\n[tool.tumpline.targets.b]\nsite = "here"\n'
    TEXT = f'[project]\nname = "x"\n\n{TARGETS}'

    @staticmethod
    def locked(text: str, group: str, *targets: str) -> DependencyEdit:
        edit = DependencyEdit(text.encode(), "")
        edit.add(NEW, group)
        edit.lock_group(group, targets)
        return edit

    @pytest.mark.parametrize("targets", [(), ("a",), ("a", "b")])
    @pytest.mark.parametrize("poetry", [False, True])
    def test_they_go_with_what_is_in_them(self, targets: tuple[str, ...], poetry: bool) -> None:
        text = self.TEXT.replace("[project]", "[tool.poetry]") if poetry else self.TEXT
        edit = self.locked(text, "Maps", *targets)
        settings = tomllib.loads(edit.content.decode())["tool"]["tumpline"]
        places = [settings["targets"][target] for target in targets] or [settings]
        assert [place["groups"] for place in places] == [["Maps"]] * len(places)
        assert edit.content.decode().count("Maps") == len(places) + (2 if poetry else 1)
        edit.remove(Name("new-one"), "maps")
        assert edit.content.decode() == text

    def test_what_was_there_before_stays(self) -> None:
        text = self.TEXT + 'groups = ["maps", "dev"]\n\n[dependency-groups]\nmaps = []\ndev = ["a"]\n'
        edit = self.locked(text, "maps")
        assert edit.content.decode() == text.replace("maps = []", 'maps = ["new-one~=1.2.3"]')
        edit.remove(Name("new-one"), "maps")
        assert edit.content.decode() == text

    def test_for_some_targets_and_for_all(self) -> None:
        text = self.TEXT + "\n[dependency-groups]\nmaps = []\n"
        for named, where in (
            (text.replace('"here"\n', '"here"\ngroups = ["maps"]\n'), "is locked for b, too"),
            (text + '\n[tool.tumpline]\ngroups = ["maps"]\n', "is locked for all targets, too"),
            (text + '\n[tool.tumpline]\npypi-group = "Maps"\n', "is locked for all targets, too"),
        ):
            with pytest.raises(InputError, match=where) as caught:
                self.locked(named, "maps", "a")
            assert caught.value.code == "group-of-others"


@pytest.mark.parametrize(
    "empty",
    [
        "[dependency-groups]\n",
        "[dependency-groups]\n# none yet\n",
        "[dependency-groups]\npypi = []\n",
        "[dependency-groups]\npypi = [\n]\n",
        "[dependency-groups]\n\n[tool.x]\n",
        "[tool.poetry.group.pypi.dependencies]\n",
        "[tool.poetry.group.pypi]\noptional = true\n\n[tool.poetry.group.pypi.dependencies]\n",
        "[tool.poetry.group.pypi.dependencies]",
    ],
)
def test_an_empty_group_that_was_there_before_stays(empty: str) -> None:
    head = '[tool.poetry]\nname = "x"\n\n' if "poetry" in empty else '[project]\nname = "x"\n\n'
    text = head + empty
    after = added(text, NEW, "pypi")
    assert "new-one" in after
    assert removed(after, "new-one", "pypi") == text


class TestPoetry:
    def test_main(self) -> None:
        assert added(POETRY, NEW) == POETRY.replace("# why\n", '# why\nnew-one = "~1.2.3"\n')

    def test_replaced(self) -> None:
        assert added(POETRY, "a~=1.5.0") == POETRY.replace('"^1"', '"~1.5.0"')
        text = POETRY.replace('"^1"', '{ version = "^1", extras = ["x"] }')
        assert added(text, "a~=1.5.0") == text.replace('"^1"', '"~1.5.0"')

    def test_group(self) -> None:
        block = "\n\n[tool.poetry.group.pypi]\noptional = true\n\n[tool.poetry.group.pypi.dependencies]\n"
        assert added(POETRY, NEW, "pypi") == f'{POETRY.rstrip()}{block}new-one = "~1.2.3"\n'

    @pytest.mark.parametrize(
        ("requirement", "value"),
        [
            ("a~=2.31.0", '"~2.31.0"'),
            ("a~=2.31", '"~=2.31"'),
            ("a<3,>=1", '">=1,<3"'),
            ("a", '"*"'),
            ("a[y,x]==1", '{ version = "==1", extras = ["x", "y"] }'),
            ("a>1; sys_platform == 'linux'", '{ version = ">1", markers = \'sys_platform == "linux"\' }'),
            (
                "a @ git+https://example.org/a.git@v1#subdirectory=p",
                '{ git = "https://example.org/a.git", rev = "v1", subdirectory = "p" }',
            ),
            ("a @ git+ssh://git@example.org/a.git", '{ git = "ssh://git@example.org/a.git" }'),
            ("a @ https://example.org/a-1-py3-none-any.whl", '{ url = "https://example.org/a-1-py3-none-any.whl" }'),
        ],
    )
    def test_values(self, requirement: str, value: str) -> None:
        assert poetry_value(Requirement(requirement)) == value
        tomllib.loads(f"k = {value}")


@pytest.mark.parametrize(
    ("version", "specifier"),
    [
        ("2.31.0", "~=2.31.0"),
        ("2.31.0+computecanada", "~=2.31.0"),
        ("2.31", "~=2.31.0"),
        ("0.4.1", "~=0.4.1"),
        ("1.2.3.4", "~=1.2.3.4"),
        ("2026", "==2026.*"),
        ("1!2.3", "~=1!2.3.0"),
        ("1.2.3.post1", "~=1.2.3.post1"),
        ("2.0.0rc1", "==2.0.0rc1"),
        ("2.0.dev3", "==2.0.dev3"),
    ],
)
def test_tilde(version: str, specifier: str) -> None:
    assert tilde(Version(version)) == specifier
    requirement = Requirement(f"a{specifier}")
    public = Version(version).public
    assert requirement.specifier.contains(public, prereleases=True), "it admits the version itself"
    poetry = Requirement(f"a{poetry_specifier(tomllib.loads(f'k = {poetry_value(requirement)}')['k'])}").specifier
    for other in (public, "2.31.9", "2.32.0", "3.0", "0.4.2", "0.5.0", "1.2.3.5", "1.2.4", "2026.3", "2027", "2.1.0"):
        assert requirement.specifier.contains(other) == poetry.contains(other), (
            f"Poetry's spelling means the same: {other}"
        )


class TestRefused:
    @pytest.mark.parametrize(
        "text",
        [
            "[tool.x]\n",
            '[project]\nname = "x"\ndynamic = ["dependencies"]\n',
            'project.name = "x"\n',
            'project = { name = "x" }\n',
        ],
    )
    def test_where_it_can_not_be_written(self, text: str) -> None:
        assert refusal(text, "a") == "cannot-edit"

    def test_odd_lists(self) -> None:
        assert refusal('[project]\ndependencies = "a"\n', "b") == "cannot-edit"
        assert refusal("[dependency-groups]\ndev = 3\n", "b", "dev") == "cannot-edit"


def test_line_ends_and_a_byte_order_mark_stay() -> None:
    text = "\ufeff" + STANDARD.replace("\n", "\r\n")
    after = added(text, NEW, "pypi")
    assert after.startswith(text.rstrip())
    assert after.count("\n") == after.count("\r\n")
    assert removed(after, "new-one", "pypi") == text


@pytest.mark.shared
@pytest.mark.parametrize("group", ["", "pypi", "dev"])
def test_real_projects_come_back_byte_for_byte(shared: Path, group: str) -> None:
    edited = 0
    for path in sorted((shared / "cases" / "pyproject").iterdir()):
        content = path.read_bytes()
        edit = DependencyEdit(content, path.name)
        try:
            edit.add(NEW, group)
        except InputError as error:
            if (error.code, group) != ("cannot-edit", ""):
                raise
            continue
        assert edit.content != content
        edit.remove(Name("new-one"), group)
        assert edit.content == content, path.name
        edited += 1
    assert edited >= 10


CHOICE: st.SearchStrategy[bool] = st.booleans()
NAMES = st.sampled_from(["numpy", "zope.interface", "Foo_Bar", "b"])
ITEMS = st.builds(
    lambda name, rest: name + rest, NAMES, st.sampled_from(["", ">=1", "[x]~=2.0", " ; python_version>'3'"])
)
COMMENTS = st.sampled_from(["", "  # why", '# not ] a " bracket,'])


@st.composite
def arrays(draw: st.DrawFn) -> str:
    items = draw(st.lists(ITEMS, max_size=4))
    if draw(CHOICE):
        blank = draw(st.sampled_from(["", " "]))
        comma = draw(CHOICE)
        end = "," if items and comma else ""
        return "[" + blank + ", ".join(f'"{item}"' for item in items) + end + blank + "]"
    indent = draw(st.sampled_from(["    ", "\t", "  ", ""]))
    lines = [f'{indent}"{item}",{draw(COMMENTS)}' for item in items]
    bare = draw(CHOICE)
    if lines and bare:
        lines[-1] = f'{indent}"{items[-1]}"{draw(COMMENTS)}'
    if draw(CHOICE):
        lines.insert(draw(st.integers(0, len(lines))), f"{indent}# a remark")
    return "[\n" + "".join(f"{line}\n" for line in lines) + draw(st.sampled_from(["", "  "])) + "]"


@st.composite
def projects(draw: st.DrawFn) -> str:
    blocks = ["# A project.\n" if draw(CHOICE) else ""]
    if draw(CHOICE):
        array = f"dependencies = {draw(arrays())}{draw(COMMENTS)}\n" if draw(CHOICE) else ""
        blocks.append(f'[project]\nname = "x"\n{array}version = "1"\n')
        if draw(CHOICE):
            blocks.append(f"[project.optional-dependencies]\nPlot = {draw(arrays())}\n")
    if draw(CHOICE) or len(blocks) == 1:
        entries = "".join(f'"{name}" = "^1"{draw(COMMENTS)}\n' for name in dict.fromkeys(draw(st.lists(NAMES))))
        blocks.append(f'[tool.poetry]\nname = "x"\n\n[tool.poetry.dependencies]\npython = "^3.11"\n{entries}')
        if draw(CHOICE):
            blocks.append('[tool.poetry.group.dev.dependencies]\npytest = { version = "^8", extras = ["x"] }\n')
        if draw(CHOICE):
            optional = draw(st.sampled_from(["", "[tool.poetry.group.pypi]\noptional = true\n\n"]))
            blocks.append(f"{optional}[tool.poetry.group.pypi.dependencies]\n")
    if draw(CHOICE):
        blocks.append(f"[dependency-groups]\ndev = {draw(arrays())}\nall = [{{ include-group = 'dev' }}]\n")
    # A group that is named has to be there.
    named = "[tool.tumpline]\ngroups = ['dev']\n" if "dev = [" in blocks[-1] else ""
    blocks.append(draw(st.sampled_from(["", named, '[tool.x]\ny = """\n]\n"""\n'])))
    text = draw(st.sampled_from(["\n", "", "\n\n# next\n"])).join(blocks)
    text = draw(st.sampled_from([text, text.rstrip("\n"), f"{text}\n\n"]))
    return draw(st.sampled_from([text, text.replace("\n", "\r\n"), f"\ufeff{text}"]))


@settings(max_examples=500, deadline=None)
@given(projects(), st.sampled_from(["", "dev", "plot", "pypi"]))
def test_generated_projects_come_back_byte_for_byte(text: str, group: str) -> None:
    tomllib.loads(text.removeprefix("\ufeff"))
    edit = DependencyEdit(text.encode(), "")
    edit.add(NEW, group)
    assert b"new-one" in edit.content
    edit.remove(Name("new-one"), group)
    assert edit.content.decode() == text
