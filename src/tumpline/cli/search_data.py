"""The answers of a search as JSON, a line for each wheel: there can be tens of thousands, which are not kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tumpline.cli.search_words import ask_index
from tumpline.cli.tables import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tumpline.catalogue.content import WheelRow
    from tumpline.cli.scope import Scope
    from tumpline.cli.search_answer import Answer

__all__ = ["answer_lines", "catalogue_data", "lines_with_wheels", "wheel_data"]


def answer_lines(answer: Answer, scope: Scope, *, offline: bool) -> Iterator[str]:
    """Yield the lines of the answer; its form is documented in ``docs/reference/search.md``."""
    pure = ask_index(answer, offline=offline)
    modules = [
        {
            "name": name,
            "version": offer.version,
            "environment": offer.environment,
            "module": offer.module,
            "pythons": list(offer.pythons),
            "fits": offer.fits(scope.terms),
        }
        for name, offers in answer.modules
        for offer in offers
    ]
    missing = [
        {
            "asked": missing.ask.given,
            "near": {near.kind: list(near.items) for near in missing.near},
            "index": found._asdict() if (found := pure.get(missing.ask.name)) else None,
        }
        for missing in answer.missing
    ]
    head = {"schema": "tumpline.search/1", "catalogue": catalogue_data(scope)}
    wheels = (wheel_data(row) for rows in answer.projects for row in rows)
    return lines_with_wheels(head, wheels, {"modules": modules, "missing": missing})


def lines_with_wheels(
    head: Mapping[str, object], wheels: Iterable[Mapping[str, object]], tail: Mapping[str, object]
) -> Iterator[str]:
    """Yield the lines of an object with the keys of `head`, ``wheels`` with a line for each, and those of `tail`."""
    yield "{"
    for key, value in head.items():
        yield f"  {json.dumps(key)}: {json.dumps(value)},"
    yield '  "wheels": ['
    before = ""
    for wheel in wheels:
        if before:
            yield f"{before},"
        before = f"    {json.dumps(wheel)}"
    if before:
        yield before
    yield "  ]," if tail else "  ]"
    for place, (key, value) in enumerate(tail.items(), 1):
        yield f"  {json.dumps(key)}: {json.dumps(value)}{',' if place < len(tail) else ''}"
    yield "}"


def catalogue_data(scope: Scope) -> dict[str, object]:
    """Return what was looked into, as plain data."""
    info = scope.catalogue.info
    return {
        "site": info.site,
        "grade": info.grade,
        "date": info.date,
        "layers": list(scope.terms.layers) if scope.terms.layers is not None else None,
        "unread-layers": list(scope.unread),
        "pythons": list(scope.terms.pythons) if scope.terms.pythons is not None else None,
    }


def wheel_data(row: WheelRow) -> dict[str, object]:
    """Return a wheel as plain data, without the keys that would be empty."""
    data = {
        "name": row.name,
        "version": COLUMNS["version"](row),
        "local": COLUMNS["localversion"](row),
        "build": row.build,
        "tags": row.tags,
        "pythons": list(row.pythons),
        "layer": row.layer,
        # The name as it is spelled is a part of it.
        "file": row.file,
        "spelling": "" if row.file else row.spelling,
        "size": row.size,
        "date": datetime.fromtimestamp(row.mtime_ns / 1e9, UTC).date().isoformat() if row.mtime_ns else "",
    }
    return {key: value for key, value in data.items() if value or value == 0}
