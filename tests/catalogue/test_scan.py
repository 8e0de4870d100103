"""Scans: what they find, what they note, and what they leave alone."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import pytest

from tests.catalogue.sites import FACTS, MODULES, lake, make_wheelhouse
from tests.wheelmaker import make_wheel
from tumpline.catalogue.content import FileNote
from tumpline.catalogue.facts import Facts, SiteFacts
from tumpline.catalogue.scan import ScanReport, scan
from tumpline.catalogue.store import Catalogue, open_catalogue
from tumpline.catalogue.wheelhouse import LocalWheelhouse
from tumpline.errors import TumplineError
from tumpline.host.patience import Patience
from tumpline.sites import Dummy
from tumpline.values import Name

TODAY = date(2026, 11, 23)
Layers = tuple[tuple[str, Path], ...]


class House:
    """A wheelhouse, and the catalogue of it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "wheelhouse"
        self.layers = make_wheelhouse(self.root)
        self.output = folder / "cache" / "lake.sqlite"
        self.pauses: list[float] = []

    def scan(self, *, today: date = TODAY, metadata: bool = True, workers: int | None = 1) -> ScanReport:
        return scan(
            lake(self.root),
            LocalWheelhouse(self.layers, workers, Patience(sleep=self.pauses.append)),
            self.output,
            today=today,
            facts=FACTS,
            metadata=metadata,
        )

    @property
    def wheelhouse(self) -> LocalWheelhouse:
        return LocalWheelhouse(self.layers, 1, Patience(sleep=self.pauses.append))

    def open(self) -> Catalogue:
        return open_catalogue(self.output)

    def failure(self) -> TumplineError:
        with pytest.raises(TumplineError) as caught:
            self.scan()
        return caught.value


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def notes(report: ScanReport) -> dict[str, FileNote]:
    return {note.file: note for note in report.notes}


class TestContent:
    def test_wheels(self, house: House) -> None:
        report = house.scan()
        assert (report.changed, report.read, report.kept, report.gone) == (True, 8, 0, 0)
        with house.open() as catalogue:
            assert catalogue.names() == ("foo-bar", "numpy", "pandas")
            numpy = catalogue.wheels(Name("numpy"))
            assert sorted((wheel.layer, wheel.tags) for wheel in numpy) == [
                ("2023/v3", "cp311-cp311-linux_x86_64"),
                ("2023/v3", "cp312-cp312-linux_x86_64"),
                ("2023/v4", "cp311-cp311-linux_x86_64"),
            ]
            assert {wheel.version for wheel in numpy} == {"2.2.2+computecanada"}
            assert {wheel.requires_python for wheel in numpy} == {">=3.10"}
            assert catalogue.wheels(Name("nothing")) == ()

    def test_every_field_of_a_wheel(self, house: House) -> None:
        house.scan()
        with house.open() as catalogue:
            plain, built = sorted(catalogue.wheels(Name("pandas")), key=lambda wheel: wheel.build)
        path = house.root / "2023/v3" / plain.file
        assert plain.file == "pandas-2.2.3+computecanada-cp311-cp311-linux_x86_64.whl"
        assert plain.size == path.stat().st_size
        assert (plain.requires_dist, plain.extras) == (("numpy>=1.26", "pytz"), ("excel",))
        with zipfile.ZipFile(path) as archive:
            record = archive.read("pandas-2.2.3+computecanada.dist-info/RECORD")
        assert plain.record == hashlib.sha256(record).hexdigest()
        assert built.file == "pandas-2.2.3+computecanada-1-cp311-cp311-linux_x86_64.whl"
        assert (built.build, built.extras) == ("1", ())

    def test_every_file_name_comes_back(self, house: House) -> None:
        house.scan()
        with house.open() as catalogue:
            for name in catalogue.names():
                for wheel in catalogue.wheels(name):
                    assert (house.root / wheel.layer / wheel.file).is_file()

    def test_dummies_are_no_wheels(self, house: House) -> None:
        report = house.scan()
        with house.open() as catalogue:
            assert catalogue.dummy(Name("pyarrow")) == Dummy(Name("pyarrow"), "arrow"), "the profile names the module"
            assert catalogue.dummy(Name("cv2-like")) == Dummy(Name("cv2-like"), "opencv"), "the requirement does"
            assert catalogue.dummy(Name("numpy")) is None
            assert catalogue.wheels(Name("pyarrow")) == ()
            assert len(catalogue.dummies()) == 2
        note = notes(report)["pyarrow-9999+dummy.computecanada-py3-none-any.whl"]
        assert (note.kind, note.code) == ("dummy", "dummy-wheel")

    def test_a_name_with_real_wheels_is_no_dummy(self, house: House) -> None:
        make_wheel(house.root / "generic", "pyarrow", "1.0")
        house.scan()
        with house.open() as catalogue:
            assert catalogue.dummy(Name("pyarrow")) is None
            assert len(catalogue.wheels(Name("pyarrow"))) == 1

    def test_modules_and_pythons_come_from_the_profile(self, house: House) -> None:
        house.scan()
        with house.open() as catalogue:
            assert set(catalogue.modules_for(Name("pyarrow"))) == set(MODULES)
            assert [module.module_version for module in catalogue.modules_for(Name("pyarrow"))] == [
                "15.0.1",
                "17.0.0",
                "17.0.0",
            ]
            assert catalogue.modules_for(Name("numpy")) == ()
            assert catalogue.pythons() == (("2023", "3.11.5"), ("2023", "3.12.4"), ("2026", "3.14.7"))

    def test_info(self, house: House) -> None:
        info = house.scan().info
        assert (info.site, info.grade, info.date, info.wheels, info.projects) == ("lake", "scanned", "2026-11-23", 6, 3)
        assert info.layers == ("2023/v4", "2023/v3", "generic")
        assert info.sources[2] == f"generic: {house.root / 'generic'}"
        assert info.made_by.startswith("tumpline ")

    def test_in_processes_as_in_one(self, tmp_path: Path) -> None:
        root = tmp_path / "w"
        for number in range(1600):
            make_wheel(root, f"p{number % 7}", f"{number}", requires=[f"q{number % 3}"], files={})
        done: list[tuple[int, int]] = []
        reports = [
            scan(
                lake(None),
                LocalWheelhouse((("w", root),), workers),
                tmp_path / f"{workers}.sqlite",
                today=TODAY,
                progress=lambda *counts: done.append(counts),
            )
            for workers in (1, 2)
        ]
        assert reports[0].info.identity == reports[1].info.identity
        assert (tmp_path / "1.sqlite").read_bytes() == (tmp_path / "2.sqlite").read_bytes()
        assert done[-1] == (1600, 1600)


class TestNamesOnly:
    def test_no_wheel_is_opened(self, house: House) -> None:
        for path in house.root.rglob("*.whl"):
            path.write_bytes(b"x")
        report = house.scan(metadata=False)
        assert report.read == 0
        with house.open() as catalogue:
            assert catalogue.depth == "names"
            (foo,) = catalogue.wheels(Name("foo-bar"))
            assert (foo.requires_dist, foo.record, foo.size) == (None, "", 1)
            assert catalogue.dummy(Name("pyarrow")) == Dummy(Name("pyarrow"), "arrow")

    def test_what_was_read_before_is_kept(self, house: House) -> None:
        before = house.scan()
        os.utime(house.root / "generic" / "Foo.Bar-1.0+computecanada-py3-none-any.whl", (1, 1))
        house.scan(metadata=False)
        with house.open() as catalogue:
            assert catalogue.wheels(Name("numpy"))[0].record
            assert not catalogue.wheels(Name("foo-bar"))[0].record
            assert catalogue.depth == "names"
        assert house.scan().info.identity == before.info.identity, "the rest is read now"

    def test_a_deeper_scan_is_not_undone(self, house: House) -> None:
        house.scan()
        assert not house.scan(metadata=False).changed
        with house.open() as catalogue:
            assert catalogue.depth == "metadata"


class TestAgain:
    def test_unchanged_is_not_written(self, house: House) -> None:
        house.scan()
        before = house.output.stat()
        report = house.scan(today=date(2027, 1, 1))
        assert (report.changed, report.read, report.kept) == (False, 0, 6)
        assert house.output.stat().st_mtime_ns == before.st_mtime_ns
        assert house.output.stat().st_ino == before.st_ino
        assert len(report.notes) == 6, "notes are told again"

    def test_only_what_is_new_is_read(self, house: House) -> None:
        house.scan()
        make_wheel(house.root / "generic", "tqdm", "4.67.1")
        gone = next((house.root / "2023/v3").glob("pandas-2.2.3+computecanada-1-*"))
        gone.unlink()
        report = house.scan(today=date(2027, 1, 1))
        # Six of the eight wheels and dummies are still there; one wheel is new, one is gone.
        assert (report.changed, report.read, report.kept, report.gone) == (True, 1, 7, 1)
        assert report.info.date == "2027-01-01"
        with house.open() as catalogue:
            assert len(catalogue.wheels(Name("tqdm"))) == 1
            assert len(catalogue.wheels(Name("pandas"))) == 1
            assert catalogue.dummy(Name("cv2-like")) == Dummy(Name("cv2-like"), "opencv"), "known from before"

    def test_a_replaced_wheel_is_read_again(self, house: House) -> None:
        house.scan()
        make_wheel(house.root / "generic", "foo_bar", "1.0+computecanada", requires=["new"], files={"b.py": "1"})
        (house.root / "generic" / "Foo.Bar-1.0+computecanada-py3-none-any.whl").unlink()
        assert house.scan().read == 1
        with house.open() as catalogue:
            assert catalogue.wheels(Name("foo-bar"))[0].requires_dist == ("new",)

    def test_times_alone_change_neither_identity_nor_day(self, house: House) -> None:
        before = house.scan().info
        for path in house.root.rglob("*.whl"):
            os.utime(path, (1, 1))
        report = house.scan(today=date(2027, 1, 1))
        assert (report.changed, report.read) == (True, 8)
        assert (report.info.identity, report.info.date) == (before.identity, before.date)

    def test_the_order_of_the_directory_does_not_matter(self, house: House, tmp_path: Path) -> None:
        before = house.scan().info
        for _, folder in house.layers:
            files = sorted(folder.glob("*.whl"), reverse=True)
            moved = [file.rename(tmp_path / file.name) for file in files]
            for file in moved:
                file.rename(folder / file.name)
        house.output.unlink()
        assert house.scan().info.identity == before.identity

    @pytest.mark.parametrize("change", ["wheel", "layer", "record", "dummy"])
    def test_content_changes_the_identity(self, house: House, change: str) -> None:
        before = house.scan().info.identity
        generic = house.root / "generic"
        if change == "wheel":
            make_wheel(generic, "tqdm", "4.67.1")
        elif change == "layer":
            file = next((house.root / "2023/v3").glob("numpy*cp312*"))
            file.rename(house.root / "2023/v4" / file.name)
        elif change == "record":
            file = generic / "Foo.Bar-1.0+computecanada-py3-none-any.whl"
            size = file.stat().st_size
            make_wheel(generic, "Foo.Bar", "1.0+computecanada", file_name=file.name, record="x" * 230)
            assert file.stat().st_size != size
        else:
            next(generic.glob("cv2*")).unlink()
        assert house.scan().info.identity != before

    def test_another_profile_is_noticed(self, house: House) -> None:
        house.scan()
        other = scan(lake(None), house.wheelhouse, house.output, today=TODAY, facts=FACTS)
        assert not other.changed, "where the wheelhouse is mounted does not matter"
        changed = scan(
            lake(None), house.wheelhouse, house.output, today=TODAY, facts=SiteFacts.known(Facts(MODULES[:1]))
        )
        assert (changed.changed, changed.read, changed.kept) == (True, 0, 8)
        with house.open() as catalogue:
            assert catalogue.modules_for(Name("pyarrow")) == MODULES[:1]

    def test_facts_are_read_only_where_something_changed(self, house: House) -> None:
        read: list[str] = []

        def again(digest: str) -> bool:
            def facts() -> Facts:
                read.append(digest)
                return Facts(MODULES)

            return scan(lake(None), house.wheelhouse, house.output, today=TODAY, facts=SiteFacts(digest, facts)).changed

        assert [again(digest) for digest in ("one", "one", "two", "two")] == [True, False, True, False]
        assert read == ["one", "two"]


class TestNotes:
    def test_strays(self, house: House) -> None:
        found = notes(house.scan())
        strays = {file for file, note in found.items() if note.kind == "stray"}
        assert strays == {
            "build.log",
            "half-1-py3-none-any.whl.part",
            "old",
            "pyarrow_noinstall-9999+dummy.computecanada.tar.gz",
        }

    def test_odd_entries(self, house: House) -> None:
        generic = house.root / "generic"
        (generic / "folder-1-py3-none-any.whl").mkdir()
        (generic / "dangling-1-py3-none-any.whl").symlink_to(generic / "nowhere")
        (generic / "nonsense.whl").write_bytes(b"")
        (generic / "bell\x07-1-py3-none-any.whl").write_bytes(b"")
        Path(os.fsdecode(os.fsencode(generic) + b"/caf\xe9-1-py3-none-any.whl")).write_bytes(b"")
        os.mkfifo(generic / "pipe-1-py3-none-any.whl")
        found = notes(house.scan())
        assert found["folder-1-py3-none-any.whl"].why == "it is not a regular file"
        assert found["pipe-1-py3-none-any.whl"].why == "it is not a regular file"
        assert found["dangling-1-py3-none-any.whl"].why == "it is a link that leads nowhere"
        assert found["nonsense.whl"].code == "not-a-wheel-name"
        assert "bell\\x07-1-py3-none-any.whl" in found
        assert "caf\\udce9-1-py3-none-any.whl" in found
        assert not house.scan().changed

    def test_links_to_wheels_are_wheels(self, house: House, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path / "elsewhere", "linked", "1")
        (house.root / "generic" / wheel.name).symlink_to(wheel)
        house.scan()
        with house.open() as catalogue:
            assert len(catalogue.wheels(Name("linked"))) == 1

    def test_bad_wheels_are_noted_and_not_read_again(self, house: House) -> None:
        generic = house.root / "generic"
        cut = make_wheel(generic, "cut", "1")
        cut.write_bytes(cut.read_bytes()[:100])
        make_wheel(generic, "liar", "1", metadata_version="2")
        report = house.scan()
        assert (notes(report)[cut.name].kind, notes(report)[cut.name].code) == ("refused", "truncated-wheel")
        assert notes(report)["liar-1-py3-none-any.whl"].code == "wheel-metadata-disagrees"
        with house.open() as catalogue:
            assert catalogue.wheels(Name("cut")) == ()
        make_wheel(generic, "tqdm", "1")
        again = house.scan()
        assert again.read == 1
        assert notes(again)[cut.name].code == "truncated-wheel"
        cut.unlink()
        make_wheel(generic, "cut", "1")
        assert cut.name not in notes(house.scan()), "a repaired wheel is read"

    def test_unreadable_wheels_are_tried_again(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        real = os.pread
        broken = "numpy-2.2.2+computecanada-cp312-cp312-linux_x86_64.whl"

        def pread(descriptor: int, length: int, offset: int) -> bytes:
            if os.path.samestat(os.fstat(descriptor), (house.root / "2023/v3" / broken).stat()):
                raise OSError(5, "Input/output error")
            return real(descriptor, length, offset)

        monkeypatch.setattr(os, "pread", pread)
        first = house.scan()
        assert notes(first)[broken] == FileNote(
            "2023/v3", broken, "unreadable", "unreadable-wheel", "Input/output error", *notes(first)[broken][5:]
        )
        assert first.info.wheels == 5
        monkeypatch.undo()
        second = house.scan()
        assert (second.changed, second.read, second.info.wheels) == (True, 1, 6)
        assert broken not in notes(second)


class TestErrors:
    """A scan that fails leaves the catalogue of before."""

    def test_a_missing_layer(self, house: House) -> None:
        house.layers = (*house.layers, ("2026/v4", house.root / "2026/v4"))
        error = house.failure()
        assert (error.code, error.exit_status) == ("layer-missing", 2)
        assert error.problems[0].where == str(house.root / "2026/v4")
        assert not house.output.exists()

    def test_a_layer_that_is_a_file(self, house: House) -> None:
        house.layers = (("x", house.root / "generic" / "build.log"),)
        assert house.failure().code == "layer-missing"

    def test_a_layer_that_can_not_be_listed(self, house: House) -> None:
        house.scan()
        before = house.output.read_bytes()
        folder = house.root / "loop"
        folder.symlink_to(folder)
        house.layers = (*house.layers, ("loop", folder))
        error = house.failure()
        assert (error.code, error.exit_status) == ("layer-unreadable", 4)
        assert house.output.read_bytes() == before

    def test_an_empty_wheelhouse(self, house: House, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "empty" / "README").touch()
        house.layers = (("empty", tmp_path / "empty"),)
        error = house.failure()
        assert (error.code, error.problems[0].why) == ("empty-wheelhouse", "there is only: README")

    def test_wheels_in_folders_below(self, house: House) -> None:
        house.layers = (("root", house.root),)
        problem = house.failure().problems[0]
        assert problem.code == "empty-wheelhouse"
        assert problem.why == "there is only: 2023, generic"
        assert "in folders below it, give each of these with --wheelhouse, or name the site" in problem.hint

    def test_the_same_layer_twice(self, house: House) -> None:
        house.layers = (*house.layers, house.layers[0])
        assert house.failure().code == "duplicate-layer"

    def test_a_file_that_is_no_catalogue_is_not_overwritten(self, house: House) -> None:
        house.output.parent.mkdir()
        house.output.write_text("[project]\nname = 'mine'\n" * 10)
        assert house.failure().code == "not-a-catalogue"
        assert house.output.read_text().startswith("[project]")

    def test_a_damaged_catalogue_is_replaced(self, house: House) -> None:
        whole = house.scan().info.identity
        house.output.write_bytes(house.output.read_bytes()[:-4096])
        report = house.scan()
        assert "cut short" in report.replaced
        assert (report.changed, report.read, report.info.identity) == (True, 8, whole)

    def test_a_folder_that_can_not_be_written(self, house: House) -> None:
        house.output.parent.write_text("a file where the cache folder should be")
        error = house.failure()
        assert (error.code, error.exit_status) == ("cannot-write", 4)

    def test_output_is_a_folder(self, house: House) -> None:
        house.output.mkdir(parents=True)
        assert house.failure().code == "catalogue-unreadable"

    def test_a_full_disk(self, house: House) -> None:
        """A limit on the size of files stands in for the full disk: the writes fail in the same place."""
        house.scan()
        before = house.output.read_bytes()
        make_wheel(house.root / "generic", "tqdm", "4.67.1")
        program = (
            "import resource, signal, sys; from datetime import date; from pathlib import Path\n"
            "from tests.catalogue.sites import lake\nfrom tumpline.catalogue.scan import scan\n"
            "from tumpline.catalogue.wheelhouse import LocalWheelhouse\n"
            "from tumpline.errors import EnvironmentFailure\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
            "root = Path(sys.argv[1])\n"
            "layers = tuple((name, root / name) for name in ('2023/v4', '2023/v3', 'generic'))\n"
            "try: scan(lake(root), LocalWheelhouse(layers, 1), Path(sys.argv[2]), today=date(2027, 1, 1))\n"
            "except EnvironmentFailure as error: print(error.code)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, house.root, house.output], capture_output=True, text=True, check=True
        )
        assert done.stdout == "cannot-write\n"
        assert house.output.read_bytes() == before
        assert list(house.output.parent.iterdir()) == [house.output], "the scratch file is gone"

    def test_a_killed_scan(self, house: House) -> None:
        house.scan()
        before = house.output.read_bytes()
        for number in range(300):
            make_wheel(house.root / "generic", "tqdm", f"4.{number}", files={})
        program = (
            "import sys; from datetime import date; from pathlib import Path\n"
            "from tests.catalogue.sites import lake\nfrom tumpline.catalogue.scan import scan\n"
            "from tumpline.catalogue.wheelhouse import LocalWheelhouse\n"
            "root = Path(sys.argv[1])\n"
            "layers = tuple((name, root / name) for name in ('2023/v4', '2023/v3', 'generic'))\n"
            "scan(lake(root), LocalWheelhouse(layers, 1), Path(sys.argv[2]), today=date(2027, 1, 1),\n"
            "     progress=lambda done, total: (print(done, flush=True), sys.stdin.read()))\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program, house.root, house.output], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"300\n"
            process.send_signal(signal.SIGKILL)
        assert house.output.read_bytes() == before
        assert house.scan().info.wheels == 306
