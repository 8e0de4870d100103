"""Bytecode of an environment: compiled once, and taken over of the generation before where the source is the same.

The notes beside the environment's record say, for each file of bytecode, of what source it was made and what it was.
Only what still is that is taken over: bytecode is run as it is, and nothing else would tell that it is damaged.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import posixpath
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tumpline.environment.install import current_umask
from tumpline.environment.inventory import read_distributions
from tumpline.environment.layout import Layout
from tumpline.environment.record import BYTECODE_NAME
from tumpline.environment.reuse import Earlier
from tumpline.host.files import write_atomically
from tumpline.host.process import run
from tumpline.host.pythons import without_python_variables

__all__ = ["compile_environment"]

_COMPILE_SECONDS = 3600.0
_HEAD = "tumpline-bytecode 1"
_PIECE = 1 << 20

_WORK = """\
import compileall, functools, importlib.util, os, py_compile, sys
from concurrent.futures import ProcessPoolExecutor
def lacking(folders):
    right = importlib.util.MAGIC_NUMBER + bytes([3, 0, 0, 0])
    for folder in folders:
        for base, names, files in os.walk(folder):
            names[:] = sorted(name for name in names if name != "__pycache__")
            for name in sorted(files):
                path = os.path.join(base, name)
                if name.endswith(".py"):
                    try:
                        with open(importlib.util.cache_from_source(path), "rb") as stream:
                            if stream.read(8) == right:
                                continue
                    except OSError:
                        pass
                    yield path
def main(root, jobs, *folders):
    strip = {"stripdir": root} if sys.version_info >= (3, 9) else {}
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    one = functools.partial(compileall.compile_file, quiet=2, force=True, invalidation_mode=mode, **strip)
    paths = list(lacking(folders))
    if int(jobs) > 1 and len(paths) > 50:
        with ProcessPoolExecutor(int(jobs)) as pool:
            list(pool.map(one, paths, chunksize=4))
    else:
        list(map(one, paths))
    print(sys.implementation.cache_tag)
main(*sys.argv[1:])
"""
"""Run by the environment's Python, of any version: compiles what has no bytecode that is bound to its source."""


class _Note(NamedTuple):
    """What was compiled: the digest of the source as RECORD has it, that of the bytecode, and where this is."""

    source: str
    bytecode: str
    path: str


class _Noted:
    """The content that a file of bytecode must have to be taken over."""

    def __init__(self, sha256: str) -> None:
        self._sha256 = sha256

    def is_same(self, descriptor: int, size: int) -> bool:
        """Whether an open file has it; raises OSError."""
        del size  # the digest says it
        digest = hashlib.sha256()
        while piece := os.read(descriptor, _PIECE):
            digest.update(piece)
        return digest.hexdigest() == self._sha256


def compile_environment(layout: Layout, environ: Mapping[str, str], jobs: int, earlier: Path | None = None) -> None:
    """Write bytecode, in `jobs` processes; files that are not valid Python are no failure, as with pip.

    It is bound to the contents of its sources, not to their times (PEP 552, checked hashes), and names them relative to
    the environment (an import puts the right path in its place): so it is the same wherever and whenever it is made,
    holds in a copy or an unpacked image, and still notices when somebody edits a file. What `earlier`, the generation
    before, has of the same sources is linked, not made again. Raises what `write_atomically` and `run` raise.
    """
    sources = dict(_sources(layout.root))
    kept = dict(_taken_over(sources, earlier, layout.root)) if earlier is not None and os.name == "posix" else {}
    folders = sorted({layout.purelib, layout.platlib})
    done = run(
        [layout.python, "-I", "-c", _WORK, layout.root, str(jobs), *folders],
        environment=without_python_variables(environ),
        timeout=_COMPILE_SECONDS,
    )
    tag = done.stdout.strip()
    lines = [_HEAD]
    for path, digest in sources.items():
        note = kept.get(path) or (_note(layout.root, path, digest, tag) if done.status == 0 else None)
        if note is not None and note.path.isprintable():
            lines.append(" ".join(note))
    write_atomically(Path(layout.root) / BYTECODE_NAME, "\n".join([*lines, ""]).encode())


def _sources(root: str) -> Iterator[tuple[str, str]]:
    """Yield the Python files of the packages and their digests; without those of which packages have several."""
    found: dict[str, str] = {}
    for distribution in read_distributions(root):
        for path, row in distribution.rows.items():
            if row is not None and path.endswith(".py"):
                digest = f"{row.algorithm}={row.digest}"
                found[path] = digest if found.get(path, digest) == digest else ""
    yield from ((path, digest) for path, digest in found.items() if digest)


def _taken_over(sources: Mapping[str, str], earlier: Path, root: str) -> Iterator[tuple[str, _Note]]:
    links = Earlier(str(earlier), root, current_umask())
    for note in _notes(earlier):
        with suppress(ValueError):
            source = importlib.util.source_from_cache(note.path)
            if sources.get(source) == note.source and links.link(f"{root}/{note.path}", _Noted(note.bytecode), False):
                yield source, note


def _notes(folder: Path) -> Iterator[_Note]:
    try:
        head, *lines = (folder / BYTECODE_NAME).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    if head == _HEAD:
        yield from (_Note(*words) for words in (line.split(" ", 2) for line in lines) if len(words) == 3)


def _note(root: str, source: str, digest: str, tag: str) -> _Note | None:
    folder, name = posixpath.split(source)
    path = f"{folder}/__pycache__/{name.removesuffix('.py')}.{tag}.pyc"
    try:
        with open(f"{root}/{path}", "rb") as stream:  # noqa: PTH123 - paths are text here, since there are thousands
            return _Note(digest, hashlib.file_digest(stream, "sha256").hexdigest(), path)
    except OSError:
        return None  # not valid Python, or not in a folder of packages
