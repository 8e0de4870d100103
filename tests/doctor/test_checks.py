"""Each thing that goes wrong, from what was seen of it to the finding: severity, evidence, cure."""

from __future__ import annotations

import pytest

from tests.doctor.situations import (
    CLUSTER,
    FOLDER,
    HERE,
    HOME,
    LAPTOP,
    PLACE,
    PROJECT,
    PYTHON_ROOT,
    activated,
    codes,
    on_cluster,
    only,
)
from tumpline.doctor import Situation, examine
from tumpline.errors import Problem
from tumpline.host.room import Room
from tumpline.host.scene import Active, Prefix, SearchFolder, StartupLine, UserPackages
from tumpline.host.seeds import SeedCache

OTHER = "/home/someone/other"
NO_PYTHON = on_cluster(without=("EBVERSIONPYTHON", "EBROOTPYTHON"))._replace(here=HERE._replace(python=""))
NOTHING_LOADED = on_cluster({"LOADEDMODULES": ""}, without=("EBVERSIONGENTOO", "EBVERSIONPYTHON", "EBROOTPYTHON"))
NOTHING_LOADED = NOTHING_LOADED._replace(here=HERE._replace(environment="", python="", modules=()))
LEAVE = "deactivate 2>/dev/null || unset VIRTUAL_ENV"
SITE_FOLDERS = CLUSTER.scene.search
USER = (UserPackages(f"{HOME}/.local/lib/python3.11/site-packages", "3.11", ("numpy", "torch")),)


@pytest.mark.parametrize("situation", [CLUSTER, LAPTOP, activated(), CLUSTER._replace(project=PROJECT)])
def test_nothing_where_all_is_well(situation: Situation) -> None:
    assert examine(situation) == ()


@pytest.mark.parametrize(
    ("situation", "severity", "code", "command"),
    [
        (on_cluster({"LOADEDMODULES": ""}, without=("LMOD_CMD",)), "error", "module-system-broken", ""),
        (on_cluster(lmod=False), "error", "module-system-broken", ""),
        (on_cluster({"MODULEPATH": ""}), "error", "module-system-broken", ""),
        (NOTHING_LOADED, "warning", "no-software-environment", "module load StdEnv/2023 python/3.11.5"),
        (
            NOTHING_LOADED._replace(project=PROJECT),
            "warning",
            "no-software-environment",
            "module load StdEnv/2023 python/3.11.5 arrow/17.0.0",
        ),
        (NO_PYTHON, "warning", "no-python-module", "module load python/3.11.5"),
        (on_cluster(programs={"python": "/usr/bin/python"}), "error", "python-of-another", ""),
        (
            activated(late=f"{PYTHON_ROOT}/bin"),
            "error",
            "module-after-activation",
            'eval "$(tumpline activate)"',
        ),
        (
            on_cluster(prefixes=(Prefix("/cvmfs/soft/arrow/14.0.0", ("3.10",)),)),
            "warning",
            "module-without-binding",
            "",
        ),
        (on_cluster({"PYTHONHOME": "/usr"}), "error", "pythonhome-set", "unset PYTHONHOME"),
        (
            on_cluster(search=(SearchFolder("/home/someone/lib dir", True), SITE_FOLDERS[0])),
            "warning",
            "pythonpath-set",
            f"export PYTHONPATH={SITE_FOLDERS[0].path}",
        ),
        (
            on_cluster(search=SITE_FOLDERS[1:]),
            "warning",
            "pythonpath-incomplete",
            "module --force purge; module load StdEnv/2023 python/3.11.5",
        ),
        (
            on_cluster(search=SITE_FOLDERS[:1], prefixes=(Prefix("/cvmfs/soft/arrow/17.0.0", ("3.11",)),)),
            "warning",
            "pythonpath-incomplete",
            "module --force purge; module load StdEnv/2023 python/3.11.5",
        ),
        (on_cluster({"LD_LIBRARY_PATH": "/opt/lib"}), "warning", "libraries-set", "unset LD_LIBRARY_PATH"),
        (on_cluster(active=Active(OTHER, python=False)), "error", "active-environment-gone", LEAVE),
        (activated(OTHER), "warning", "other-environment-active", 'eval "$(tumpline activate)"'),
        (
            on_cluster(active=Active(OTHER, python=True)),
            "error",
            "environment-not-on-path",
            f"deactivate; source {OTHER}/bin/activate",
        ),
        (on_cluster(user_packages=USER), "warning", "user-packages", "export PYTHONNOUSERSITE=1"),
        (
            on_cluster({"PIP_CONFIG_FILE": ""}, pip_configuration=None),
            "warning",
            "wheelhouse-not-configured",
            "module --force purge; module load StdEnv/2023 python/3.11.5",
        ),
        (
            on_cluster({"PIP_INDEX_URL": "https://example.org"}),
            "warning",
            "pip-source-changed",
            "unset PIP_INDEX_URL",
        ),
        (on_cluster({"PIP_NO_INDEX": "1"}), "note", "pip-source-changed", ""),
        (on_cluster({"PIP_USER": "1"}), "warning", "pip-place-changed", "unset PIP_USER"),
        (
            on_cluster({"CONDA_PREFIX": "/home/someone/conda", "CONDA_EXE": "/home/someone/conda/bin/conda"}),
            "warning",
            "conda-active",
            "conda deactivate",
        ),
        (
            on_cluster({"CONDA_PREFIX": "/home/someone/m", "MAMBA_EXE": "/home/someone/bin/micromamba"}),
            "warning",
            "conda-active",
            "micromamba deactivate",
        ),
        (
            on_cluster({"CONDA_PREFIX": "/home/someone/conda", "CONDA_SHLVL": "1"}),
            "warning",
            "conda-active",
            "unset CONDA_PREFIX CONDA_SHLVL",
        ),
        (on_cluster(startup=(StartupLine("~/.bashrc", 7, "conda"),)), "note", "conda-at-start", ""),
        (on_cluster(programs={**CLUSTER.scene.programs, "uv": "/x/uv"}), "note", "uv-here", ""),
        (
            on_cluster({"SLURM_EXPORT_ENV": "NONE"})._replace(in_job=True),
            "error",
            "srun-without-variables",
            "unset SLURM_EXPORT_ENV",
        ),
        (on_cluster(silent=("the room in home",)), "warning", "no-answer", ""),
        (
            activated()._replace(scratch="/home/someone/toy"),
            "warning",
            "environment-on-scratch",
            "tumpline sync --env /home/someone/envs/narval",
        ),
        (
            on_cluster(rooms=(Room("the file system", 10**12, None), Room("your quota", 10**10, 44_999))),
            "warning",
            "home-nearly-full",
            "du --inodes -d2 ~ 2>/dev/null | sort -n | tail",
        ),
        (
            on_cluster(seeds=SeedCache("/home/a b/virtualenv", ("wheel/house/pip-24.0-py3-none-any.whl",))),
            "warning",
            "seed-cache-broken",
            "rm -r '/home/a b/virtualenv/wheel'",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.count("-") and " " not in value else "",
)
def test_one_thing(situation: Situation, severity: str, code: str, command: str) -> None:
    finding = only(situation)
    assert (finding.severity, finding.problem.code, finding.command) == (severity, code, command)
    assert finding.problem.message
    assert finding.problem.hint
    assert finding.seen or code == "no-answer"


@pytest.mark.parametrize(
    "situation",
    [
        on_cluster({"PYTHONNOUSERSITE": "1"}, user_packages=USER),
        on_cluster(user_packages=(USER[0]._replace(python="3.9"),)),
        on_cluster({"PIP_USER": "0", "PIP_NO_INDEX": ""}),
        on_cluster({"SLURM_EXPORT_ENV": "NONE"}),
        on_cluster({"EBROOTX": "/cvmfs/soft/x/1"}, search=(*SITE_FOLDERS, SearchFolder("/cvmfs/soft/x/1/lib", True))),
        on_cluster(prefixes=(Prefix("/cvmfs/soft/gcc/12.3", ()),)),
        on_cluster(rooms=(Room("your quota", 3 * 10**9, 45_000),)),
        on_cluster(seeds=SeedCache("/home/someone/.local/share/virtualenv")),
        on_cluster(active=Active(f"{OTHER}/", python=True), programs={})._replace(
            scene=on_cluster({"PATH": f"{OTHER}/bin"}, active=Active(f"{OTHER}/", python=True), programs={}).scene
        ),
        activated()._replace(scratch="/home/someone/to"),
        LAPTOP._replace(scene=LAPTOP.scene._replace(programs={"uv": "/usr/bin/uv"})),
        # What was not seen is not held against anybody.
        on_cluster(search=(), silent=())._replace(site=None),
    ],
)
def test_what_is_no_fault(situation: Situation) -> None:
    assert codes(situation) == []


def test_silence_is_no_evidence() -> None:
    names = ("PYTHONPATH", "PIP_CONFIG_FILE", "LMOD_CMD")
    situation = on_cluster(silent=names, search=(), pip_configuration=None, lmod=False)
    assert codes(situation) == [("warning", "no-answer")]


def test_packages_in_home_are_no_fault_on_a_laptop_unless_an_environment_is_open() -> None:
    scene = LAPTOP.scene._replace(user_packages=USER)
    assert codes(LAPTOP._replace(scene=scene)) == [("note", "user-packages")]
    variables = {"PATH": f"{OTHER}/bin:/usr/bin", "VIRTUAL_ENV": OTHER}
    scene = scene._replace(variables=variables, active=Active(OTHER, python=True, opens=True))
    assert codes(LAPTOP._replace(scene=scene)) == [("warning", "user-packages")]


def test_conda_is_an_error_where_its_python_comes_first() -> None:
    conda = {"CONDA_PREFIX": "/home/someone/conda", "CONDA_DEFAULT_ENV": "base"}
    programs = {"python": "/home/someone/conda/bin/python"}
    findings = examine(on_cluster(conda, programs=programs, startup=(StartupLine("~/.bashrc", 7, "conda"),)))
    assert [finding.problem.code for finding in findings] == ["python-of-another", "conda-active"]
    assert all(finding.severity == "error" for finding in findings)
    assert "~/.bashrc line 7: conda" in findings[0].seen
    scene = LAPTOP.scene._replace(variables={**conda, "PATH": "/usr/bin"}, programs=programs)
    assert codes(LAPTOP._replace(scene=scene)) == [("note", "conda-active")]


def test_the_generation_before_is_told_from_another_environment() -> None:
    earlier = FOLDER.replace("0123", "9999")
    assert "from before the last sync" in only(activated(earlier)).problem.message
    assert "another environment" in only(activated(OTHER)).problem.message


def test_a_module_after_activation_that_leaves_python_alone() -> None:
    situation = activated(late="/cvmfs/soft/gcc/12.3/bin")
    scene = situation.scene
    variables = {**scene.variables, "LOADEDMODULES": "gcc/12.3"}
    programs = {"python": f"{FOLDER}/bin/python"}
    finding = only(situation._replace(scene=scene._replace(variables=variables, programs=programs)))
    assert finding.severity == "warning"
    assert finding.problem.message.endswith(": gcc/12.3")


def test_no_password_is_shown() -> None:
    finding = only(on_cluster({"PIP_EXTRA_INDEX_URL": "https://me:secret@example.org/simple"}))
    assert finding.seen == ("PIP_EXTRA_INDEX_URL=https://example.org/simple",)


MISSING = Problem("module-not-loaded", "the module arrow/17.0.0 is not loaded", "target narval", hint="load it")


def test_modules_that_activating_loads_are_no_error_before() -> None:
    situation = CLUSTER._replace(project=PROJECT, problems=(MISSING,))
    finding = only(situation)
    assert (finding.severity, finding.command) == ("note", 'eval "$(tumpline activate)"')
    assert "arrow/17.0.0" in finding.problem.message
    assert codes(activated()._replace(problems=(MISSING,))) == [("error", "module-not-loaded")]


@pytest.mark.parametrize(
    ("hint", "command"),
    [
        ("make it: tumpline sync", "tumpline sync"),
        ("load the right one first: module load python/3.11.5", "module load python/3.11.5"),
        ("load it first: module load 'a b'; or go on without it: tumpline run --no-check", "module load 'a b'"),
        ("choose one of: a, b", ""),
        ("it's odd: 'unbalanced", ""),
    ],
)
def test_the_command_in_a_hint(hint: str, command: str) -> None:
    assert only(CLUSTER._replace(problems=(Problem("any-code", "x", hint=hint),))).command == command


def test_the_weightiest_comes_first() -> None:
    problems = (Problem("no-lock", "a"), Problem("lock-outdated", "b"), Problem("wrong-python", "c"))
    found = examine(CLUSTER._replace(problems=problems))
    assert [finding.severity for finding in found] == ["error", "warning", "note"]


def test_an_environment_elsewhere_counts_by_its_link_as_well() -> None:
    situation = activated(PLACE)
    assert codes(situation) == []
