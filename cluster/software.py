"""The modules of a cluster and what they bring: Pythons, packages, pip's configuration, the site's profile."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cluster.model import Cluster
from cluster.modulefiles import ModuleFiles
from replica.build import DOWNLOADS, Replica
from replica.contents import Choice, contents
from replica.download import fetch_wheels
from tumpline.values import normalise, parse_requirement

__all__ = ["write_profile", "write_software"]

_DATA = Path(__file__).resolve().parent / "data"
_YEAR = "2023"


class _Tree(ModuleFiles):
    """The tree, with the Alliance's paths: a Python's folder says for which CPU level it was built."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.easybuild = root / "easybuild"
        self.gcc = root / "modules" / _YEAR / "gcc12"

    def prefix(self, module: str) -> Path:
        """Return where the software of a module is."""
        return self.easybuild / "software" / _YEAR / "x86-64-v3" / "Compiler" / "gcccore" / module


class _Module(NamedTuple):
    """A module that brings packages: distributions, the package that each imports, and the Pythons it is built for.

    Where `wheel` says so the package is a real one of the index; else a small one of ours that tells its version.
    """

    name: str
    distributions: tuple[str, ...]
    imports: str
    minors: tuple[str, ...]
    lines: tuple[str, ...] = ()
    compiled: bool = False
    wheel: bool = False


_OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")

_MODULES = (
    # pandas looks into pyarrow where there is one: half a package would not do.
    *(
        _Module(
            f"{module.name}/{module.version}",
            tuple(map(" ".join, module.provides)),
            *("pyarrow", module.pythons),
            wheel=True,
        )
        for module in contents().modules
    ),
    _Module(
        "opencv/4.10.0",
        tuple(f"{name} 4.10.0" for name in _OPENCV),
        "cv2",
        ("3.11", "3.12"),
        ('depends_on("scipy-stack/2024a")',),
        compiled=True,
    ),
    _Module("mpi4py/4.0.3", ("mpi4py 4.0.3",), "mpi4py", ("3.11",), compiled=True),
)


def write_software(cluster: Cluster, replica: Replica) -> None:
    """Write the modules, and everything that they name."""
    tree = _Tree(cluster.root)
    site_packages = tree.easybuild / "python" / "site-packages"
    site_packages.mkdir(parents=True)
    shutil.copyfile(_DATA / "sitecustomize.py", site_packages / "sitecustomize.py")
    stub = cluster.root / "custom" / "bin" / "virtualenv"
    stub.parent.mkdir(parents=True)
    shutil.copyfile(_DATA / "virtualenv_stub.sh", stub)
    stub.chmod(0o755)
    for year, compiler in ((_YEAR, "gcc/12.3"), ("2026", "")):
        tree.standard(
            year,
            f'setenv("EBROOTGENTOO","{cluster.root / "gentoo" / year}")',
            'setenv("RSNT_ARCH","avx2")',
            f'setenv("PIP_CONFIG_FILE","{replica.pip_configuration}")',
            f'prepend_path("PYTHONPATH","{replica.site_packages}")',
            compiler=compiler,
        )
    tree.write(tree.core_of(_YEAR) / "gcc/12.3", 'family("compiler")', f'prepend_path("MODULEPATH","{tree.gcc}")')
    (tree.custom / "StdEnv" / ".modulerc.lua").write_text(f'module_version("StdEnv/{_YEAR}","default")\n')
    _write_pythons(tree, replica)
    minors = tuple(version.rpartition(".")[0] for version in replica.pythons)
    _write_numpy(tree, replica, minors)
    for module in _MODULES:
        _write_module(module, tree, minors)


def _write_module(module: _Module, tree: _Tree, minors: tuple[str, ...]) -> None:
    built = tuple(minor for minor in module.minors if minor in minors)
    folder = tree.gcc if module.compiled else None
    if module.wheel:
        tree.module(module.name, *module.lines, folder=folder)
        for name, version in (text.split() for text in module.distributions):
            choice = Choice(name, version, layer="", round=0)
            for minor in built:
                wheels = fetch_wheels([choice], minor, DOWNLOADS, lambda _: None)
                _link_packages(tree, module.name, minor, wheels[choice])
        return
    tree.module(module.name, *module.lines, folder=folder, python=built, brings=module.distributions)
    version = module.distributions[0].split()[1]
    for minor in built:
        package = _packages(tree, module.name, minor) / module.imports
        package.mkdir()
        (package / "__init__.py").write_text(f'__version__ = "{version}"\n')


def _packages(tree: _Tree, module: str, minor: str) -> Path:
    return tree.prefix(module) / "lib" / f"python{minor}" / "site-packages"


def _link_packages(tree: _Tree, module: str, minor: str, wheel: Path) -> None:
    """Let a module have the packages of a wheel, which is unpacked once and kept, as what is fetched is."""
    kept = DOWNLOADS / "unpacked" / minor / wheel.stem
    if not kept.is_dir():
        scratch = kept.with_name(f"{kept.name}.{os.getpid()}")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(scratch)
        # As in the modules of the Alliance.
        next(scratch.glob("*.dist-info/RECORD")).unlink()
        with contextlib.suppress(OSError):  # another process was faster
            scratch.rename(kept)
        shutil.rmtree(scratch, ignore_errors=True)
    link = _packages(tree, module, minor)
    link.parent.mkdir(parents=True)
    link.symlink_to(kept)


def _write_pythons(tree: _Tree, replica: Replica) -> None:
    aliases: list[str] = []
    site_packages = tree.easybuild / "python" / "site-packages"
    for version, interpreter in zip(replica.pythons, replica.interpreters, strict=True):
        minor = version.rpartition(".")[0]
        prefix = tree.prefix(f"python/{version}")
        programs = prefix / "bin"
        programs.mkdir(parents=True)
        (programs / f"python{minor}").symlink_to(interpreter)
        for name in ("python", "python3"):
            (programs / name).symlink_to(f"python{minor}")
        tools = prefix / "tools"
        _copy_distribution("virtualenv", tools)
        for name, start in (("virtualenv", f"sys.path.insert(1, {str(tools)!r})"), ("pip", "")):
            program = programs / name
            lines = ("import runpy, sys", start, f'runpy.run_module("{name}", None, "__main__", True)')
            program.write_text("\n".join([f"#!{programs / f'python{minor}'}", *lines, ""]))
            program.chmod(0o755)
        paths = (f'prepend_path("PATH","{programs}")', f'prepend_path("PYTHONPATH","{site_packages}")')
        tree.python(_YEAR, version, *paths)
        if version == replica.pythons[-1]:
            # All that StdEnv/2026 has is a Python: there are no wheels for it here.
            tree.python("2026", version, *paths)
        aliases.append(f'module_version("python/{version}","{minor}")')
    aliases.append(f'module_version("python/{replica.pythons[0]}","default")')
    (tree.core_of(_YEAR) / "python" / ".modulerc.lua").write_text("\n".join([*aliases, ""]))


def _copy_distribution(name: str, folder: Path) -> None:
    """Copy an installed package of pure Python with what it needs."""
    for distribution in _needed(name, set()):
        for file in distribution.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)


def _needed(name: str, seen: set[str]) -> Iterator[importlib.metadata.Distribution]:
    seen.add(normalise(name))
    distribution = importlib.metadata.distribution(name)
    yield distribution
    for text in distribution.requires or ():
        requirement = parse_requirement(text)
        if (requirement.marker is None or requirement.marker.evaluate()) and normalise(requirement.name) not in seen:
            yield from _needed(requirement.name, seen)


def _write_numpy(tree: _Tree, replica: Replica, minors: tuple[str, ...]) -> None:
    """Write scipy-stack, which really has numpy: the oldest of the wheelhouse."""
    module = "scipy-stack/2024a"
    tree.module(module)
    for minor in minors:
        tag = f"-cp{minor.replace('.', '')}-"
        wheel = next(path for path in replica.wheels if path.name.startswith("numpy-") and tag in path.name)
        _link_packages(tree, module, minor, wheel)


def write_profile(cluster: Cluster) -> None:
    """Write the profile of the site, which has the name of the real one, and the link to the program."""
    kind = cluster.kind
    lines = (
        'extends = "replica"',
        f"title = {json.dumps(f'A test cluster like {kind.name.capitalize()}')}",
        'scheduler = "slurm"',
        f'compute-internet = "{kind.internet}"',
        f'job-storage = "{"memory" if kind.memory else "disk"}"',
        f"home-writable-in-jobs = {str(kind.home_writable).lower()}",
        f'build-in = "{"in-job" if kind.home_writable else "login-node"}"',
        "[jobs]",
        # Nodes have /tmp together here.
        f"shared-folder = {json.dumps(str(cluster.local))}",
    )
    sites = cluster.root / "sites"
    sites.mkdir()
    (sites / f"{kind.name}.toml").write_text("\n".join([*lines, ""]))
    programs = cluster.root / "bin"
    programs.mkdir()
    (programs / "tumpline").symlink_to(os.path.join(os.path.dirname(sys.executable), "tumpline"))  # noqa: PTH118, PTH120
