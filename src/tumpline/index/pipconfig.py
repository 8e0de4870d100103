"""What pip's configuration files and environment variables say (pip documentation, "Configuration").

Tumpline has no index settings of its own: what works for pip works for it. Read are the keys that say where files come
from and how those places are reached, from ``[global]``, then ``[install]``, then the environment; a later one
replaces an earlier one, and an empty value counts as absent, as in pip.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tumpline.errors import InputError
from tumpline.index.settings import Credentials, IndexLocation, IndexSettings, path_of, shown, split_credentials

__all__ = ["config_files", "link_folders", "read_pip_settings"]

_ALIASES = {"default-timeout": "timeout", "pypi-url": "index-url"}
_LINK_SECTIONS = ("wheel", "install", "download", "global")
_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})


def read_pip_settings(
    environ: Mapping[str, str],
    *,
    platform: str = sys.platform,
    prefix: Path | None = None,
    root: Path = Path("/"),
    folder: Path | None = None,
) -> IndexSettings:
    """Return what ``pip install`` would use.

    `platform` is spelled as `sys.platform`; `prefix` is the virtual environment that may hold a configuration (default:
    the one running). `root` stands before the places that belong to the whole machine, and relative
    folders count from `folder` (default: the current one).
    Raises InputError ``pip-config-unreadable``, ``pip-config-value`` or ``index-address-unusable``; no message holds a
    value that may be a secret.
    """
    values = _values(environ, platform, prefix or Path(sys.prefix), root)
    home = _home(environ)
    start = folder or Path.cwd()
    locations: list[IndexLocation] = []
    credentials: list[Credentials] = []

    def add(name: str, text: str, links: bool) -> None:
        url, found = _address(text, home, start, links)
        locations.append(IndexLocation(name, url, "links" if links else "simple"))
        if found:
            credentials.append(found)

    for number, text in enumerate(values.get("find-links", "").split(), 1):
        add(f"find-links-{number}", text, links=True)
    if not _flag(values, "no-index"):
        if index := values.get("index-url"):
            add("pypi", index, links=False)
        else:
            locations.append(IndexLocation("pypi", ""))
        for number, text in enumerate(values.get("extra-index-url", "").split(), 1):
            add(f"extra-{number}", text, links=False)

    proxies, no_proxy = _environment_proxies(environ)
    if _flag(values, "no-proxy-env"):
        proxies, no_proxy = (), ()
    client = values.get("client-cert")
    return IndexSettings(
        locations=tuple(locations),
        credentials=tuple(credentials),
        trusted_hosts=tuple(values.get("trusted-host", "").lower().split()),
        certificates=_certificates(values, environ, home),
        client_certificate=_expand(client, home) if client else None,
        proxy=values.get("proxy", ""),
        proxies=proxies,
        no_proxy=no_proxy,
        timeout=_number(values, "timeout", 15.0),
        retries=int(_number(values, "retries", 5)),
        netrc=_netrc(environ, home),
    )


def config_files(environ: Mapping[str, str], *, platform: str, prefix: Path, root: Path = Path("/")) -> Iterator[Path]:
    """Yield the places of pip's configuration, least important first, whether or not they exist.

    ``PIP_CONFIG_FILE`` is the last one and, where it exists, the user's own files are not read; when it is the null
    device, nothing is read. macOS and Windows have their own places.
    """
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return
    home = _home(environ)
    basename = "pip.ini" if platform == "win32" else "pip.conf"
    for folder in _global_folders(environ, platform, root):
        yield folder / basename
    if not (chosen and Path(chosen).exists()):
        yield home / ("pip" if platform == "win32" else ".pip") / basename
        yield _user_folder(environ, platform, home) / basename
    yield prefix / basename
    if chosen:
        yield Path(chosen)


def link_folders(path: Path, environ: Mapping[str, str]) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Return the folders that ``find-links`` of one configuration file name, in order, and addresses that are none.

    The sections are those of the commands that use wheels - ``[wheel]``, ``[install]``, ``[download]`` - and
    ``[global]``; on the Alliance's clusters the first three name the wheelhouse. Relative paths count from the current
    folder, as for pip; addresses are told without credentials. Raises InputError ``pip-config-unreadable``,
    ``index-address-unusable``.
    """
    texts: dict[str, list[str]] = {section: [] for section in _LINK_SECTIONS}
    for section, key, value in _read_file(path):
        if section in texts and key == "find-links":
            texts[section] += value.split()
    folders: dict[Path, None] = {}
    others: dict[str, None] = {}
    for text in (text for section in texts.values() for text in section):
        scheme = text.partition(":")[0].lower()
        if scheme == "file":
            folders[path_of(text)] = None
        elif "://" in text:
            others[shown(text)] = None
        else:
            folders[Path.cwd() / _expand(text, _home(environ))] = None
    return tuple(folders), tuple(others)


def _global_folders(environ: Mapping[str, str], platform: str, root: Path) -> list[Path]:
    if platform == "darwin":
        return [root / "Library" / "Application Support" / "pip"]
    if platform == "win32":
        return [Path(environ.get("PROGRAMDATA") or r"C:\ProgramData") / "pip"]
    shared = environ.get("XDG_CONFIG_DIRS")
    folders = [Path(part) for part in shared.split(":") if part] if shared else [root / "etc" / "xdg"]
    return [*(folder / "pip" for folder in folders), root / "etc"]


def _user_folder(environ: Mapping[str, str], platform: str, home: Path) -> Path:
    if platform == "win32":
        return Path(environ.get("APPDATA") or home / "AppData" / "Roaming") / "pip"
    if platform == "darwin":
        support = home / "Library" / "Application Support" / "pip"
        return support if support.is_dir() else home / ".config" / "pip"
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip"


def _values(environ: Mapping[str, str], platform: str, prefix: Path, root: Path) -> dict[str, str]:
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for path in config_files(environ, platform=platform, prefix=prefix, root=root):
        if path.is_file():
            for section, key, value in _read_file(path):
                if section in sections:
                    sections[section][key] = value
    for variable, value in environ.items():
        if variable.startswith("PIP_"):
            sections[":env:"][_key(variable[4:])] = value
    merged: dict[str, str] = {}
    for section_values in sections.values():
        merged.update({key: value for key, value in section_values.items() if value})
    return merged


def _read_file(path: Path) -> list[tuple[str, str, str]]:
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    why = "it is not in the form KEY = VALUE under [SECTION]"
    try:
        parser.read_string(path.read_text("utf-8-sig"))
    except (Error, UnicodeDecodeError, OSError) as error:
        # The parser's own text quotes the line, which may hold a password: only its number is told.
        lines = [line for line, _ in getattr(error, "errors", ())] or [getattr(error, "lineno", None)]
        raise InputError.of(
            "pip-config-unreadable",
            "pip's configuration file cannot be read",
            where=f"{path}:{lines[0]}" if lines[0] else str(path),
            why=error.strerror if isinstance(error, OSError) and error.strerror else why,
            hint="correct the file, or set PIP_CONFIG_FILE to another one",
        ) from None
    return [(section, _key(key), value) for section in parser.sections() for key, value in parser.items(section)]


def _key(name: str) -> str:
    key = name.lower().replace("_", "-").removeprefix("--")
    return _ALIASES.get(key, key)


def _flag(values: Mapping[str, str], key: str) -> bool:
    value = values.get(key, "no").lower()
    if value not in _TRUE | _FALSE:
        raise _bad_value(key, value, "yes or no")
    return value in _TRUE


def _number(values: Mapping[str, str], key: str, default: float) -> float:
    text = values.get(key)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        raise _bad_value(key, text, "a number") from None
    if not 0 <= number < 1e9:
        raise _bad_value(key, text, "a number that is not negative")
    return number


def _bad_value(key: str, value: str, wanted: str) -> InputError:
    return InputError.of(
        "pip-config-value",
        f"pip's setting {key} is {value!r}, which is not {wanted}",
        hint=f"see `pip config debug` for where {key} is set",
    )


def _address(text: str, home: Path, start: Path, links: bool) -> tuple[str, Credentials | None]:
    """Return an address without credentials, and those; a path becomes a ``file:`` address."""
    scheme = text.partition(":")[0].lower()
    if scheme in ("http", "https"):
        try:
            url, found = split_credentials(text)
        except ValueError:
            raise _unusable(text) from None
        return url, found
    if scheme == "file":
        return text, None
    path = start / _expand(text, home)
    if links or path.exists():
        return path.as_uri(), None
    raise _unusable(text)


def _unusable(text: str) -> InputError:
    return InputError.of(
        "index-address-unusable",
        f"{shown(text)} is not the address of an index",
        why="an address starts with https:, http: or file:, or is a folder that exists",
        hint="see `pip config debug` for where index-url and extra-index-url are set",
    )


def _certificates(values: Mapping[str, str], environ: Mapping[str, str], home: Path) -> Path | None:
    # pip's own setting first, then what the requests library and OpenSSL read, since pip heeds those as well.
    for text in (
        values.get("cert"),
        *(environ.get(key) for key in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")),
    ):
        if text:
            return _expand(text, home)
    return None


def _environment_proxies(environ: Mapping[str, str]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    def either(name: str) -> str:
        return environ.get(name) or environ.get(name.upper()) or ""

    shared = either("all_proxy")
    proxies = [(scheme, either(f"{scheme}_proxy") or shared) for scheme in ("http", "https")]
    hosts = [part.strip().lower() for part in either("no_proxy").split(",")]
    return tuple((scheme, proxy) for scheme, proxy in proxies if proxy), tuple(filter(None, hosts))


def _netrc(environ: Mapping[str, str], home: Path) -> Path | None:
    chosen = environ.get("NETRC")
    candidates = [_expand(chosen, home)] if chosen else [home / ".netrc", home / "_netrc"]
    return next((path for path in candidates if path.is_file()), None)


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())


def _expand(text: str, home: Path) -> Path:
    if text == "~" or text.startswith(("~/", "~\\")):
        return home / text[2:]
    return Path(text)
