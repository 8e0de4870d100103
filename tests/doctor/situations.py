"""Situations as they are seen on a cluster: one in which all is well, to be changed."""

from __future__ import annotations

from collections.abc import Mapping

from tumpline.doctor import Finding, ProjectSeen, Situation, examine
from tumpline.environment.check import Surroundings
from tumpline.environment.record import EnvironmentRecord
from tumpline.host.scene import Active, Scene, SearchFolder
from tumpline.lock import LockedTarget
from tumpline.sites.load import load_site

__all__ = [
    "CLUSTER",
    "FOLDER",
    "HERE",
    "HOME",
    "LAPTOP",
    "PLACE",
    "PROJECT",
    "PYTHON_ROOT",
    "activated",
    "codes",
    "on_cluster",
    "only",
]

PYTHON_ROOT = "/cvmfs/soft/software/2023/x86-64-v3/gcccore/python/3.11.5"
HOME = "/home/someone"
PLACE = f"{HOME}/toy/.tumpline/env/narval"
FOLDER = f"{HOME}/toy/.tumpline/env/.narval.tumpline-0123456789ab-00000000"

VARIABLES = {
    "CC_CLUSTER": "narval",
    "LMOD_CMD": "/cvmfs/soft/Lmod/libexec/lmod",
    "MODULEPATH": "/cvmfs/soft/modules",
    "LOADEDMODULES": "gentoo/2023:StdEnv/2023:python/3.11.5",
    "EBVERSIONGENTOO": "2023",
    "EBVERSIONPYTHON": "3.11.5",
    "EBROOTPYTHON": PYTHON_ROOT,
    "PIP_CONFIG_FILE": "/cvmfs/soft/config/pip.conf",
    "PYTHONPATH": "/cvmfs/soft/custom/python/site-packages:/cvmfs/soft/easybuild/python/site-packages",
    "PATH": f"{PYTHON_ROOT}/bin:/usr/bin",
    "SCRATCH": "/scratch/someone",
}

SCENE = Scene(
    variables=VARIABLES,
    home=HOME,
    programs={"python": f"{PYTHON_ROOT}/bin/python", "python3": f"{PYTHON_ROOT}/bin/python3"},
    search=(
        SearchFolder("/cvmfs/soft/custom/python/site-packages", True, ("_manylinux.py",)),
        SearchFolder("/cvmfs/soft/easybuild/python/site-packages", True, ("sitecustomize.py",)),
    ),
    lmod=True,
    pip_configuration=True,
)

HERE = Surroundings("narval", "2023", "x86-64-v3", "3.11.5", ("gentoo/2023", "StdEnv/2023", "python/3.11.5"))

CLUSTER = Situation(SCENE, HERE, site=load_site("narval"), scratch="/scratch/someone")
"""The login node of a cluster; all is well, and there is no project."""

LAPTOP = Situation(
    Scene({"PATH": "/usr/bin"}, HOME, {"python3": "/usr/bin/python3"}), Surroundings("linux"), site=load_site("linux")
)

PROJECT = ProjectSeen(
    root=f"{HOME}/toy",
    target=LockedTarget(
        "narval", "narval", "3.11.5", "linux", "x86_64", "mixed", environment="2023", modules=("arrow/17.0.0",)
    ),
    place=PLACE,
    folder=FOLDER,
    record=EnvironmentRecord(
        "narval", "narval", "2023", "x86-64-v3", "3.11.5", f"{PYTHON_ROOT}/bin/python", ("arrow/17.0.0",), (), "key",
        (), "", "0.1",
    ),
)  # fmt: skip


def on_cluster(
    variables: Mapping[str, str] | None = None, *, without: tuple[str, ...] = (), **seen: object
) -> Situation:
    """The cluster with other variables, or other things seen."""
    kept = {name: value for name, value in VARIABLES.items() if name not in without}
    scene = Scene(**{**SCENE._asdict(), "variables": kept | dict(variables or {}), **seen})
    return CLUSTER._replace(scene=scene)


def activated(folder: str = FOLDER, *, late: str = "") -> Situation:
    """The cluster with an environment activated; `late` is a folder that came before it on PATH since."""
    path = ":".join(filter(None, [late, f"{folder}/bin", VARIABLES["PATH"]]))
    first = f"{late or f'{folder}/bin'}/python"
    situation = on_cluster(
        {"VIRTUAL_ENV": folder, "PATH": path}, active=Active(folder, python=True), programs={"python": first}
    )
    return situation._replace(project=PROJECT)


def codes(situation: Situation) -> list[tuple[str, str]]:
    """Severity and code of each finding."""
    return [(finding.severity, finding.problem.code) for finding in examine(situation)]


def only(situation: Situation) -> Finding:
    """The one finding there is."""
    found = examine(situation)
    assert len(found) == 1, found
    return found[0]
