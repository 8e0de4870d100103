"""The shipped profiles say what the facts say. The tables here were written by reading the facts, not the profiles.

Sources: the Alliance's wiki (pages of the clusters, "Storage and file management", "Python", "Dummy wheel"; May 2026),
the public configuration of its software stack (January and September 2026), Mila's documentation.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tumpline.sites import Quota, SoftwareEnvironment
from tumpline.sites.companions import uses_numpy_api
from tumpline.sites.load import load_site, module_packages
from tumpline.values import Name, parse_version

DATA = Path(__file__).resolve().parents[2] / "src" / "tumpline" / "sites" / "data"

CLUSTERS = ["fir", "killarney", "narval", "nibi", "rorqual", "tamia", "trillium", "vulcan"]

GB, TB = 10**9, 10**12
K, M = 1_000, 1_000_000

FACTS: dict[str, tuple[str, bool, str, str, bool]] = {
    # name: (CPU level, is it confirmed, internet on compute nodes, $SLURM_TMPDIR, is that confirmed)
    "narval": ("x86-64-v3", True, "none", "disk", True),
    "rorqual": ("x86-64-v4", False, "none", "disk", True),
    "fir": ("x86-64-v4", False, "full", "disk", True),
    "nibi": ("x86-64-v4", False, "full", "disk", True),
    "trillium": ("x86-64-v4", True, "none", "memory", True),
    "tamia": ("x86-64-v4", False, "none", "disk", True),
    "killarney": ("x86-64-v4", False, "full", "disk", True),
    "vulcan": ("x86-64-v4", False, "proxy", "disk", False),
}

QUOTAS: dict[str, dict[str, Quota]] = {
    "narval": {"home": Quota(50 * GB, 500 * K), "scratch": Quota(20 * TB, M), "project": Quota(TB, 500 * K)},
    "rorqual": {"home": Quota(50 * GB, 500 * K), "scratch": Quota(20 * TB, M), "project": Quota(TB, 500 * K)},
    "fir": {"home": Quota(50 * GB, 500 * K), "scratch": Quota(20 * TB, M), "project": Quota(TB, 500 * K)},
    # The hard limit; the soft one, for 60 days, is 1 TB.
    "nibi": {"home": Quota(50 * GB, 500 * K), "scratch": Quota(20 * TB, M), "project": Quota(TB, 500 * K)},
    "trillium": {"home": Quota(100 * GB, M), "scratch": Quota(25 * TB, 10 * M), "project": Quota(TB, 2 * M)},
    "tamia": {"home": Quota(25 * GB, None)},
    # 250 GB to 2 TB by kind of user.
    "killarney": {"home": Quota(50 * GB, None), "scratch": Quota(250 * GB, None)},
    "vulcan": {"home": Quota(50 * GB, None)},
    "mila": {"home": Quota(100 * GB, M)},
}


@pytest.mark.parametrize("name", CLUSTERS)
class TestClusters:
    def test_facts(self, name: str) -> None:
        site = load_site(name)
        level, level_confirmed, internet, storage, storage_confirmed = FACTS[name]
        assert (site.kind, site.scheduler, site.login_host) == ("cluster", "slurm", f"{name}.alliancecan.ca")
        assert site.title.lower().startswith(name)
        assert (site.cpu_levels, "cpu-levels" not in site.inferred) == ((level,), level_confirmed)
        assert (site.compute_internet, "compute-internet" not in site.inferred) == (internet, True)
        assert (site.job_storage, "job-storage" not in site.inferred) == (storage, storage_confirmed)

    def test_quotas(self, name: str) -> None:
        site = load_site(name)
        assert site.quotas == QUOTAS[name]
        assert ("quotas.scratch" in site.inferred) == (name == "killarney")

    def test_where_environments_are_made(self, name: str) -> None:
        site = load_site(name)
        trillium = name == "trillium"
        assert site.build_in == ("login-node" if trillium else "in-job")
        assert "build-in" not in site.inferred
        assert site.home_writable_in_jobs is not trillium

    def test_what_they_share(self, name: str) -> None:
        site = load_site(name)
        assert site.wheelhouse == "/cvmfs/soft.computecanada.ca/custom/python/wheelhouse"
        assert (site.catalogue, site.local_tag, site.manylinux) == ("alliance", "computecanada", False)
        assert (site.platform.os, site.platform.machine, site.platform.tags) == ("linux", "x86_64", ("linux_x86_64",))
        assert (site.default_environment, "default-environment" in site.inferred) == ("2023", True)
        assert site.environments == (_environment("2023"), _environment("2026"))
        # Only the x86-64-v4 tree has a recipe of python/default.
        assert ("environments.2023.default-python" in site.inferred) == (name == "narval")

    def test_dummies(self, name: str) -> None:
        assert {dummy.name: dummy.module for dummy in load_site(name).dummies} == {
            "pyarrow": "arrow",
            "opencv-python": "opencv",
            "opencv-python-headless": "opencv",
            "opencv-contrib-python": "opencv",
            "opencv-contrib-python-headless": "opencv",
            "mpi4py": "mpi4py",
            "rdkit": "rdkit",
        }


def _environment(year: str) -> SoftwareEnvironment:
    pythons = {"2023": ("3.10.13", "3.11.5", "3.12.4", "3.13.2", "3.14.2"), "2026": ("3.14.7",)}[year]
    v3 = (f"gentoo{year}/x86-64-v3", f"gentoo{year}/generic", "generic")
    layers = {"x86-64-v4": (f"gentoo{year}/x86-64-v4", *v3), "x86-64-v3": v3}
    return SoftwareEnvironment(year, pythons, {"2023": "3.11.5", "2026": "3.14.7"}[year], layers)


def test_mila() -> None:
    site = load_site("mila")
    assert (site.kind, site.scheduler, site.login_host) == ("cluster", "slurm", "login.server.mila.quebec")
    assert (site.wheelhouse, site.catalogue, site.manylinux, site.environments) == (None, None, True, ())
    assert (site.compute_internet, site.job_storage, site.build_in) == ("full", "disk", "in-job")
    assert site.inferred == {"build-in", "job-storage", "platform"}
    assert site.quotas == QUOTAS["mila"]


@pytest.mark.parametrize(
    ("name", "machine", "some_tags"),
    [
        ("linux", "x86_64", ["manylinux_2_28_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64", "linux_x86_64"]),
        ("macos", "arm64", ["macosx_14_0_arm64", "macosx_11_0_arm64", "macosx_11_0_universal2"]),
        ("windows", "x86_64", ["win_amd64"]),
    ],
)
def test_machines(name: str, machine: str, some_tags: list[str]) -> None:
    site = load_site(name)
    assert (site.kind, site.platform.os, site.platform.machine) == ("machine", name, machine)
    assert [tag for tag in site.platform.tags if tag in some_tags] == some_tags
    assert (site.wheelhouse, site.scheduler, site.quotas) == (None, "", None)
    assert site.inferred == {"platform"}


MODULES = [
    # (environment, module, version, package, its version, the Pythons)
    ("2023", "arrow", "14.0.0", "pyarrow", "14.0.0", "3.10 3.11"),
    ("2023", "arrow", "17.0.0", "pyarrow", "17.0.0", "3.10 3.11 3.12"),
    ("2023", "arrow", "22.0.0", "pyarrow", "22.0.0", "3.11 3.12 3.13"),
    ("2023", "arrow", "23.0.1", "pyarrow", "23.0.1", "3.11 3.12 3.13 3.14"),
    ("2023", "arrow", "25.0.0", "pyarrow", "25.0.0", "3.11 3.12 3.13 3.14"),
    # The module spells months with a zero, the package can not.
    ("2023", "rdkit", "2025.09.4", "rdkit", "2025.9.4", "3.11 3.12 3.13 3.14"),
    ("2023", "rdkit", "2024.03.5", "rdkit", "2024.3.5", "3.10 3.11 3.12"),
    ("2023", "opencv", "4.10.0-2", "opencv-python", "4.10.0", "3.10 3.11 3.12"),
    ("2023", "opencv", "4.13.0", "opencv-python", "4.13.0", "3.11 3.12 3.13 3.14"),
    ("2023", "opencv", "4.13.0", "opencv-python-headless", "4.13.0", "3.11 3.12 3.13 3.14"),
    ("2023", "opencv", "4.13.0", "opencv-contrib-python", "4.13.0", "3.11 3.12 3.13 3.14"),
    ("2023", "opencv", "4.13.0", "opencv-contrib-python-headless", "4.13.0", "3.11 3.12 3.13 3.14"),
    ("2023", "mpi4py", "4.0.3", "mpi4py", "4.0.3", "3.10 3.11 3.12"),
    ("2023", "mpi4py", "4.1.0", "mpi4py", "4.1.0", "3.10 3.11 3.12 3.13"),
    ("2023", "hdf5", "1.14.6", "h5py", "3.15.1", "3.11 3.12 3.13 3.14"),
    ("2023", "hdf5", "1.14.6", "tables", "3.11.0", "3.11 3.12 3.13 3.14"),
    ("2023", "symengine", "0.13.0", "symengine", "0.13.0", "3.11 3.12 3.13"),
    ("2023", "vtk", "9.3.1", "vtk", "9.3.1", "3.10 3.11"),
    ("2023", "faiss", "1.12.0", "faiss-gpu", "1.12.0", "3.11 3.12 3.13"),
    ("2026", "arrow", "25.0.1", "pyarrow", "25.0.1", "3.14"),
    ("2026", "opencv", "5.0.0", "opencv-contrib-python-headless", "5.0.0", "3.14"),
    ("2026", "rdkit", "2026.03.6", "rdkit", "2026.3.6", "3.14"),
    ("2026", "hdf5", "2.2.0", "h5py", "3.16.0", "3.14"),
    ("2026", "hdf5", "2.2.0", "tables", "3.11.1", "3.14"),
]


@pytest.mark.parametrize(("environment", "module", "version", "package", "stated", "pythons"), MODULES)
def test_modules(environment: str, module: str, version: str, package: str, stated: str, pythons: str) -> None:
    rows = [
        (row.version, row.python)
        for row in module_packages(load_site("narval"))
        if (row.environment, row.module, row.module_version, row.name) == (environment, module, version, package)
    ]
    assert sorted(rows) == [(stated, python) for python in pythons.split()]


def test_what_no_module_has() -> None:
    rows = module_packages(load_site("narval"))
    on_314 = {row.module for row in rows if (row.environment, row.python) == ("2023", "3.14")}
    # StdEnv/2023 has no mpi4py and no faiss for its newest Python.
    assert on_314 & {"mpi4py", "faiss"} == set()
    assert {"arrow", "opencv", "rdkit", "vtk", "symengine", "hdf5"} <= on_314
    assert {row.python for row in rows if row.environment == "2026"} == {"3.14"}


def test_every_dummy_has_a_module_that_brings_it() -> None:
    site = load_site("narval")
    brought = {(row.name, row.module) for row in module_packages(site)}
    assert [dummy for dummy in site.dummies if (dummy.name, dummy.module) not in brought] == []


def test_versions_are_public() -> None:
    assert {row.version for row in module_packages(load_site("fir")) if parse_version(row.version).local} == set()


def test_machines_have_no_modules() -> None:
    assert module_packages(load_site("linux")) == ()


@pytest.mark.parametrize(
    ("name", "bound"), [("scipy", True), ("h5py", True), ("netcdf4", True), ("scikit-learn", True), ("requests", False)]
)
def test_numpy_api(name: str, bound: bool) -> None:
    assert uses_numpy_api(Name(name)) is bound


def test_every_shipped_file_is_toml_with_its_source() -> None:
    for path in DATA.glob("*.toml"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# "), path.name
        assert tomllib.loads(text), path.name
