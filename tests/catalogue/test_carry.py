"""``catalogue export``, ``import``, ``diff`` and ``info`` as a person or a script meets them."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalogue.test_command import Console, console
from tests.index.server import Route, Server
from tests.wheelmaker import make_wheel
from tumpline.catalogue.age import age_remark
from tumpline.catalogue.snapshot import content_of, pack, unpack
from tumpline.catalogue.store import open_catalogue
from tumpline.lock import Lock, LockedPackage, LockedTarget, Pin, WheelhouseArtefact
from tumpline.lock.file import write_lock
from tumpline.values import Name

__all__ = ["console"]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def lake(console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    """A console whose site ``lake`` is scanned, in a folder of its own."""
    for name in list(os.environ):
        if name.startswith("PIP_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert console("catalogue", "scan", "lake") == 0
    return console


def catalogue_of(console: Console) -> Path:
    return console.cache / "catalogues" / "lake.sqlite"


def exported(console: Console, path: Path, **changes: object) -> Path:
    """Write a snapshot of the lake, changed."""
    with open_catalogue(catalogue_of(console)) as catalogue:
        content = content_of(catalogue)
    path.write_bytes(pack(content._replace(**changes)))  # type: ignore[arg-type]  # keywords of any kind
    return path


class TestExport:
    def test_for_a_script(self, lake: Console) -> None:
        answer = lake.json("catalogue", "export", "lake")
        path = Path(str(answer["file"]))
        info = lake.json("catalogue", "info", "lake")
        assert path.name == f"lake-{info['date']}.tumpline"
        raw = path.read_bytes()
        assert answer == {
            "schema": "tumpline.catalogue-export/1",
            "file": path.name,
            "bytes": len(raw),
            "wheels": 6,
            "site": "lake",
            "grade": "scanned",
            "date": info["date"],
            "identity": info["identity"],
            "sha256": hashlib.sha256(raw).hexdigest(),
        }

    def test_for_a_person_and_again(self, lake: Console) -> None:
        assert lake("catalogue", "export", "lake", "-o", "x") == 0
        first = Path("x").read_bytes()
        assert "lake: 6 wheels, scanned" in lake.err
        assert f"sha256 {hashlib.sha256(first).hexdigest()}" in lake.err
        assert lake.out == ""
        assert lake("catalogue", "export", "--catalogue", catalogue_of(lake), "-o", "x") == 0
        assert Path("x").read_bytes() == first
        assert lake("catalogue", "export", "x", "-o", "y") == 0
        assert Path("y").read_bytes() == first, "a snapshot can be exported, too"

    def test_what_is_no_snapshot_is_kept(self, lake: Console) -> None:
        Path("mine").write_text("[project]")
        for output in ("mine", catalogue_of(lake)):
            before = Path(output).read_bytes()
            assert lake("catalogue", "export", "lake", "-o", output) == 2
            assert "error[not-a-snapshot]" in lake.err
            assert Path(output).read_bytes() == before

    def test_a_name_that_leads_elsewhere(self, lake: Console, tmp_path: Path) -> None:
        path = tmp_path / "c.sqlite"
        lake.json("catalogue", "scan", "lake", "--output", path)
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE about SET value = '../../etc/x' WHERE key = 'site'")
            connection.execute("UPDATE about SET value = '../y' WHERE key = 'date'")
        connection.close()
        before = set(tmp_path.rglob("*"))
        assert lake("catalogue", "export", "--catalogue", path) == 2
        assert "error[not-exportable]" in lake.err
        assert set(tmp_path.rglob("*")) == before


class TestImport:
    def test_to_where_it_is_found(self, lake: Console) -> None:
        lake.json("catalogue", "export", "lake", "-o", "x.tumpline")
        before = catalogue_of(lake).read_bytes()
        catalogue_of(lake).unlink()
        assert lake("catalogue", "import", "x.tumpline") == 0
        assert catalogue_of(lake).read_bytes() == before, "the same file, byte by byte"
        assert f"wrote {catalogue_of(lake)}" in lake.err
        assert lake("catalogue", "scan", "lake") == 0
        assert "nothing has changed" in lake.err, "a scan on top of it reads nothing"

    def test_for_a_script(self, lake: Console) -> None:
        sha256 = lake.json("catalogue", "export", "lake", "-o", "x.tumpline")["sha256"]
        info = lake.json("catalogue", "info", "lake")
        answer = lake.json("catalogue", "import", "x.tumpline", "--sha256", f"sha256:{str(sha256).upper()}")
        was = {key: info[key] for key in ("site", "grade", "date", "identity")}
        assert answer == {
            "schema": "tumpline.catalogue-import/1",
            "file": str(catalogue_of(lake)),
            **was,
            "wheels": 6,
            "sha256": sha256,
            "replaced": was,
        }

    def test_for_another_site_or_a_file(self, lake: Console, tmp_path: Path) -> None:
        path = exported(lake, tmp_path / "x", site="nowhere")
        assert lake("catalogue", "import", path) == 2
        assert "error[unknown-site]" in lake.err
        assert "--output" in lake.err
        assert lake("catalogue", "import", path, "--output", "c.sqlite") == 0
        assert lake.json("catalogue", "info", "c.sqlite")["site"] == "nowhere"
        assert lake("catalogue", "import", path, "--site", "narval") == 2
        assert "error[other-site]" in lake.err
        assert lake("catalogue", "import", path, "--site", "narval", "--force") == 0
        assert (lake.cache / "catalogues" / "alliance.sqlite").is_file()

    def test_a_newer_one_is_kept(self, lake: Console, tmp_path: Path) -> None:
        path = exported(lake, tmp_path / "x", date="2020-01-01")
        before = catalogue_of(lake).read_bytes()
        assert lake("catalogue", "import", path) == 2
        assert "error[better-catalogue-here]" in lake.err
        assert catalogue_of(lake).read_bytes() == before
        assert lake("catalogue", "import", path, "--force") == 0
        assert "replaced the catalogue of lake" in lake.err
        assert lake.json("catalogue", "info", "lake")["date"] == "2020-01-01"

    def test_one_with_fewer_layers_does_not_replace_one_with_more(self, lake: Console, tmp_path: Path) -> None:
        path = tmp_path / "x"
        narrow = lake.root.parent / "narrow.sqlite"
        assert lake("catalogue", "scan", "lake", "--wheelhouse", lake.root / "generic", "--output", narrow) == 0
        assert lake("catalogue", "export", narrow, "-o", path) == 0
        assert lake("catalogue", "import", path) == 2
        assert "the snapshot lacks the layers 2023/v4, 2023/v3" in lake.err
        assert lake("catalogue", "import", path, "--force") == 0

    def test_one_of_days_to_come(self, lake: Console, tmp_path: Path) -> None:
        path = exported(lake, tmp_path / "x", date="2099-01-01")
        assert lake("catalogue", "import", path) == 2
        assert "error[snapshot-of-tomorrow]" in lake.err
        assert lake("catalogue", "import", path, "--force") == 0

    def test_a_scanned_one_is_kept_when_a_list_comes(self, lake: Console, tmp_path: Path) -> None:
        path = exported(lake, tmp_path / "x", grade="listed")
        assert lake("catalogue", "import", path) == 2
        assert "a scanned one would be replaced by a list" in lake.err

    def test_another_file_is_kept_and_a_damaged_catalogue_replaced(self, lake: Console) -> None:
        lake.json("catalogue", "export", "lake", "-o", "x")
        Path("mine").write_text("[project]\n" * 20)
        assert lake("catalogue", "import", "x", "--output", "mine") == 2
        assert "error[not-a-catalogue]" in lake.err
        assert Path("mine").read_text().startswith("[project]")
        path = catalogue_of(lake)
        path.write_bytes(path.read_bytes()[:-100])
        assert lake("catalogue", "import", "x") == 0

    @pytest.mark.parametrize(
        ("words", "code", "status"),
        [
            (["x", "--sha256", "0" * 64], "wrong-digest", 2),
            (["x", "--sha256", "abc"], "bad-digest", 2),
            (["nowhere"], "snapshot-missing", 2),
            (["."], "cannot-read", 4),
            (["mine"], "not-a-snapshot", 2),
            (["cut"], "snapshot-damaged", 2),
            (["http://example.org/x"], "insecure-address", 2),
            (["ftp://example.org/x"], "address-unusable", 2),
            (["https://"], "address-unusable", 2),
            (["https://[::/x"], "address-unusable", 2),
            (["https://lake.invalid/x"], "download-failed", 4),
            (["x", "--output", "/dev/null/x"], "cannot-write", 4),
        ],
    )
    def test_failures(self, lake: Console, words: list[str], code: str, status: int) -> None:
        lake.json("catalogue", "export", "lake", "-o", "x")
        Path("cut").write_bytes(Path("x").read_bytes()[:-1])
        Path("mine").write_text("[project]")
        before = catalogue_of(lake).read_bytes()
        assert lake("catalogue", "import", *words) == status
        assert f"error[{code}]" in lake.err, lake.err
        assert "hint: " in lake.err
        assert catalogue_of(lake).read_bytes() == before


class TestDownload:
    @pytest.fixture
    def raw(self, lake: Console) -> bytes:
        lake.json("catalogue", "export", "lake", "-o", "x")
        return Path("x").read_bytes()

    def test_from_this_machine(self, lake: Console, server: Server, raw: bytes) -> None:
        server.add("/x", Route(raw))
        server.add("/there", Route(redirect="/x"))
        digest = hashlib.sha256(raw).hexdigest()
        assert lake("catalogue", "import", f"{server.url}/there", "--sha256", digest) == 0

    def test_with_a_password_that_is_never_shown(self, lake: Console, server: Server, raw: bytes) -> None:
        server.add("/x", Route(raw, auth=("me", "secret")))
        address = server.url.replace("http://", "http://me:secret@")
        assert lake("catalogue", "import", f"{address}/x?token=hidden") == 0
        for words in (["/x", "--sha256", "0" * 64], ["/nowhere"]):
            assert lake("catalogue", "import", f"{address}{words[0]}?token=hidden", *words[1:]) in (2, 4)
            assert "secret" not in lake.err
            assert "hidden" not in lake.err

    @pytest.mark.parametrize(
        ("route", "code"),
        [
            (Route(status=404), "download-failed"),
            (Route(status=500), "download-failed"),
            (Route(redirect="http://example.org/x"), "insecure-index"),
            (Route(b"<html>log in</html>"), "not-a-snapshot"),
            (Route(b"x" * 5000), "download-too-large"),
            (Route(b"x" * 5000, gzipped=True), "not-a-snapshot"),
        ],
        ids=lambda value: str(value)[:60],
    )
    def test_failures(
        self, lake: Console, server: Server, monkeypatch: pytest.MonkeyPatch, route: Route, code: str
    ) -> None:
        monkeypatch.setattr("tumpline.catalogue.snapshot.LARGEST", 4000)
        server.add("/x", route)
        before = catalogue_of(lake).read_bytes()
        assert lake("catalogue", "import", f"{server.url}/x") in (2, 4)
        assert f"error[{code}]" in lake.err, lake.err
        assert "--offline" not in lake.err
        assert catalogue_of(lake).read_bytes() == before

    def test_plain_http_is_refused_also_of_a_trusted_host(
        self, lake: Console, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PIP_TRUSTED_HOST", "example.org")
        assert lake("catalogue", "import", "http://example.org/x") == 2
        assert "error[insecure-address]" in lake.err
        server.add("/x", Route(redirect="http://example.org/x"))
        assert lake("catalogue", "import", f"{server.url}/x") == 2
        assert "error[insecure-index]" in lake.err


class TestFaults:
    """Whatever happens to an import, the catalogue of before answers, or the new one."""

    def _import(self, path: Path, output: Path, before: str = "") -> list[str]:
        program = (
            f"{before}\nfrom tumpline.cli import main\n"
            f"raise SystemExit(main(['catalogue', 'import', {str(path)!r}, '--output', {str(output)!r}, '--force']))"
        )
        return [sys.executable, "-c", program]

    def test_a_full_disk(self, lake: Console, tmp_path: Path) -> None:
        """A limit on the size of files stands in for the full disk: the writes fail in the same place."""
        path = exported(lake, tmp_path / "x", date="2099-01-01")
        output = catalogue_of(lake)
        before = output.read_bytes()
        limit = (
            "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))"
        )
        done = subprocess.run(self._import(path, output, limit), capture_output=True, text=True, check=False)
        assert (done.returncode, "error[cannot-write]" in done.stderr) == (4, True), done.stderr
        assert output.read_bytes() == before
        assert list(output.parent.iterdir()) == [output], "the scratch file is gone"

    def test_a_full_disk_for_an_export(self, lake: Console) -> None:
        lake.json("catalogue", "export", "lake", "-o", "x")
        before = Path("x").read_bytes()
        program = (
            "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "from tumpline.cli import main\nresource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
            f"raise SystemExit(main(['catalogue', 'export', {str(catalogue_of(lake))!r}, '-o', 'x']))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert (done.returncode, "error[cannot-write]" in done.stderr) == (4, True), done.stderr
        assert Path("x").read_bytes() == before

    def test_killed_at_any_moment(self, lake: Console, tmp_path: Path) -> None:
        path = exported(lake, tmp_path / "x", date="2099-01-01")
        output = catalogue_of(lake)
        moments = 20
        started = time.monotonic()
        subprocess.run(self._import(path, tmp_path / "other.sqlite"), capture_output=True, check=True)
        whole = time.monotonic() - started
        for moment in range(moments):
            with subprocess.Popen(self._import(path, output), stderr=subprocess.DEVNULL) as process:
                time.sleep(whole * moment / moments)
                process.send_signal(signal.SIGKILL)
            with open_catalogue(output) as catalogue:
                assert len(list(catalogue.rows())) == 6

    def test_two_at_once(self, lake: Console, tmp_path: Path) -> None:
        paths = [exported(lake, tmp_path / day, date=day) for day in ("2098-01-01", "2099-01-01")]
        output = catalogue_of(lake)
        processes = [subprocess.Popen(self._import(path, output), stderr=subprocess.DEVNULL) for path in paths * 3]
        while any(process.poll() is None for process in processes):
            with open_catalogue(output) as catalogue:
                assert len(list(catalogue.rows())) == 6
        assert [process.returncode for process in processes] == [0] * 6
        assert list(output.parent.iterdir()) == [output]


def lock_for_lake(console: Console, path: Path, *, site: str = "lake") -> None:
    """Write a lock of three of the lake's wheels; numpy in an older version that is not there any more."""
    with open_catalogue(catalogue_of(console)) as catalogue:
        pandas = catalogue.wheels(Name("pandas"))[0]
        foo = catalogue.wheels(Name("foo-bar"))[0]
    target = LockedTarget(
        *("lake", site, "3.11.5", "linux", "x86_64", "mixed"),
        environment="2023",
        cpu_level="x86-64-v3",
        layers=("2023/v3", "generic"),
        catalogue="sha256:" + "0" * 64,
        catalogue_date="2026-01-01",
        grade="scanned",
    )
    old = WheelhouseArtefact("2023/v3", "numpy-2.1.0+computecanada-cp311-cp311-linux_x86_64.whl", "0" * 64, 10)
    packages = (
        ("foo-bar", "1.0", WheelhouseArtefact(foo.layer, foo.file, "1" * 64, foo.size)),
        ("numpy", "2.1.0", old),
        ("pandas", "2.2.3", WheelhouseArtefact(pandas.layer, pandas.file, pandas.record, pandas.size)),
    )
    write_lock(
        path,
        Lock(
            "0" * 64,
            ">=3.9",
            (target,),
            (Name("pandas"),),
            tuple(
                LockedPackage(Name(name), version, (Pin("lake", f"{version}+computecanada", artefact),))
                for name, version, artefact in packages
            ),
        ),
    )


class TestDiff:
    def test_equal(self, lake: Console) -> None:
        lake.json("catalogue", "export", "lake", "-o", "x.tumpline")
        for words in (["x.tumpline", "lake"], ["lake", "x.tumpline"], ["lake", "lake"]):
            assert lake("catalogue", "diff", *words) == 0
            assert lake.out.splitlines() == [lake.out.splitlines()[0]]
            assert "wheels 0 new, 0 gone" in lake.out

    def test_what_changed(self, lake: Console) -> None:
        lake.json("catalogue", "export", "lake", "-o", "x.tumpline")
        make_wheel(lake.root / "generic", "tqdm", "4.67.1+computecanada")
        next((lake.root / "2023/v3").glob("numpy*cp312*")).unlink()
        lake.json("catalogue", "scan", "lake")
        assert lake("catalogue", "diff", "x.tumpline", "lake") == 1
        lines = lake.out.splitlines()
        assert lines[:2] == ["numpy: -2.2.2", "tqdm: +4.67.1"]
        assert lines[2].endswith("wheels 1 new, 1 gone")
        assert lines[3] == "projects: 1 new, 0 gone"
        assert lake("catalogue", "diff", "x.tumpline", "lake", "--json") == 1
        answer = json.loads(lake.out)
        assert answer["schema"] == "tumpline.catalogue-diff/1"
        assert [(each["kind"], each["file"]) for each in answer["changes"]] == [
            ("gone", "numpy-2.2.2+computecanada-cp312-cp312-linux_x86_64.whl"),
            ("new", "tqdm-4.67.1+computecanada-py3-none-any.whl"),
        ]
        assert (answer["new-projects"], answer["gone-projects"]) == (["tqdm"], [])
        assert answer["before"]["name"] == "x.tumpline"

    def test_a_lock_and_now(self, lake: Console) -> None:
        lock_for_lake(lake, Path("tumpline.lock"))
        assert lake("catalogue", "diff", "tumpline.lock", "lake") == 1
        assert lake.out.splitlines()[:3] == [
            "numpy: 2.1.0 is locked, 2.2.2 is there (lake)",
            "foo-bar: generic/Foo.Bar-1.0+computecanada-py3-none-any.whl is not the wheel that was locked",
            "numpy: 2023/v3/numpy-2.1.0+computecanada-cp311-cp311-linux_x86_64.whl is gone",
        ]
        assert lake.out.splitlines()[3].endswith(
            "1 of your packages has newer wheels; 1 wheel you locked is gone; 1 wheel you locked is not what it was"
        )
        assert lake("catalogue", "diff", "tumpline.lock", "lake", "--json") == 1
        answer = json.loads(lake.out)
        assert answer["lock"]["newer"] == [{"name": "numpy", "locked": "2.1.0", "newest": "2.2.2", "targets": ["lake"]}]
        assert [each["kind"] for each in answer["lock"]["changes"]] == ["changed", "gone"]

    def test_for_a_project(self, lake: Console) -> None:
        lake.json("catalogue", "export", "lake", "-o", "x.tumpline")
        project = Path("project")
        project.mkdir()
        lock_for_lake(lake, project / "tumpline.lock")
        make_wheel(lake.root / "generic", "tqdm", "4.67.1")
        make_wheel(lake.root / "generic", "pandas", "3.0")
        lake.json("catalogue", "scan", "lake")
        assert lake("catalogue", "diff", "x.tumpline", "lake", "--for", "project") == 1
        assert lake.out.splitlines()[0] == "pandas: +3.0"
        assert "tqdm" not in lake.out
        assert "2 of your packages have newer wheels; 1 wheel you locked is gone" in lake.out

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            (["lake", "tumpline.lock"], "lock-comes-first"),
            (["nowhere.lock", "lake"], "no-lock"),
            (["lake", "lake", "--for", "nowhere"], "no-lock"),
            (["nowhere", "lake"], "unknown-site"),
            (["nowhere.tumpline", "lake"], "catalogue-missing"),
            (["other.lock", "lake"], "nothing-to-compare"),
        ],
    )
    def test_failures(self, lake: Console, words: list[str], code: str) -> None:
        lock_for_lake(lake, Path("tumpline.lock"))
        lock_for_lake(lake, Path("other.lock"), site="narval")
        assert lake("catalogue", "diff", *words) == 2
        assert f"error[{code}]" in lake.err
        assert "hint: " in lake.err


class TestInfo:
    def test_of_a_snapshot(self, lake: Console) -> None:
        lake.json("catalogue", "export", "lake", "-o", "x.tumpline")
        whole, packed = lake.json("catalogue", "info", "lake"), lake.json("catalogue", "info", "x.tumpline")
        assert {**whole, "file": ""} == {**packed, "file": ""}
        assert lake.json("catalogue", "info", "--catalogue", "x.tumpline") == packed

    def test_counts(self, lake: Console) -> None:
        info = lake.json("catalogue", "info", "lake")
        assert info["wheels-by-layer"] == {"2023/v4": 1, "2023/v3": 4, "generic": 1}
        assert info["wheels-by-python"] == {"3.11": 5, "3.14": 1}
        assert info["notes"] == {"dummy": 2, "stray": 4}

    def test_an_old_list_is_told(self, lake: Console) -> None:
        path = exported(lake, Path("old.tumpline").absolute(), date="2020-01-01", grade="listed")
        assert lake("catalogue", "info", path) == 0
        assert "note[catalogue-old]: lake: the list is " in lake.err
        answer = lake.json("catalogue", "info", path)
        assert isinstance(answer["remarks"], list)
        assert [remark["code"] for remark in answer["remarks"]] == ["catalogue-old"]
        assert int(str(answer["age-days"])) > 2000
        fresh = exported(lake, Path("fresh.tumpline").absolute(), grade="listed")
        assert lake("catalogue", "info", fresh) == 0
        assert lake.err == ""

    def test_a_catalogue_that_search_takes(self, lake: Console) -> None:
        lake.json("catalogue", "export", "lake", "-o", "x.tumpline")
        assert lake("search", "numpy", "--catalogue", "x.tumpline", "--site", "lake", "--offline") == 0
        assert "numpy" in lake.out


class TestAge:
    @pytest.mark.parametrize(
        ("grade", "day", "on_site", "old"),
        [
            ("listed", "2026-05-17", False, False),
            ("listed", "2026-05-01", False, True),
            ("scanned", "2026-05-01", False, False),
            ("scanned", "2026-10-20", True, False),
            ("scanned", "2026-10-01", True, True),
            ("listed", "2027-05-01", False, False),
            ("listed", "no day", False, False),
        ],
    )
    def test_when_it_matters(self, grade: str, day: str, on_site: bool, old: bool) -> None:
        from datetime import date

        from tests.catalogue.test_snapshot import FULL
        from tumpline.catalogue.encoding import encode
        from tumpline.catalogue.opening import open_content

        content = FULL._replace(grade=grade, date=day)  # type: ignore[arg-type]  # one of the two
        with open_content(content, encode(content), "here") as catalogue:
            remark = age_remark(catalogue.info, date(2026, 11, 10), on_site=on_site)
        assert (remark is not None) is old
        assert remark is None or remark.hint

    def test_unpacked_it_is_as_old_as_before(self, lake: Console) -> None:
        lake.json("catalogue", "export", "lake", "-o", "x.tumpline")
        content, _ = unpack(Path("x.tumpline").read_bytes(), "")
        assert content.date == lake.json("catalogue", "info", "lake")["date"]
