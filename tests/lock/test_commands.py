"""`tumpline parity` and `tumpline export` as a person calls them."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lock.samples import NARVAL, SAMPLE, package, pin
from tests.wheelmaker import make_wheel
from tumpline.cli import export_command, main
from tumpline.lock import IndexArtefact, Lock, WheelhouseArtefact
from tumpline.lock.file import write_lock
from tumpline.sites import Platform, Site

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with the sample lock, and we in it."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "example"\nversion = "1"\n', encoding="utf-8")
    write_lock(folder / "tumpline.lock", SAMPLE)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TUMPLINE_CACHE", str(tmp_path / "cache"))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


def test_parity_says_no(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parity"]) == 1
    captured = capsys.readouterr()
    assert captured.out == (GOLDEN / "parity.txt").read_text(encoding="utf-8")
    assert captured.err == ""


def test_parity_says_yes_for_targets_that_agree(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parity", "--target", "narval", "--target", "fir"]) == 0
    assert "laptop" not in capsys.readouterr().out


def test_parity_as_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parity", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == json.loads((GOLDEN / "parity.json").read_text(encoding="utf-8"))


def test_parity_only_differences(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parity", "--only-differences", "--json"]) == 1
    assert [row["name"] for row in json.loads(capsys.readouterr().out)["packages"]] == ["torch"]


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (["parity", "--target", "nibi"], "unknown-target", 2),
        (["export"], "target-needed", 2),
        (["export", "--target", "nibi"], "unknown-target", 2),
        (["export", "--target", "nibi", "--format", "requirements"], "unknown-target", 2),
        (["export", "--target", "fir"], "wheel-unknown", 2),
        (["export", "--target", "narval", "--local"], "not-for-this-format", 2),
        (["export", "--tilde"], "not-for-this-format", 2),
        (["export", "--anywhere"], "not-for-this-format", 2),
        (["export", "--format", "text", "--anywhere"], "not-for-this-format", 2),
        (["export", "--format", "sbom", "--lang", "fr"], "not-for-this-format", 2),
        (["export", "--format", "requirements", "--anywhere", "--local"], "not-for-this-format", 2),
        (["export", "--format", "constraints"], "target-needed", 2),
        (["export", "--format", "text", "--target", "nibi"], "unknown-target", 2),
        (["export", "--target", "narval", "-o", "narval.lock"], "bad-pylock-name", 2),
        (["parity", "--env", "nowhere", "--target", "narval"], "no-environment-there", 2),
        (["parity", "--freeze", "nowhere.txt", "--target", "narval"], "missing-file", 2),
        (["parity", "--freeze", "x.txt", "--target", "narval", "--target", "fir"], "target-needed", 2),
        (["export", "--target", "laptop", "--format", "requirements", "-o", "tumpline.lock/x"], "cannot-write", 4),
    ],
)
def test_what_can_not_be_done(
    words: list[str], code: str, status: int, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == status
    captured = capsys.readouterr()
    assert f"error[{code}]" in captured.err
    assert "hint: " in captured.err
    assert captured.out == ""
    assert sorted(path.name for path in project.iterdir()) == ["pyproject.toml", "tumpline.lock"]


@pytest.mark.parametrize("command", ["parity", "export"])
def test_bad_locks(command: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = project / "tumpline.lock"
    lock.write_bytes(lock.read_bytes()[:1000])
    assert main([command]) == 2
    assert "error[lock-damaged]" in capsys.readouterr().err
    lock.unlink()
    assert main([command]) == 2
    assert "error[no-lock]" in capsys.readouterr().err


def test_a_lock_without_targets(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lock(project / "tumpline.lock", Lock("ab", "", (), (), ()))
    assert main(["export"]) == 2
    assert "error[target-needed]" in capsys.readouterr().err


def test_export_requirements(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", "requirements", "--target", "narval", "--local"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-3:] == [
        "numpy==2.2.2+computecanada",
        "requests==2.32.3",
        "torch==2.6.0+computecanada",
    ]
    assert "left out: pyarrow 17.0.0, which the module arrow/17.0.0 brings" in captured.err
    assert "hashes are left out" in captured.err


def test_export_requirements_to_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", "requirements", "--target", "laptop", "-o", "requirements.txt"]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "wrote requirements.txt\n")
    assert (project / "requirements.txt").read_text(encoding="utf-8").count("--hash=") == 5


@pytest.mark.parametrize("form", ["requirements", "constraints", "poetry", "conda"])
def test_export_for_anywhere(form: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", form, "--anywhere", "-o", "out"]) == 0
    text = (project / "out").read_text(encoding="utf-8")
    assert text.startswith("# What tumpline locked, for anywhere. ")
    assert "computecanada" not in text
    assert "some targets have 2.7.1" in capsys.readouterr().err
    again = (project / "out").read_bytes()
    assert main(["export", "-q", "--format", form, "--anywhere", "-o", "out"]) == 0
    assert (project / "out").read_bytes() == again


def test_export_a_paragraph(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", "text"]) == 0
    told = capsys.readouterr().out
    digest = hashlib.sha256((project / "tumpline.lock").read_bytes()).hexdigest()
    assert "Python 3.11.5 on Narval of the Digital Research Alliance of Canada (" in told
    assert "on a Linux machine" in told
    assert digest in told
    assert main(["export", "--format", "text", "--target", "narval", "--lang", "fr"]) == 0
    assert capsys.readouterr().out.startswith("Les analyses ont été menées avec Python 3.11.5 sur Narval de l’Alliance")


def test_export_a_bill_of_materials(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", "sbom", "--target", "narval"]) == 0
    assert json.loads(capsys.readouterr().out)["metadata"]["component"]["name"] == "example"


def test_parity_with_a_freeze(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    freeze = project / "freeze.txt"
    freeze.write_text("numpy==2.2.2+computecanada\nrequests==2.32.3\ntorch==2.5.1+computecanada\nexample==1\nodd\n")
    assert main(["parity", "--freeze", "freeze.txt", "--target", "narval"]) == 1
    captured = capsys.readouterr()
    assert captured.out == (
        "torch is 2.5.1+computecanada, locked is 2.6.0+computecanada (minor)\nodd is not in the lock\n"
    )
    assert captured.err == (
        "freeze.txt differs from what is locked for narval: 2 the same, 1 of modules, not compared, 1 not in the lock, "
        "1 another minor version\n"
    )
    freeze.write_text("numpy==2.2.2\nrequests==2.32.3\ntorch==2.6.0+computecanada\n")
    assert main(["parity", "--freeze", "freeze.txt", "--target", "narval", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["schema"] == "tumpline.parity-installed/1"
    assert data["summary"] == {"same": 2, "local": 1, "module": 1}
    assert data["packages"][0] == {
        "name": "numpy",
        "locked": "2.2.2+computecanada",
        "found": "2.2.2",
        "state": "local",
        "different": False,
    }


def test_a_freeze_that_can_not_be_read_whole_is_not_the_same(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "freeze.txt").write_text("numpy==2.2.2\nrequests==2.32.3\ntorch==2.6.0\n><\n")
    assert main(["parity", "--freeze", "freeze.txt", "--target", "narval"]) == 1
    assert "error[bad-requirement]: freeze.txt:4" in capsys.readouterr().err


def test_parity_with_an_environment(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packages = project / "env" / "lib" / "python3.12" / "site-packages"
    for name in ("numpy-2.2.2", "requests-2.32.3", "torch-2.6.0", "pip-24.0"):
        (packages / f"{name}.dist-info").mkdir(parents=True)
    assert main(["parity", "--env", "env", "--target", "narval"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "Python is 3.12, and 3.11.5 for narval\n"
    (project / "env" / "pyvenv.cfg").write_text("version = 3.11.5\n")
    assert main(["parity", "--env", "env", "--target", "narval"]) == 0
    assert capsys.readouterr().out == ""


def test_export_pylock(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel of a wheelhouse and one of an index (a folder of find-links), by the real index client."""
    leaf = make_wheel(project.parent / "links", "toy-leaf", "0.3")
    root = make_wheel(project.parent / "wheelhouse" / "generic", "toy-root", "1.0+computecanada", requires=["toy-leaf"])
    with zipfile.ZipFile(root) as archive:
        record = hashlib.sha256(archive.read("toy_root-1.0+computecanada.dist-info/RECORD")).hexdigest()
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (leaf, root)}
    here = replace(NARVAL, name="here", machine=platform.machine(), python="{}.{}".format(*sys.version_info))
    packages = (
        package(
            "toy-leaf", "0.3", pin("here", "0.3", IndexArtefact("find-links-1", leaf.name, None, hashes[leaf.name]))
        ),
        package("toy-root", "1.0", pin("here", "1.0+computecanada", WheelhouseArtefact("generic", root.name, record))),
    )
    write_lock(project / "tumpline.lock", Lock("ab", "", (here,), (), packages))
    site = Site("narval", "", "cluster", Platform("linux", "x86_64", ()), wheelhouse=str(project.parent / "wheelhouse"))
    # A site profile is another room's file; what matters here is the folder that it names.
    monkeypatch.setattr(export_command, "load_site_of", lambda target: site)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(leaf.parent))
    assert main(["export", "-o", "pylock.here.toml"]) == 0
    data = tomllib.loads((project / "pylock.here.toml").read_text(encoding="utf-8"))
    found = [row["wheels"][0] for row in data["packages"]]
    assert [(row["path"], row["hashes"]["sha256"]) for row in found] == [
        (str(leaf), hashes[leaf.name]),
        (str(root), hashes[root.name]),
    ]
    root.unlink()
    assert main(["export"]) == 4
    assert "error[wheel-missing]" in capsys.readouterr().err


def test_every_code_of_the_room_is_documented() -> None:
    documented = (ROOT / "docs" / "reference" / "lock.md").read_text(encoding="utf-8")
    sources = [*(ROOT / "src" / "tumpline" / "lock").glob("*.py"), Path(export_command.__file__)]
    pattern = re.compile(r"(?:\.of|Problem|Staleness)\(\s*\"([a-z-]+)\"")
    codes = {code for path in sources for code in pattern.findall(path.read_text(encoding="utf-8"))}
    assert len(codes) > 15
    assert [code for code in sorted(codes) if f"`{code}`" not in documented] == []
