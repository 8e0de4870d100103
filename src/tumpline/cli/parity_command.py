"""``tumpline parity``: the matrix package × target, as a table for people or as JSON; or an environment against one."""

from __future__ import annotations

import argparse
import json
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_project_option, read_lock_of
from tumpline.lock.model import LockedTarget
from tumpline.lock.parity import Cell, ParityReport, ParityRow, parity

__all__ = ["configure", "execute", "parity_data", "render_parity"]

_WIDTH = 80
"""The width of the table where stdout is no terminal."""

_LONGEST_NAME = 28
"""Longer names get a line of their own, so that they do not take the width from the versions."""

_MARKS = {
    "p": "from the index, since the wheelhouse has no fitting wheel or is not asked",
    "m": "from a module: pinned, not installed",
    "~": "approximate: its dependencies are not certain there",
    "!": "another version than the others",
    "-": "not needed there",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_project_option(parser)
    parser.add_argument(
        "--target", action="append", default=[], metavar="NAME", help="compare only this target (repeat for several)"
    )
    against = parser.add_mutually_exclusive_group()
    against.add_argument(
        "--env", type=Path, metavar="DIR", help="compare what is installed in this environment with the target"
    )
    against.add_argument(
        "--freeze",
        type=Path,
        metavar="FILE",
        help="compare a list of what is installed somewhere (pip freeze, pip list, conda) with the target",
    )
    against.add_argument(
        "--record",
        type=Path,
        nargs=2,
        metavar="FILE",
        help="compare two runs, by the records that their jobs left",
    )
    parser.add_argument("--only-differences", action="store_true", help="show only the packages that diverge")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print the report; return 1 where some package diverges."""
    if options.env is not None or options.freeze is not None:
        from tumpline.cli.parity_installed import compare_installed

        return compare_installed(options, terminal)
    if options.record is not None:
        from tumpline.cli.parity_runs import compare_records

        return compare_records(options, terminal)
    _, lock = read_lock_of(options)
    report = parity(lock, options.target)
    if terminal.json:
        terminal.data(json.dumps(parity_data(report, only_differences=options.only_differences), indent=2))
    else:
        width = shutil.get_terminal_size().columns if terminal.out.isatty() else _WIDTH
        terminal.data(render_parity(report, width, only_differences=options.only_differences))
    return 1 if report.summary.diverging else 0


def parity_data(report: ParityReport, *, only_differences: bool = False) -> dict[str, object]:
    """Return the report as plain data; its form is documented in ``docs/reference/lock.md``."""
    counts = report.summary
    return {
        "schema": "tumpline.parity/1",
        "targets": [
            {
                "name": target.name,
                "site": target.site,
                "python": target.python,
                "environment": target.environment or None,
                "cpu-level": target.cpu_level or None,
                "grade": target.grade,
                "catalogue-date": target.catalogue_date or None,
            }
            for target in report.targets
        ],
        "packages": [
            {
                "name": row.name,
                "version": row.version,
                "severity": row.severity,
                "targets": {
                    target.name: None if cell is None else _cell_data(cell)
                    for target, cell in zip(report.targets, row.cells, strict=True)
                },
            }
            for row in _chosen(report, only_differences)
        ],
        "summary": {
            "packages": counts.packages,
            "same": counts.same,
            "diverging": counts.diverging,
            "patch": counts.patch,
            "minor": counts.minor,
            "major": counts.major,
            "partial": counts.partial,
            "modules": counts.modules,
            "approximate": counts.approximate,
        },
    }


def render_parity(report: ParityReport, width: int, *, only_differences: bool = False) -> str:
    """Return the report as text: the table, the marks it uses, the reasons of what diverges, and the counts.

    Targets that do not fit side by side in `width` characters follow in further tables of the same packages.
    """
    rows = _chosen(report, only_differences)
    parts = [*_tables(report, rows, width)] if rows else []
    told = (_legend(rows, report.targets), _reasons(rows), _notes(report.targets), [_counts(report)])
    parts += ["\n".join(_wrapped(line, width) for line in lines) for lines in told if lines]
    return "\n\n".join(parts)


def _wrapped(line: str, width: int) -> str:
    return textwrap.fill(line, width, subsequent_indent="    ", break_on_hyphens=False, break_long_words=False)


def _chosen(report: ParityReport, only_differences: bool) -> list[ParityRow]:
    return [row for row in report.rows if row.severity or not only_differences]


def _cell_data(cell: Cell) -> dict[str, object]:
    return {
        "version": cell.version,
        "public": cell.public,
        "source": cell.source,
        "module": cell.module or None,
        "approximate": cell.approximate or None,
        "severity": cell.severity,
        "reason": cell.reason or None,
    }


def _tables(report: ParityReport, rows: Sequence[ParityRow], width: int) -> Iterator[str]:
    """Split the targets into groups that fit the width, and draw each."""
    columns = [
        [target.name, *(_cell_text(row.cells[position], target) for row in rows)]
        for position, target in enumerate(report.targets)
    ]
    names = ["package", *(row.name for row in rows)]
    differs = ["differs" if any(row.severity for row in rows) else "", *(row.severity or "" for row in rows)]
    name_width = min(_LONGEST_NAME, max(map(len, names)))
    room = width - name_width - max(map(len, differs)) - 2
    group: list[list[str]] = []
    used = 0
    for column in columns:
        needed = max(map(len, column)) + 2
        if group and used + needed > room:
            yield _table(names, name_width, group, differs)
            group, used = [], 0
        group.append(column)
        used += needed
    yield _table(names, name_width, group, differs)


def _table(names: Sequence[str], name_width: int, columns: Sequence[Sequence[str]], differs: Sequence[str]) -> str:
    widths = [max(map(len, column)) for column in columns]
    lines: list[str] = []
    for index, name in enumerate(names):
        if len(name) > name_width:
            lines.append(name)
            name = ""
        cells = (f"  {column[index]:<{wide}}" for column, wide in zip(columns, widths, strict=True))
        lines.append(f"{name:<{name_width}}{''.join(cells)}  {differs[index]}".rstrip())
    return "\n".join(lines)


def _cell_text(cell: Cell | None, target: LockedTarget) -> str:
    marks = _marks(cell, target)
    if cell is None:
        return marks
    return f"{cell.public} {marks}" if marks else cell.public


def _marks(cell: Cell | None, target: LockedTarget) -> str:
    """Return the marks of a cell. What comes from an index is the rule where there is no wheelhouse: no mark."""
    if cell is None:
        return "-"
    return "".join(
        mark
        for mark, holds in (
            ("p", cell.source == "pypi" and bool(target.layers or target.catalogue)),
            ("m", cell.source == "module"),
            ("~", bool(cell.approximate)),
            ("!", cell.severity is not None),
        )
        if holds
    )


def _legend(rows: Sequence[ParityRow], targets: Sequence[LockedTarget]) -> list[str]:
    used = {
        mark for row in rows for cell, target in zip(row.cells, targets, strict=True) for mark in _marks(cell, target)
    }
    return [f"{mark}  {meaning}" for mark, meaning in _MARKS.items() if mark in used]


def _reasons(rows: Sequence[ParityRow]) -> list[str]:
    return [
        f"{row.name} is {cell.public} on {cell.target}, not {row.version} ({cell.severity})"
        + (f": {cell.reason}" if cell.reason else "")
        for row in rows
        for cell in row.cells
        if cell is not None and cell.severity
    ]


def _notes(targets: Sequence[LockedTarget]) -> list[str]:
    """Say which targets were locked from a list (R24)."""
    return [
        f"{target.name} was locked from a list"
        + (f" of {target.catalogue_date}" if target.catalogue_date else "")
        + ": what the wheelhouse has may differ"
        for target in targets
        if target.grade == "listed"
    ]


def _counts(report: ParityReport) -> str:
    counts = report.summary
    kinds = ((counts.major, "major"), (counts.minor, "minor"), (counts.patch, "patch"))
    differing = ", ".join(f"{count} {kind}" for count, kind in kinds if count)
    total = "1 package" if counts.packages == 1 else f"{counts.packages} packages"
    verb = "differs" if counts.diverging == 1 else "differ"
    told = f"{counts.diverging} {verb} ({differing})" if differing else "none differs"
    return f"{total}: {counts.same} the same on every target that needs them, {told}"
