"""Making a site's catalogue from the wheelhouse itself: grade ``scanned``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from tumpline import __version__
from tumpline.catalogue.content import Content, FileNote, NoteKind, WheelRow
from tumpline.catalogue.encoding import encode
from tumpline.catalogue.facts import Facts, SiteFacts
from tumpline.catalogue.model import CatalogueInfo
from tumpline.catalogue.reading import Reading
from tumpline.catalogue.schema import SCHEMA_VERSION
from tumpline.catalogue.store import Catalogue, check_header, open_catalogue
from tumpline.catalogue.tree import Found, Tree
from tumpline.catalogue.wheelhouse import Wheelhouse
from tumpline.catalogue.writer import write_catalogue
from tumpline.errors import InputError
from tumpline.sites import Dummy, Site
from tumpline.values import Name, normalise
from tumpline.wheels.name import split_wheel_name

__all__ = ["ScanReport", "scan"]

_Parts = tuple[str, str, str, str]
"""Name as spelled, version, build and tags of a file name."""

_UNREAD = Reading()
_NO_FACTS = SiteFacts.known(Facts())


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a scan did: `read` wheels were opened, `kept` were known from before, `gone` are no longer there.

    `changed` is False where nothing had to be written. `replaced` says why a previous catalogue was of no use (empty
    where it was of use, or where there was none). `notes` are all files that are not offered, with the reasons.
    `forgotten` are the layers that the previous catalogue had and this one has not; their wheels are not counted as
    gone.
    """

    path: Path
    info: CatalogueInfo
    changed: bool
    read: int
    kept: int
    gone: int
    notes: tuple[FileNote, ...]
    replaced: str = ""
    forgotten: tuple[str, ...] = ()


def scan(
    site: Site,
    wheelhouse: Wheelhouse,
    output: Path,
    *,
    today: date,
    facts: SiteFacts = _NO_FACTS,
    metadata: bool = True,
    forget: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ScanReport:
    """Read the wheelhouse and write the site's catalogue to `output`.

    `facts` are stored with the wheels; they are read only where something changed.
    A catalogue that is there already is taken as known: a wheel of the same name, size and time is not read again, and
    where nothing at all has changed nothing is written. Without `metadata` only file names are read. A wheel that can
    not be read is noted with its reason, not left out silently; it is tried again next time if the system was to
    blame. `progress` is told how many wheels out of how many are read.

    A layer that the previous scan read and this one does not is lost only with `forget`: a file system that is not
    mounted, or a scan of one layer, must not make the others' wheels vanish.

    Raises what the wheelhouse and `write_catalogue` raise, and InputError ``layers-lost``, ``not-a-catalogue`` or
    ``catalogue-newer`` where `output` is a file that must not be overwritten. A previous catalogue survives every
    failure.
    """
    previous, replaced = _previous(output)
    try:
        forgotten = _forgotten(previous, wheelhouse.layers)
        if forgotten and not forget:
            raise _layers_lost(output, forgotten)
        tree = wheelhouse.tree()
        fingerprint = _fingerprint(site, facts, tree)
        notes = previous.notes() if previous else ()
        if previous is not None and _still_holds(previous, notes, fingerprint, metadata):
            info = previous.info
            return ScanReport(output, info, changed=False, read=0, kept=info.wheels, gone=0, notes=notes)
        known = _Known.of(previous, notes)
    finally:
        if previous is not None:
            previous.close()

    gathering = _Gathering(site, known, metadata)
    for found in tree.wheels:
        gathering.sort(found)
    total = len(gathering.unread)
    readings = wheelhouse.readings([found for found, _ in gathering.unread], lambda done: progress(done, total))
    for (found, parts), reading in zip(gathering.unread, readings, strict=True):
        gathering.take(found, parts, reading)

    files = {(found.layer, found.file) for found in tree.wheels}
    modules, module_notes, views = facts.read()
    content = Content(
        site=site.name,
        grade="scanned",
        date=today.isoformat(),
        made_by=f"tumpline {__version__}",
        sources=wheelhouse.sources,
        layers=wheelhouse.layers,
        wheels=gathering.wheels,
        dummies=tuple(sorted(gathering.dummies.values(), key=lambda dummy: dummy.name)),
        modules=modules,
        pythons=_pythons(site),
        module_notes=module_notes,
        notes=_once(tree.others, gathering.notes),
        depth="metadata" if all(wheel.needs is not None for wheel in gathering.wheels) else "names",
        fingerprint=fingerprint,
        views=views,
    )
    tables = encode(content)
    if known.info is not None and known.info.identity == tables.identity:
        # Times of files changed, what they offer did not: the catalogue keeps its day, and so do locks made with it.
        content = content._replace(date=known.info.date)
    write_catalogue(output, content, tables)
    with open_catalogue(output) as catalogue:
        return ScanReport(
            output,
            catalogue.info,
            changed=True,
            read=total,
            kept=gathering.kept,
            gone=sum(key not in files and key[0] not in forgotten for key in known.wheels),
            notes=tuple(sorted(content.notes)),
            replaced=replaced,
            forgotten=forgotten,
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What a previous catalogue says, by (layer, file)."""

    info: CatalogueInfo | None = None
    wheels: dict[tuple[str, str], WheelRow] = field(default_factory=dict)
    notes: dict[tuple[str, str], FileNote] = field(default_factory=dict)
    modules: dict[Name, str] = field(default_factory=dict)

    @classmethod
    def of(cls, catalogue: Catalogue | None, notes: Iterable[FileNote]) -> _Known:
        if catalogue is None:
            return cls()
        return cls(
            catalogue.info,
            {(row.layer, row.file): row for row in catalogue.rows()},
            {(note.layer, note.file): note for note in notes if note.kind in ("dummy", "refused")},
            {dummy.name: dummy.module for dummy in catalogue.dummies()},
        )


class _Gathering:
    """Sorts files into wheels, dummies, notes, and those that must be read first."""

    def __init__(self, site: Site, known: _Known, metadata: bool) -> None:
        self.wheels: list[WheelRow] = []
        self.dummies: dict[Name, Dummy] = {}
        self.notes: list[FileNote] = []
        self.unread: list[tuple[Found, _Parts]] = []
        self.kept = 0
        self._known = known
        self._metadata = metadata
        self._modules = {dummy.name: dummy.module for dummy in site.dummies}

    def sort(self, found: Found) -> None:
        """Take a file as known from before or by its name alone, or put it down for reading."""
        key = (found.layer, found.file)
        row = self._known.wheels.get(key)
        if row is not None and _same(row, found) and (row.needs is not None or not self._metadata):
            self.wheels.append(row)
            self.kept += 1
            return
        parts = split_wheel_name(found.file)
        if parts is None:
            why = "a wheel is named NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl"
            self._note(found, "stray", "not-a-wheel-name", why)
            return
        note = self._known.notes.get(key)
        if note is not None and _same(note, found):
            if note.kind == "dummy":
                name = normalise(parts[0])
                self._dummy(found, name, self._known.modules.get(name, name))
            else:
                self.notes.append(note)
            self.kept += 1
        elif self._metadata:
            self.unread.append((found, parts))
        elif _named_dummy(parts):
            self._dummy(found, normalise(parts[0]), normalise(parts[0]))
        else:
            self._wheel(found, parts, _UNREAD)

    def take(self, found: Found, parts: _Parts, reading: Reading) -> None:
        """Take what was read of a file."""
        if reading.stands_for or _named_dummy(parts):
            name = normalise(parts[0])
            self._dummy(found, name, normalise(reading.stands_for or name))
        elif reading.code:
            self._note(found, "unreadable" if reading.again else "refused", reading.code, reading.why)
        else:
            self._wheel(found, parts, reading)

    def _wheel(self, found: Found, parts: _Parts, reading: Reading) -> None:
        layer, _, size, mtime_ns = found
        spelling, version, build, tags = parts
        needs, record, *_ = reading
        self.wheels.append(
            WheelRow(normalise(spelling), version, layer, tags, build, spelling, (), size, mtime_ns, needs, record)
        )

    def _dummy(self, found: Found, name: Name, module: str) -> None:
        """Note a dummy; the site's profile knows its module best, else the ``-noinstall`` requirement names it."""
        module = self._modules.get(name, module)
        self.dummies[name] = Dummy(name, module)
        self._note(found, "dummy", "dummy-wheel", f"it stands for the module {module}")

    def _note(self, found: Found, kind: NoteKind, code: str, why: str) -> None:
        self.notes.append(FileNote(found.layer, found.file, kind, code, why, found.size, found.mtime_ns))


def _previous(output: Path) -> tuple[Catalogue | None, str]:
    """Open the catalogue to be replaced; a damaged one is of no use, but a file of another kind must not be lost."""
    try:
        check_header(output)
        return open_catalogue(output), ""
    except InputError as error:
        if error.code == "catalogue-missing":
            return None, ""
        if error.code == "catalogue-damaged":
            return None, f"the previous catalogue was damaged: {error.problems[0].why}"
        if error.code == "catalogue-older":
            return None, "the previous catalogue was made by an older tumpline"
        raise


def _forgotten(previous: Catalogue | None, layers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the layers of a previous scan that this one does not read; those of a list are no folders."""
    if previous is None or previous.info.grade != "scanned":
        return ()
    return tuple(layer for layer in previous.info.layers if layer not in layers)


def _layers_lost(output: Path, layers: tuple[str, ...]) -> InputError:
    return InputError.of(
        "layers-lost",
        "the scan would lose layers that the catalogue has",
        where=str(output),
        why=f"it does not read {', '.join(layers)}, which an earlier scan has read",
        hint="check that the file system is mounted, and scan all of the site; or write the catalogue of fewer layers "
        "elsewhere with --output FILE; or give them up with --forget-layers",
    )


def _still_holds(previous: Catalogue, notes: Iterable[FileNote], fingerprint: str, metadata: bool) -> bool:
    return (
        previous.fingerprint == fingerprint
        and (previous.depth == "metadata" or not metadata)
        and not (metadata and any(note.kind == "unreadable" for note in notes))
    )


def _fingerprint(site: Site, facts: SiteFacts, tree: Tree) -> str:
    """Return a digest of all that a catalogue is made from, besides what is inside the wheels."""
    parts = [str(SCHEMA_VERSION), site.name, facts.digest, tree.fingerprint]
    parts += [*map(repr, site.dummies), *map(repr, _pythons(site))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _pythons(site: Site) -> tuple[tuple[str, str], ...]:
    return tuple((environment.name, python) for environment in site.environments for python in environment.pythons)


def _same(known: WheelRow | FileNote, found: Found) -> bool:
    return known.size == found.size and known.mtime_ns == found.mtime_ns


def _named_dummy(parts: _Parts) -> bool:
    """Say whether the local version marks a dummy: ``9999+dummy.computecanada``."""
    version = parts[1]
    return "dummy" in version and "dummy" in re.split(r"[._-]", version.partition("+")[2])


def _once(*groups: Iterable[FileNote]) -> tuple[FileNote, ...]:
    """Return the notes, one for each (layer, file): names that were no text can look alike."""
    return tuple({(note.layer, note.file): note for group in groups for note in group}.values())
