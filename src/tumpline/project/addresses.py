"""What a line of a requirements file points at: an address, a path, an archive, a build folder that is gone."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tumpline.errors import InputError
from tumpline.project.spelling import drop_site_local
from tumpline.wheels import parse_wheel_name

__all__ = [
    "is_address",
    "is_archive",
    "is_path",
    "local_file",
    "module_build",
    "named_address",
    "named_file",
    "split_extras",
    "wheelhouse_wheel",
]

_SCHEME = re.compile(r"(?:(?:git|hg|svn|bzr)\+[a-z]+|https?|ftp|file|ssh):", re.IGNORECASE)
_ARCHIVES = (".whl", ".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz")
_SDIST = re.compile(r"(?P<name>.+?)-(?P<version>\d[^-]*)\.(?:tar\.(?:gz|bz2|xz)|tgz|zip)")
_EGG = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?P<extras>\[[^\]]*\])?")
_EXTRAS = re.compile(r"(.+?)(\[[A-Za-z0-9._, -]*\])")


def is_address(text: str) -> bool:
    """Whether this begins with the scheme of an address that pip takes."""
    return _SCHEME.match(text) is not None


def is_archive(text: str) -> bool:
    """Whether this is named like a wheel or an sdist."""
    return text.lower().endswith(_ARCHIVES)


def is_path(text: str) -> bool:
    """Whether pip would take this for a path: it has a separator, or begins with a dot, or is named like an archive."""
    word = split_extras(text)[0]
    return word.startswith((".", "/", "~")) or "/" in word or "\\" in word or is_archive(word)


def split_extras(text: str) -> tuple[str, tuple[str, ...]]:
    """Split ``./folder[one,two]`` into path and extras."""
    place = _EXTRAS.fullmatch(text)
    if place is None:
        return text, ()
    return place[1], tuple(extra.strip() for extra in place[2][1:-1].split(",") if extra.strip())


def named_file(file: str) -> str | None:
    """Return the name of the project that a wheel or sdist is of, None where its file name does not say."""
    if file.endswith(".whl"):
        try:
            return str(parse_wheel_name(file).name)
        except InputError:
            return None
    place = _SDIST.fullmatch(file)
    return place["name"] if place is not None else None


def named_address(address: str) -> str | None:
    """Return ``NAME @ ADDRESS`` for a bare address; None where it does not say the name.

    The name is the ``egg`` of the fragment, which is taken out, or that of the file.
    """
    url, _, fragment = address.partition("#")
    words = [word for word in fragment.split("&") if word]
    egg = next((word[4:] for word in words if word.startswith("egg=")), None)
    rest = "&".join(word for word in words if not word.startswith("egg="))
    whole = f"{url}#{rest}" if rest else url
    if egg is not None:
        place = _EGG.fullmatch(unquote(egg))
        return f"{place['name']}{place['extras'] or ''} @ {whole}" if place is not None else None
    name = named_file(unquote(url.rpartition("/")[2]))
    return f"{name} @ {whole}" if name is not None else None


def local_file(url: str) -> Path | None:
    """Return the path of a ``file:`` address on this machine, None for any other address."""
    parts = urlsplit(url)
    if parts.scheme.lower() != "file" or parts.netloc not in ("", "localhost"):
        return None
    return Path(unquote(parts.path))


def module_build(path: Path) -> bool:
    """Whether this is where the Alliance's modules are built: ``pip freeze`` shows what modules bring in that way.

    Source: ComputeCanada/software-stack#27 (``file:///tmp/ebuser/…``).
    """
    return path.parts[1:3] == ("tmp", "ebuser")


def wheelhouse_wheel(path: Path) -> str | None:
    """Return ``NAME==VERSION`` for a wheel that carries the site's local version, wherever it was; else None."""
    try:
        wheel = parse_wheel_name(path.name)
    except InputError:
        return None
    version, dropped = drop_site_local(wheel.version)
    return f"{wheel.name}=={version}" if dropped else None
