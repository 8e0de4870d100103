"""``tumpline pack``, ``unpack`` and ``verify`` as whole processes, and an image that goes to another user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environment.images import PACKAGES, small_world
from tests.environment.test_commands import Folder
from tests.environment.worlds import MINOR, indexed, lock_of, tiny_pip, variables
from tests.wheelmaker import make_wheel
from tumpline.environment.image import read_image

INIT = f"{PACKAGES}/alpha/__init__.py"


@pytest.fixture
def synced(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.lock(small_world(folder.wheels))
    done = folder.run("sync", "--target", "here", "-q")
    assert done.returncode == 0, done.stderr
    return folder


def test_pack_show_unpack(synced: Folder) -> None:
    done = synced.run("pack", "--target", "here", "-o", "image.tar.gz")
    assert (done.returncode, done.stdout) == (0, "")
    lines = done.stderr.splitlines()
    assert lines[2].startswith("image.tar.gz is ready: ")
    assert lines[2].endswith("with bytecode")
    assert lines[3].startswith(f"made for target here, linux, Python {MINOR}")
    assert lines[4] == "use it: tumpline unpack image.tar.gz DIR"
    shown = synced.run("unpack", "image.tar.gz", "--show")
    assert shown.stdout.splitlines()[0] == lines[3]
    assert "  alpha 1" in shown.stdout.splitlines()
    data = json.loads(synced.run("unpack", "image.tar.gz", "--show", "--json").stdout)
    assert (data["schema"], data["target"], data["bytecode"]) == ("tumpline.image/1", "here", True)
    done = synced.run("unpack", "image.tar.gz")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "use it: source here/bin/activate"
    assert synced.run("unpack", "image.tar.gz").stderr.startswith("here is this image already: Python ")
    ran = synced.run("run", "--target", "here", "--env", "here", "--", "tool")
    assert ran.stdout == f"tool {(synced.root / 'here').resolve()}\n"
    verified = synced.run("verify", "--env", "here")
    assert verified.returncode == 0, verified.stderr
    assert "not compared" not in verified.stderr


def test_json(synced: Folder) -> None:
    done = synced.run("pack", "--target", "here", "-o", "image.tar", "--no-compile", "--json")
    packed = json.loads(done.stdout)
    head = read_image(synced.root / "image.tar").head
    assert packed["schema"] == "tumpline.pack/1"
    assert (packed["content"], packed["bytecode"], packed["paths"]) == (head.content, False, [])
    assert packed["stored"] == (synced.root / "image.tar").stat().st_size
    unpacked = json.loads(synced.run("unpack", "image.tar", "there", "--json").stdout)
    assert (unpacked["schema"], unpacked["changed"]) == ("tumpline.unpack/1", True)
    assert unpacked["environment"] == str(synced.root / "there")
    verified = json.loads(synced.run("verify", "--target", "here", "--json").stdout)
    assert (verified["schema"], verified["well"], verified["lock"], verified["imports"]) == (
        *("tumpline.verify/1", True, True),
        None,
    )


def test_in_a_job_the_nodes_disk_is_the_place(synced: Folder, tmp_path: Path) -> None:
    synced.run("pack", "--target", "here", "-o", "image.tar", "--no-compile")
    (tmp_path / "node").mkdir()
    done = synced.run("unpack", "image.tar", SLURM_JOB_ID="1", SLURM_TMPDIR=str(tmp_path / "node"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "node" / "here" / "bin" / "tool").is_file()


def test_pack_refuses_what_is_no_longer_what_it_was(synced: Folder) -> None:
    with (synced.place / INIT).open("a") as stream:
        stream.write("x = 1\n")
    done = synced.run("pack", "--target", "here", "-o", "image.tar")
    assert done.returncode == 1
    assert "error[environment-differs]" in done.stderr
    assert f"changed  {INIT} (alpha 1)" in done.stderr
    assert not (synced.root / "image.tar").exists()
    assert synced.run("pack", "--target", "here", "-o", "image.tar", "--no-check").returncode == 0
    synced.lock(synced.alpha("2"))
    done = synced.run("pack", "--target", "here", "-o", "other.tar")
    assert (done.returncode, "error[environment-stale]" in done.stderr) == (1, True)


def test_verify_says_what_differs_and_mends_it(synced: Folder) -> None:
    assert synced.run("verify", "--target", "here").returncode == 0
    (synced.place / INIT).unlink()
    (synced.place / "share" / "mine").write_text("")
    before = synced.place.resolve()
    done = synced.run("verify", "--target", "here")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [f"missing  {INIT} (alpha 1)", "extra  share/mine"]
    assert "make it right: tumpline verify --fix" in done.stderr
    data = json.loads(synced.run("verify", "--target", "here", "--json").stdout)
    assert not data["well"]
    assert data["differences"][0] == {"kind": "missing", "path": INIT, "package": "alpha 1", "why": None}
    fixed = synced.run("verify", "--target", "here", "--fix", "--json")
    assert fixed.returncode == 0, fixed.stderr
    assert json.loads(fixed.stdout)["fixed"]
    assert synced.place.resolve() != before
    assert synced.run("verify", "--target", "here").returncode == 0
    generation = synced.place.resolve()
    assert synced.run("verify", "--target", "here", "--fix").returncode == 0
    assert synced.place.resolve() == generation


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("tumpline-environment.json", "environment-incomplete"),
        ("", "no-environment"),
        ("bin/python", "python-gone"),
    ],
)
def test_verify_mends_what_can_not_even_be_read(synced: Folder, name: str, code: str) -> None:
    if not name:
        synced.place.unlink()
    elif name == "bin/python":
        record = synced.place / "tumpline-environment.json"
        content = json.loads(record.read_text())
        record.write_text(json.dumps({**content, "interpreter": "/nowhere/python"}))
    else:
        (synced.place / name).unlink()
    done = synced.run("verify", "--target", "here", "--import")
    assert done.returncode == 1
    assert f"error[{code}]" in done.stderr
    done = synced.run("verify", "--target", "here", "--fix")
    assert done.returncode == 0, done.stderr
    assert synced.run("verify", "--target", "here").returncode == 0


def test_verify_without_a_project(synced: Folder, tmp_path: Path) -> None:
    synced.run("pack", "--target", "here", "-o", "image.tar", "--no-compile")
    elsewhere = tmp_path / "elsewhere"
    shutil.move(synced.root / "image.tar", tmp_path / "image.tar")
    elsewhere.mkdir()
    synced.root = elsewhere
    assert synced.run("unpack", "../image.tar", "env").returncode == 0
    done = synced.run("verify", "--env", "env")
    assert done.returncode == 0, done.stderr
    assert "was not compared with one" in done.stderr
    (elsewhere / "pyproject.toml").write_text("")
    assert "was not compared with one" in synced.run("verify", "--env", "env").stderr
    (elsewhere / "pyproject.toml").unlink()
    (elsewhere / "env" / INIT).unlink()
    done = synced.run("verify", "--env", "env", "--fix")
    assert (done.returncode, "error[no-lock]" in done.stderr) == (2, True)
    assert "make it right: tumpline unpack --renew" in synced.run("verify", "--env", "env").stderr
    assert synced.run("unpack", "../image.tar", "env", "--renew").returncode == 0
    assert synced.run("verify", "--env", "env").returncode == 0


@pytest.mark.parametrize("copied", [True, False])
def test_an_environment_that_was_moved_is_not_used(synced: Folder, copied: bool) -> None:
    """Its scripts lead to where it was made: to nothing, or, after a copy, to another environment."""
    old = synced.root
    new = old.with_name("new")
    if copied:
        shutil.copytree(old, new, symlinks=True)
    else:
        old.rename(new)
    synced.root = new
    for command in (("verify", "--target", "here"), ("run", "--target", "here", "--", "tool")):
        done = synced.run(*command)
        assert done.returncode == 1
        assert f"error[environment-moved]: target here: this environment was made in {old}" in done.stderr
    done = synced.run("sync", "--target", "here")
    assert done.returncode == 0, done.stderr
    assert synced.run("run", "--target", "here", "--", "tool").stdout.startswith(f"tool {new}/")
    assert synced.run("verify", "--target", "here").returncode == 0


def test_a_link_to_the_project_is_no_move(synced: Folder) -> None:
    link = synced.root.with_name("link")
    link.symlink_to(synced.root)
    synced.root = link
    assert synced.run("verify", "--target", "here").returncode == 0
    assert synced.run("verify", "--env", str(link / ".tumpline/env/here")).returncode == 0


def test_verify_imports(synced: Folder) -> None:
    assert json.loads(synced.run("verify", "--target", "here", "--import", "--json").stdout)["imports"] == []
    text = "raise ImportError('libcuda.so.1: cannot open shared object file: No such file or directory')"
    bad = make_wheel(synced.wheels, "bad", "1", files={"bad.py": text})
    synced.lock(lock_of(indexed(tiny_pip(synced.wheels)), indexed(bad)))
    synced.run("sync", "--target", "here", "-q")
    done = synced.run("verify", "--target", "here", "--import")
    assert done.returncode == 1
    assert done.stdout.startswith("not imported  bad (bad 1): missing-library: ImportError: libcuda.so.1: ")
    assert "load the module that has libcuda.so.1" in done.stderr


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may look into, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp(prefix="tumpline-users-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


SYSTEM_PYTHON = next((path for path in (f"/usr/bin/python{MINOR}",) if os.access(path, os.X_OK)), "")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to become another user")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv, to become another user")
@pytest.mark.skipif(not SYSTEM_PYTHON, reason=f"needs a Python {MINOR} in /usr/bin, which every user can start")
def test_another_path_and_another_user(open_folder: Path) -> None:
    """Packed by one user in one place, unpacked by another in another: all of it works, and nothing is left to mend."""
    base = open_folder
    folder = Folder(base)
    # No pip in the lock: it is the one that virtualenv carries, the real one.
    packages = [package for package in small_world(folder.wheels).packages if package.name != "pip"]
    folder.lock(lock_of(*packages))
    usual = {"PATH": f"/usr/bin:{variables()['PATH']}"}
    assert folder.run("sync", "--target", "here", "-q", **usual).returncode == 0
    assert folder.run("pack", "--target", "here", "-o", str(base / "image.tar.gz"), **usual).returncode == 0

    theirs = base / "theirs"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    home = {"HOME": str(theirs), "TUMPLINE_CACHE": str(theirs / "cache"), "PATH": "/usr/bin:/bin"}
    # The tool runs on a Python that the other user can start, from where it is installed now.
    bring = f"import sys; sys.path[:0] = {[path for path in sys.path if path]!r}; from tumpline.cli import main; "
    started = [SYSTEM_PYTHON, "-I", "-c", f"{bring}sys.exit(main())"]

    def as_nobody(*words: str | Path) -> subprocess.CompletedProcess[str]:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", *map(str, words)]
        return subprocess.run(command, cwd=theirs, env=home, capture_output=True, text=True, check=False, timeout=120)

    probe = as_nobody(SYSTEM_PYTHON, "-I", "-c", f"{bring}")
    if probe.returncode:
        pytest.skip(f"the other user can not read this installation: {probe.stderr.strip().splitlines()[-1]}")
    done = as_nobody(*started, "unpack", base / "image.tar.gz", theirs / "env")
    assert done.returncode == 0, done.stderr
    place = theirs / "env"
    assert place.resolve().stat().st_uid == 65534
    assert as_nobody(place / "bin" / "tool").stdout == f"tool {place.resolve()}\n"
    assert as_nobody(place / "bin" / "tool-script").stdout == f"script {place.resolve()}\n"
    listed = as_nobody(place / "bin" / "pip", "list", "--format", "json", "--disable-pip-version-check")
    assert {row["name"] for row in json.loads(listed.stdout)} == {"alpha", "tool", "pip"}, listed.stderr
    checked = as_nobody(place / "bin" / "pip", "check")
    assert (checked.returncode, checked.stdout) == (0, "No broken requirements found.\n")
    done = as_nobody(*started, "verify", "--env", place)
    assert done.returncode == 0, done.stderr + done.stdout
    wrong = as_nobody(*started, "unpack", base / "image.tar.gz", "/usr/env")
    assert (wrong.returncode, "error[cannot-write]" in wrong.stderr) == (4, True)
