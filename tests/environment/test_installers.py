"""The same lock installed by us, by pip and by uv: equal trees, and the same refusals."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.environment.test_against_pip import tree, wheels
from tests.environment.worlds import (
    MINOR,
    indexed,
    installed_record,
    lock_of,
    make_environment,
    python_says,
    sha256_of,
    tiny_pip,
    variables,
)
from tests.wheelmaker import make_wheel
from tumpline.environment.make import InstallerName
from tumpline.environment.sync import SyncReport, SyncSettings
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.lock import Lock, LockedPackage, PathArtefact, Pin


@pytest.fixture(params=["pip", "uv"])
def installer(request: pytest.FixtureRequest) -> InstallerName:
    if request.param == "uv":
        request.getfixturevalue("uv_on_path")
        return "uv"
    return "pip"


def by_path(wheel: Path) -> LockedPackage:
    package = indexed(wheel)
    artefact = PathArtefact(os.path.relpath(wheel), sha256_of(wheel))
    return LockedPackage(package.name, package.version, (Pin("here", package.version, artefact),))


def install(lock: Lock, place: Path, folder: Path, installer: InstallerName) -> SyncReport:
    return make_environment(lock, place, folder, settings=SyncSettings(jobs=2, installer=installer))


def infos(place: Path) -> dict[str, dict[str, tuple[str, str]]]:
    return {
        info.name: {
            path: row
            for path, row in installed_record(info).items()
            # Who installed is the one difference; scripts are worded differently.
            if not path.endswith("/INSTALLER") and not path.startswith("../../../bin/")
        }
        for info in place.glob("lib/*/site-packages/*.dist-info")
        if not info.name.startswith("pip-")
    }


def test_trees_are_equal(tmp_path: Path, installer: InstallerName) -> None:
    files = wheels(tmp_path / "wheels")
    local = make_wheel(tmp_path / "local", "by-path", "1")
    lock = lock_of(*map(indexed, files), by_path(local), roots=["words"])
    places = [tmp_path / "places" / name for name in ("ours", "theirs")]
    install(lock, places[0], tmp_path / "wheels", "tumpline")
    install(lock, places[1], tmp_path / "wheels", installer)
    ours, theirs = (tree(place.resolve(), place / f"lib/python{MINOR}/site-packages") for place in places)
    assert sorted(ours) == sorted(theirs)
    assert [name for name, value in ours.items() if theirs[name] != value] == []
    assert infos(places[0]) == infos(places[1])
    for place in places:
        assert [path.parent.name for path in place.glob("lib/*/site-packages/*/REQUESTED")] == ["words-1.0.dist-info"]
        (said,) = place.glob("lib/*/site-packages/*/direct_url.json")
        assert json.loads(said.read_text())["url"] == local.as_uri()
    (name,) = {path.read_text().strip() for path in places[1].glob("lib/*/site-packages/words*/INSTALLER")}
    assert name == installer


def test_what_ours_refuses_is_refused(tmp_path: Path, installer: InstallerName) -> None:
    folder, place = tmp_path / "wheels", tmp_path / "there" / "env"
    lock = lock_of(*(indexed(make_wheel(folder, name, "1")) for name in ("alpha", "beta")))
    for name in ("alpha", "beta"):
        make_wheel(folder, name, "1", files={f"{name}.py": "import os  # harmful"})
    with pytest.raises(InputError) as caught:
        install(lock, place, folder, installer)
    assert [problem.code for problem in caught.value.problems] == ["wrong-hash"] * 2
    assert list(place.parent.iterdir()) == []


def test_settings_of_the_person_have_no_say(tmp_path: Path, installer: InstallerName) -> None:
    folder, place = tmp_path / "wheels", tmp_path / "there" / "env"
    lock = lock_of(indexed(make_wheel(folder, "alpha", "1")))
    constraint = tmp_path / "constraint.txt"
    constraint.write_text("alpha==2\n")
    environ = variables(
        PIP_CONSTRAINT=str(constraint), PIP_TARGET=str(tmp_path / "astray"), UV_CONSTRAINT=str(constraint),
        UV_LINK_MODE="symlink", UV_CACHE_DIR=str(tmp_path / "cache"), HOME=str(tmp_path / "home"),
    )  # fmt: skip
    settings = SyncSettings(installer=installer)
    assert make_environment(lock, place, folder, environ=environ, settings=settings).changed
    assert list(place.glob("lib/*/site-packages/alpha"))
    # pip asks a compiler for its version, which may leave a file of its own at home.
    assert not [name for name in ("astray", "cache", "home/.cache", "home/.local") if (tmp_path / name).exists()]


def test_pip_that_fails_leaves_nothing(tmp_path: Path) -> None:
    folder, place = tmp_path / "wheels", tmp_path / "there" / "env"
    lock = lock_of(indexed(make_wheel(folder, "alpha", "1", tags="cp27-cp27m-any")))
    with pytest.raises(EnvironmentFailure) as caught:
        install(lock, place, folder, "pip")
    assert caught.value.code == "installer-failed"
    assert "alpha" in caught.value.problems[0].why
    assert list(place.parent.iterdir()) == []


def test_no_uv(tmp_path: Path) -> None:
    lock = lock_of(indexed(tiny_pip(tmp_path)))
    interpreter = tmp_path / "bin"
    interpreter.mkdir()
    environ = variables()
    (interpreter / f"python{MINOR}").symlink_to(shutil.which(f"python{MINOR}", path=environ["PATH"]) or "/nowhere")
    environ["PATH"] = str(interpreter)
    with pytest.raises(EnvironmentFailure) as caught:
        make_environment(lock, tmp_path / "p" / "env", tmp_path, environ=environ, settings=SyncSettings(installer="uv"))
    assert caught.value.code == "no-uv"
    assert list((tmp_path / "p").iterdir()) == []


def test_bytecode_is_the_same_wherever_it_is_made(tmp_path: Path) -> None:
    """It holds in a copy as well, and does not hide a change of its source."""
    folder = tmp_path / "wheels"
    lock = lock_of(indexed(tiny_pip(folder)), indexed(make_wheel(folder, "alpha", "1")))
    places = [tmp_path / name / "env" for name in ("one", "another-longer-name")]
    for place in places:
        assert make_environment(lock, place, folder, settings=SyncSettings(compile=True)).compiled
    compiled = [
        {path.relative_to(place.resolve()): path.read_bytes() for path in place.resolve().rglob("*.pyc")}
        for place in places
    ]
    assert compiled[0]
    assert compiled[0] == compiled[1]
    copy = tmp_path / "copy"
    shutil.copytree(places[0].resolve(), copy, symlinks=True)
    code = (
        "import alpha; print(alpha.__version__, alpha.__spec__.loader.get_code('alpha').co_filename == alpha.__file__)"
    )
    assert python_says(copy, code) == "1 True"
    module = next(copy.glob("lib/*/site-packages/alpha/__init__.py"))
    status = module.stat()
    module.write_text(module.read_text().replace('"1"', '"2"'))
    os.utime(module, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert python_says(copy, "import alpha; print(alpha.__version__)") == "2"


def test_bytecode_can_be_added_later(tmp_path: Path) -> None:
    folder, place = tmp_path / "wheels", tmp_path / "there" / "env"
    lock = lock_of(indexed(tiny_pip(folder)), indexed(make_wheel(folder, "alpha", "1")))
    assert not make_environment(lock, place, folder).compiled
    generation = place.resolve()
    report = make_environment(lock, place, folder, settings=SyncSettings(compile=True))
    assert (report.changed, report.compiled) == (False, True)
    assert place.resolve() == generation
    assert list(place.glob("lib/*/site-packages/alpha/__pycache__/*.pyc"))
    assert make_environment(lock, place, folder).compiled
