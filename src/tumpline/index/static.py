"""Whether the metadata of an sdist holds for the wheels built from it (PEP 643)."""

from __future__ import annotations

from tumpline.errors import InputError
from tumpline.wheels import CoreMetadata, parse_metadata

__all__ = ["NotStatic", "not_static", "static_metadata"]


class NotStatic(Exception):
    """The metadata may change when the sdist is built; `why` says what is left open."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def not_static(file: str, why: str) -> InputError:
    """Return the error for an sdist whose dependencies are known only once it is built."""
    return InputError.of(
        "metadata-not-static",
        f"{file} must be built to know what it needs",
        why=why,
        hint="choose a version that has a wheel, or allow building it",
    )


def static_metadata(content: bytes) -> CoreMetadata:
    """Return what PKG-INFO says, where it holds for every wheel built from the sdist.

    That is promised from metadata version 2.2 on for every field not listed as dynamic (PEP 643). Raises NotStatic for
    older versions and where the version, the dependencies, the extras or the Python versions are dynamic.
    """
    version = ""
    dynamic: set[str] = set()
    for line in content.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("utf-8", "replace").split("\n"):
        field, _, value = line.partition(":")
        if field.lower() == "metadata-version":
            version = value.strip()
        elif field.lower() == "dynamic":
            dynamic.add(value.strip().lower())
    major, _, minor = version.partition(".")
    promised = major.isdecimal() and minor.isdecimal() and (int(major), int(minor)) >= (2, 2)
    open_fields = dynamic & {"requires-dist", "provides-extra", "requires-python", "version"}
    if not promised:
        raise NotStatic(f"its metadata has version {version or '(none)'}, and promises hold from 2.2 on")
    if open_fields:
        raise NotStatic(f"its PKG-INFO leaves open {', '.join(sorted(open_fields))}")
    return parse_metadata(content)
