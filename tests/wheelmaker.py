"""Tiny real wheels for tests: valid names, METADATA, WHEEL and RECORD, made with nothing but `zipfile`."""

from __future__ import annotations

import base64
import hashlib
import re
import stat
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["make_wheel", "record_line"]

_EPOCH = (2020, 1, 1, 0, 0, 0)


def record_line(path: str, content: bytes) -> str:
    """Return the line of RECORD for a file."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}"


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    tags: str = "py3-none-any",
    build: str = "",
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    extras: Sequence[str] = (),
    files: Mapping[str, str | bytes] | None = None,
    entry_points: str | Mapping[str, Mapping[str, str]] | None = None,
    scripts: Mapping[str, str | bytes] | None = None,
    metadata_name: str | None = None,
    metadata_version: str | None = None,
    metadata: str | bytes | None = None,
    dist_info: str | None = None,
    record: str | bytes | None = None,
    extra_members: Mapping[str, bytes] | None = None,
    compression: int = zipfile.ZIP_DEFLATED,
    comment: bytes = b"",
    file_name: str | None = None,
) -> Path:
    """Write a wheel into `folder` (made if missing) and return its path; the same arguments give the same bytes.

    Without `files` the wheel holds one module, ``<name>/__init__.py``, with ``__version__``. `files` maps paths in
    the archive to contents (``X-1.data/...`` paths included), `scripts` fills ``.data/scripts``. `entry_points` is
    the text of ``entry_points.txt`` or {group: {name: reference}}. The arguments from `metadata_name` on make a wheel
    wrong on purpose: a METADATA that says something else, another ``.dist-info`` folder, another RECORD, members that
    RECORD does not know, another file name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    escaped = re.sub(r"[-_.]+", "_", name)
    spelled = version.replace("-", "_")
    module = escaped.lower()
    info = dist_info if dist_info is not None else f"{escaped}-{spelled}.dist-info"

    members: dict[str, bytes] = {}
    for member, content in (files if files is not None else {f"{module}/__init__.py": _module(version)}).items():
        members[member] = _bytes(content)
    for script, content in (scripts or {}).items():
        members[f"{escaped}-{spelled}.data/scripts/{script}"] = _bytes(content)
    if metadata is None:
        metadata = "".join(
            [
                "Metadata-Version: 2.1\n",
                f"Name: {metadata_name if metadata_name is not None else name}\n",
                f"Version: {metadata_version if metadata_version is not None else version}\n",
                f"Requires-Python: {requires_python}\n" if requires_python is not None else "",
                *(f"Provides-Extra: {extra}\n" for extra in extras),
                *(f"Requires-Dist: {requirement}\n" for requirement in requires),
                f"\n{name}, made for a test.\n",
            ]
        )
    members[f"{info}/METADATA"] = _bytes(metadata)
    members[f"{info}/WHEEL"] = _wheel_file(tags, build)
    if entry_points is not None:
        members[f"{info}/entry_points.txt"] = _bytes(_entry_points(entry_points))
    if record is None:
        lines = [record_line(member, body) for member, body in members.items()]
        record = "\n".join([*lines, f"{info}/RECORD,,"]) + "\n"
    members[f"{info}/RECORD"] = _bytes(record)
    members.update(extra_members or {})

    tag = f"-{build}-{tags}" if build else f"-{tags}"
    path = folder / (file_name if file_name is not None else f"{escaped}-{spelled}{tag}.whl")
    with zipfile.ZipFile(path, "w", compression) as archive:
        for member, body in members.items():
            entry = zipfile.ZipInfo(member, _EPOCH)
            entry.compress_type = compression
            entry.external_attr = (stat.S_IFREG | (0o755 if "/scripts/" in member else 0o644)) << 16
            archive.writestr(entry, body)
        archive.comment = comment
    return path


def _module(version: str) -> str:
    return f'"""A module made for a test."""\n\n__version__ = "{version}"\n'


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _wheel_file(tags: str, build: str) -> bytes:
    python, abi, platform = tags.split("-")
    lines = ["Wheel-Version: 1.0", "Generator: tumpline-tests", f"Root-Is-Purelib: {str(abi == 'none').lower()}"]
    if build:
        lines.append(f"Build: {build}")
    lines += [
        f"Tag: {one_python}-{one_abi}-{one_platform}"
        for one_python in python.split(".")
        for one_abi in abi.split(".")
        for one_platform in platform.split(".")
    ]
    return ("\n".join(lines) + "\n").encode()


def _entry_points(given: str | Mapping[str, Mapping[str, str]]) -> str:
    if isinstance(given, str):
        return given
    blocks = (
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in names.items())
        for group, names in given.items()
    )
    return "\n".join(blocks)
