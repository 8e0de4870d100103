from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from tests.project.conftest import Read, Refuse, line
from tumpline.project import Declared, PackageRule, Settings, TargetRequest
from tumpline.values import Name

FULL = """
[project]
name = "x"
dependencies = ["numpy"]

[dependency-groups]
dev = ["pytest"]
gpu = ["cupy"]
from-index = ["sae-lens"]

[tool.tumpline]
policy = "wheelhouse"
parity = "strict"
groups = ["Dev", "dev"]
pypi-group = "from_index"
constraints = ["NumPy<2+computecanada", "scipy>=1; sys_platform == 'linux'"]
overrides = ["torch[x]==2.6.0"]
resolution = "lowest-direct"
exclude-newer = "2026-01-31"

[tool.tumpline.targets.narval]
site = "narval"
python = "3.11"
stdenv = "2023"
cpu-level = "x86-64-v3"
modules = ["arrow/17.0.0", "scipy-stack/2024b"]
groups = ["GPU"]
policy = "pypi"

[tool.tumpline.targets.laptop]
site = "here"
python = "3.11.5"

[tool.tumpline.packages]
SAE_lens = { source = "pypi" }
flash-attn = { build = true }
"""


def test_every_key_is_read(read: Read) -> None:
    project = read(FULL)
    assert project.settings == Settings(
        policy="wheelhouse",
        parity="strict",
        groups=(Name("dev"),),
        pypi_group="from_index",
        targets=(
            TargetRequest(
                name="narval",
                site="narval",
                python="3.11",
                environment="2023",
                cpu_level="x86-64-v3",
                modules=("arrow/17.0.0", "scipy-stack/2024b"),
                policy="pypi",
                groups=(Name("gpu"),),
            ),
            TargetRequest(name="laptop", site="here", python="3.11.5"),
        ),
        packages={Name("sae-lens"): PackageRule(policy="pypi"), Name("flash-attn"): PackageRule(build=True)},
        constraints=(
            Declared(Requirement("NumPy<2"), "tool.tumpline.constraints[0]"),
            Declared(Requirement("scipy>=1; sys_platform == 'linux'"), "tool.tumpline.constraints[1]"),
        ),
        overrides=(Declared(Requirement("torch[x]==2.6.0"), "tool.tumpline.overrides[0]"),),
        resolution="lowest-direct",
        exclude_newer="2026-02-01T00:00:00Z",
    )
    assert [note.code for note in project.notes] == ["site-local-dropped"]
    assert [declared.group for declared in project.requirements] == ["", "dev", "from-index", "gpu"]


@pytest.mark.parametrize("text", ["", "[tool.other]\n", "[tool.tumpline]\n"])
def test_without_the_table_the_defaults_hold(read: Read, text: str) -> None:
    assert read('[project]\nname = "x"\n' + text).settings == Settings()


TARGET = '[tool.tumpline.targets.narval]\nsite = "narval"\n'

# (text, code, line, words of the message, words of the hint)
MISTAKES = [
    ("tool = 1", "wrong-type", 1, "tool is a number (1), not a table", "write a table"),
    ("[tool]\ntumpline = 3", "wrong-type", 2, "tool.tumpline is a number (3), not a table", "write a table"),
    ('[tool.tumpline]\npolcy = "mixed"', "unknown-key", 2, "tool.tumpline.polcy is not a known key", "mean policy?"),
    ('[tool.tumpline]\npolicy = "both"', "unknown-policy", 2, "policy is 'both'", "mixed, pypi, wheelhouse"),
    ('[tool.tumpline]\nparity = "loose"', "bad-value", 2, "parity is 'loose'", "prefer, strict"),
    ("[tool.tumpline]\nparity = 1", "wrong-type", 2, "parity is a number (1)", "prefer, strict"),
    ('[tool.tumpline]\nconstraints = "numpy<2"', "wrong-type", 2, "constraints is a string, not an array", "array"),
    ('[tool.tumpline]\nconstraints = ["a", "b=1"]', "bad-requirement", 2, "constraints[1]: 'b=1'", "b==1"),
    ('[tool.tumpline]\nconstraints = ["a[b]<2"]', "bad-value", 2, "constraints[0] has extras", "brackets"),
    ('[tool.tumpline]\nconstraints = ["a @ https://example.org/a.whl"]', "bad-value", 2, "an address", "ask for a by"),
    ('[tool.tumpline]\noverrides = ["a @ https://example.org/a.whl"]', "bad-value", 2, "an address", "ask for a by"),
    ('[tool.tumpline]\noverrides = [["a"]]', "wrong-type", 2, "overrides[0] is an array, not a string", "string"),
    ('[tool.tumpline]\nresolution = "3"', "bad-value", 2, "resolution is '3'", "highest, lowest"),
    ('[tool.tumpline]\nresolution = "lowst"', "bad-value", 2, "resolution is 'lowst'", "mean lowest?"),
    ("[tool.tumpline]\nexclude-newer = 2026-01-31", "wrong-type", 2, "is a date or time, not a string", "in quotes"),
    ('[tool.tumpline]\nexclude-newer = "7 days"', "bad-date", 2, "exclude-newer: '7 days' is not a date", "2026"),
    ('[tool.tumpline]\nexclude-newer = "2026-02-30"', "bad-date", 2, "'2026-02-30' is not a date", "2026"),
    ("[tool.tumpline]\npolicy = true", "wrong-type", 2, "policy is a boolean (true), not a string", "choose one of"),
    ('[tool.tumpline]\ngroups = "dev"', "wrong-type", 2, "groups is a string, not an array", "write an array"),
    ("[tool.tumpline]\ngroups = [1]", "wrong-type", 2, "groups[0] is a number (1), not a string", "dev"),
    ('[tool.tumpline]\ngroups = ["a b"]', "bad-value", 2, "groups[0] is 'a b'", "dev"),
    (
        '[tool.tumpline]\ngroups = ["dev"]',
        "unknown-group",
        2,
        "groups[0] is 'dev', and there is no such",
        "add a group",
    ),
    ('[tool.tumpline]\npypi-group = ""', "bad-value", 2, "pypi-group is ''", "dev"),
    ('[tool.tumpline]\ntargets = ["narval"]', "wrong-type", 2, "targets is an array, not a table", "write a table"),
    ('[tool.tumpline.targets]\nnarval = "3.11"', "wrong-type", 2, "targets.narval is a string", "write a table"),
    ('[tool.tumpline.targets."a.b"]\nsite = "x"', "bad-value", 1, 'targets."a.b" is not a name', "letters"),
    ('[tool.tumpline.targets."../x"]\nsite = "x"', "bad-value", 1, "is not a name", "letters"),
    ('[tool.tumpline.targets.a]\npython = "3.11"', "missing-key", 1, "targets.a has no site", "site ="),
    ('[tool.tumpline.targets.a]\nsite = "../etc"', "bad-value", 2, "site is '../etc'", "narval"),
    (TARGET + "python = 3.11", "wrong-type", 3, "targets.narval.python is the number 3.11", 'python = "3.11"'),
    (TARGET + "python = 3.10", "wrong-type", 3, "targets.narval.python is the number 3.1", 'python = "3.10"'),
    (TARGET + 'python = ">=3.11"', "bad-value", 3, "python is '>=3.11'", '"3.11"'),
    (TARGET + 'python = "3"', "bad-value", 3, "python is '3'", '"3.11"'),
    (TARGET + "stdenv = 2023", "wrong-type", 3, "stdenv is a number (2023)", '"2023"'),
    (TARGET + 'stdenv = "StdEnv/2023"', "bad-value", 3, "stdenv is 'StdEnv/2023'", '"2023"'),
    (TARGET + 'cpu-level = "v3;rm"', "bad-value", 3, "cpu-level is 'v3;rm'", "x86-64-v3"),
    (TARGET + 'cpulevel = "x"', "unknown-key", 3, "cpulevel is not a known key", "cpu-level"),
    (TARGET + 'modules = "arrow/17.0.0"', "wrong-type", 3, "modules is a string", "array"),
    (TARGET + 'modules = ["arrow"]', "bad-value", 3, "modules[0] is 'arrow'", "NAME/VERSION"),
    (TARGET + 'modules = ["arrow/1;rm -rf x"]', "bad-value", 3, "modules[0]", "NAME/VERSION"),
    (TARGET + 'modules = ["a/1",\n "$(x)/2"]', "bad-value", 4, "modules[1]", "NAME/VERSION"),
    (TARGET + 'modules = ["StdEnv/2023"]', "bad-value", 3, "the key stdenv is for", 'stdenv = "2023"'),
    (TARGET + 'modules = ["python/3.11.5"]', "bad-value", 3, "the key python is for", 'python = "3.11.5"'),
    (TARGET + 'modules = ["a/1", "a/2"]', "bad-value", 3, "modules[1] is a/2, but a/1", "keep one"),
    (TARGET + 'policy = "mixd"', "unknown-policy", 3, "targets.narval.policy is 'mixd'", "mean mixed?"),
    ('[tool.tumpline.packages]\nx = "pypi"', "wrong-type", 2, "packages.x is a string, not a table", "table"),
    ('[tool.tumpline.packages]\nx = {source = "pip"}', "unknown-policy", 2, "x.source is 'pip'", "pypi"),
    (
        '[tool.tumpline.packages]\nx = {build = "yes"}',
        "wrong-type",
        2,
        "x.build is a string, not true or false",
        "true",
    ),
    ("[tool.tumpline.packages]\nx = {built = true}", "unknown-key", 2, "x.built is not a known key", "build"),
    ('[tool.tumpline.packages]\n"a b" = {}', "bad-value", 2, 'packages."a b" is not the name', "correct"),
    ("[tool.tumpline.packages]\na_b = {}\nA-b = {}", "bad-value", 3, "A-b is there twice", "keep one"),
]


@pytest.mark.parametrize(("text", "code", "number", "message", "hint"), MISTAKES)
def test_a_mistake_names_the_key_path_the_line_and_the_remedy(
    refuse: Refuse, text: str, code: str, number: int, message: str, hint: str
) -> None:
    problems = refuse(text)
    assert [problem.code for problem in problems] == [code]
    assert line(problems[0]) == number
    assert message in problems[0].message
    assert hint in problems[0].hint


def test_all_mistakes_are_reported_at_once(refuse: Refuse) -> None:
    problems = refuse(f'{TARGET}python = 3.11\nmodules = ["arrow"]\n[tool.tumpline]\npolicy = "x"\nother = 1')
    assert sorted(map(line, problems)) == [3, 4, 6, 7]
