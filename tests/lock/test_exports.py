"""Exports for people elsewhere: constraints, Poetry, conda, a bill of materials, a paragraph; and what all promise."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.lock.samples import BY_ADDRESS, FIR, LAPTOP, NARVAL, SAMPLE, indexed, package, pin, wheelhouse
from tumpline.errors import InputError
from tumpline.lock import Lock, LockedTarget
from tumpline.lock.conda import export_conda
from tumpline.lock.export import Rows, pythons_of, rows_for, rows_of
from tumpline.lock.methods import Cluster, export_methods
from tumpline.lock.poetry_view import export_poetry
from tumpline.lock.requirements import export_constraints, export_requirements
from tumpline.lock.sbom import export_sbom
from tumpline.project import Project
from tumpline.project.foreign.yaml_lines import Mapping, Node, Scalar, parse_yaml
from tumpline.project.read import read_project

MAC = LockedTarget("mac", "macos", "3.12", "macos", "arm64", "pypi")

ELSEWHERE = replace(
    SAMPLE,
    targets=(NARVAL, MAC),
    packages=(
        package("colorama", "0.4.6", pin("mac", "0.4.6", indexed("colorama-0.4.6-py2.py3-none-any.whl", "d4"))),
        package(
            "torch",
            "2.6.0",
            pin("narval", "2.6.0+computecanada", wheelhouse("generic", "torch.whl", "a1")),
            pin("mac", "2.7.1+cpu", indexed("torch-2.7.1-cp312-cp312-macosx_11_0_arm64.whl", "e5")),
        ),
    ),
)
"""A lock whose targets a marker tells apart."""

PROJECT = """\
[project]
name = "reading-room"
version = "0.1"
dependencies = ["numpy>=2", "torch[opt]>=2; python_version > '3.8'", "gone; sys_platform == 'win32'"]

[dependency-groups]
pypi = ["requests"]
plot = ["pyarrow"]

[tool.tumpline]
groups = ["plot"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return read_project(tmp_path)


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_anywhere_where_markers_tell_targets_apart() -> None:
    export = export_requirements(rows_of(ELSEWHERE, "requirements"), Path(), anywhere=True)
    assert lines(export.text) == [
        'colorama==0.4.6 ; sys_platform == "darwin"',
        'torch==2.6.0 ; sys_platform == "linux"',
        'torch==2.7.1 ; sys_platform == "darwin"',
    ]
    assert export.remarks == ()
    for line in lines(export.text):
        assert Requirement(line).marker


def test_anywhere_where_no_marker_does() -> None:
    export = export_requirements(rows_of(SAMPLE, "requirements"), Path(), anywhere=True)
    assert lines(export.text)[0] == "colorama==0.4.6"
    assert lines(export.text)[-1] == "torch==2.6.0"
    assert export.remarks == ("torch is 2.6.0 here; some targets have 2.7.1",)


def test_markers_by_python_and_by_both() -> None:
    old, new = replace(LAPTOP, name="old", python="3.10"), replace(LAPTOP, name="new", python="3.12.1")
    wheel = indexed("a-1-py3-none-any.whl", "a1")
    lock = Lock("ab", "", (old, new, MAC), (), (package("a", "1", pin("old", "1", wheel)),))
    assert [row.marker for row in rows_of(lock, "x").rows] == ['python_version == "3.10"']
    lock = replace(lock, packages=(package("a", "1", pin("new", "1", wheel)),))
    assert [row.marker for row in rows_of(lock, "x").rows] == ['sys_platform == "linux" and python_version == "3.12"']
    lock = replace(lock, packages=(package("a", "1", pin("new", "1", wheel), pin("mac", "1", wheel)),))
    assert [row.marker for row in rows_of(lock, "x").rows] == ['python_version == "3.12"']
    assert pythons_of(lock.targets) == ">=3.10,<3.13"
    assert pythons_of(()) == ""


def test_tildes() -> None:
    export = export_requirements(rows_for(SAMPLE, "laptop", "requirements"), Path(), tildes=True)
    assert lines(export.text)[:2] == ["colorama~=0.4.6", "numpy~=2.2.2"]
    assert (export.text.count("hash"), export.remarks) == (0, ())


def test_constraints_ask_for_nothing_that_pip_refuses(tmp_path: Path) -> None:
    assert lines(export_constraints(rows_for(SAMPLE, "narval", "constraints")).text)[0] == "numpy==2.2.2"
    export = export_constraints(rows_for(BY_ADDRESS, "laptop", "constraints"))
    assert lines(export.text) == []
    assert export.remarks == ("left out, since they are taken by address: a, b, c, d, e",)


def test_poetry(project: Project) -> None:
    export = export_poetry(rows_of(SAMPLE, "poetry"), project)
    tables = tomllib.loads(export.text)["tool"]["poetry"]
    assert tables == {
        "package-mode": False,
        "dependencies": {
            "python": ">=3.11,<3.12",
            "numpy": "~2.2.2",
            "torch": {"version": "~2.6.0", "extras": ["opt"], "markers": 'python_version > "3.8"'},
        },
        "group": {
            "plot": {"dependencies": {"pyarrow": "~17.0.0"}},
            "pypi": {"optional": True, "dependencies": {"requests": "~2.32.3"}},
        },
    }
    assert export.remarks[-1] == "left out, since no target needs them: gone"


def test_poetry_groups_of_single_targets_are_optional(tmp_path: Path) -> None:
    targets = (
        '[tool.tumpline.targets.narval]\nsite = "narval"\ngroups = ["plot"]\n[tool.tumpline.targets.b]\nsite = "here"\n'
    )
    (tmp_path / "pyproject.toml").write_text(PROJECT.replace('[tool.tumpline]\ngroups = ["plot"]\n', targets))
    tables = tomllib.loads(export_poetry(rows_of(SAMPLE, "poetry"), read_project(tmp_path)).text)["tool"]["poetry"]
    assert tables["group"]["plot"] == {"optional": True, "dependencies": {"pyarrow": "~17.0.0"}}


def test_poetry_with_versions_that_differ(project: Project) -> None:
    tables = tomllib.loads(export_poetry(rows_of(ELSEWHERE, "poetry"), project).text)["tool"]["poetry"]
    assert tables["dependencies"]["torch"] == [
        {
            "version": f"~{version}",
            "extras": ["opt"],
            "markers": f'(python_version > "3.8") and (sys_platform == "{system}")',
        }
        for version, system in (("2.6.0", "linux"), ("2.7.1", "darwin"))
    ]


def test_poetry_takes_addresses(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\ndependencies = ["a", "c", "d", "e"]\n'
    )
    tables = tomllib.loads(export_poetry(rows_of(BY_ADDRESS, "poetry"), read_project(tmp_path)).text)["tool"]["poetry"]
    assert tables["dependencies"] == {
        "python": ">=3.11,<3.12",
        "a": {"path": "vendor/a-1.0-py3-none-any.whl"},
        "c": {"url": "https://example.org/c.zip", "subdirectory": "s"},
        "d": {"git": "https://example.org/d", "rev": "ab" * 20, "subdirectory": "s"},
        "e": {"git": "../e", "rev": "cd" * 20},
    }


@pytest.mark.parametrize(
    ("version", "written"), [("2.31.0", "~2.31.0"), ("2.31", "~2.31.0"), ("2024", "==2024.*"), ("1.0rc1", "==1.0rc1")]
)
def test_poetrys_tilde(tmp_path: Path, version: str, written: str) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\ndependencies = ["a"]\n')
    lock = Lock("ab", "", (LAPTOP,), (), (package("a", version, pin("laptop", version, indexed("a.whl", "a1"))),))
    text = export_poetry(rows_of(lock, "poetry"), read_project(tmp_path)).text
    assert tomllib.loads(text)["tool"]["poetry"]["dependencies"]["a"] == written


def plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.values.items()}
    return [plain(each) for each in node]


def test_conda() -> None:
    export = export_conda(rows_for(ELSEWHERE, "narval", "conda"), Path(), "reading: room # 1")
    assert plain(parse_yaml(export.text, "x")) == {
        "name": "reading: room # 1",
        "channels": ["conda-forge"],
        "dependencies": ["python=3.11", "pip", {"pip": ["torch==2.6.0"]}],
    }
    document = plain(parse_yaml(export_conda(rows_of(SAMPLE, "conda"), Path(), "x", tildes=True).text, "x"))
    assert document["dependencies"][0] == "python>=3.11,<3.12"
    assert "numpy~=2.2.2" in document["dependencies"][2]["pip"]
    assert "pip:" not in export_conda(rows_of(replace(SAMPLE, packages=()), "conda"), Path(), "x").text


def test_conda_with_markers_is_yaml() -> None:
    text = export_conda(rows_of(ELSEWHERE, "conda"), Path(), "x").text
    assert '      - "torch==2.6.0 ; sys_platform == \\"linux\\""\n' in text


def test_bill_of_materials(project: Project) -> None:
    text = export_sbom(SAMPLE, "narval", project, "9.9").text
    assert text == export_sbom(SAMPLE, "narval", project, "9.9").text
    bom = json.loads(text)
    assert (bom["bomFormat"], bom["specVersion"], bom["version"]) == ("CycloneDX", "1.6", 1)
    assert "serialNumber" not in bom
    assert "timestamp" not in bom["metadata"]
    by_name = {each["name"]: each for each in bom["components"]}
    assert list(by_name) == ["numpy", "pyarrow", "requests", "torch"]
    numpy = by_name["numpy"]
    assert (numpy["purl"], numpy["version"]) == ("pkg:pypi/numpy@2.2.2", "2.2.2")
    assert {"name": "tumpline:record-sha256", "value": "a1" * 32} in numpy["properties"]
    assert {"name": "tumpline:module", "value": "arrow/17.0.0"} in by_name["pyarrow"]["properties"]
    assert by_name["requests"]["hashes"] == [{"alg": "SHA-256", "content": "c3" * 32}]
    references = [bom["metadata"]["component"]["bom-ref"], *(each["bom-ref"] for each in bom["components"])]
    assert sorted(references) == sorted({*references})
    depends = {each["ref"]: each["dependsOn"] for each in bom["dependencies"]}
    assert depends.keys() == {*references}
    assert depends["pkg:pypi/pyarrow@17.0.0"] == ["pkg:pypi/numpy@2.2.2"]
    assert depends["project:reading-room"] == sorted(references[1:])


def test_bill_of_materials_of_what_is_taken_by_address(project: Project) -> None:
    bom = json.loads(export_sbom(BY_ADDRESS, "laptop", project, "9.9").text)
    by_name = {each["name"]: each for each in bom["components"]}
    assert by_name["d"]["externalReferences"] == [{"type": "vcs", "url": "https://example.org/d"}]
    assert by_name["c"]["externalReferences"] == [{"type": "distribution", "url": "https://example.org/c.zip"}]
    with pytest.raises(InputError):
        export_sbom(BY_ADDRESS, "nibi", project, "9.9")


CLUSTERS = {"narval": Cluster("Narval", alliance=True), "fir": Cluster("Fir", alliance=True)}


def test_a_paragraph() -> None:
    assert export_methods(SAMPLE, "ab12", "9.9", CLUSTERS).text == (
        "The analyses ran in Python 3.11.5 on Narval of the Digital Research Alliance of Canada (software environment "
        "StdEnv/2023, x86-64-v3; module arrow/17.0.0), Python 3.11.5 on Fir of the Digital Research Alliance of Canada "
        "(software environment StdEnv/2023, x86-64-v4; module arrow/17.0.0) and Python 3.11 on a Linux machine, with "
        "numpy 2.2.2, pyarrow 17.0.0, requests 2.32.3 and torch 2.6.0 (2.7.1 on a Linux machine). The environment, "
        "of 5 packages in all, was resolved with Tumpline 9.9; its lock file has the SHA-256 digest ab12.\n"
    )


def test_a_paragraph_of_one_target_in_french() -> None:
    dated = replace(SAMPLE, exclude_newer="2026-02-01T00:00:00Z")
    assert export_methods(dated, "ab12", "9.9", {"narval": Cluster("Narval")}, "narval", "fr").text == (
        "Les analyses ont été menées avec Python 3.11.5 sur Narval (environnement logiciel StdEnv/2023, x86-64-v3 ; "
        "module arrow/17.0.0), et avec numpy 2.2.2, pyarrow 17.0.0, requests 2.32.3 et torch 2.6.0. "
        "L’environnement, de 4 paquets en tout, a été résolu avec Tumpline 9.9 ; son fichier de verrouillage a "
        "l’empreinte SHA-256 ab12. "
        "Ce que l’index de paquets a reçu à partir du 2026-02-01T00:00:00Z a été laissé de côté.\n"
    )
    with pytest.raises(InputError):
        export_methods(SAMPLE, "ab12", "9.9", {}, "nibi")


@pytest.mark.parametrize("lock", [SAMPLE, ELSEWHERE], ids=["sample", "elsewhere"])
def test_no_export_has_a_local_version_unless_it_says_so(lock: Lock, project: Project) -> None:
    def texts(rows: Rows) -> list[str]:
        return [
            export_requirements(rows, Path()).text,
            export_requirements(rows, Path(), tildes=True).text,
            export_constraints(rows).text,
            export_poetry(rows, project).text,
            export_conda(rows, Path(), "x").text,
        ]

    written = [*texts(rows_of(lock, "x")), export_methods(lock, "ab", "9", CLUSTERS).text]
    for target in lock.targets:
        written += [*texts(rows_for(lock, target.name, "x")), export_sbom(lock, target.name, project, "9").text]
    for text in written:
        assert "+computecanada" not in text
        if "+cpu" in text:  # another build, on an index that only this target has
            assert "\n# For that target only: versions such as 2.7.1+cpu exist in the index" in text
    local = export_requirements(rows_for(SAMPLE, "narval", "x", local=True), Path()).text
    assert local.splitlines()[1].startswith(
        "# For that target only: versions such as 2.2.2+computecanada exist in the "
    )


def test_fir_is_listed_and_exports_all_the_same() -> None:
    assert FIR.grade == "listed"
    assert len(rows_for(SAMPLE, "fir", "x").rows) == 4
