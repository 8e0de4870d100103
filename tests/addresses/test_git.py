"""Repositories as real git serves them: what a reference is, what is read, and what is never run or followed."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import pytest

from tests.addresses.conftest import STATIC, GitRepository, Reading, variables
from tests.index.server import Route, Server
from tumpline.addresses import VcsArtefact
from tumpline.addresses.git import Repository
from tumpline.addresses.parse import GitAddress, parse_address
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.values import Name

LIB = Name("lib")


def opened(address: str, **environ: str) -> Repository:
    parsed = parse_address(address)
    assert isinstance(parsed, GitAddress)
    return Repository(parsed, variables(**environ))


def commit_of(address: str) -> str:
    with opened(address) as repository:
        return repository.commit()


def test_references(repository: GitRepository) -> None:
    first = repository.commit({"a": "1"})
    repository.git("tag", "plain")
    repository.git("tag", "--annotate", "--message", "x", "noted")
    repository.git("checkout", "--quiet", "-b", "feature/one")
    second = repository.commit({"a": "2"})
    repository.git("tag", "both", first)
    repository.git("branch", "both", second)
    repository.git("checkout", "--quiet", "main")
    address = repository.address
    assert commit_of(address) == first
    assert commit_of(f"{address}@plain") == first
    assert commit_of(f"{address}@noted") == first
    assert commit_of(f"{address}@feature/one") == second
    assert commit_of(f"{address}@refs/tags/noted") == first
    assert commit_of(f"{address}@{second}") == second
    assert commit_of(f"{address}@{second[:9]}") == second
    assert commit_of(f"{address}@both") == second, "pip takes the branch as well"


def test_an_unknown_reference(repository: GitRepository) -> None:
    repository.commit({"a": "1"})
    for reference in ("nowhere", "abcdef0"):
        with pytest.raises(InputError) as caught:
            commit_of(f"{repository.address}@{reference}")
        assert caught.value.code == "unknown-reference"
        assert reference in caught.value.problems[0].message


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        commit_of(f"git+{(tmp_path / 'nothing').as_uri()}")
    assert caught.value.code == "git-failed"
    assert "does not appear to be a git repository" in caught.value.problems[0].why


def test_git_is_missing(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        opened("git+https://example.org/lib", PATH=str(tmp_path))
    assert caught.value.code == "program-missing"


def test_files_of_any_commit(repository: GitRepository) -> None:
    old = repository.commit({"pyproject.toml": "old", "deep/er/pyproject.toml": "deep", "big": "x" * 5_000_000})
    repository.commit({"pyproject.toml": "new"})
    (repository.folder / "link").symlink_to("/etc/passwd")
    (repository.folder / "folder").mkdir()
    last = repository.commit({"latin": "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), "folder/x": ""})
    with opened(repository.address) as found:
        wanted = ["pyproject.toml", "deep/er/pyproject.toml", "big", "link", "folder", "absent"]
        assert found.files(old, wanted) == {"pyproject.toml": b"old", "deep/er/pyproject.toml": b"deep"}
        assert found.files(last, wanted[:1]) == {"pyproject.toml": b"new"}
        assert found.files(last, ["latin", "link", "folder"]) == {"latin": "ÿ".encode()}


def test_a_commit_that_no_branch_has_any_more(repository: GitRepository) -> None:
    lost = repository.commit({"pyproject.toml": "lost"})
    repository.git("commit", "--amend", "--quiet", "--message", "other")
    repository.git("config", "uploadpack.allowAnySHA1InWant", "false")
    with opened(repository.address) as found:
        # Protocol 2 gives it out; whichever way it goes, there is an answer or a clear failure.
        assert found.files(lost, ["pyproject.toml"]) == {"pyproject.toml": b"lost"}
    with opened(repository.address) as found, pytest.raises(EnvironmentFailure) as caught:
        found.files("ab" * 20, ["pyproject.toml"])
    assert caught.value.code == "git-failed"


def test_nothing_of_a_repository_runs(repository: GitRepository, tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    submodule = f'[submodule "s"]\n\tpath = s\n\turl = ext::sh -c "touch% {sign}"\n'
    commit = repository.commit(
        {
            "pyproject.toml": STATIC,
            ".gitmodules": submodule,
            ".gitattributes": "* filter=evil diff=evil\n",
            ".lfsconfig": "[lfs]\nurl = https://example.invalid\n",
        }
    )
    settings = tmp_path / "settings"
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "post-merge", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {sign}\n")
        (hooks / name).chmod(0o755)
    settings.write_text(
        f'[core]\n\thooksPath = {hooks}\n\tfsmonitor = "touch {sign}"\n[fetch]\n\trecurseSubmodules = true\n'
    )
    with opened(f"{repository.address}@main", GIT_CONFIG_GLOBAL=str(settings), GIT_TEMPLATE_DIR=str(hooks)) as found:
        assert found.files(commit, ["pyproject.toml"]) == {"pyproject.toml": STATIC.encode()}
        tree = found.checkout(commit)
        assert (tree / "pyproject.toml").read_text() == STATIC
        folder = tree.parent
    assert not sign.exists()
    assert not folder.exists(), "what was fetched is removed"


def test_a_person_s_own_repository_is_left_alone(repository: GitRepository, tmp_path: Path) -> None:
    """As inside a hook, where git's variables name the repository that is being committed to."""
    commit = repository.commit({"pyproject.toml": STATIC})
    mine = tmp_path / "mine"
    mine.mkdir()
    own = GitRepository(mine)
    own.git("init", "--quiet")
    own.commit({"x": "y"})
    before = sorted(path.relative_to(mine) for path in mine.rglob("*"))
    environ = {"GIT_DIR": str(mine / ".git"), "GIT_WORK_TREE": str(mine), "GIT_INDEX_FILE": str(mine / ".git/index")}
    with opened(repository.address, **environ) as found:
        assert found.commit() == commit
        found.checkout(commit)
    assert sorted(path.relative_to(mine) for path in mine.rglob("*")) == before


def test_a_password_is_sent_but_is_in_no_command_and_no_message(server: Server) -> None:
    server.add("/lib/info/refs", Route(status=401, headers={"WWW-Authenticate": "Basic"}))
    parsed = GitAddress(f"{server.url}/lib", None, "main", "", "me:secret")
    environ = variables()
    repository = Repository(parsed, environ)
    repository._environ["GIT_ALLOW_PROTOCOL"] = "http"
    with repository, pytest.raises(EnvironmentFailure) as caught:
        repository.commit()
    sent = {request.headers.get("Authorization") for request in server.requests}
    assert f"Basic {base64.b64encode(b'me:secret').decode()}" in sent
    assert "secret" not in str(caught.value.problems)


def test_a_static_commit_is_read_and_kept_in_mind(repository: GitRepository, reading: Reading) -> None:
    commit = repository.commit({"pkg/pyproject.toml": STATIC})
    address = f"{repository.address}@main#subdirectory=pkg"
    found = reading().addressed(LIB, address)
    assert found.artefact == VcsArtefact(commit, path="../lib", reference="main", subdirectory="pkg")
    assert (found.metadata.core.version, found.metadata.core.requires_dist) == ("1.5", ("dep>=1",))
    assert (found.source, found.tags, found.metadata.approximate) == ("vcs", "", "")

    newer = repository.commit({"pkg/pyproject.toml": STATIC.replace("1.5", "1.6")})
    kept = reading(kept={LIB: [found.artefact]}).addressed(LIB, address)
    assert kept == found, "the branch has moved on, and what is locked still holds"
    moved = reading().addressed(LIB, address)
    assert (moved.artefact, moved.metadata.core.version) == (
        VcsArtefact(newer, path="../lib", reference="main", subdirectory="pkg"),
        "1.6",
    )
    other = reading(kept={LIB: [found.artefact]}).addressed(LIB, address.replace("main", "HEAD"))
    assert other.metadata.core.version == "1.6", "another reference is another question"


def test_what_is_locked_needs_no_repository(repository: GitRepository, reading: Reading) -> None:
    repository.commit({"pyproject.toml": STATIC})
    found = reading().addressed(LIB, repository.address)
    repository.folder.rename(repository.folder.with_name("elsewhere"))
    assert reading(kept={LIB: [found.artefact]}, offline=True).addressed(LIB, repository.address) == found


def test_offline(reading: Reading) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        reading(offline=True).addressed(LIB, "git+https://me:secret@example.invalid/lib")
    assert caught.value.code == "offline-not-cached"
    assert "secret" not in str(caught.value.problems)


def test_a_repository_far_from_the_project(reading: Reading, repository: GitRepository) -> None:
    repository.commit({"pyproject.toml": STATIC})
    far = reading.root.parent.parent / f"far-{os.getpid()}"
    with pytest.raises(InputError) as caught:
        reading().addressed(LIB, f"git+{far.as_uri()}")
    assert caught.value.code == "path-not-portable"


def test_what_a_repository_says_is_checked(repository: GitRepository, reading: Reading) -> None:
    for content, code in [
        (STATIC.replace("Lib", "other"), "address-holds-another"),
        (STATIC.replace("1.5", "one"), "metadata-unreadable"),
        ("[project", "not-toml"),
        (STATIC.replace("dep>=1", "dep=1"), "bad-requirement"),
        (f'{STATIC}requires-python = "3"\n', "bad-requires-python"),
        ("", "build-not-allowed"),
    ]:
        commit = repository.commit({"pyproject.toml": content})
        with pytest.raises(InputError) as caught:
            reading().addressed(LIB, f"{repository.address}@{commit}")
        (problem,) = caught.value.problems
        assert problem.code == code
        assert repository.address in problem.where
        assert re.search(r"\S", problem.hint)


def test_paths_in_foreign_metadata_are_not_followed(
    repository: GitRepository, reading: Reading, tmp_path: Path
) -> None:
    (tmp_path / "secret").mkdir()
    repository.commit({"pyproject.toml": STATIC})
    reader = reading()
    lib = reader.addressed(LIB, repository.address)
    for address in ((tmp_path / "secret").as_uri(), f"git+{tmp_path.as_uri()}/secret"):
        with pytest.raises(InputError) as caught:
            reader.addressed(Name("secret"), address, within=lib)
        assert caught.value.code == "address-not-followed"
