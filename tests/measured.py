"""Coverage of commands that the tests run as processes of their own."""

from __future__ import annotations

from pathlib import Path

__all__ = ["measured"]

_SETTINGS = Path(__file__).resolve().parent.parent / "pyproject.toml"


def measured() -> dict[str, str]:
    """Return the variables by which a process of this Python measures its coverage, where the tests measure theirs.

    None otherwise. They are given to commands of ours only: pip or virtualenv would start half as fast for nothing, and
    what a test learns from the modules that a process imports would no longer be true. The process writes a file
    beside that of the tests, whatever its folder is; they are put together when the tests end.
    """
    from coverage import Coverage

    current = Coverage.current()
    if current is None:
        return {}
    return {"COVERAGE_PROCESS_START": str(_SETTINGS), "COVERAGE_FILE": current.get_data().base_filename()}
