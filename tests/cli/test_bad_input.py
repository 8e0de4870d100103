"""Whatever is wrong is told by code, place, reason and remedy; nothing that was there before is lost (R16, R22)."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.world import MINOR, World, snapshot
from tests.index.server import JSON_TYPE, Route, Server
from tests.wheelmaker import make_wheel
from tumpline.lock.file import LOCK_VERSION

ALPHA = "alpha-1.0+computecanada-py3-none-any.whl"
GAMMA = "gamma-1.0-py3-none-any.whl"


def check_refused(world: World, words: str, code: str, status: int, *says: str) -> None:
    """Run a command that must fail, and see that it left everything but its cache as it was."""
    before = snapshot(world.root)
    world.run(*words.split()).refuses(code, status, *says)
    after = snapshot(world.root)
    # What is kept to be faster may come, and so may the folder that environments are made in.
    may = {name for name in after if name.startswith("home/") and not name.endswith(".sqlite")}
    may |= {f"project/{name}" for name in (".tumpline", ".tumpline/.gitignore", ".tumpline/env")} - before.keys()
    assert {name: after[name] for name in after.keys() - may} == {name: before[name] for name in before.keys() - may}


@dataclass(frozen=True)
class Case:
    """What is done to the world, and what a command then says."""

    words: str
    code: str
    status: int
    says: tuple[str, ...] = ()
    do: Callable[[World], object] = lambda world: None


def edited(old: str, new: str) -> Callable[[World], None]:
    return lambda world: world.edit(old, new)


def holding(content: bytes) -> Callable[[World], object]:
    return lambda world: world.pyproject.write_bytes(content)


def without_project(world: World) -> None:
    world.pyproject.unlink()


def project_is_a_folder(world: World) -> None:
    world.pyproject.unlink()
    world.pyproject.mkdir()


NO_PROJECT = ("there is no pyproject.toml", "--project DIR")
PROJECT_CASES = {
    **{
        f"no-project-{command}": Case(words, "no-project", 2, NO_PROJECT, without_project)
        for command, words in {
            "lock": "lock",
            "check": "lock --check",
            "parity": "parity",
            "export": "export --target lake",
            "sync": "sync",
            "run": "run -- true",
        }.items()
    },
    "no-project-there": Case("lock --project ..", "no-project", 2, NO_PROJECT),
    "project-is-a-folder": Case("lock", "no-project", 2, NO_PROJECT, project_is_a_folder),
    "not-toml": Case("lock", "not-toml", 2, ("pyproject.toml:6: ",), edited("[tool.", "[tool[.")),
    "not-toml-at-all": Case("lock", "not-toml", 2, ("pyproject.toml:1: ",), holding(b"\0\1\2PK")),
    "not-utf-8": Case("lock", "not-utf-8", 2, ("pyproject.toml",), holding(b'name = "caf\xe9"\n')),
    "deep-toml": Case("lock", "not-toml", 2, ("pyproject.toml",), holding(b"x = " + b"[" * 100_000)),
    "unknown-site": Case(
        "lock",
        "unknown-site",
        2,
        ("target lake", "'lakee'", "did you mean lake?"),
        edited('site = "lake"', 'site = "lakee"'),
    ),
    "site-that-is-a-path": Case("lock", "bad-value", 2, ("lake.site",), edited('site = "lake"', 'site = "../lake"')),
    "unknown-site-shown": Case("site show narvall", "unknown-site", 2, ("'narvall'", "did you mean narval?")),
    "unknown-site-scanned": Case("catalogue scan ../lake", "unknown-site", 2, ("'../lake'",)),
    "unknown-python": Case(
        "lock",
        "unknown-python",
        2,
        ("target lake: lake has no Python 2.9", MINOR),
        edited(f'"lake"\npython = "{MINOR}"', '"lake"\npython = "2.9"'),
    ),
    "python-as-a-number": Case(
        "lock", "wrong-type", 2, ("lake.python",), edited(f'"lake"\npython = "{MINOR}"', '"lake"\npython = 3.10')
    ),
    "unknown-key": Case(
        "lock",
        "unknown-key",
        2,
        ("pyproject.toml:8: tool.tumpline.targets.lake.pyton", "did you mean python?"),
        edited('"lake"\npython', '"lake"\npyton'),
    ),
    "unknown-environment": Case(
        "lock",
        "unknown-environment",
        2,
        ("target lake", "1999", "2023"),
        edited('"lake"\n', '"lake"\nstdenv = "1999"\n'),
    ),
    "unknown-package": Case(
        "lock",
        "package-unknown",
        3,
        ("nonesuch", "lake: not in the wheelhouse, not on the index", "project.dependencies[0]"),
        edited('"alpha"', '"nonesuch"'),
    ),
    "unknown-version": Case(
        "lock", "not-available", 3, ("alpha", "lake: has only 1.0"), edited('"alpha"', '"alpha>=2"')
    ),
    "bad-requirement": Case(
        "lock", "bad-requirement", 2, ("pyproject.toml:4: project.dependencies[0]",), edited('"alpha"', '"alpha=1"')
    ),
    "no-catalogue-file": Case("lock --catalogue nowhere", "catalogue-missing", 2, ("nowhere",)),
    "no-catalogue-but-text": Case("lock --catalogue pyproject.toml", "not-a-catalogue", 2, ("pyproject.toml",)),
    "no-catalogue-info": Case("catalogue info --catalogue nowhere", "catalogue-missing", 2, ("nowhere",)),
    "upgrade-of-a-stranger": Case("lock --upgrade zeta", "not-in-lock", 2, ("zeta",)),
    "no-lock": Case("sync", "no-lock", 2, ("tumpline lock",), lambda world: world.lock.unlink()),
    "no-environment": Case("run -- true", "no-environment", 1, ("tumpline sync",)),
    "no-environment-of-a-target": Case(
        "run --target laptop -- true", "no-environment", 1, ("tumpline sync --target laptop",)
    ),
    "requires-python": Case(
        "lock",
        "python-excluded",
        2,
        ("target lake: ", "target laptop: ", "project.requires-python says <3", "relax requires-python"),
        edited('version = "0.1"', 'version = "0.1"\nrequires-python = "<3"'),
    ),
    "requires-python-checked": Case(
        "lock --check",
        "python-excluded",
        2,
        ("target lake: ",),
        edited('version = "0.1"', 'version = "0.1"\nrequires-python = "<3"'),
    ),
    "marker-without-an-answer": Case(
        "lock", "bad-requirement", 2, ("os_name ~= ",), edited('"alpha"', "\"alpha; os_name ~= 'x'\"")
    ),
    "no-command": Case("run", "no-command", 2, ("tumpline run -- ",)),
    "unknown-target": Case("sync --target fir", "unknown-target", 2, ("fir", "lake, laptop")),
}


@pytest.mark.parametrize("name", PROJECT_CASES)
def test_projects(world: World, name: str) -> None:
    case = PROJECT_CASES[name]
    case.do(world)
    check_refused(world, case.words, case.code, case.status, *case.says)


def test_all_that_is_wrong_is_told_at_once(world: World) -> None:
    world.edit('"lake"\npython', '"lake"\npyton')
    world.edit('dependencies = ["alpha"', 'dependencies = ["alpha >> 1"')
    done = world.run("lock")
    done.refuses("unknown-key", 2)
    done.refuses("bad-requirement", 2)


@pytest.mark.parametrize("words", ["lock", "lock --check"])
def test_a_target_without_a_catalogue(world: World, words: str) -> None:
    world.catalogue.unlink()
    says = ("target lake: there is no catalogue of lake", "tumpline catalogue scan lake", "--catalogue FILE")
    check_refused(world, words, "no-catalogue", 2, *says)


@pytest.mark.parametrize("content", [b"", b"not a database" * 100, None], ids=["empty", "text", "cut"])
def test_a_catalogue_that_is_none(world: World, content: bytes | None) -> None:
    whole = world.catalogue.read_bytes()
    world.catalogue.write_bytes(whole[: len(whole) // 2] if content is None else content)
    before = snapshot(world.project)
    done = world.run("lock")
    assert done.status == 2
    assert any(f"error[{code}]: " in done.err for code in ("catalogue-damaged", "not-a-catalogue")), done.err
    assert "\nhint: " in done.err
    assert "Traceback" not in done.err
    assert snapshot(world.project) == before


class TestWheelhouses:
    """A wheelhouse that can not be scanned leaves the catalogue that was made before."""

    @staticmethod
    def empty(world: World) -> None:
        for path in world.layer.iterdir():
            path.unlink()

    @staticmethod
    def gone(world: World) -> None:
        shutil.rmtree(world.layer)

    @staticmethod
    def file(world: World) -> None:
        shutil.rmtree(world.layer)
        world.layer.write_bytes(b"")

    @staticmethod
    def dangling(world: World) -> None:
        shutil.rmtree(world.layer)
        world.layer.symlink_to("nowhere")

    @staticmethod
    def loop(world: World) -> None:
        shutil.rmtree(world.layer)
        world.layer.symlink_to(world.layer)

    @pytest.mark.parametrize(
        ("do", "code", "status"),
        [
            ("empty", "empty-wheelhouse", 2),
            ("gone", "layer-missing", 2),
            ("file", "layer-missing", 2),
            ("dangling", "layer-missing", 2),
            ("loop", "layer-unreadable", 4),
        ],
    )
    def test_nothing_to_scan(self, world: World, do: str, code: str, status: int) -> None:
        getattr(self, do)(world)
        check_refused(world, "catalogue scan lake", code, status, str(world.layer.parent))

    @pytest.mark.parametrize(("do", "status"), [("gone", 2), ("file", 2), ("dangling", 2), ("loop", 4)])
    def test_a_folder_that_is_named(self, world: World, do: str, status: int) -> None:
        getattr(self, do)(world)
        code = {2: "layer-missing", 4: "layer-unreadable"}[status]
        check_refused(world, f"catalogue scan lake --wheelhouse {world.layer}", code, status, str(world.layer))

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may list every folder")
    def test_a_folder_that_may_not_be_listed(self, world: World) -> None:
        world.layer.chmod(0)
        try:
            world.run("catalogue", "scan", "lake").refuses("layer-unreadable", 4, str(world.layer))
        finally:
            world.layer.chmod(0o755)

    def test_a_site_without_one(self, world: World) -> None:
        check_refused(world, "catalogue scan linux", "no-wheelhouse", 2, "linux has no wheelhouse", "--wheelhouse DIR")

    def test_a_file_that_is_no_catalogue_is_not_written_over(self, world: World) -> None:
        check_refused(world, "catalogue scan lake --output pyproject.toml", "not-a-catalogue", 2, "pyproject.toml")

    @pytest.mark.parametrize("command", ["catalogue scan lake", "sync --target lake"])
    def test_gone_after_the_lock(self, world: World, command: str) -> None:
        shutil.rmtree(world.layer)
        code, status = ("layer-missing", 2) if "scan" in command else ("no-wheelhouse", 4)
        if "sync" in command:
            shutil.rmtree(world.layer.parent)
        check_refused(world, command, code, status, str(world.layer.parent))


def not_a_wheel(path: Path) -> None:
    path.write_bytes(b"this is text")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def an_empty_file(path: Path) -> None:
    path.write_bytes(b"")


def another_record(path: Path) -> None:
    path.unlink()
    make_wheel(path.parent, "alpha", "1.0+computecanada", files={"alpha.py": "changed"})


def another_name_inside(path: Path) -> None:
    """RECORD is the one that was locked; METADATA, which it vouches for, is not."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            other = content.replace(b"Name: alpha", b"Name: omega") if name.endswith("METADATA") else content
            archive.writestr(name, other)


def another_file_inside(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content + b"\n# more" if name.endswith("__init__.py") else content)


WHEELS: dict[Callable[[Path], None], tuple[str, str]] = {
    not_a_wheel: ("not-a-wheel", "not-a-wheel"),
    an_empty_file: ("truncated-wheel", "truncated-wheel"),
    truncated: ("truncated-wheel", "truncated-wheel"),
    another_name_inside: ("wheel-metadata-disagrees", "wheel-metadata-disagrees"),
    another_record: ("", "wrong-record"),
    another_file_inside: ("", "bad-record"),
}
"""What happens to a wheel -> what a scan notes (nothing: it can not see it), how a sync refuses."""


@pytest.mark.parametrize("spoil", WHEELS, ids=lambda spoil: str(spoil.__name__))
class TestWheels:
    """A wheel of the wheelhouse that is spoiled: a scan notes it and goes on; a sync refuses."""

    def test_scan(self, world: World, spoil: Callable[[Path], None]) -> None:
        code = WHEELS[spoil][0]
        spoil(world.layer / ALPHA)
        done = world.run("catalogue", "scan", "lake", "--json").ok()
        assert [(note["code"], note["file"], note["kind"]) for note in done.data["notes"]] == (
            [(code, ALPHA, "refused")] if code else []
        )
        assert done.data["wheels"] == (1 if code else 2)
        said = world.run("catalogue", "scan", "lake").ok().err
        assert (f"note[{code}]: generic/{ALPHA}: " in said) is bool(code)

    def test_sync(self, world: World, spoil: Callable[[Path], None]) -> None:
        code = WHEELS[spoil][1]
        world.run("sync", "--target", "lake").ok()
        # Another package is asked for, so that a new environment has to be made from the spoiled wheel.
        make_wheel(world.links, "delta", "1.0")
        world.edit('"gamma"', '"delta"')
        world.run("lock").ok()
        spoil(world.layer / ALPHA)
        check_refused(world, "sync --target lake", code, 2, ALPHA)
        python = world.project / ".tumpline" / "env" / "lake" / "bin" / "python"
        subprocess.run([python, "-c", "import alpha, gamma"], env=world.environ, check=True)


def test_a_scan_goes_on_past_strays(world: World) -> None:
    (world.layer / "notes.txt").write_text("")
    (world.layer / "alpha.whl").write_bytes(b"")
    (world.layer / "folder-1.0-py3-none-any.whl").mkdir()
    (world.layer / "gone-1.0-py3-none-any.whl").symlink_to("nowhere")
    done = world.run("catalogue", "scan", "lake", "--json").ok()
    assert {note["file"]: note["code"] for note in done.data["notes"]} == {
        "notes.txt": "not-a-wheel-name",
        "alpha.whl": "not-a-wheel-name",
        "folder-1.0-py3-none-any.whl": "not-a-wheel-name",
        "gone-1.0-py3-none-any.whl": "not-a-wheel-name",
    }
    assert done.data["wheels"] == 2


class TestIndexes:
    """An index that is down, slow, not an index, or serves something else than it says."""

    @pytest.fixture(autouse=True)
    def laptop_only(self, world: World) -> None:
        """A project of one target, which takes everything from the index, with a lock from better days."""
        text = world.pyproject.read_text()
        start, end = text.index("[tool.tumpline.targets.lake]"), text.index("[tool.tumpline.targets.laptop]")
        world.pyproject.write_text(text[:start] + text[end:])
        world.run("lock").ok()

    @staticmethod
    def serve(world: World, server: Server) -> None:
        for path in world.links.iterdir():
            server.page(path.name.partition("-")[0], [server.file(path)])
        world.use_index(server.index)

    def test_down(self, world: World) -> None:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        world.use_index(f"http://127.0.0.1:{port}/simple/")
        check_refused(world, "lock", "index-unreachable", 4, "cannot get an answer from 127.0.0.1", "--offline")

    def test_slow(self, world: World, server: Server) -> None:
        self.serve(world, server)
        server.routes["/simple/alpha/"].delay = 3.0
        world.environ["PIP_TIMEOUT"] = "0.3"
        check_refused(world, "lock", "index-timeout", 4, "gave no answer in 0.3 s", "PIP_TIMEOUT")

    @pytest.mark.parametrize(
        ("route", "code", "says"),
        [
            (Route(b"<html>log in</html>", JSON_TYPE), "index-answer-unreadable", "not a page of a package index"),
            (Route(b'{"meta": {"api-version": "1.0"}, "files"', JSON_TYPE), "index-answer-unreadable", "not a page"),
            (Route(b"[]", JSON_TYPE), "index-answer-unreadable", "not a page of a package index"),
            (Route(b"<form action='/login'>", "text/html"), "index-answer-unreadable", "log-in"),
            (Route(b"GIF89a", "image/gif"), "index-answer-unreadable", "not a page of a package index"),
            (Route(b'{"meta": {"api-version": "2.0"}, "projects": []}', JSON_TYPE), "index-too-new", "version 2.0"),
            (Route(b"who are you", status=401), "index-refuses", "status 401"),
            (Route(b"broken", status=500), "index-fails", "status 500"),
        ],
        ids=["html-for-json", "half-json", "json-list", "log-in", "picture", "version-2", "401", "500"],
    )
    def test_not_an_index(self, world: World, server: Server, route: Route, code: str, says: str) -> None:
        self.serve(world, server)
        server.add("/simple/alpha/", route)
        check_refused(world, "lock", code, 4, f"{server.index}alpha/", says)

    def test_a_file_with_another_hash(self, world: World, server: Server) -> None:
        """The index keeps its word on the page, and serves another file."""
        self.serve(world, server)
        world.run("lock").ok()
        server.routes[f"/files/{GAMMA}"].body = make_wheel(
            world.root / "evil", "gamma", "1.0", files={"x.py": ""}
        ).read_bytes()
        check_refused(world, "sync", "wrong-hash", 4, GAMMA)

    def test_a_page_with_another_hash(self, world: World, server: Server) -> None:
        """The index replaced the file, and its hash on the page too."""
        self.serve(world, server)
        world.run("lock").ok()
        server.page("gamma", [server.file(make_wheel(world.root / "evil", "gamma", "1.0", files={"x.py": ""}))])
        world.environ["TUMPLINE_CACHE"] = str(world.root / "home" / "another-cache")
        check_refused(world, "sync", "file-gone-from-index", 4, GAMMA)

    def test_metadata_that_is_not_the_wheels(self, world: World, server: Server) -> None:
        """What the index says of a wheel is believed for the lock; the wheel itself is looked at before it is used."""
        self.serve(world, server)
        wheel = make_wheel(world.root / "evil", "gamma", "1.0", metadata_name="omega")
        server.page("gamma", [{**server.file(wheel), "core-metadata": True}])
        server.add(f"/files/{GAMMA}.metadata", Route(b"Metadata-Version: 2.1\nName: gamma\nVersion: 1.0\n"))
        world.run("lock").ok()
        check_refused(world, "sync", "wheel-metadata-disagrees", 2, GAMMA)

    def test_insecure(self, world: World) -> None:
        world.use_index("http://index.example/simple/")
        check_refused(world, "lock", "insecure-index", 2, "trusted-host")

    def test_offline_with_an_empty_cache(self, world: World, server: Server) -> None:
        self.serve(world, server)
        check_refused(world, "lock --offline", "offline-not-cached", 4, "alpha", "without --offline")
        assert server.paths() == []

    def test_pip_configuration_that_can_not_be_read(self, world: World) -> None:
        configuration = world.root / "pip.conf"
        configuration.write_text("index-url = before any section")
        world.environ["PIP_CONFIG_FILE"] = str(configuration)
        check_refused(world, "lock", "pip-config-unreadable", 2, str(configuration))

    def test_previous_environment_survives(self, world: World, server: Server) -> None:
        self.serve(world, server)
        world.run("lock").ok()
        world.run("sync").ok()
        make_wheel(world.links, "delta", "1.0")
        self.serve(world, server)
        world.edit('"gamma"', '"delta"')
        world.run("lock").ok()
        del server.routes["/files/delta-1.0-py3-none-any.whl"]
        before = snapshot(world.project)
        done = world.run("sync")
        assert done.status == 4
        assert "error[" in done.err
        assert "Traceback" not in done.err
        assert snapshot(world.project) == before
        assert (
            world.run("run", "--no-check", "--", "python", "-c", "import gamma; print(gamma.__version__)").out
            == "1.0\n"
        )


def test_files_without_a_hash_are_pinned(world: World, server: Server) -> None:
    """A folder states no hash, and an index need not: the lock has one, and a file that changed is refused (R17)."""
    for target in ("lake", "laptop"):
        pins = world.run("export", "--target", target, "--format", "requirements").ok().out
        assert pins.count("--hash=sha256:") == (0 if target == "lake" else 3)
    rows = [{**server.file(path), "hashes": {}} for path in world.links.iterdir()]
    for row in rows:
        server.page(str(row["filename"]).partition("-")[0], [row])
    whole = world.lock.read_text()
    assert whole.count("\nsha256 = ") == 4  # three files, and the lock itself
    world.lock.unlink()
    world.use_index(server.index)
    world.run("lock").ok()
    assert world.lock.read_text().count("\nsha256 = ") == 4
    evil = make_wheel(world.root / "evil", "gamma", "1.0", files={"x.py": ""})
    server.page("gamma", [{**server.file(evil), "hashes": {}}])
    world.environ["TUMPLINE_CACHE"] = str(world.root / "home" / "another-cache")
    check_refused(world, "sync --target laptop", "wrong-hash", 4, GAMMA)


def newer(lock: str) -> str:
    return lock.replace(f'lock-version = "{LOCK_VERSION}"', f'lock-version = "{LOCK_VERSION + 1}"')


def edited_by_hand(lock: str) -> str:
    return lock.replace('"gamma"', '"delta"', 1)


def cut_in_half(lock: str) -> str:
    return lock[: len(lock) // 2]


def emptied(_: str) -> str:
    return ""


def merged(lock: str) -> str:
    return lock.replace("[[package]]", "<<<<<<< ours\n[[package]]\n=======\n[[package]]\n>>>>>>> theirs", 1)


LOCKS: dict[Callable[[str], str], str] = {
    newer: "lock-too-new",
    edited_by_hand: "lock-edited",
    cut_in_half: "lock-damaged",
    emptied: "lock-damaged",
    merged: "lock-damaged",
}
READERS = ("lock --check", "parity", "export --target laptop", "sync", "run -- true")


class TestLocks:
    """A lock that is not as it was written is used by no command; only ``lock`` may write another."""

    @pytest.mark.parametrize("spoil", LOCKS, ids=lambda spoil: str(spoil.__name__))
    def test_readers(self, world: World, spoil: Callable[[str], str]) -> None:
        whole = world.lock.read_text()
        world.lock.write_text(spoil(whole))
        assert world.lock.read_text() != whole
        for words in READERS:
            check_refused(world, words, LOCKS[spoil], 2, str(world.lock))

    def test_a_newer_one_is_not_replaced(self, world: World) -> None:
        world.lock.write_text(newer(world.lock.read_text()))
        check_refused(world, "lock", "lock-too-new", 2, f"lock-version {LOCK_VERSION + 1}", "newer tumpline")

    @pytest.mark.parametrize("spoil", [edited_by_hand, cut_in_half, emptied, merged], ids=lambda spoil: spoil.__name__)
    def test_a_damaged_one_is_made_anew(self, world: World, spoil: Callable[[str], str]) -> None:
        whole = world.lock.read_bytes()
        world.lock.write_text(spoil(whole.decode()))
        done = world.run("lock").ok()
        assert f"note[{LOCKS[spoil]}]: " in done.err
        assert "the lock is made anew" in done.err
        assert world.lock.read_bytes() == whole

    def test_a_damaged_one_stays_where_no_new_one_can_be_made(self, world: World) -> None:
        world.lock.write_text(cut_in_half(world.lock.read_text()))
        world.edit('"gamma"', '"nonesuch"')
        check_refused(world, "lock", "package-unknown", 3)

    def test_a_folder_in_its_place(self, world: World) -> None:
        world.lock.unlink()
        world.lock.mkdir()
        check_refused(world, "sync", "cannot-read", 4, str(world.lock))
        check_refused(world, "lock", "cannot-read", 4, str(world.lock))

    def test_an_outdated_one_is_told(self, world: World) -> None:
        world.edit('"gamma"', '"delta"')
        check_refused(world, "lock --check", "lock-outdated", 1, "new: delta; no longer there: gamma", "tumpline lock")


def a_folder(place: Path) -> None:
    place.mkdir(parents=True)
    (place / "thesis.txt").write_text("four years of work")


def a_file(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("four years of work")


def an_empty_folder(place: Path) -> None:
    place.mkdir(parents=True)


def a_link(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    a_folder(place.with_name("elsewhere"))
    place.symlink_to("elsewhere")


def another_virtualenv(place: Path) -> None:
    subprocess.run([sys.executable, "-m", "virtualenv", "--no-download", "--without-pip", "-q", place], check=True)


class TestEnvironments:
    """Where the environment can not be put, what is there stays."""

    @pytest.mark.parametrize(
        "make", [a_folder, a_file, an_empty_folder, a_link, another_virtualenv], ids=lambda make: str(make.__name__)
    )
    def test_not_ours(self, world: World, make: Callable[[Path], None]) -> None:
        place = world.project / ".tumpline" / "env" / "laptop"
        make(place)
        check_refused(world, "sync", "not-our-environment", 2, str(place), "--env")
        check_refused(world, "run -- true", "not-our-environment", 2, str(place))

    def test_not_ours_at_a_place_of_ones_own(self, world: World) -> None:
        a_folder(world.root / "mine")
        check_refused(world, "sync --env ../mine", "not-our-environment", 2, str(world.root / "mine"), "--env")

    def test_below_a_file(self, world: World) -> None:
        a_file(world.root / "mine")
        check_refused(world, "sync --env ../mine/env", "cannot-write", 4, "--env")

    def test_read_only(self, world: World, small_disk: Path) -> None:
        place = small_disk / "env"
        world.run("sync", "--env", str(place)).ok()
        make_wheel(world.links, "delta", "1.0")
        world.edit('"gamma"', '"delta"')
        world.run("lock").ok()
        remount(small_disk, "ro")
        check_refused(world, f"sync --env {place}", "cannot-write", 4, str(small_disk), "Read-only", "--env")
        assert import_works(world, place, "gamma")

    def test_full(self, world: World, small_disk: Path) -> None:
        place = small_disk / "env"
        world.run("sync", "--env", str(place)).ok()
        make_wheel(world.links, "delta", "1.0", files={"delta.py": "", "delta.bin": os.urandom(2**20)})
        world.edit('"gamma"', '"delta"')
        world.run("lock").ok()
        status = os.statvfs(small_disk)
        remount(small_disk, f"size={(status.f_blocks - status.f_bfree) * status.f_frsize + 2**20}")
        before = snapshot(small_disk)
        check_refused(world, f"sync --env {place}", "disk-full", 4, "untouched", "--env")
        assert snapshot(small_disk) == before
        assert import_works(world, place, "gamma")
        remount(small_disk, "size=64m")
        world.run("sync", "--env", str(place)).ok()
        assert import_works(world, place, "delta")

    def test_a_project_on_a_full_disk_keeps_its_lock(self, world: World, small_disk: Path) -> None:
        shutil.copytree(world.project, small_disk / "project")
        words = ("--project", str(small_disk / "project"))
        make_wheel(world.links, "delta", "1.0")
        pyproject = small_disk / "project" / "pyproject.toml"
        pyproject.write_text(pyproject.read_text().replace('"gamma"', '"delta"'))
        status = os.statvfs(small_disk)
        remount(small_disk, f"size={(status.f_blocks - status.f_bfree) * status.f_frsize}")
        before = snapshot(small_disk)
        world.run("lock", *words).refuses("cannot-write", 4, "tumpline.lock", "No space left")
        assert snapshot(small_disk) == before

    def test_a_home_that_is_read_only(self, world: World, small_disk: Path) -> None:
        """Nothing can be kept, and nothing is lost: what has to be written says so, the rest works."""
        remount(small_disk, "ro")
        world.environ["XDG_CACHE_HOME"] = str(small_disk / ".cache")
        world.run("parity").ok()
        world.run("catalogue", "scan", "lake").refuses("cannot-write", 4, str(small_disk))
        assert sqlite3.connect(world.catalogue).execute("pragma integrity_check").fetchone() == ("ok",)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, which tests make as small as they like, or read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.name == "nt" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs root, to mount a small tmpfs")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], check=False).returncode:
        pytest.skip("a tmpfs can not be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)


def import_works(world: World, place: Path, module: str) -> bool:
    command = [str(place / "bin" / "python"), "-B", "-c", f"import {module}"]
    return subprocess.run(command, env=world.environ, check=False).returncode == 0
