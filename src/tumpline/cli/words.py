"""What several commands say of a lock's changes, as text and as data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tumpline.lock.changes import Change

__all__ = ["change_rows", "change_words"]


def change_words(change: Change) -> str:
    """Say in a line what changes of a package."""
    if not change.before:
        return f"+ {change.name} {change.after}"
    if not change.after:
        return f"- {change.name} {change.before}"
    if change.before == change.after:
        return f"~ {change.name} {change.after} (provided differently on {', '.join(change.targets)})"
    return f"~ {change.name} {change.before} -> {change.after}"


def change_rows(changes: Iterable[Change]) -> list[dict[str, object]]:
    """Return changes as plain data; their form is documented in ``docs/reference/lock.md``."""
    return [
        {
            "name": change.name,
            "before": change.before or None,
            "after": change.after or None,
            "targets": list(change.targets),
        }
        for change in changes
    ]
