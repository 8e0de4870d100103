"""Wheels, sdists and folders: on this machine and on a server."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from tests.addresses.conftest import STATIC, Reading
from tests.index.server import Route, Server
from tests.wheelmaker import make_wheel
from tumpline.addresses import PathArtefact, UrlArtefact
from tumpline.addresses.files import portable_path
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.index import IndexFile
from tumpline.values import Name
from tumpline.wheels import parse_wheel_name
from tumpline.wheels.tail import read_wheel_file

LIB = Name("lib")


def sdist(folder: Path, files: dict[str, str], file: str = "lib-1.5.tar.gz", top: str = "lib-1.5") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / file, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size = len(content.encode())
            archive.addfile(entry, io.BytesIO(content.encode()))
    return folder / file


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_wheel_by_path(reading: Reading, root: Path) -> None:
    wheel = make_wheel(root / "vendor", "lib", "1.5", requires=["dep"], tags="cp311-cp311-linux_x86_64")
    found = reading().addressed(LIB, wheel.as_uri())
    record = read_wheel_file(wheel, parse_wheel_name(wheel.name), parts=["RECORD"]).record
    assert found.artefact == PathArtefact(
        f"vendor/{wheel.name}", sha256(wheel), wheel.stat().st_size, hashlib.sha256(record).hexdigest()
    )
    assert (found.tags, found.source, found.metadata.core.requires_dist) == (
        "cp311-cp311-linux_x86_64",
        "path",
        ("dep",),
    )
    assert reading().addressed(LIB, f"{wheel.as_uri()}#sha256={sha256(wheel)}").artefact == found.artefact
    with pytest.raises(EnvironmentFailure) as caught:
        reading().addressed(LIB, f"{wheel.as_uri()}#sha256={'ab' * 32}")
    assert caught.value.code == "wrong-hash"


def test_a_folder_and_an_sdist_by_path(reading: Reading, root: Path, tmp_path: Path) -> None:
    (tmp_path / "lib" / "pkg").mkdir(parents=True)
    (tmp_path / "lib" / "pkg" / "pyproject.toml").write_text(STATIC)
    folder = reading().addressed(LIB, f"{(tmp_path / 'lib').as_uri()}#subdirectory=pkg")
    assert folder.artefact == PathArtefact("../lib/pkg")
    file = sdist(root, {"pyproject.toml": STATIC, "PKG-INFO": "", "more/pyproject.toml": STATIC.replace("1.5", "2")})
    archive = reading().addressed(LIB, file.as_uri())
    assert archive.artefact == PathArtefact(file.name, sha256(file), file.stat().st_size)
    inside = reading().addressed(LIB, f"{file.as_uri()}#subdirectory=more")
    assert inside.metadata.core.version == "2"
    assert folder.metadata == archive.metadata
    # A folder may be changed, and is read again; an archive is what its hash says.
    (tmp_path / "lib" / "pkg" / "pyproject.toml").write_text(STATIC.replace("1.5", "1.6"))
    assert reading().addressed(LIB, f"{(tmp_path / 'lib').as_uri()}#subdirectory=pkg").metadata.core.version == "1.6"


@pytest.mark.parametrize("path", ["absent", "absent.whl", "text.txt", "pipe.whl", "folder.zip"])
def test_nothing_to_install_there(reading: Reading, root: Path, path: str) -> None:
    (root / "text.txt").write_text("x")
    os.mkfifo(root / "pipe.whl")
    (root / "folder.zip").mkdir()
    with pytest.raises(InputError) as caught:
        reading().addressed(LIB, (root / path).as_uri())
    assert caught.value.code == "missing-file"


def test_paths_that_hold_for_every_checkout(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    assert portable_path(root, root / "a" / "b") == "a/b"
    assert portable_path(root, tmp_path / "lib") == "../lib"
    (tmp_path / "link").symlink_to(root)
    assert portable_path(tmp_path / "link", root / "a") == "../project/a"
    for path in (root, tmp_path, tmp_path.parent / "x", Path("/"), root / "-x", root / "a:b"):
        with pytest.raises(InputError) as caught:
            portable_path(root, path)
        assert caught.value.code == "path-not-portable"


def test_a_link_in_a_folder_of_links(tmp_path: Path) -> None:
    (tmp_path / "real" / "project").mkdir(parents=True)
    (tmp_path / "home").symlink_to(tmp_path / "real")
    assert portable_path(tmp_path / "home" / "project", tmp_path / "real" / "lib") == "../lib"


def test_a_wheel_of_a_server(reading: Reading, server: Server, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "wheels", "lib", "1.5+cu118", requires=["dep"])
    name = wheel.name.replace("+", "%2B")
    server.add(f"/x/{name}", Route(wheel.read_bytes(), auth=("me", "pass word")))
    address = f"{server.url.replace('://', '://me:pass%20word@')}/x/{name}"
    found = reading().addressed(LIB, address)
    assert found.artefact == UrlArtefact(f"{server.url}/x/{name}", wheel.name, sha256(wheel), wheel.stat().st_size)
    assert (found.source, found.tags, found.metadata.core.version) == ("url", "py3-none-any", "1.5+cu118")
    # Locked, it is not fetched again, whatever the server has by now.
    count = len(server.requests)
    assert reading(kept={LIB: [found.artefact]}, offline=True).addressed(LIB, address) == found
    assert len(server.requests) == count
    changed = make_wheel(tmp_path / "changed", "lib", "1.5+cu118", requires=["other"])
    server.routes[f"/x/{name}"].body = changed.read_bytes()
    assert reading(kept={LIB: [found.artefact]}).addressed(LIB, address) == found
    # Without a lock to keep, the address is asked anew.
    assert reading().addressed(LIB, address).metadata.core.requires_dist == ("other",)


def test_what_a_server_sends_is_checked(reading: Reading, server: Server, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "lib", "1.5")
    server.add(f"/{wheel.name}", Route(wheel.read_bytes()))
    good = f"{server.url}/{wheel.name}#sha256={sha256(wheel)}"
    assert isinstance(reading().addressed(LIB, good).artefact, UrlArtefact)
    with pytest.raises(EnvironmentFailure) as caught:
        reading().addressed(LIB, f"{server.url}/{wheel.name}#sha256={'ab' * 32}")
    assert caught.value.code == "wrong-hash"
    with pytest.raises(EnvironmentFailure) as caught:
        reading().addressed(LIB, f"{server.url}/gone/{wheel.name}")
    assert caught.value.code == "address-gone"
    with pytest.raises(InputError) as refused:
        reading().addressed(Name("other"), good)
    assert refused.value.code == "address-holds-another"
    server.add("/lib-1-py3-none-any.whl", Route(b"<html>log in first</html>"))
    with pytest.raises(InputError) as refused:
        reading().addressed(LIB, f"{server.url}/lib-1-py3-none-any.whl")
    assert refused.value.code in ("not-a-wheel", "truncated-wheel", "damaged-wheel")
    with pytest.raises(InputError) as refused:
        reading().addressed(LIB, "http://example.invalid/lib-1.zip")
    assert refused.value.code == "insecure-index"


def test_an_archive_of_a_repository(reading: Reading, server: Server, tmp_path: Path) -> None:
    file = sdist(tmp_path, {"pyproject.toml": STATIC}, "main.tar.gz", "lib-main")
    server.add("/me/lib/archive/main.tar.gz", Route(file.read_bytes()))
    found = reading().addressed(LIB, f"{server.url}/me/lib/archive/main.tar.gz")
    assert (found.tags, found.metadata.core.version) == ("", "1.5")
    assert found.artefact == UrlArtefact(
        f"{server.url}/me/lib/archive/main.tar.gz", "main.tar.gz", sha256(file), file.stat().st_size
    )


@pytest.mark.parametrize(
    ("file", "content"),
    [("lib-1.5.tar.gz", b"\x1f\x8b nonsense"), ("lib-1.5.zip", b"PK nonsense"), ("lib-1.5.tar.gz", b"")],
)
def test_broken_archives(reading: Reading, root: Path, file: str, content: bytes) -> None:
    (root / file).write_bytes(content)
    with pytest.raises(InputError) as caught:
        reading().addressed(LIB, (root / file).as_uri())
    assert caught.value.code == "metadata-unreadable"


def test_an_sdist_of_an_index(reading: Reading, tmp_path: Path) -> None:
    file = sdist(tmp_path / "links", {"pyproject.toml": STATIC, "PKG-INFO": "Metadata-Version: 1.0\n"})
    listed = IndexFile(file.name, file.as_uri(), sha256=sha256(file))
    assert reading().sdist(LIB, listed).core.requires_dist == ("dep>=1",)
    other = sdist(tmp_path / "links", {"pyproject.toml": STATIC}, "lib-1.6.tar.gz")
    with pytest.raises(InputError) as caught:
        reading().sdist(LIB, IndexFile(other.name, other.as_uri(), sha256=sha256(other)))
    assert caught.value.code == "wheel-metadata-disagrees"
    dynamic = sdist(tmp_path / "links", {"setup.py": ""}, "lib-1.7.tar.gz")
    with pytest.raises(InputError) as caught:
        reading().sdist(LIB, IndexFile(dynamic.name, dynamic.as_uri()))
    assert caught.value.code == "build-not-allowed"
    assert "lib = { build = true } under [tool.tumpline.packages]" in caught.value.problems[0].hint
