"""An environment that we fill equals one that pip fills, file by file, from the same wheels."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment.worlds import MINOR, indexed, installed_record, lock_of, make_environment, variables
from tests.wheelmaker import make_wheel
from tumpline.wheels import parse_wheel_name

SCRIPTS = "[console_scripts]\nsay = words:say\nsay-more = words:more.loud [extra]\n[gui_scripts]\nshow = words:say\n"


def wheels(folder: Path) -> list[Path]:
    more = "class more:\n    @staticmethod\n    def loud(): print('LOUD')\n"
    return [
        make_wheel(
            folder, "words", "1.0", files={"words.py": f"def say(): print('said')\n{more}"}, entry_points=SCRIPTS
        ),
        make_wheel(
            folder,
            "Data.Files",
            "2.0",
            files={
                "data_files/__init__.py": "",
                "data_files/caf\u00e9.txt": "unicode",
                "Data_Files-2.0.data/data/etc/x.conf": "[x]",
                "Data_Files-2.0.data/headers/x.h": "int x;",
                "Data_Files-2.0.data/platlib/data_files/native.so": b"\x7fELF",
                "Data_Files-2.0.data/scripts/show-prefix": "#!python\nimport sys\nprint(sys.prefix)\n",
                "Data_Files-2.0.data/scripts/plain.sh": "#!/bin/sh\necho plain\n",
                "data_files.pth": "# nothing\n",
            },
        ),
        make_wheel(folder, "platform-one", "3.0", tags=f"cp{MINOR.replace('.', '')}-none-any", requires=["words>=1"]),
        make_wheel(folder, "local.version", "1.0+computecanada", files={"local_version.py": ""}, build="2"),
        make_wheel(folder, "shared-b", "1", files={"shared/__init__.py": "b"}),
        make_wheel(folder, "shared-a", "1", files={"shared/__init__.py": "b"}),
    ]


def tree(root: Path, packages: Path) -> dict[str, tuple[int, bytes]]:
    """Path -> mode and content, without what may differ: who installed, bytecode, pip itself, where it all is."""
    found: dict[str, tuple[int, bytes]] = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if (
            not path.is_file()
            or path.is_symlink()
            or re.search(r"__pycache__|/pip(-[\d.]+\.(dist-info/|virtualenv)|/)|bin/pip", name)
        ):
            continue
        if path.name in ("INSTALLER", "REQUESTED", "RECORD", "tumpline-environment.json", "pyvenv.cfg"):
            continue
        content = path.read_bytes().replace(str(root).encode(), b"ROOT")
        if name in ("bin/say", "bin/say-more", "bin/show"):
            # pip's script and installer's are worded differently; what they do is tried below.
            content = content.partition(b"\n")[0]
        if name.startswith(("bin/activate", "bin/deactivate")):
            continue
        found[name] = stat.S_IMODE(path.stat().st_mode), content
    assert packages.is_dir()
    return found


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    base = tmp_path_factory.mktemp("against-pip")
    files = wheels(base / "wheels")
    theirs = base / "theirs"
    command: list[str | Path] = [sys.executable, "-m", "virtualenv", "-q", "--no-download", "--app-data", base / "a"]
    subprocess.run([*command, "-p", sys.executable, "--no-setuptools", theirs], env=variables(), check=True)
    pip: list[str | Path] = [
        theirs / "bin" / "python",
        "-m",
        "pip",
        "install",
        "-q",
        "--no-index",
        "--no-deps",
        "--no-compile",
    ]
    names = [f"{name.name}=={name.version}" for name in (parse_wheel_name(file.name) for file in files)]
    # By name: a path would leave a direct_url.json behind.
    subprocess.run([*pip, "--find-links", base / "wheels", *names], env=variables(), check=True)
    place = base / "ours"
    make_environment(lock_of(*map(indexed, files), roots=["words"]), place, base / "wheels")
    return place.resolve(), theirs.resolve()


def test_files_modes_and_contents(environments: tuple[Path, Path]) -> None:
    ours, theirs = (tree(root, root / f"lib/python{MINOR}/site-packages") for root in environments)
    assert sorted(ours) == sorted(theirs)
    assert [name for name, value in ours.items() if theirs[name] != value] == []


def test_records(environments: tuple[Path, Path]) -> None:
    def rows(root: Path) -> dict[str, dict[str, tuple[str, str]]]:
        return {
            info.name: {
                path: ("", "") if path.startswith("../../../bin/") else row
                for path, row in installed_record(info).items()
                if not path.endswith(("/INSTALLER", "/REQUESTED", "/direct_url.json"))
            }
            for info in (root / f"lib/python{MINOR}/site-packages").glob("*.dist-info")
            if not info.name.startswith("pip-")
        }

    ours, theirs = map(rows, environments)
    assert ours == theirs


@pytest.mark.parametrize(
    ("command", "said"), [("say", "said"), ("say-more", "LOUD"), ("show", "said"), ("plain.sh", "plain")]
)
def test_scripts(environments: tuple[Path, Path], command: str, said: str) -> None:
    for root in environments:
        done = subprocess.run([root / "bin" / command], env=variables(), check=True, capture_output=True, text=True)
        assert done.stdout == f"{said}\n"


def test_scripts_know_their_environment(environments: tuple[Path, Path]) -> None:
    for root in environments:
        done = subprocess.run([root / "bin" / "show-prefix"], check=True, capture_output=True, text=True)
        assert Path(done.stdout.strip()).resolve() == root


def test_pip_is_at_home(environments: tuple[Path, Path]) -> None:
    """R21: pip lists what is there, finds nothing amiss, and can take a package away."""
    ours, theirs = environments

    def pip(root: Path, *words: str) -> str:
        command = [str(root / "bin" / "pip"), "--disable-pip-version-check", *words]
        done = subprocess.run(command, env=variables(), check=True, capture_output=True, text=True)
        return done.stdout

    assert pip(ours, "list") == pip(theirs, "list")
    assert "local.version 1.0+computecanada" in pip(ours, "list")
    assert "No broken requirements" in pip(ours, "check")
    assert pip(ours, "list", "--not-required").count("words") == 0
    pip(ours, "uninstall", "-y", "Data.Files")
    assert not list(ours.rglob("x.conf")) + list(ours.rglob("show-prefix")) + list(ours.rglob("x.h"))


def test_activate(environments: tuple[Path, Path]) -> None:
    ours, _ = environments
    script = (
        f'source "{ours}/bin/activate" && say && python -c "import sys; print(sys.prefix)" && deactivate && type say'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env=variables(), capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["said", str(ours)]
    assert done.returncode != 0
