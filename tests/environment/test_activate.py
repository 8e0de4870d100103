"""``tumpline activate``: shell code that real shells run, after modules that a real Lmod loads."""

from __future__ import annotations

import dataclasses
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment.test_commands import Folder
from tests.environment.worlds import HERE, by_module, lock_of
from tests.moduletree import ModuleTree, needs_lmod
from tumpline.environment.activation import SHELLS, Shell, activation, modules_to_load
from tumpline.environment.check import Surroundings
from tumpline.environment.record import EnvironmentRecord, Expected

SHELL_PROGRAMS = [
    pytest.param(shell, marks=pytest.mark.skipif(shutil.which(shell) is None, reason=f"there is no {shell} here"))
    for shell in SHELLS
]
ODD = "a b'c\"$(touch harm)`touch harm`\\;&x"
PREFIX = "import sys; print(sys.prefix)"


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    base = tmp_path_factory.mktemp("activate") / ODD
    base.mkdir()
    folder = Folder(base)
    # pip's settings, in which the index is named, take no spaces.
    folder.wheels = base.with_name("wheels")
    folder.lock(folder.alpha("1"))
    done = folder.run("sync", "--target", "here")
    assert done.returncode == 0, done.stderr
    return folder


def in_shell(shell: str, code: str, folder: Folder, **environ: str) -> subprocess.CompletedProcess[str]:
    options = {"bash": ["--noprofile", "--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TUMPLINE_"))}
    variables |= {"HOME": str(folder.base), "TERM": "dumb", "PY": sys.executable, **environ}
    command = [shell, *options, "-c", code]
    return subprocess.run(
        command, cwd=folder.root, env=variables, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("shell", SHELL_PROGRAMS)
def test_a_shell_activates_and_deactivates(odd: Folder, shell: Shell) -> None:
    ask = '"$PY" -m tumpline activate --target here'
    first = f"{ask} | source" if shell == "fish" else f'eval "$({ask})"'
    done = in_shell(shell, f"{first}; and true\n" if shell == "fish" else f"{first}\n", odd)
    assert (done.returncode, done.stderr) == (0, "")
    done = in_shell(shell, f"{first}\npython -c '{PREFIX}'\ndeactivate\ncommand -v python", odd)
    assert done.stdout.splitlines()[0] == str(odd.place.resolve())
    assert str(odd.place.resolve()) not in done.stdout.splitlines()[1]
    assert not list(odd.base.rglob("harm"))


@pytest.mark.parametrize("shell", SHELL_PROGRAMS)
@pytest.mark.parametrize("works", [True, False])
def test_modules_come_first(odd: Folder, tmp_path: Path, shell: Shell, works: bool) -> None:
    modules = ("arrow/17.0.0", "it's; touch harm", "$(touch harm)")
    code = activation(odd.place.resolve(), modules, shell)
    status = 0 if works else 1
    if shell == "fish":
        stand_in = f"function module; printf '[%s]' $argv; test -z \"$VIRTUAL_ENV\"; and return {status}; end\n"
    else:
        stand_in = f'module() {{ printf "[%s]" "$@"; test -z "$VIRTUAL_ENV" && return {status}; }}\n'
    (tmp_path / "code").write_text(code)
    done = in_shell(shell, f'{stand_in}. "{tmp_path}/code"\n', odd)
    assert done.stdout == "[load]" + "".join(f"[{module}]" for module in modules)
    assert (done.returncode == 0) is works
    assert ("not activated, since these modules can not be loaded: arrow/17.0.0" in done.stderr) is not works
    assert not list(odd.base.rglob("harm"))


def test_which_modules_are_to_be_loaded() -> None:
    record = EnvironmentRecord(
        target="t", site="fir", environment="2023", cpu_level="x86-64-v4", python="3.11.5", interpreter="/x",
        modules=("scipy-stack/2024a", "arrow/17.0.0"), expected=(Expected("pyarrow", "17.0.0", "arrow/17.0.0"),),
        key="k", packages=(), project="", tool="1",
    )  # fmt: skip
    assert modules_to_load(record, Surroundings("fir")) == (
        *("StdEnv/2023", "python/3.11.5", "scipy-stack/2024a", "arrow/17.0.0"),
    )
    here = Surroundings("fir", "2023", "x86-64-v4", "3.11.5", ("StdEnv/2023", "arrow/17.0.0", "python/3.11.5"))
    assert modules_to_load(record, here) == ("scipy-stack/2024a",)
    # Where there are no modules of a cluster, only those that were asked for are loaded.
    laptop = record._replace(environment="", modules=(), expected=())
    assert modules_to_load(laptop, Surroundings("linux")) == ()


@pytest.mark.parametrize(
    ("words", "environ", "said"),
    [
        (["--target", "nowhere"], {}, "error[unknown-target]"),
        (["--target", "here", "--env", "none"], {}, "error[no-environment]"),
        (["--target", "here"], {"SHELL": "/bin/tcsh"}, "error[shell-not-known]: there is no code for the shell 'tcsh'"),
    ],
)
def test_refusals_are_code_that_fails(odd: Folder, words: list[str], environ: dict[str, str], said: str) -> None:
    done = odd.run("activate", *words, **environ)
    assert done.stdout == "false\n"
    assert done.returncode != 0
    assert said in done.stderr


def test_the_wrong_machine_is_refused_in_one_sentence(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    target = dataclasses.replace(HERE, site="fir", environment="2023", cpu_level="x86-64-v4")
    folder.lock(lock_of(*folder.alpha("1").packages, target=target))
    on_fir = {"CC_CLUSTER": "fir", "EBVERSIONGENTOO": "2023", "RSNT_ARCH": "avx512"}
    synced = folder.run("sync", "--target", "here", **on_fir)
    assert synced.returncode == 0, synced.stderr
    narval = {"CC_CLUSTER": "narval", "EBVERSIONGENTOO": "2023", "RSNT_ARCH": "avx2"}
    sentence = "this environment was made for x86-64-v4 (fir); narval is x86-64-v3"
    for words in (["activate"], ["run", "--", "python", "-c", "print(1)"]):
        done = folder.run(words[0], "--target", "here", *words[1:], **narval)
        assert sentence in done.stderr
        assert (done.returncode, done.stdout) == (1, "false\n" if words[0] == "activate" else "")
        fine = folder.run(words[0], "--target", "here", *words[1:], **on_fir)
        assert fine.returncode == 0, fine.stderr
        wrong = folder.run(words[0], "--target", "here", *words[1:], **{**on_fir, "EBVERSIONPYTHON": "3.9.6"})
        assert f"made for Python {sys.version.split()[0]}; the module of Python 3.9.6 is loaded" in wrong.stderr
        wrong = folder.run(words[0], "--target", "here", *words[1:], **{**on_fir, "EBVERSIONGENTOO": "2026"})
        assert "was made for StdEnv/2023; StdEnv/2026 is loaded" in wrong.stderr


@needs_lmod
def test_with_a_real_lmod(tmp_path: Path, lmod_command: str) -> None:
    tree = ModuleTree(tmp_path / "tree")
    tree.write(tree.core / "arrow/17.0.0", 'setenv("ARROW_IS_HERE","yes")')
    folder = Folder(tmp_path)
    target = dataclasses.replace(HERE, modules=("StdEnv/2023", "arrow/17.0.0"))
    folder.lock(lock_of(*folder.alpha("1").packages, by_module("pyarrow", "17.0.0", "arrow/17.0.0"), target=target))
    assert folder.run("sync", "--target", "here").returncode == 0
    start = Path(lmod_command).parent.parent / "init" / "bash"
    code = f'. "{start}"\nmodule use "{tree.custom}"\neval "$("$PY" -m tumpline activate --target here)" || exit 9\n'
    done = in_shell("bash", f"{code}python -c '{PREFIX}'\necho $ARROW_IS_HERE", folder)
    assert done.stdout.splitlines() == [str(folder.place.resolve()), "yes"], done.stderr
    (tree.core / "arrow/17.0.0.lua").unlink()
    done = in_shell("bash", f"{code}echo activated", folder)
    assert done.returncode == 9
    assert "activated" not in done.stdout
    assert "these modules can not be loaded" in done.stderr


@needs_lmod
def test_run_loads_modules_with_a_real_lmod(tmp_path: Path, lmod_command: str) -> None:
    tree = ModuleTree(tmp_path / "tree")
    tree.write(tree.core / "arrow/17.0.0", 'setenv("ARROW_IS_HERE","a b\'$(id)")')
    tree.write(tree.core / "other/1", 'family("compiler")', 'setenv("OTHER_IS_HERE","yes")')
    folder = Folder(tmp_path)
    target = dataclasses.replace(HERE, modules=("StdEnv/2023", "arrow/17.0.0"))
    folder.lock(lock_of(*folder.alpha("1").packages, by_module("pyarrow", "17.0.0", "arrow/17.0.0"), target=target))
    assert folder.run("sync", "--target", "here").returncode == 0
    start = Path(lmod_command).parent.parent / "init" / "bash"
    shell = (
        f'. "{start}"\nmodule use "{tree.custom}"\nmine() {{ echo mine; }}\nexport -f mine\nexport LMOD_PAGER=less\n'
    )
    tell = """python -c 'import sys; print(sys.prefix)'; echo "$ARROW_IS_HERE"; mine; echo $LMOD_PAGER $LMOD_COLORIZE"""
    run = '"$PY" -m tumpline run --target here'

    done = in_shell("bash", f"{shell}{run} -- bash -c {shlex.quote(tell)}\necho after=$ARROW_IS_HERE", folder)
    prefix = str(folder.place.resolve())
    assert done.stdout.splitlines() == [prefix, "a b'$(id)", "mine", "less", "after="], done.stderr
    assert done.stderr == ""

    # Without the check nothing is loaded.
    done = in_shell("bash", f"{shell}{run} --no-check -- bash -c 'echo \"[$ARROW_IS_HERE]\"'", folder)
    assert done.stdout == "[]\n", done.stderr

    # Another version is what the person wanted.
    tree.write(tree.core / "arrow/16.0.0")
    done = in_shell("bash", f"{shell}module load StdEnv/2023 arrow/16.0.0\n{run} -- true", folder)
    assert done.returncode == 1
    assert "error[module-not-loaded]: target here: the module arrow/17.0.0 is not loaded" in done.stderr
    assert "arrow/16.0.0 is loaded, and there is place for one of a name" in done.stderr

    # One of a family would put away what is loaded.
    tree.write(tree.core / "arrow/17.0.0", 'family("compiler")')
    done = in_shell("bash", f"{shell}module load StdEnv/2023 other/1\n{run} -- true", folder)
    assert done.returncode == 4
    assert "error[modules-exclude]: " in done.stderr
    assert "the module system would put away other/1" in done.stderr
    assert "hint: put it away yourself, if you do not need it: module unload other/1" in done.stderr

    (tree.core / "arrow/17.0.0.lua").unlink()
    done = in_shell("bash", f"{shell}{run} -- true", folder)
    assert done.returncode == 4
    assert "error[module-load-failed]" in done.stderr
