"""The replica is a site: its profile is read as any other, and says what is in the wheelhouse."""

from __future__ import annotations

from pathlib import Path

from replica.build import Replica
from replica.configuration import write_configuration
from replica.contents import LAYERS, contents
from tumpline.sites.load import load_site, module_packages
from tumpline.values import normalise


def test_profile_is_valid(tmp_path: Path) -> None:
    out = tmp_path / 'a "place" with spaces'
    write_configuration(out, ["3.11.7", "3.12.1"])
    site = load_site("replica", (out / "sites",))
    assert (site.kind, site.manylinux, site.platform.tags) == ("cluster", False, ("linux_x86_64",))
    assert site.wheelhouse == str(out / "wheelhouse")
    assert (site.catalogue, site.local_tag, site.cpu_levels) == ("replica", "computecanada", ("x86-64-v3",))
    environment = site.environment(site.default_environment)
    assert environment is not None
    assert environment.name == "2023"
    assert (environment.pythons, environment.default_python) == (("3.11.7", "3.12.1"), "3.11.7")
    assert environment.layers == {"x86-64-v3": LAYERS}


def test_modules_and_dummies(tmp_path: Path) -> None:
    write_configuration(tmp_path, ["3.12.1", "3.13.0"])
    site = load_site("replica", (tmp_path / "sites",))
    brought = {(row.module, row.module_version, row.python, row.name, row.version) for row in module_packages(site)}
    assert brought == {
        ("arrow", "17.0.0", "3.12", "pyarrow", "17.0.0"),
        ("arrow", "23.0.1", "3.12", "pyarrow", "23.0.1"),
        ("arrow", "23.0.1", "3.13", "pyarrow", "23.0.1"),
    }
    expected = {normalise(name): family.module for family in contents().dummies for name in family.names}
    assert {dummy.name: dummy.module for dummy in site.dummies} == expected


def test_layers_are_there(replica: Replica) -> None:
    site = load_site("replica", (replica.sites,))
    assert site.wheelhouse is not None
    environment = site.environments[0]
    assert environment.pythons == replica.pythons
    assert all((Path(site.wheelhouse) / layer).is_dir() for layer in environment.layers["x86-64-v3"])
