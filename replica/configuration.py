"""The files around the wheels: pip's configuration as on a cluster, and the site profile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from replica.contents import LAYERS, LOCAL_TAG, contents
from tumpline.host import write_atomically

__all__ = ["write_configuration"]


def write_configuration(out: Path, pythons: Sequence[str]) -> None:
    """Write pip's configuration with its constraints, and ``sites/replica.toml``."""
    folder = out / "config" / "python"
    write_atomically(folder / "constraints.txt", b"pip <= 18.1; python_version < '3'\n")
    write_atomically(folder / "pip-x86-64-v3-gentoo2023.conf", _pip_configuration(out).encode())
    write_atomically(out / "sites" / "replica.toml", _profile(pythons).encode())


def _pip_configuration(out: Path) -> str:
    """Return the options of the real file (software-stack-config, ``python/pip-x86-64-v3-gentoo2023.conf``).

    ``no-index`` is not among them. Folders are written as URLs: pip splits these options at spaces.
    """
    links = "\n".join(f"    {(out / 'wheelhouse' / layer).as_uri()}" for layer in LAYERS)
    return f"""\
[global]
disable-pip-version-check = true

[download]
find-links =
{links}

[wheel]
find-links =
{links}

[install]
find-links =
{links}
only-binary = numpy,scipy,mpi4py,pandas,h5py,Cython,grpcio
prefer-binary = true
constraint = {(out / "config" / "python" / "constraints.txt").as_uri()}
"""


def _profile(pythons: Sequence[str]) -> str:
    """Return the site profile; its ``wheelhouse`` is relative to the profile's own file.

    JSON's strings and lists of strings are TOML's too.
    """
    minors = {version.rpartition(".")[0] for version in pythons}
    lines = [
        'title = "A replica of an Alliance cluster"',
        'kind = "cluster"',
        'catalogue = "replica"',
        'wheelhouse = "../wheelhouse"',
        f"local-tag = {json.dumps(LOCAL_TAG)}",
        "manylinux = false",
        'cpu-levels = ["x86-64-v3"]',
        'default-environment = "2023"',
        "",
        "[platform]",
        'os = "linux"',
        'machine = "x86_64"',
        'tags = ["linux_x86_64"]',
        "",
        "[environments.2023]",
        f"pythons = {json.dumps(list(pythons))}",
        f"default-python = {json.dumps(pythons[0])}",
        f'layers = {{ "x86-64-v3" = {json.dumps(LAYERS)} }}',
        "",
        "[dummies]",
        *(
            f"{json.dumps(name)} = {json.dumps(family.module)}"
            for family in contents().dummies
            for name in family.names
        ),
    ]
    for module in contents().modules:
        if offered := [minor for minor in module.pythons if minor in minors]:
            provided = ", ".join(f"{json.dumps(name)} = {json.dumps(version)}" for name, version in module.provides)
            lines += [
                "",
                "[[modules]]",
                'environment = "2023"',
                f"module = {json.dumps(module.name)}",
                f"version = {json.dumps(module.version)}",
                f"pythons = {json.dumps(offered)}",
                f"provides = {{ {provided} }}",
            ]
    return "\n".join(lines) + "\n"
