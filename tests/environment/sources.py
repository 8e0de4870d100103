"""Sources with a build backend of their own, which needs no network and leaves word of each time that it ran."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

__all__ = ["sdist_of", "source_files", "write_source"]

_BACKEND = """\
import base64, hashlib, os, sys, zipfile
{work}
with open({diary!r}, "a") as stream:
    stream.write("built\\n")
def row(path, text):
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    return f"{{path}},sha256={{digest}},{{len(text)}}\\n"
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = "lib-{version}.dist-info"
    files = {{
        "lib.py": open("lib.py").read(),
        f"{{info}}/METADATA": "Metadata-Version: 2.1\\nName: lib\\nVersion: {version}\\n",
        f"{{info}}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    name = "lib-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{{info}}/RECORD", "".join(row(*item) for item in files.items()) + f"{{info}}/RECORD,,\\n")
    return name
def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    info = os.path.join(metadata_directory, "lib-{version}.dist-info")
    os.mkdir(info)
    with open(os.path.join(info, "METADATA"), "w") as stream:
        stream.write("Metadata-Version: 2.1\\nName: lib\\nVersion: {version}\\n")
    return os.path.basename(info)
"""


def source_files(
    diary: Path, *, version: str = "1.5", work: str = "", requires: str = "", says: str = "1"
) -> dict[str, str]:
    """The files of ``lib``, whose backend does `work` when it is imported and notes that in `diary`."""
    return {
        "pyproject.toml": f'[project]\nname = "lib"\nversion = "{version}"\n[build-system]\nrequires = [{requires}]\n'
        'build-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": _BACKEND.format(work=work, diary=str(diary), version=version),
        "lib.py": f"says = {says!r}\n",
    }


def write_source(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def sdist_of(folder: Path, files: dict[str, str], version: str = "1.5") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"lib-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"lib-{version}/{name}")
            entry.size = len(content.encode())
            archive.addfile(entry, io.BytesIO(content.encode()))
    return path
