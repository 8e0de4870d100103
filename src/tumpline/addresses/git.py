"""Git repositories, read with the user's own git: which commit a reference is, and a few of its files.

Nothing of a repository is run: no hooks, no filters, no submodules, no LFS; to read metadata nothing is checked out.
git is given commands of ours, in a folder of its own that is thrown away, and none of the transports that run programs.
"""

from __future__ import annotations

import re
import tempfile
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tumpline.addresses.parse import GitAddress
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host.bounded import Bounds, run_bounded
from tumpline.host.process import Completed, last_lines

__all__ = ["Repository"]

_SECONDS = 600.0
_MOST_WRITTEN = 4 << 30
_MOST_READ = 4 << 20
"""Bytes of a file of metadata; `tumpline.project` reads no larger ones either."""

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_SHORT = re.compile(r"[0-9a-f]{4,63}\Z")
_FILE_MODES = ("100644", "100755")

_SAFE = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.symlinks=true"),
    *("-c", "submodule.recurse=false", "-c", "fetch.recurseSubmodules=false"),
    *("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "advice.detachedHead=false"),
)
_OWN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE",
        "GIT_PREFIX", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH", "GIT_CEILING_DIRECTORIES",
        "GIT_TRACE", "GIT_EXTERNAL_DIFF", "GIT_CONFIG", "GIT_TEMPLATE_DIR")  # fmt: skip
"""Variables that tell git of another repository, as inside a hook of one."""

_HEADS_AND_TAGS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


class Repository:
    """One repository behind an address, in a folder that `close` removes; use as a context manager.

    `environ` are the variables of the person, whose settings for git hold: credential helpers, proxies, ssh keys. git
    can ask nobody for a password. All methods raise EnvironmentFailure ``git-failed``, ``program-missing``,
    ``program-hangs`` and ``program-too-large``.
    """

    def __init__(self, address: GitAddress, environ: Mapping[str, str]) -> None:
        self._address = address
        self._scratch = tempfile.TemporaryDirectory(prefix="tumpline-git-", dir=environ.get("TMPDIR"))
        self._folder = Path(self._scratch.name)
        self._environ = {
            **{name: value for name, value in environ.items() if name not in _OWN},
            "GIT_ALLOW_PROTOCOL": "file:https:ssh",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "LC_ALL": "C",
        }
        try:
            self._started(self._folder / "bare", bare=True)
        except BaseException:
            self.close()
            raise
        self._fetched = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was fetched."""
        self._scratch.cleanup()

    def commit(self) -> str:
        """Return the commit that the reference of the address is now; a branch goes before a tag, as with pip.

        Raises InputError ``unknown-reference``.
        """
        reference = self._address.reference
        if _COMMIT.match(reference):
            return reference
        if reference in ("", "HEAD"):
            wanted = ["HEAD"]
        elif reference.startswith("refs/"):
            wanted = [f"{reference}^{{}}", reference]
        else:
            wanted = [f"refs/heads/{reference}", f"refs/tags/{reference}^{{}}", f"refs/tags/{reference}"]
        done = self._git("bare", "ls-remote", "--quiet", "origin", *wanted)
        rows = (line.partition("\t") for line in done.stdout.splitlines())
        found = {name: identity for identity, _, name in rows}
        commit = next((found[name] for name in wanted if name in found), "")
        if not commit and _SHORT.match(reference):
            commit = self._abbreviated(reference)
        if not _COMMIT.match(commit):
            raise InputError.of(
                "unknown-reference",
                f"the repository has no branch, tag or commit {reference or 'HEAD'}",
                where=self._where,
                hint="correct what stands behind the @ of the address, or push it",
            )
        return commit

    def files(self, commit: str, paths: list[str]) -> dict[str, bytes]:
        """Return those of the files that a commit has; links and files of more than 4 MiB count as absent."""
        self._fetch_tree(commit)
        found: dict[str, bytes] = {}
        for path in paths:
            row = self._git("bare", "ls-tree", "-z", "--full-tree", commit, "--", path).stdout
            mode, _, rest = row.partition(" ")
            identity = rest.removeprefix("blob ").partition("\t")[0]
            if mode not in _FILE_MODES or not _COMMIT.match(identity):
                continue
            if int(self._git("bare", "cat-file", "-s", identity).stdout) <= _MOST_READ:
                content = self._git("bare", "cat-file", "blob", identity).stdout
                found[path] = content.encode("utf-8", "surrogateescape")
        return found

    def checkout(self, commit: str) -> Path:
        """Return a folder with the files of a commit and its whole history: some backends take versions from tags."""
        folder = self._folder / "tree"
        self._started(folder, bare=False)
        if self._git("tree", "fetch", "--quiet", "--tags", "origin", commit, check=False).status:
            self._git("tree", "fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*", _HEADS_AND_TAGS[1])
        self._git("tree", "checkout", "--quiet", "--detach", commit)
        return folder

    @property
    def _where(self) -> str:
        return self._address.url or str(self._address.path)

    def _started(self, folder: Path, *, bare: bool) -> None:
        """Make an empty repository whose origin is the address; what is secret is in its settings, not in a command."""
        # Without a template, there are no hooks.
        self._git(".", "init", "--quiet", "--template=", *(["--bare"] if bare else []), folder.name)
        url = self._address.url or (self._address.path or Path()).as_uri()
        settings = f'[remote "origin"]\n\turl = "{_quoted(url)}"\n'
        if self._address.secret:
            token = b64encode(self._address.secret.encode()).decode("ascii")
            settings += f'[http "{_quoted(url)}"]\n\textraHeader = "Authorization: Basic {token}"\n'
        with ((folder if bare else folder / ".git") / "config").open("a", encoding="utf-8") as stream:
            stream.write(settings)

    def _fetch_tree(self, commit: str) -> None:
        """Fetch a commit with its folders, but without the files, where the server can leave them out."""
        if self._fetched == commit:
            return
        less = ("fetch", "--quiet", "--no-tags", "--filter=blob:none")
        if self._git("bare", *less, "--depth=1", "origin", commit, check=False).status:
            # Not every server gives out any commit by its name: then all that has one.
            self._git("bare", *less, "origin", *_HEADS_AND_TAGS)
        self._git("bare", "cat-file", "-e", f"{commit}^{{commit}}")
        self._fetched = commit

    def _abbreviated(self, reference: str) -> str:
        self._git("bare", "fetch", "--quiet", "--no-tags", "--filter=tree:0", "origin", *_HEADS_AND_TAGS)
        found = self._git("bare", "rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}", check=False)
        return found.stdout.strip()

    def _git(self, folder: str, command: str, *words: str, check: bool = True) -> Completed:
        done = run_bounded(
            ["git", "-C", folder, *_SAFE, command, *words],
            Bounds(_SECONDS, self._folder, _MOST_WRITTEN),
            environment=self._environ,
        )
        if check and done.status:
            raise EnvironmentFailure.of(
                "git-failed",
                "git can not get what is asked for by address",
                where=self._where,
                why=last_lines(done.stderr, 5) or f"git {command} ended with status {done.status}",
                hint="check the address, the network and your access: git ls-remote has to work without a question",
            )
        return done


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
