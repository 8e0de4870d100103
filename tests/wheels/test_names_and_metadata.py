"""File names and METADATA."""

from __future__ import annotations

import pytest

from tumpline.errors import InputError
from tumpline.wheels import CoreMetadata, parse_metadata, parse_wheel_name


@pytest.mark.parametrize(
    ("file", "name", "version", "build", "tags"),
    [
        (
            "numpy-2.2.2+computecanada-cp311-cp311-linux_x86_64.whl",
            "numpy",
            "2.2.2+computecanada",
            "",
            "cp311-cp311-linux_x86_64",
        ),
        ("PyYAML-6.0.1-py2.py3-none-any.whl", "pyyaml", "6.0.1", "", "py2.py3-none-any"),
        ("pyannote.pipeline-3.0.1-1_fix-py3-none-any.whl", "pyannote-pipeline", "3.0.1", "1_fix", "py3-none-any"),
    ],
)
def test_wheel_name(file: str, name: str, version: str, build: str, tags: str) -> None:
    parsed = parse_wheel_name(file)
    assert (parsed.file, parsed.name, parsed.version, parsed.build, parsed.tags) == (file, name, version, build, tags)


@pytest.mark.parametrize(
    "file",
    [
        "numpy-2.2.2.tar.gz",
        "numpy-2.2.2-cp311-cp311-linux_x86_64.whl.part",
        "numpy-cp311-cp311-linux_x86_64.whl",
        "numpy--cp311-cp311-linux_x86_64.whl",
        "a-1-1-1-py3-none-any.whl",
        "../a-1-py3-none-any.whl",
        ".whl",
    ],
)
def test_not_a_wheel_name(file: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_wheel_name(file)
    assert caught.value.code == "not-a-wheel-name"


FULL = CoreMetadata("Foo.Bar", "1.0", ("numpy>=1.2", 'torch; extra == "gpu"'), ">=3.9", ("gpu",))
TEXT = (
    "Metadata-Version: 2.1\nName: Foo.Bar\nVersion: 1.0\nClassifier: Name: no\nrequires-python: >=3.9\n"
    'Provides-Extra: gpu\nRequires-Dist: numpy>=1.2\nRequires-Dist: torch; extra == "gpu"\n'
    "License: one\n  Name: continued, not a field\n\nName: in the description\nRequires-Dist: no\n"
)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (TEXT.encode(), FULL),
        (TEXT.replace("\n", "\r\n").encode(), FULL),
        (TEXT.partition("\n\n")[0].encode(), FULL),
        (b"\xff: \xfe\n" + TEXT.encode(), FULL),
        (b"Name : spaced \nVersion:1\nRequires-Dist: a\n  (>=1)\n", CoreMetadata("spaced", "1", ("a  (>=1)",))),
        (b"Requires-Dist: caf\xc3\xa9\n", CoreMetadata("", "", ("café",))),
        (b"", CoreMetadata("", "")),
    ],
    ids=["plain", "crlf", "no-description", "odd-bytes", "continued", "utf-8", "empty"],
)
def test_metadata(content: bytes, expected: CoreMetadata) -> None:
    assert parse_metadata(content) == expected
