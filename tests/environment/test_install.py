"""One wheel in an environment: what is written, how, and what several wheels do to each other."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment.worlds import MINOR, installed_record, layout_in, record_digest, sha256_of
from tests.wheelmaker import make_wheel
from tumpline.environment.install import Installed, WheelJob, install_wheel, settle_overlaps
from tumpline.environment.layout import first_line
from tumpline.errors import InputError, TumplineError

FILES: dict[str, str | bytes] = {
    "pack/__init__.py": "x = 1\n",
    "pack/caf\u00e9 \u2603.txt": "snow",
    "pack/empty": b"",
    "pack/__pycache__/__init__.cpython-311.pyc": b"stale",
    "Pack_Age-1.0.data/data/share/man/x.1": "man",
    "Pack_Age-1.0.data/headers/x.h": "int x;",
    "Pack_Age-1.0.data/purelib/pure.py": "",
    "Pack_Age-1.0.data/platlib/plat.py": "",
    "Pack_Age-1.0.data/scripts/tool": "#!python -sE\nimport sys; print(sys.argv[1])\n",
    "Pack_Age-1.0.data/scripts/shell": "#!/bin/sh\necho hello\n",
    "Pack_Age-1.0.data/scripts/command": "#!python\nraise SystemExit('the entry point wins')\n",
    "Pack_Age-1.0.dist-info/direct_url.json": "{}",
    "Pack_Age-1.0.dist-info/INSTALLER": "somebody",
    "Pack_Age-1.0.dist-info/RECORD.jws": "signature",
}


def install(folder: Path, root: Path, umask: int = 0o022, **words: object) -> Installed:
    path = make_wheel(
        folder, "Pack.Age", "1.0", files=FILES, entry_points="[console_scripts]\ncommand = pack:x.y [z]\n"
    )
    return install_wheel(
        WheelJob(path, sha256=sha256_of(path), requested=bool(words.get("requested"))), layout_in(root), umask
    )


def test_everything_has_its_place(tmp_path: Path) -> None:
    root = tmp_path / "env"
    result = install(tmp_path, root)
    packages = root / f"lib/python{MINOR}/site-packages"
    info = packages / "Pack_Age-1.0.dist-info"
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    inside = f"lib/python{MINOR}/site-packages"
    assert found == {
        "bin/command",
        "bin/shell",
        "bin/tool",
        f"include/site/python{MINOR}/pack-age/x.h",
        "share/man/x.1",
        *(f"{inside}/{name}" for name in ("pure.py", "plat.py", "pack/__init__.py", "pack/empty")),
        f"{inside}/pack/caf\u00e9 \u2603.txt",
        *(f"{inside}/{info.name}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "INSTALLER", "entry_points.txt")),
    }
    assert (info / "INSTALLER").read_text() == "tumpline\n"
    assert result.files == len(found)
    assert result.size == sum((root / path).stat().st_size for path in found)
    assert result.overlaps == ()


def test_installed_record_is_true(tmp_path: Path) -> None:
    root = tmp_path / "env"
    install(tmp_path, root)
    packages = root / f"lib/python{MINOR}/site-packages"
    rows = installed_record(packages / "Pack_Age-1.0.dist-info")
    assert rows.pop("Pack_Age-1.0.dist-info/RECORD") == ("", "")
    assert {(packages / path).resolve() for path in rows} == {
        path for path in root.rglob("*") if path.is_file() and path.name != "RECORD"
    }
    for path, (digest, size) in rows.items():
        content = (packages / path).read_bytes()
        assert digest == "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        assert int(size) == len(content)


def test_requested(tmp_path: Path) -> None:
    install(tmp_path, tmp_path / "env", requested=True)
    assert [path.read_bytes() for path in (tmp_path / "env").rglob("REQUESTED")] == [b""]


def test_pinned_by_its_record(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "a", "1")
    assert install_wheel(WheelJob(path, record=record_digest(path)), layout_in(tmp_path / "env"), 0o022).files == 5


@pytest.mark.parametrize(
    ("umask", "plain", "wheel_script", "entry_script"),
    [(0o022, 0o644, 0o755, 0o755), (0o077, 0o600, 0o711, 0o755), (0o027, 0o640, 0o751, 0o755)],
)
def test_modes_are_those_that_pip_gives(
    tmp_path: Path, umask: int, plain: int, wheel_script: int, entry_script: int
) -> None:
    before = os.umask(umask)
    try:
        install(tmp_path, tmp_path / "env", umask)
    finally:
        os.umask(before)

    def mode(path: str) -> int:
        return stat.S_IMODE((tmp_path / "env" / path).stat().st_mode)

    assert mode(f"lib/python{MINOR}/site-packages/pack/__init__.py") == plain
    assert mode("bin/shell") == mode("bin/tool") == wheel_script
    assert mode("bin/command") == entry_script


@pytest.mark.parametrize("folder", ["plain", "with space", "with 'quote", "x" * 120 + "/" + "y" * 60])
def test_scripts_start_from_any_folder(tmp_path: Path, folder: str) -> None:
    root = tmp_path / folder
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "python").symlink_to(sys.executable)
    install(tmp_path, root)
    done = subprocess.run([root / "bin" / "tool", "said"], capture_output=True, text=True, check=True)
    assert done.stdout == "said\n"
    assert (root / "bin" / "shell").read_text() == "#!/bin/sh\necho hello\n"
    code = compile((root / "bin" / "command").read_text(), "command", "exec")
    assert "pack" in code.co_names


def test_first_line_is_plain_where_it_can_be() -> None:
    assert first_line("/env/bin/python") == b"#!/env/bin/python\n"


class TestOverlaps:
    def jobs(self, folder: Path, *contents: str) -> list[WheelJob]:
        names = ["aa", "bb", "cc"][: len(contents)]
        wheels = [
            make_wheel(folder, name, "1", files={"shared/__init__.py": text, f"{name}.py": name}, scripts={"run": text})
            for name, text in zip(names, contents, strict=True)
        ]
        return [WheelJob(path) for path in wheels]

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
    def test_the_last_by_name_wins_whatever_was_first(self, tmp_path: Path, order: tuple[int, ...]) -> None:
        jobs = self.jobs(tmp_path, "a", "b", "c")
        layout = layout_in(tmp_path / "env")
        results = [install_wheel(jobs[index], layout, 0o022) for index in order]
        overlaps = settle_overlaps(jobs, results, layout)
        shared = Path(layout.purelib) / "shared" / "__init__.py"
        assert shared.read_text() == "c"
        assert (tmp_path / "env" / "bin" / "run").read_text() == "c"
        assert (tmp_path / "env" / "bin" / "run").stat().st_mode & 0o111
        # Worth a word whoever came first: two of the three lose.
        assert {overlap.path for overlap in overlaps} == {str(shared), str(tmp_path / "env" / "bin" / "run")}
        assert {overlap.winner for overlap in overlaps} == {"cc-1-py3-none-any.whl"}

    def test_the_same_content_is_no_matter(self, tmp_path: Path) -> None:
        jobs = self.jobs(tmp_path, "same", "same")
        layout = layout_in(tmp_path / "env")
        results = [install_wheel(job, layout, 0o022) for job in jobs]
        assert len(results[1].overlaps) == 2
        assert settle_overlaps(jobs, results, layout) == ()

    @pytest.mark.parametrize("path", ["bin/activate", "pyvenv.cfg"])
    def test_the_environment_itself_is_not_overwritten(self, tmp_path: Path, path: str) -> None:
        own = tmp_path / "env" / path
        own.parent.mkdir(parents=True)
        own.write_text("mine")
        wheel = make_wheel(tmp_path, "a", "1", files={"a.py": "", f"a-1.data/data/{path}": "hijacked"})
        layout = layout_in(tmp_path / "env")
        results = [install_wheel(WheelJob(wheel), layout, 0o022)]
        with pytest.raises(InputError) as caught:
            settle_overlaps([WheelJob(wheel)], results, layout)
        assert caught.value.code == "wheel-overwrites-environment"

    def test_a_link_is_not_written_through(self, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        outside.write_text("precious")
        (tmp_path / "env" / "bin").mkdir(parents=True)
        (tmp_path / "env" / "bin" / "python").symlink_to(outside)
        wheels = [make_wheel(tmp_path, name, "1", scripts={"python": "hijacked"}) for name in ("a", "b")]
        jobs = [WheelJob(wheel) for wheel in wheels]
        layout = layout_in(tmp_path / "env")
        settle_overlaps(jobs, [install_wheel(job, layout, 0o022) for job in jobs], layout)
        assert outside.read_text() == "precious"

    def test_a_file_where_another_has_a_folder(self, tmp_path: Path) -> None:
        layout = layout_in(tmp_path / "env")
        install_wheel(WheelJob(make_wheel(tmp_path, "a", "1", files={"thing": ""})), layout, 0o022)
        wheel = make_wheel(tmp_path, "b", "1", files={"thing/x.py": ""})
        with pytest.raises(TumplineError) as caught:
            install_wheel(WheelJob(wheel), layout, 0o022)
        assert caught.value.code == "wheels-collide"

    def test_a_folder_where_another_has_a_file(self, tmp_path: Path) -> None:
        layout = layout_in(tmp_path / "env")
        jobs = [
            WheelJob(make_wheel(tmp_path, "a", "1", files={"thing/x.py": ""})),
            WheelJob(make_wheel(tmp_path, "b", "1", files={"thing": ""})),
        ]
        results = [install_wheel(job, layout, 0o022) for job in jobs]
        with pytest.raises(TumplineError) as caught:
            settle_overlaps(jobs, results, layout)
        assert caught.value.code in ("wheels-collide", "cannot-write")
