"""``tumpline doctor`` as a process: with a real Lmod, real environments, and projects in all states."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.world import TUMPLINE, Done, World, snapshot
from tests.moduletree import ModuleTree, needs_lmod

SCHEMA_KEYS = [
    "schema", "well", "site", "environment", "cpu-level", "python", "modules", "in-job", "project", "target",
    "findings", "not-looked-at",
]  # fmt: skip


def found(done: Done) -> dict[str, dict[str, Any]]:
    """The findings of ``--json`` by code."""
    return {finding["code"]: finding for finding in done.data["findings"]}


def test_on_a_laptop(world: World) -> None:
    done = world.run("doctor", "--target", "laptop")
    lines = done.out.splitlines()
    assert (done.status, done.err) == (0, "")
    assert "note[no-environment]: " in done.out
    assert "cure: make it: tumpline sync --target laptop\n" in done.out
    assert lines[-2] == "nothing is wrong, as far as can be seen"
    assert lines[-1].startswith("looked at: ")


def test_without_a_project(world: World, tmp_path: Path) -> None:
    world.environ = {name: value for name, value in world.environ.items() if not name.startswith("PIP_")}
    done = world.run("doctor", cwd=tmp_path)
    assert done.status == 0
    assert done.out.splitlines()[0] == "nothing is wrong, as far as can be seen"
    assert "no project" in done.out
    world.run("doctor", "--project", str(tmp_path)).refuses("no-project", 2)
    world.run("doctor", "--target", "nowhere").refuses("unknown-target", 2, "laptop")


def test_json(world: World) -> None:
    done = world.run("doctor", "--json", "--target", "laptop", environ={"PYTHONHOME": "", "PIP_USER": "1"})
    assert list(done.data) == SCHEMA_KEYS
    assert done.data["schema"] == "tumpline.doctor/1"
    assert (done.data["well"], done.data["target"], done.data["in-job"]) == (True, "laptop", False)
    assert found(done)["pip-place-changed"] == {
        "severity": "warning",
        "code": "pip-place-changed",
        "message": "variables make pip install outside of environments: PIP_USER",
        "where": "",
        "why": "",
        "seen": ["PIP_USER=1"],
        "hint": "unset them",
        "command": "unset PIP_USER",
    }


def test_cures_are_about_what_was_asked(world: World, tmp_path: Path) -> None:
    """Typed as they stand, they mean the same environment, from wherever that is done."""
    words = ("--project", str(world.project), "--target", "laptop", "--env", "my env")
    done = world.run("doctor", "--json", *words, cwd=tmp_path)
    wanted = f"tumpline sync --project {world.project} --target laptop --env 'my env'"
    assert found(done)["no-environment"]["command"] == wanted
    assert found(done)["no-environment"]["hint"].endswith(wanted)
    world.lock.unlink()
    done = world.run("doctor", "--json", *words, cwd=tmp_path)
    assert found(done)["no-lock"]["command"] == f"tumpline lock --project {world.project}"


def test_it_only_looks(world: World) -> None:
    before = snapshot(world.root)
    world.run("doctor", "-v", environ={"CC_CLUSTER": "lake"})
    assert snapshot(world.root) == before


@pytest.mark.parametrize(
    ("break_it", "code", "severity"),
    [
        (lambda world: world.lock.unlink(), "no-lock", "note"),
        (lambda world: world.lock.write_text("[[["), "lock-damaged", "error"),
        (lambda world: world.pyproject.write_text("[[["), "not-toml", "error"),
        (lambda world: world.edit('"alpha", ', ""), "lock-outdated", "warning"),
    ],
)
def test_a_project_that_is_not_in_order(world: World, break_it: Any, code: str, severity: str) -> None:
    break_it(world)
    done = world.run("doctor", "--json", "--target", "laptop")
    assert found(done)[code]["severity"] == severity
    assert done.status == (1 if severity == "error" else 0)
    assert found(done)[code]["hint"]


def test_an_environment_that_is_stale_and_then_gone(world: World) -> None:
    world.run("sync", "--target", "laptop").ok()
    well = world.run("doctor", "--json", "--target", "laptop")
    assert "no-environment" not in found(well)
    world.edit('"alpha", ', "")
    world.run("lock").ok()
    stale = world.run("doctor", "--json", "--target", "laptop")
    assert found(stale)["environment-stale"]["command"] == "tumpline sync --target laptop"
    place = world.project / ".tumpline/env/laptop"
    active = {"VIRTUAL_ENV": str(place.resolve()), "PATH": f"{place.resolve()}/bin:{world.environ['PATH']}"}
    assert "other-environment-active" not in found(world.run("doctor", "--json", "--target", "laptop", environ=active))
    world.run("sync", "--target", "laptop", "--env", str(world.root / "node")).ok()
    node = str((world.root / "node").resolve())
    there = world.run("doctor", "--json", "--target", "laptop", environ={"VIRTUAL_ENV": node, "PATH": f"{node}/bin"})
    assert not {"other-environment-active", "environment-stale", "no-environment"} & found(there).keys()
    (place / "bin/python").unlink()
    gone = world.run("doctor", "--target", "laptop", environ=active)
    assert gone.status == 1
    assert "error[active-environment-gone]: " in gone.out
    assert gone.err.startswith("found: 1 error")


def test_a_hostile_variable_stays_on_its_line(world: World) -> None:
    forged = "/x\nerror[forged]: \x1b[31mno"
    done = world.run("doctor", "--target", "laptop", environ={"VIRTUAL_ENV": forged})
    assert done.status == 1
    assert not any(line.startswith("error[forged]") for line in done.out.splitlines())
    assert "\x1b" not in done.out


def test_a_site_without_a_profile(world: World) -> None:
    done = world.run("doctor", environ={"TUMPLINE_SITE": "nowhere"})
    assert done.status == 1
    assert "error[unknown-site]: " in done.out


def test_a_catalogue_that_is_not_there(world: World) -> None:
    site = {"CC_CLUSTER": "lake", "LMOD_CMD": "/nowhere", "MODULEPATH": "/x"}
    assert "catalogue-not-scanned" not in found(world.run("doctor", "--json", environ=site))
    world.catalogue.unlink()
    findings = found(world.run("doctor", "--json", environ=site))
    assert findings["catalogue-not-scanned"]["command"] == "tumpline catalogue scan"
    assert findings["module-system-broken"]["seen"] == ["LMOD_CMD=/nowhere: there is no such file"]


@needs_lmod
class TestWithLmod:
    """A shell of a cluster: the modules are loaded by a real Lmod, the environment is activated by its own script."""

    @pytest.fixture
    def tree(self, tmp_path: Path) -> ModuleTree:
        tree = ModuleTree(tmp_path / "cluster")
        (tree.custom / "gentoo" / "2023.lua").write_text(
            'setenv("EBVERSIONGENTOO","2023")\nsetenv("RSNT_ARCH","avx2")\n'
            f'setenv("PIP_CONFIG_FILE","{tree.root}/pip.conf")\n'
            f'prepend_path("PYTHONPATH","{tree.root}/site")\n'
            f'prepend_path("MODULEPATH","{tree.core}")\n'
        )
        (tree.root / "site").mkdir()
        for hook in ("_manylinux.py", "sitecustomize.py"):
            (tree.root / "site" / hook).touch()
        (tree.root / "pip.conf").touch()
        for version in ("3.11.5", "3.12.4"):
            programs = tree.prefix(f"python/{version}") / "bin"
            programs.mkdir(parents=True)
            (programs / "python").symlink_to(sys.executable)
            tree.python("2023", version, f'prepend_path("PATH","{programs}")')
        return tree

    def shell(self, world: World, tree: ModuleTree, lmod_command: str, script: str, *words: str) -> Done:
        """Run a script in a shell that has the module system, then the doctor."""
        setup = Path(lmod_command).parent.parent / "init" / "bash"
        variables = {name: value for name, value in world.environ.items() if not name.startswith("PIP_")}
        variables |= {**tree.variables(lmod_command), "CC_CLUSTER": "lake", "HOME": world.environ["HOME"]}
        variables["PATH"] = os.defpath
        code = f'. "$1"\nshift\n{script}\nexec "$@"'
        command = ["bash", "--noprofile", "--norc", "-c", code, "bash", str(setup), *TUMPLINE, "doctor", *words]
        done = subprocess.run(
            command, cwd=world.project, env=variables, capture_output=True, text=True, check=False, timeout=60
        )
        return Done(done.returncode, done.stdout, done.stderr)

    @pytest.fixture
    def environment(self, tmp_path: Path) -> Path:
        place = tmp_path / "environment"
        command = [sys.executable, "-m", "virtualenv", "-q", "--no-download", "--without-pip", str(place)]
        subprocess.run(command, check=True, env={"PATH": os.defpath, "HOME": str(tmp_path)})
        return place

    def test_nothing_is_loaded(self, world: World, tree: ModuleTree, lmod_command: str) -> None:
        done = self.shell(world, tree, lmod_command, ":", "--json")
        finding = found(done)["no-software-environment"]
        assert finding["command"].startswith("module load StdEnv/2023 python/3.")
        assert (done.data["site"], done.data["environment"], done.data["modules"]) == ("lake", None, [])

    def test_no_python_is_loaded(self, world: World, tree: ModuleTree, lmod_command: str) -> None:
        done = self.shell(world, tree, lmod_command, "module load StdEnv/2023", "--json")
        assert done.data["environment"] == "2023"
        assert "no-python-module" in found(done)

    def test_all_is_well(self, world: World, tree: ModuleTree, lmod_command: str, environment: Path) -> None:
        script = f'module load StdEnv/2023 python/3.11.5\n. "{environment}/bin/activate"'
        done = self.shell(world, tree, lmod_command, script, "--json")
        assert {code for code in found(done) if not code.startswith(("no-", "which-"))} == set()
        assert done.data["modules"][-1] == "python/3.11.5"

    def test_loaded_after_activation(
        self, world: World, tree: ModuleTree, lmod_command: str, environment: Path
    ) -> None:
        script = f'module load StdEnv/2023 python/3.11.5\n. "{environment}/bin/activate"\nmodule load python/3.12.4'
        done = self.shell(world, tree, lmod_command, script, "--json")
        finding = found(done)["module-after-activation"]
        assert (done.status, finding["severity"]) == (1, "error")
        assert finding["message"].endswith(": python/3.12.4")
        assert finding["command"] == f"deactivate; source {environment}/bin/activate"

    def test_a_module_without_packages_for_this_python(self, world: World, tree: ModuleTree, lmod_command: str) -> None:
        tree.module("old/1", python=["3.9"], brings=["old 1"])
        done = self.shell(world, tree, lmod_command, "module load StdEnv/2023 python/3.11.5 old/1", "--json")
        assert "old/1 (has Python 3.9)" in found(done)["module-without-binding"]["message"]

    def test_variables_that_were_changed(self, world: World, tree: ModuleTree, lmod_command: str) -> None:
        script = "module load StdEnv/2023 python/3.11.5\nunset PIP_CONFIG_FILE\nexport PYTHONPATH=$HOME/lib"
        done = self.shell(world, tree, lmod_command, script, "--json")
        assert {"wheelhouse-not-configured", "pythonpath-set", "pythonpath-incomplete"} <= found(done).keys()


def test_conda_and_uv(world: World, tmp_path: Path) -> None:
    """Their variables and programs, as conda's activation and uv's installer leave them."""
    conda = tmp_path / "conda"
    (conda / "bin").mkdir(parents=True)
    for name in ("python", "conda", "uv"):
        (conda / "bin" / name).symlink_to(sys.executable)
    (Path(world.environ["HOME"]) / ".bashrc").write_text("# >>> conda initialize >>>\n")
    given = {"CC_CLUSTER": "lake", "LMOD_CMD": sys.executable, "MODULEPATH": "/x", "CONDA_PREFIX": str(conda)}
    given |= {"CONDA_DEFAULT_ENV": "base", "PATH": f"{conda}/bin:{os.defpath}"}
    done = world.run("doctor", "--json", environ=given)
    assert found(done)["conda-active"]["seen"][1:] == [f"python is {conda}/bin/python", "~/.bashrc line 1: conda"]
    assert found(done)["conda-active"]["severity"] == "error"
    assert found(done)["uv-here"]["seen"] == [f"uv is {conda}/bin/uv"]


def test_run_tells_what_was_loaded_after_activation(world: World, tmp_path: Path) -> None:
    world.run("sync", "--target", "laptop").ok()
    module = tmp_path / "python/3.12.4/bin"
    given = {
        "VIRTUAL_ENV": "/e",
        "LOADEDMODULES": "python/3.12.4",
        "PATH": f"{module}:/e/bin:{world.environ['PATH']}",
    }
    words = ("run", "--target", "laptop", "--", "python", "-c", "import sys; print(sys.prefix)")
    done = world.run(*words, environ=given)
    assert done.out.strip() == str((world.project / ".tumpline/env/laptop").resolve())
    assert done.err.startswith(
        "note[module-after-activation]: loaded after the environment was activated: python/3.12.4"
    )
    assert world.run(*words).err == ""


def test_json_is_one_document_also_where_input_is_bad(world: World) -> None:
    done = world.run("doctor", "--json", "--target", "nowhere")
    assert json.loads(done.out)["problems"][0]["code"] == "unknown-target"
