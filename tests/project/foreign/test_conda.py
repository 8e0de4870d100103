"""conda's files: names and versions as the index has them, and what only conda has is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumpline.errors import InputError
from tumpline.project.foreign import Foreign
from tumpline.project.foreign.read import read_foreign
from tumpline.project.foreign.yaml_lines import Mapping, Node, Scalar, parse_yaml


def environment(tmp_path: Path, *dependencies: str, name: str = "environment.yml") -> Foreign:
    path = tmp_path / name
    path.write_text("name: toy\nchannels: [conda-forge]\ndependencies:\n" + "".join(f"{one}\n" for one in dependencies))
    return read_foreign(path, {})


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("numpy", "numpy"),
        ("numpy=1.21", "numpy==1.21.*"),
        ("numpy=1.21.*", "numpy==1.21.*"),
        ("numpy=1.21.2", "numpy==1.21.2"),
        ("numpy==1.21", "numpy==1.21"),
        ("numpy 1.21.*", "numpy==1.21.*"),
        ("numpy>=1.20,<2", "numpy<2,>=1.20"),
        ("numpy >= 1.20", "numpy>=1.20"),
        ("numpy=1.21.2=py39h20f2e39_0", "numpy==1.21.2"),
        ("numpy[version='>=1.2,<2']", "numpy<2,>=1.2"),
        ("conda-forge::numpy=1.21", "numpy==1.21.*"),
        ("conda-forge/linux-64::numpy", "numpy"),
        ("pytorch=1.12.*", "torch==1.12.*"),
        ("opencv=4.6.0", "opencv-python==4.6.0"),
        ("PyTables", "tables"),
        ("tqdm=4.66.1=pyhd8ed1ab_0", "tqdm==4.66.1"),
        ("foo=1.0=pypi_0", "foo==1.0"),
        ("pytorch=1.9=py3.9_cuda11.1_cudnn8.0.5_0", "torch==1.9"),
    ],
)
def test_packages(tmp_path: Path, spec: str, meant: str) -> None:
    row = environment(tmp_path, f"  - {spec}").rows[-1]
    assert (row.kind, str(row.requirement), row.origin) == ("package", meant, "environment.yml:4")


@pytest.mark.parametrize(
    "spec",
    [
        *("cudatoolkit=11.6", "pytorch-cuda=12.1", "cuda-nvcc", "_libgcc_mutex=0.1=main", "libgcc-ng", "openssl=3"),
        *("r-base", "gcc_linux-64", "tzdata=2021e=hda174b7_0", "numpy-base=1.21=h20f2e39_0"),
    ],
)
def test_what_only_conda_has(tmp_path: Path, spec: str) -> None:
    row = environment(tmp_path, f"  - {spec}").rows[-1]
    assert row.kind == "conda"
    assert row.why
    assert row.hint


@pytest.mark.parametrize("spec", ["numpy=1.21|1.22", "numpy>=1|<2", "-", "numpy==", "a b c d e"])
def test_what_requirements_can_not_say(tmp_path: Path, spec: str) -> None:
    row = environment(tmp_path, f"  - '{spec}'").rows[-1]
    assert row.problem is not None
    assert row.problem.where == "environment.yml:4"
    assert row.problem.hint


def test_the_list_for_pip(tmp_path: Path) -> None:
    found = environment(
        tmp_path,
        "  - python=3.10",
        "  - pip  # of conda",
        "",
        "  - pip:",
        "    - torch==2.1.0+computecanada",
        "    - -r more.txt",
        '    - "x @ https://example.org/x-1-py3-none-any.whl"',
        "prefix: /home/someone/env",
    )
    assert [(row.kind, row.origin.rpartition(":")[2]) for row in found.rows] == [
        ("heading", "1"),
        ("heading", "2"),
        ("heading", "11"),
        ("python", "4"),
        ("package", "5"),
        ("heading", "7"),
        ("package", "8"),
        ("option", "9"),
        ("package", "10"),
    ]
    assert found.python == "3.10"
    assert str(found.rows[6].requirement) == "torch==2.1.0"
    assert [note.code for note in found.notes] == ["names-of-conda"]


def test_what_conda_list_exports(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(
        "# platform: linux-64\n_libgcc_mutex=0.1=main\nnumpy=1.21.2=py39h20f2e39_0\npython=3.9.7=h12debd9_1\n"
    )
    found = read_foreign(path, {})
    assert found.form == "conda-list"
    assert [row.kind for row in found.rows] == ["conda", "package", "python"]
    assert found.python == "3.9"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("dependencies:\n  - &a numpy\n", 2),
        ("dependencies:\n  - *a\n", 2),
        ("dependencies: !!python/object:os.system\n", 1),
        ("a: &a [x]\ndependencies: [*a]\n", 1),
        ("dependencies:\n  - |\n    numpy\n", 2),
        ("dependencies:\n  - {a: b}\n", 2),
        ("dependencies:\n  <<: x\n", 2),
        ("dependencies:\n\t- numpy\n", 2),
        ("dependencies:\n  - numpy\n---\nb: c\n", 3),
        ("dependencies: x\ndependencies: y\n", 2),
        ("dependencies:\n  - numpy\n    - scipy\n", 3),
        ("dependencies:\n  - 'numpy\n", 2),
        ("dependencies: [numpy,\n  scipy]\n", 1),
        ("dependencies:\n  - numpy\n broken\n", 3),
        ("- " * 40 + "x\n", 1),
    ],
)
def test_what_no_environment_needs_is_refused(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "environment.yml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_foreign(path, {})
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("bad-yaml", f"{path}:{line}")
    assert problem.why
    assert problem.hint


@pytest.mark.parametrize("text", ["name: x\n", "dependencies: numpy\n", "- a\n", ""])
def test_what_is_no_environment(tmp_path: Path, text: str) -> None:
    path = tmp_path / "environment.yml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_foreign(path, {})
    assert caught.value.code == "not-an-environment"


def plain(node: Node) -> object:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.values.items()}
    return [plain(each) for each in node]


def test_yaml_as_people_lay_it_out() -> None:
    text = """\
--- # begin
name: 'a b'   # a comment
empty:
list: [a, "b", 1.10]
at the same depth:
- x
-   y: 1
    z:
      - "q # no comment"
-
  - nested
"""
    assert plain(parse_yaml(text.replace("--- # begin", "---"), "x")) == {
        "name": "a b",
        "empty": "",
        "list": ["a", "b", "1.10"],
        "at the same depth": ["x", {"y": "1", "z": ["q # no comment"]}, ["nested"]],
    }


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["- ", "a", ": ", "\n", "  ", "'", '"', "#", "[", "]", ",", "&", "x:"])).map("".join))
def test_any_yaml_is_read_or_refused(text: str) -> None:
    try:
        parse_yaml(text, "x")
    except InputError as error:
        refused = error.problems[0]
    else:
        return
    assert refused.code == "bad-yaml"
