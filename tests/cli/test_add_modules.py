"""``tumpline lock --add-modules``: the modules that are lacking, in the project file and in the lock, or in neither."""

from __future__ import annotations

import stat

import pytest

from tests.cli.world import MINOR, World
from tests.wheelmaker import make_wheel
from tumpline.cli.project_edit import ProjectEdit
from tumpline.errors import EnvironmentFailure
from tumpline.lock.file import read_lock

_MODULES = """
[[modules]]
environment = "2023"
module = "{module}"
version = "{version}"
pythons = ["{python}"]
provides = {{ "{package}" = "{version}" }}
"""


def module(name: str, version: str, package: str, python: str = MINOR) -> str:
    return _MODULES.format(module=name, version=version, package=package, python=python)


@pytest.fixture
def shore(world: World) -> World:
    """A world whose project needs pyarrow, which only modules bring to the lake."""
    profile = world.sites / "lake.toml"
    head, _, rest = profile.read_text().partition('cpu-levels = ["x86-64-v3"]\n')
    profile.write_text(f'{head}cpu-levels = ["x86-64-v3"]\nmodule-tables = ["modules.toml"]\n{rest}')
    with profile.open("a") as stream:
        stream.write('\n[dummies]\npyarrow = "arrow"\n')
    (world.sites / "modules.toml").write_text(
        module("arrow", "15.0.1", "pyarrow")
        + module("arrow", "17.0.0", "pyarrow")
        + module("arrow", "25.0.0", "pyarrow", "2.7")
        + module("rdkit", "2025.9", "rdkit")
    )
    for version in ("15.0.1", "17.0.0", "18.0.0"):
        make_wheel(world.links, "pyarrow", version)
    make_wheel(world.links, "rdkit", "2025.9")
    world.edit('"alpha", "gamma"]', '"alpha", "gamma", "pyarrow"]  # tables')
    with world.pyproject.open("a") as stream:
        # Wheels that run anywhere would do on the lake as well.
        stream.write(
            '\n[tool.tumpline.packages]\npyarrow = { source = "wheelhouse" }\nrdkit = { source = "wheelhouse" }\n'
        )
    world.run("catalogue", "scan", "lake").ok()
    return world


def modules(world: World) -> dict[str, tuple[str, ...]]:
    return {target.name: target.modules for target in read_lock(world.lock).targets}


def test_the_newest_module_that_fits_is_added(shore: World) -> None:
    before = shore.pyproject.read_text()
    shore.run("lock").refuses("not-available", 3, "arrow/17.0.0, arrow/15.0.1", "tumpline lock --add-modules")
    done = shore.run("lock", "--add-modules").ok()
    assert "added arrow/17.0.0 to the modules of target lake in pyproject.toml" in done.err
    table = f'site = "lake"\npython = "{MINOR}"\n'
    assert shore.pyproject.read_text() == before.replace(table, f'{table}modules = ["arrow/17.0.0"]\n')
    assert modules(shore) == {"lake": ("arrow/17.0.0",), "laptop": ()}
    shore.run("lock", "--check").ok()
    assert "tumpline.lock is unchanged" in shore.run("lock", "--add-modules").ok().err


@pytest.mark.parametrize(
    ("asked", "added"),
    [("pyarrow<16", "arrow/15.0.1"), ("pyarrow", "arrow/17.0.0"), ("user", "arrow/15.0.1"), ("choosy", "arrow/15.0.1")],
)
def test_the_requirements_decide_which_fits(shore: World, asked: str, added: str) -> None:
    """Also those of packages, and of packages of packages, which only a resolution with the module can tell."""
    make_wheel(shore.links, "user", "1.0", requires=["pyarrow<16"])
    make_wheel(shore.links, "choosy", "1.0", requires=["pyarrow", "helper"])
    make_wheel(shore.links, "helper", "1.0", requires=["pyarrow!=17.0.0"])
    shore.edit('"pyarrow"', f'"{asked}"')
    done = shore.run("lock", "--add-modules", "--json").ok()
    assert done.data["modules"] == {"lake": [added]}
    assert modules(shore)["lake"] == (added,)


def test_another_version_of_a_loaded_module_takes_its_place(shore: World) -> None:
    shore.edit(
        f'site = "lake"\npython = "{MINOR}"\n', f'site = "lake"\npython = "{MINOR}"\nmodules = ["arrow/15.0.1"]\n'
    )
    shore.edit('"pyarrow"', '"pyarrow>=17", "rdkit"')
    (shore.links / "rdkit-2025.9-py3-none-any.whl").unlink()
    shore.edit(f'\n[tool.tumpline.targets.laptop]\nsite = "here"\npython = "{MINOR}"\n', "")
    done = shore.run("lock", "--add-modules").ok()
    assert "added arrow/17.0.0, rdkit/2025.9 to the modules of target lake" in done.err
    assert 'modules = ["arrow/17.0.0", "rdkit/2025.9"]' in shore.pyproject.read_text()


def test_nothing_is_written_where_modules_do_not_help(shore: World) -> None:
    shore.edit('"pyarrow"', '"pyarrow", "nowhere-at-all"')
    before, lock = shore.pyproject.read_bytes(), shore.lock.read_bytes()
    done = shore.run("lock", "--add-modules")
    assert done.status == 3
    assert "error[not-available]: pyarrow" in done.err
    assert "error[package-unknown]" in done.err
    assert (shore.pyproject.read_bytes(), shore.lock.read_bytes()) == (before, lock)


def test_a_dry_run_only_tells(shore: World) -> None:
    before, lock = shore.pyproject.read_bytes(), shore.lock.read_bytes()
    assert "would add arrow/17.0.0" in shore.run("lock", "--add-modules", "--dry-run").ok().err
    assert (shore.pyproject.read_bytes(), shore.lock.read_bytes()) == (before, lock)


def test_the_project_file_is_restored_where_the_lock_can_not_be_written(shore: World) -> None:
    before = shore.pyproject.read_bytes()
    shore.lock.unlink()
    shore.lock.mkdir()
    (shore.lock / "x").touch()
    done = shore.run("lock", "--add-modules")
    assert done.status != 0
    assert shore.pyproject.read_bytes() == before


def test_a_link_and_a_mode_stay(shore: World) -> None:
    real = shore.root / "real.toml"
    shore.pyproject.rename(real)
    shore.pyproject.symlink_to(real)
    real.chmod(0o640)
    shore.run("lock", "--add-modules").ok()
    assert shore.pyproject.is_symlink()
    assert "arrow/17.0.0" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_it_is_not_for_checks(shore: World) -> None:
    assert shore.run("lock", "--check", "--add-modules").status == 2


def test_a_file_that_changes_meanwhile_is_not_overwritten(shore: World) -> None:
    edit = ProjectEdit.start(shore.project)
    edit.added["lake"] = ("arrow/17.0.0",)
    edit.after = edit.before + b"# ours\n"
    shore.pyproject.write_bytes(edit.before + b"# theirs\n")
    with pytest.raises(EnvironmentFailure) as caught, edit.written():
        pytest.fail("what goes with the edit must not be written")
    assert caught.value.code == "project-changed"
    assert shore.pyproject.read_bytes() == edit.before + b"# theirs\n"
