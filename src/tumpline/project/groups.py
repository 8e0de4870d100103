"""Dependencies in the standard tables: ``[project]`` (PEP 621) and ``[dependency-groups]`` (PEP 735)."""

from __future__ import annotations

from dataclasses import replace

from tumpline.project.document import Document, nearest, quoted
from tumpline.project.entries import Entry, read_entry
from tumpline.project.lines import KeyPath, show_keys
from tumpline.project.spelling import compose
from tumpline.values import Name, normalise

__all__ = ["DEPENDENCIES", "EXTRAS", "GROUPS", "ProjectExtras", "expand_self", "find_key", "listed", "read_group"]

DEPENDENCIES: KeyPath = ("project", "dependencies")
EXTRAS: KeyPath = ("project", "optional-dependencies")
GROUPS: KeyPath = ("dependency-groups",)
_OLD_UV: KeyPath = ("tool", "uv", "dev-dependencies")


def listed(document: Document, keys: KeyPath, group: str = "") -> list[Entry]:
    """Read an array of requirement strings."""
    entries = [read_entry(document, item, text, group) for item, text in document.texts(keys)]
    return [entry for entry in entries if entry is not None]


def find_key(document: Document, keys: KeyPath, name: Name) -> KeyPath | None:
    """Return the key path of the group or extra of that name, whatever its spelling (PEP 503), or None.

    Complains (``ambiguous-group``) where two spellings mean the same name, as PEP 735 demands.
    """
    found = [key for key in document.table(keys) or () if normalise(key) == name]
    if len(found) > 1:
        document.complain(
            "ambiguous-group",
            f"is there more than once: {', '.join(found)} all mean {name}",
            (*keys, found[1]),
            hint="rename or merge them",
        )
    return (*keys, found[0]) if found else None


def read_group(document: Document, name: Name) -> list[Entry] | None:
    """Read a dependency group with the groups it includes; None where there is no group of that name.

    An entry belongs to the group it is written in. What is included twice comes once. Complains ``group-cycle``,
    ``unknown-group``.
    """
    keys = find_key(document, GROUPS, name)
    # Before PEP 735, uv kept the "dev" group here, and still merges the two.
    old = listed(document, _OLD_UV, "dev") if name == "dev" and document.get(_OLD_UV) is not None else None
    if keys is None:
        return old
    entries: dict[KeyPath, Entry] = {}
    _include(document, keys, (name,), entries)
    return [*entries.values(), *(old or ())]


def _include(document: Document, keys: KeyPath, above: tuple[Name, ...], entries: dict[KeyPath, Entry]) -> None:
    for position, item in enumerate(document.items(keys)):
        path: KeyPath = (*keys, position)
        if isinstance(item, str):
            if path not in entries and (entry := read_entry(document, path, item, str(above[-1]))) is not None:
                entries[path] = entry
        elif isinstance(item, dict) and item.keys() == {"include-group"}:
            wanted = document.text((*path, "include-group"))
            if wanted is None:
                continue
            name = normalise(wanted)
            if name in above:
                document.complain(
                    "group-cycle",
                    f"includes {wanted}, which includes this group in turn",
                    path,
                    why=" includes ".join([*above[above.index(name) :], name]),
                    hint="remove one of these includes",
                )
            elif (found := find_key(document, GROUPS, name)) is None:
                document.complain(
                    "unknown-group",
                    f"includes {quoted(wanted)}, which is no dependency group",
                    path,
                    hint=nearest(wanted, document.table(GROUPS) or ()),
                )
            else:
                _include(document, found, (*above, name), entries)
        else:
            document.complain(
                "wrong-type",
                "is neither a requirement nor an include",
                path,
                hint='write "NAME>=VERSION" or {include-group = "NAME"} (PEP 735)',
            )


class ProjectExtras:
    """The ``[project.optional-dependencies]`` table; each extra is read once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._read: dict[Name, list[Entry] | None] = {}

    def named(self, name: Name) -> list[Entry] | None:
        """Return the requirements of an extra, None where there is no extra of that name."""
        if name not in self._read:
            keys = find_key(self._document, EXTRAS, name)
            self._read[name] = None if keys is None else listed(self._document, keys, name)
        return self._read[name]


def expand_self(document: Document, own: Name | None, entries: list[Entry], extras: ProjectExtras) -> list[Entry]:
    """Replace requirements on the project itself (``mylab[plot]``) by what its extras require.

    The project itself needs no resolution. Extras that name one another in a circle are no error, as for pip: their
    union is meant.
    """
    found: list[Entry] = []
    for entry in entries:
        _expand(document, own, entry, extras, (), found)
    return list(dict.fromkeys(found))


def _expand(
    document: Document,
    own: Name | None,
    entry: Entry,
    extras: ProjectExtras,
    above: tuple[Name, ...],
    found: list[Entry],
) -> None:
    requirement = entry.requirement
    if own is None or normalise(requirement.name) != own:
        found.append(entry)
        return
    for extra in sorted(requirement.extras):
        name = normalise(extra)
        inner = extras.named(name)
        if inner is None:
            document.complain(
                "unknown-extra",
                f"asks for {requirement.name}[{extra}], which is not an extra of this project",
                entry.keys,
                hint=nearest(extra, document.table(EXTRAS) or ()) or f"define {show_keys((*EXTRAS, extra))}",
            )
        elif name not in above:
            for one in inner:
                _expand(document, own, _under(one, entry), extras, (*above, name), found)


def _under(entry: Entry, reason: Entry) -> Entry:
    """Return the entry with the marker and the targets of the requirement that brought it in."""
    requirement, marker = entry.requirement, reason.requirement.marker
    if marker is not None:
        requirement = compose(
            requirement.name,
            extras=requirement.extras,
            specifier=str(requirement.specifier),
            url=requirement.url or "",
            markers=(str(requirement.marker or ""), str(marker)),
            prereleases=bool(requirement.specifier.prereleases),
        )
    return replace(entry, requirement=requirement, targets=reason.targets)
