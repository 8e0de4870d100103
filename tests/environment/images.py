"""A small environment with everything that knows where it is, and images made by hand, hostile ones among them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from tests.environment.worlds import MINOR, indexed, lock_of, make_environment, tiny_pip, variables
from tests.wheelmaker import make_wheel
from tumpline.environment.compression import Compression, frame
from tumpline.environment.image import Head, Part, encode_head, read_image
from tumpline.environment.inventory import is_own
from tumpline.environment.pack import PackReport, PackSettings, pack
from tumpline.environment.record import EnvironmentRecord, read_record
from tumpline.environment.tarstream import END, Member, header_of, padding
from tumpline.lock import Lock

PACKAGES = f"lib/python{MINOR}/site-packages"

Entry = tuple[Member, bytes]


def small_world(folder: Path) -> Lock:
    """A lock of packages with scripts of both kinds, data outside of the packages, a long and a foreign name."""
    tool = make_wheel(
        folder,
        "tool",
        "1.0",
        files={
            "tool/__init__.py": "import sys\n\ndef main():\n    print('tool', sys.prefix)\n",
            f"tool/{'long' * 30}.py": "x = 1\n",
            "tool/données.txt": "é",
            "tool/broken.py": "def (:\n",
            "tool-1.0.data/data/share/tool/settings.json": '{"a": 1}',
        },
        entry_points={"console_scripts": {"tool": "tool:main"}},
        scripts={
            "tool-script": "#!python\nimport sys\nprint('script', sys.prefix)\n",
            "tool.sh": "#!/bin/sh\necho sh\n",
        },
    )
    return lock_of(indexed(tiny_pip(folder)), indexed(tool), indexed(make_wheel(folder, "alpha", "1")))


def make_small(base: Path, place: Path) -> tuple[Path, EnvironmentRecord]:
    """Make an environment of that lock, and return its folder and its record."""
    make_environment(small_world(base / "wheels"), place, base / "wheels")
    folder = place.resolve()
    record = read_record(folder)
    assert record is not None
    return folder, record


def pack_to(folder: Path, record: EnvironmentRecord, output: Path, **more: object) -> PackReport:
    settings = replace(PackSettings(output, compile=False, jobs=2), **more)  # type: ignore[arg-type]
    return pack(folder, record, settings, environ=variables())


def contents(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Every file and link of an environment, with what it is and what it holds; what virtualenv makes aside."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if "__pycache__" in name or is_own(name):
            continue
        if path.is_symlink():
            found[name] = ("link", os.fsencode(path.readlink()))
        elif path.is_file():
            found[name] = (oct(path.stat().st_mode), path.read_bytes().replace(os.fsencode(folder), b"HERE"))
    return found


def file(path: str, content: bytes = b"x\n", *, executable: bool = False) -> Entry:
    return Member(path, size=len(content), executable=executable), content


def stream(entries: Iterable[Entry]) -> bytes:
    return b"".join(header_of(member) + content + bytes(padding(len(content))) for member, content in entries)


def make_image(
    path: Path,
    record: EnvironmentRecord,
    parts: Sequence[Iterable[Entry] | bytes],
    fittings: Iterable[Entry] | bytes = (),
    *,
    compression: Compression = "none",
    **head: object,
) -> Path:
    """Write an image of these parts, all digests right, whatever is in it; `head` replaces what the head says."""
    plain = [each if isinstance(each, bytes) else stream(each) for each in (*parts, fittings)]
    stored = [_compressed(compression, each) for each in plain]
    made = Head(
        record=record,
        system="linux",
        machine=os.uname().machine,
        compression=compression,
        bytecode=False,
        files=1,
        size=sum(map(len, plain)),
        content="ab" * 32,
        parts=tuple(
            Part(len(one), sha256(one).hexdigest(), len(other)) for one, other in zip(stored, plain, strict=True)
        ),
    )
    made = replace(made, **head)  # type: ignore[arg-type]
    path.write_bytes(encode_head(made) + b"".join(stored) + frame(compression, END))
    return path


def _compressed(compression: Compression, content: bytes) -> bytes:
    if compression == "zstd":
        return subprocess.run(["zstd", "-q", "-c"], input=content, stdout=subprocess.PIPE, check=True).stdout
    return frame(compression, content) if content or compression == "gzip" else b""


def image_identity(path: Path) -> str:
    return json.dumps([read_image(path).head.content, sha256(path.read_bytes()).hexdigest()])
