"""A wheel of the index becomes a wheel of a wheelhouse: every place that states version or tags, together."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from replica.contents import Rewrite
from replica.retag import retag, retagged_name
from tumpline.errors import InputError
from tumpline.wheels import parse_metadata

METADATA = """\
Metadata-Version: 2.1
Name: PyThing
Version: 1.2.0
Summary: A thing
 folded over two lines
Requires-Dist: numpy>=1.22
Requires-Dist: tzdata ; sys_platform == "win32"
Requires-Dist: idna
Provides-Extra: stats

Version: this line is of the description
"""


def make_wheel(folder: Path, *, tags: str = "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64") -> Path:
    info = "pything-1.2.0.dist-info"
    files = {
        "pything/__init__.py": "value = 1\n" * 500,
        "pything/empty.py": "",
        "pything/_vendor/six-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\n",
        "pything/_vendor/six-1.0.dist-info/RECORD": "",
        "pything-1.2.0.data/scripts/thing": "#!python\n",
        f"{info}/licenses/LICENSE": "free\n",
        f"{info}/METADATA": METADATA,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n"
        + "".join(f"Tag: cp311-cp311-{platform}\n" for platform in tags.rpartition("-")[2].split(".")),
        f"{info}/RECORD.jws": "{}",
    }
    lines = [(name, *_digest(text.encode())) for name, text in files.items() if not name.endswith("jws")]
    text = io.StringIO()
    csv.writer(text).writerows([*lines, (f"{info}/RECORD", "", "")])
    wheel = folder / f"pything-1.2.0-{tags}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("pything/"), "")
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2025, 3, 4, 5, 6, 8))
            entry.external_attr = (0o100755 if "scripts" in name else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
        archive.writestr(f"{info}/RECORD", text.getvalue())
    return wheel


def _digest(content: bytes) -> tuple[str, int]:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode(), len(content)


def check_record(wheel: Path) -> None:
    """Every file is in RECORD once, with its digest and size."""
    with zipfile.ZipFile(wheel) as archive:
        record = next(n for n in archive.namelist() if n.endswith(".dist-info/RECORD") and n.count("/") == 1)
        rows = list(csv.reader(io.StringIO(archive.read(record).decode())))
        assert sorted(row[0] for row in rows) == sorted(archive.namelist())
        for name, digest, size in rows:
            if name != record:
                assert (digest, int(size)) == _digest(archive.read(name)), name


@pytest.mark.parametrize(
    ("file", "spelling", "made"),
    [
        (
            "numpy-2.4.2-cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
            "numpy",
            "numpy-2.4.2+computecanada-cp312-cp312-linux_x86_64.whl",
        ),
        (
            "pyyaml-6.0.3-cp311-cp311-manylinux2014_x86_64.whl",
            "PyYAML",
            "PyYAML-6.0.3+computecanada-cp311-cp311-linux_x86_64.whl",
        ),
        ("x-1-cp39-abi3-linux_x86_64.whl", "x", "x-1+computecanada-cp39-abi3-linux_x86_64.whl"),
        ("six-1.17.0-py2.py3-none-any.whl", "six", "six-1.17.0+computecanada-py2.py3-none-any.whl"),
        (
            "torch-2.9.1+cu118-cp311-cp311-linux_x86_64.whl",
            "torch",
            "torch-2.9.1+cu118.computecanada-cp311-cp311-linux_x86_64.whl",
        ),
    ],
)
def test_name(file: str, spelling: str, made: str) -> None:
    assert retagged_name(file, spelling).file == made


@pytest.mark.parametrize(
    "file",
    [
        "x-1-cp311-cp311-win_amd64.whl",
        "x-1-cp311-cp311-manylinux2014_aarch64.whl",
        "x-1-7-cp311-cp311-linux_x86_64.whl",
    ],
)
def test_other_platforms_are_refused(file: str) -> None:
    with pytest.raises(InputError) as caught:
        retagged_name(file, "x")
    assert caught.value.code == "wheel-not-for-replica"
    assert file in str(caught.value)


def test_version_tags_and_record_agree(tmp_path: Path) -> None:
    made = retag(make_wheel(tmp_path), tmp_path, "PyThing")
    assert made.name == "PyThing-1.2.0+computecanada-cp311-cp311-linux_x86_64.whl"
    check_record(made)
    with zipfile.ZipFile(made) as archive:
        assert archive.testzip() is None
        info = "PyThing-1.2.0+computecanada.dist-info"
        assert {name.split("/")[0] for name in archive.namelist()} == {
            "pything",
            "PyThing-1.2.0+computecanada.data",
            info,
        }
        assert archive.namelist()[-1] == f"{info}/RECORD"
        assert f"{info}/licenses/LICENSE" in archive.namelist()
        assert archive.read(f"{info}/WHEEL").decode().splitlines() == [
            "Wheel-Version: 1.0",
            "Root-Is-Purelib: false",
            "Tag: cp311-cp311-linux_x86_64",
        ]
        metadata = archive.read(f"{info}/METADATA").decode()
        assert metadata == METADATA.replace("Version: 1.2.0", "Version: 1.2.0+computecanada")
        script = archive.getinfo("PyThing-1.2.0+computecanada.data/scripts/thing")
        assert (script.external_attr >> 16, script.date_time) == (0o100755, (2025, 3, 4, 5, 6, 8))


def test_every_tag_of_a_set_is_in_wheel(tmp_path: Path) -> None:
    made = retag(make_wheel(tmp_path, tags="py2.py3-none-any"), tmp_path, "pything")
    with zipfile.ZipFile(made) as archive:
        wheel = archive.read("pything-1.2.0+computecanada.dist-info/WHEEL").decode()
    assert [line for line in wheel.splitlines() if line.startswith("Tag")] == ["Tag: py2-none-any", "Tag: py3-none-any"]


def test_requirements_are_rewritten(tmp_path: Path) -> None:
    rewrite = Rewrite("pything", "1.2.0", update=("numpy>=2.0.1", "joblib>=1.2"), remove=("TZdata",))
    made = retag(make_wheel(tmp_path), tmp_path, "pything", rewrite)
    check_record(made)
    with zipfile.ZipFile(made) as archive:
        metadata = parse_metadata(archive.read("pything-1.2.0+computecanada.dist-info/METADATA"))
    assert metadata.requires_dist == ("idna", "numpy>=2.0.1", "joblib>=1.2")
    assert metadata.version == "1.2.0+computecanada"
    assert metadata.extras == ("stats",)


def test_same_wheel_same_bytes(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    once = retag(wheel, tmp_path, "pything").read_bytes()
    assert retag(wheel, tmp_path, "pything").read_bytes() == once


@pytest.mark.parametrize("keep", [10, -30])
def test_damaged_wheel(tmp_path: Path, keep: int) -> None:
    wheel = make_wheel(tmp_path)
    wheel.write_bytes(wheel.read_bytes()[:keep])
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(InputError) as caught:
        retag(wheel, out, "pything")
    assert caught.value.code == "damaged-wheel"
    assert caught.value.problems[0].where == wheel.name
    assert not list(out.iterdir())


def test_wheel_with_a_file_missing_in_record(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("stowaway.py", "")
    with pytest.raises(InputError, match="damaged"):
        retag(wheel, tmp_path, "pything")
