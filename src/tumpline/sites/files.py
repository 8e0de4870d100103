"""The files of site profiles: those that come with the tool, and a user's own, which win over those of the same name.

Quick to import: a search asks a profile for one thing, the name of its catalogue, and parses none for that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tumpline.errors import InputError

__all__ = ["LARGEST", "SHIPPED", "catalogue_name", "profile_chain", "profile_folders", "read_toml", "site_names"]

# importlib.resources would say the same, and take 20 ms to import.
SHIPPED = Path(__file__).with_name("data")

LARGEST = 4 * 2**20
"""In bytes; the largest shipped table is a hundredth of that."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

_HERE = "here"
"""The name that stands for the machine at hand: no profile can have it."""

_NO_SITES = frozenset(
    {"alliance", "alliance-modules", "alliance-modules-by-hand", "alliance-rewrites", "companions", "numpy-api"}
)
"""Shipped files that are no sites: a profile that others extend, and tables."""

_PLAIN = re.compile(r'([a-z-]+) *= *(?:"([^"\\]*)"|true|false|\[(?:"[^"\\]*"(?:, *)?)*\]) *(?:#.*)?|#.*|')
"""A line of TOML that is a comment, or gives a key a text, a boolean or some texts."""


def profile_folders(environ: Mapping[str, str], config: Path) -> tuple[Path, ...]:
    """Return the folders of a user's profiles: those of ``$TUMPLINE_SITES``, then ``sites`` in the config folder."""
    named = [Path(part) for part in environ.get("TUMPLINE_SITES", "").split(os.pathsep) if part]
    return (*named, config / "sites")


def site_names(folders: Sequence[Path] = ()) -> list[str]:
    """Return the names of all sites, sorted; reads no profile."""
    found = {path.stem for path in SHIPPED.glob("*.toml")} - _NO_SITES
    for folder in folders:
        found |= {path.stem for path in folder.glob("*.toml") if path.is_file() and _NAME.fullmatch(path.stem)}
    return sorted(found - {_HERE})


def catalogue_name(name: str, folders: Sequence[Path] = ()) -> str | None:
    """Return the name of a site's catalogue, as `load_site` would; None where it has none.

    Says nothing of what is wrong with the rest of the profile. Raises InputError ``unknown-site``, or ``bad-profile``
    for a file that can not be read.
    """
    own: dict[str, object] = {}
    for _, table in profile_chain(name, folders, _read_head):
        own = {**table, **own}
    found = own.get("catalogue") or (name if own.get("wheelhouse") else None)
    return found if isinstance(found, str) else None


def _find(name: str, folders: Sequence[Path]) -> Path | None:
    if name == _HERE or not _NAME.fullmatch(name):
        return None
    for folder in folders:
        if (path := folder / f"{name}.toml").is_file():
            return path
    shipped = SHIPPED / f"{name}.toml"
    # The tables are told from the profiles by name; `alliance` may be extended, and so it may be loaded.
    return shipped if (name not in _NO_SITES or name == "alliance") and shipped.is_file() else None


def _unknown(name: str, folders: Sequence[Path], where: str = "") -> InputError:
    import difflib

    names = [*site_names(folders), *([] if where else [_HERE])]
    near = difflib.get_close_matches(name, names, 3)
    return InputError.of(
        "unknown-site",
        f"there is no site {name[:100]!r}",
        where=where,
        hint=f"did you mean {' or '.join(near)}?" if near else f"choose one of: {', '.join(names)}",
    )


def read_toml(path: Path) -> dict[str, object]:
    """Return what a file says; raises InputError ``bad-profile`` where it can not be read, or is no TOML."""
    return _parse(path, _read(path))


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            raise _bad(path, "there is no such file")
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise _bad(path, f"the file is larger than {LARGEST // 2**20} MiB", "check that this is the right file")
        # Editors on Windows put a byte order mark in front, which TOML does not know.
        return content.decode("utf-8-sig")
    except OSError as error:
        raise _bad(path, f"the file can not be read: {error.strerror}", "check its permissions") from error
    except UnicodeDecodeError as error:
        raise _bad(path, "the file is not UTF-8 text", "save it as UTF-8, which TOML demands") from error


def _parse(path: Path, text: str) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise _bad(path, "the file is nested too deeply", "check that this is the right file") from error
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).rpartition(" (at ")
        line = re.match(r"line (\d+)", place)
        where = f"{path}:{line[1]}" if line else str(path)
        raise InputError.of(
            "bad-profile",
            "the file is not valid TOML",
            where=where,
            why=message or str(error),
            hint="correct the file at that place",
        ) from error


def _read_head(path: Path) -> dict[str, object]:
    """Return the texts that a profile has before its first table, which TOML has after all other keys.

    To import a parser of TOML takes as long as to answer a search, so it is left to lines that are not plain.
    """
    text = _read(path)
    found: dict[str, object] = {}
    for line in text.split("\n"):
        if line.startswith("["):
            break
        match = _PLAIN.fullmatch(line)
        if match is None or match[1] in found:
            return _parse(path, text)
        if match[2] is not None:
            found[match[1]] = match[2]
    return found


def profile_chain(
    name: str, folders: Sequence[Path], read: Callable[[Path], Mapping[str, object]] = read_toml
) -> Iterator[tuple[Path, Mapping[str, object]]]:
    """Yield a profile and those it extends, the most particular first, as `read` gives their keys.

    Raises InputError ``unknown-site``, ``bad-profile``.
    """
    seen: list[Path] = []
    wanted: object = name
    while isinstance(wanted, str):
        # A user's profile may extend one of its own name: that of a later folder, or the shipped one.
        path = _find(wanted, [folder for folder in folders if folder / f"{wanted}.toml" not in seen])
        if path in seen or (path is None and wanted in {each.stem for each in seen}):
            raise _bad(seen[-1], f"extends: the profile extends itself through {wanted}", "extend another site")
        if path is None:
            raise _unknown(wanted, folders, where=f"{seen[-1]}: extends" if seen else "")
        seen.append(path)
        table = read(path)
        yield path, table
        wanted = table.get("extends")
    if wanted is not None:
        raise _bad(seen[-1], "extends: expected the name of a site", 'write for example extends = "alliance"')


def _bad(path: Path, message: str, hint: str = "") -> InputError:
    return InputError.of("bad-profile", message, where=str(path), hint=hint)
