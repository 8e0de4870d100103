"""`tumpline.catalogue.open`, as ``docs/reference/python.md`` has it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import tumpline.catalogue
from tests.catalogue.test_snapshot import FULL, RAW
from tumpline.catalogue.content import Needs, WheelRow
from tumpline.catalogue.encoding import encode
from tumpline.catalogue.writer import write_catalogue
from tumpline.errors import TumplineError
from tumpline.values import Name

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "python.md"


def wheel(name: str, version: str, layer: str, minor: str, *requires: str) -> WheelRow:
    tags = f"cp{minor.replace('.', '')}-cp{minor.replace('.', '')}-linux_x86_64"
    return WheelRow(
        Name(name), version, layer, tags, "", name, (), 1, 0, Needs("", "", "\n".join(requires)), b"\1" * 32
    )


CONTENT = FULL._replace(
    site="narval",
    wheels=(
        wheel("numpy", "1.26.4+computecanada", "v3", "3.11"),
        wheel("numpy", "2.2.2+computecanada", "v3", "3.11"),
        wheel("numpy", "2.2.2+computecanada", "v4", "3.11"),
        wheel("numpy", "2.3.1+computecanada", "v3", "3.12"),
        wheel("numpy", "2.4rc1+computecanada", "v3", "3.12"),
        wheel("pandas", "2.2.3+computecanada", "v3", "3.11", "numpy>=1.26", "pytz"),
        wheel("netcdf4", "1.7.2+computecanada", "v3", "3.11"),
        wheel("pyyaml", "6.0.2+computecanada", "v3", "3.11"),
    ),
    depth="metadata",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "alliance.sqlite"
    write_catalogue(path, CONTENT, encode(CONTENT))
    return path


class TestAnswers:
    def test_names(self, path: Path) -> None:
        with tumpline.catalogue.open(path) as catalogue:
            assert catalogue.names() == ("netcdf4", "numpy", "pandas", "pyyaml")
            assert catalogue.projects("*cdf*") == ("netcdf4",)
            assert catalogue.projects("PyYAML") == ("pyyaml",)
            assert catalogue.projects("nothing*") == ()
            assert catalogue.info.site == "narval"

    def test_wheels(self, path: Path) -> None:
        with tumpline.catalogue.open(str(path)) as catalogue:
            assert [found.version.partition("+")[0] for found in catalogue.wheels("NumPy")] == [
                *("2.4rc1", "2.3.1", "2.2.2", "2.2.2", "1.26.4"),
            ]
            assert catalogue.wheels("nothing") == ()

    @pytest.mark.parametrize(
        ("requirement", "more", "version", "layer"),
        [
            ("numpy", {}, "2.3.1+computecanada", "v3"),
            ("numpy", {"python": "3.11"}, "2.2.2+computecanada", "v4"),
            ("numpy", {"python": "3.11", "layers": ("v3", "v4")}, "2.2.2+computecanada", "v3"),
            ("numpy", {"layers": ("v4",)}, "2.2.2+computecanada", "v4"),
            ("numpy<2", {}, "1.26.4+computecanada", "v3"),
            ("NUMPY==2.4rc1", {}, "2.4rc1+computecanada", "v3"),
        ],
    )
    def test_latest(self, path: Path, requirement: str, more: dict[str, object], version: str, layer: str) -> None:
        with tumpline.catalogue.open(path) as catalogue:
            found = catalogue.latest(requirement, **more)  # type: ignore[arg-type]  # keywords of any kind
        assert found is not None
        assert (found.version, found.layer) == (version, layer)

    def test_the_latest_is_what_metadata_lets_that_python_have(self, tmp_path: Path) -> None:
        wheels = tuple(
            WheelRow(
                Name("pure"), version, "v3", "py3-none-any", "", "pure", (), 1, 0, Needs(python, "", ""), b"\1" * 32
            )
            for version, python in (("2.0", ">=3.12"), ("1.0", ">=3.9"))
        )
        content = CONTENT._replace(wheels=wheels)
        write_catalogue(tmp_path / "pure.sqlite", content, encode(content))
        with tumpline.catalogue.open(tmp_path / "pure.sqlite") as catalogue:
            found = [catalogue.latest("pure", python=python) for python in ("3.11", "3.12", "")]
        assert [each and each.version for each in found] == ["1.0", "2.0", "2.0"]

    def test_no_latest(self, path: Path) -> None:
        with tumpline.catalogue.open(path) as catalogue:
            assert catalogue.latest("numpy", python="3.9") is None
            assert catalogue.latest("nothing") is None
            assert catalogue.requires("nothing") is None
            for nonsense in ("num*", "", "a b c"):
                with pytest.raises(TumplineError) as caught:
                    catalogue.latest(nonsense)
                assert caught.value.code == "bad-search"

    def test_requires(self, path: Path) -> None:
        with tumpline.catalogue.open(path) as catalogue:
            assert catalogue.requires("pandas") == ("numpy>=1.26", "pytz")
            assert catalogue.requires("numpy") == ()

    def test_modules_and_dummies(self, tmp_path: Path) -> None:
        path = tmp_path / "x.tumpline"
        path.write_bytes(RAW)
        with tumpline.catalogue.open(path) as catalogue:
            dummy = catalogue.dummy("PyArrow")
            assert dummy is not None
            assert dummy.module == "arrow"
            assert catalogue.dummy("b") is None
            assert {found.module_version for found in catalogue.modules("pyarrow")} == {"17.0.0", "15.0.1"}
            assert catalogue.requires("listed") is None

    def test_neither(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_text("[project]\n" * 20)
        for name, code in (("x", "not-a-catalogue"), ("nowhere", "catalogue-missing")):
            with pytest.raises(TumplineError) as caught:
                tumpline.catalogue.open(tmp_path / name)
            assert caught.value.code == code

    def test_closed_twice(self, path: Path) -> None:
        catalogue = tumpline.catalogue.open(path)
        catalogue.close()
        catalogue.close()


def test_the_package_is_quick_to_import() -> None:
    """Neither SQLite nor what parses versions is imported before a catalogue is opened."""
    program = "import sys, tumpline.catalogue; print(sorted({'sqlite3', 'packaging', 'json', 'lzma'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_opening_a_file_imports_nothing_of_snapshots(path: Path) -> None:
    program = (
        f"import sys, tumpline.catalogue as c; c.open({str(path)!r}).latest('numpy', python='3.11')\n"
        "print(sorted({'lzma', 'packaging', 'tumpline.catalogue.snapshot'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_examples_of_the_page(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every block of the page in one session; what is behind ``# ->`` is what the line prints."""
    monkeypatch.chdir(path.parent)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    code = "".join(blocks)
    expected = re.findall(r"# -> (.*)", code)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=path.parent)
    assert done.returncode == 0, done.stderr
    assert expected
    assert done.stdout.splitlines() == expected
