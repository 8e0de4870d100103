"""The shipped files as a whole: which sites there are, what modules bring, and that scripts make the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tumpline.sites.load import list_sites, load_site, module_packages
from tumpline.values import parse_version

CLUSTERS = ["fir", "killarney", "mila", "narval", "nibi", "rorqual", "tamia", "trillium", "vulcan"]
MACHINES = ["linux", "macos", "windows"]


def test_all_are_there_and_sorted() -> None:
    assert [site.name for site in list_sites()] == sorted(CLUSTERS + MACHINES)


def test_only_guesses_are_marked() -> None:
    """What a cluster's own profile states as a fact does not stay marked as the general profile's guess."""
    assert load_site("trillium").inferred == {"default-environment", "jobs.shared-folder"}
    assert "environments.2023.default-python" in load_site("narval").inferred
    assert "environments.2023.default-python" not in load_site("fir").inferred


MODULES = {
    (row.environment, row.module, row.module_version, row.python, str(row.name)): row.version
    for row in module_packages(load_site("narval"))
}


@pytest.mark.parametrize(
    ("key", "version"),
    [
        ("2023 arrow 17.0.0 3.13 pyarrow", None),
        ("2023 rdkit 2025.09.1 3.14 rdkit", None),
        ("2023 mpi4py 4.1.0 3.14 mpi4py", None),
        ("2023 mpi4py 3.1.4 3.11 mpi4py", "3.1.4"),
        ("2023 faiss 1.12.0 3.14 faiss", None),
        ("2023 vtk 9.4.2 3.14 vtk", "9.4.2"),
        # The Python bindings of these two count their own versions.
        ("2023 symengine 0.14.0 3.14 symengine", "0.14.1"),
        ("2023 igraph 0.10.7 3.11 igraph", "0.10.8"),
        ("2023 igraph 1.0.1 3.14 python-igraph", "1.0.0"),
        # A recipe for another compiler brings h5py 3.12.1.
        ("2023 hdf5 1.14.2 3.11 h5py", "3.10.0"),
        ("2023 hdf5-mpi 1.14.6 3.14 tables", "3.11.0"),
        ("2023 netcdf 4.9.3 3.14 netcdf4", "1.7.4"),
        ("2023 scipy-stack 2026a 3.13 numpy", "2.4.2"),
        ("2023 scipy-stack 2026a 3.13 ipython", "9.9.0"),
        ("2023 scipy-stack 2026a 3.11 nose", "1.3.7"),
        ("2023 scipy-stack 2026a 3.12 nose", None),
        ("2023 scipy-stack 2024a 3.11 numpy", None),
        ("2026 scipy-stack 2026b 3.14 pandas", "3.0.5"),
        ("2026 mpi4py 4.1.2 3.14 mpi4py", "4.1.2"),
        # Modules that only the stack's own builds load.
        ("2023 python-build-bundle 2025b 3.11 packaging", None),
    ],
)
def test_modules(key: str, version: str | None) -> None:
    environment, module, module_version, python, name = key.split()
    assert MODULES.get((environment, module, module_version, python, name)) == version


def test_modules_are_of_pythons_that_there_are() -> None:
    site = load_site("narval")
    minors = {
        (environment.name, python.rpartition(".")[0])
        for environment in site.environments
        for python in environment.pythons
    }
    assert {(key[0], key[3]) for key in MODULES} == minors


def test_modules_bring_one_version_as_pep_440_spells_it() -> None:
    rows = module_packages(load_site("narval"))
    assert len(rows) == len(MODULES) > 1000
    assert [row for row in rows if str(parse_version(row.version)) != row.version] == []


@pytest.mark.parametrize(
    ("script", "table"),
    [("make_module_tables", "alliance-modules.toml"), ("make_rewrites", "alliance-rewrites.toml")],
)
def test_tables_are_what_their_scripts_make(shared: Path, tmp_path: Path, script: str, table: str) -> None:
    from importlib import import_module

    import_module(f"scripts.{script}").main(shared / "facts", tmp_path / table)
    data = Path(__file__).resolve().parents[2] / "src" / "tumpline" / "sites" / "data"
    assert (tmp_path / table).read_text("utf-8") == (data / table).read_text("utf-8")
