"""``tumpline site``: the sites, what is known of one, and which one this is."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import all_sites, here, load_site_named

if TYPE_CHECKING:
    from tumpline.sites import JobRules, Quota, Site
    from tumpline.sites.detect import Detection

__all__ = ["configure", "execute", "inferred_mark"]

_UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"))


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="name all sites", description="Name all sites.")
    show = actions.add_parser("show", help="show what is known of a site", description="Show what is known of a site.")
    show.add_argument("site", metavar="SITE", help="the name of a site, or here")
    show.add_argument("--modules", action="store_true", help="show also the Python packages that its modules bring")
    detecting = actions.add_parser(
        "detect", help="say which site this is", description="Say which site this is, and from what evidence."
    )
    for action in (listing, show, detecting):
        action.add_argument("--json", action="store_true", help="print the answer as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Answer; raises InputError ``unknown-site``, ``bad-profile``."""
    match options.action:
        case "list":
            sites = all_sites()
            _answer(terminal, {"schema": "tumpline.sites/1", "sites": [_data(s) for s in sites]}, _list_lines(sites))
        case "show":
            _show(load_site_named(options.site), terminal, modules=options.modules)
        case "detect":
            found = here()
            _answer(terminal, _detection_data(found), _detection_lines(found))
    return 0


def _answer(terminal: Terminal, data: dict[str, object], lines: Iterable[str]) -> None:
    if terminal.json:
        terminal.data(json.dumps(data, indent=2))
    else:
        for line in lines:
            terminal.data(line)


def _show(site: Site, terminal: Terminal, *, modules: bool) -> None:
    data: dict[str, object] = {"schema": "tumpline.site/1", **_data(site)}
    lines = list(_show_lines(site))
    if modules:
        from tumpline.cli.module_groups import group_data, group_line, group_modules
        from tumpline.sites.load import module_packages

        groups = group_modules(module_packages(site))
        data["modules"] = [group_data(group) for group in groups]
        lines += ["", *map(group_line, groups)] if groups else ["", "no module is known to bring Python packages"]
    _answer(terminal, data, lines)


# Lists


def _list_lines(sites: Sequence[Site]) -> Iterator[str]:
    rows = [
        (
            site.name,
            site.title,
            f"{', '.join(site.cpu_levels)}{inferred_mark(site, 'cpu-levels')}" if site.cpu_levels else "",
            f"StdEnv {', '.join(environment.name for environment in site.environments)}" if site.environments else "",
        )
        for site in sites
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _show_lines(site: Site) -> Iterator[str]:
    yield f"{site.name}: {site.title}"
    rows = [(label, value) for label, value in _facts(site) if value]
    width = max(len(label) for label, _ in rows)
    before = ""
    for label, value in rows:
        yield f"  {label if label != before else '':<{width}}  {value}"
        before = label


def _facts(site: Site) -> Iterator[tuple[str, str]]:
    """Yield labels and values; an empty value has nothing to tell."""

    def fact(key: str, value: str) -> str:
        return f"{value}{inferred_mark(site, key)}" if value else ""

    yield "login host", fact("login-host", site.login_host)
    yield "scheduler", fact("scheduler", site.scheduler)
    yield "system", fact("platform", f"{site.platform.os} {site.platform.machine}")
    yield "CPU levels", fact("cpu-levels", ", ".join(site.cpu_levels))
    if site.platform.os == "linux":
        yield "manylinux wheels", fact("manylinux", "accepted" if site.manylinux else "refused")
    yield "wheelhouse", fact("wheelhouse", site.wheelhouse or "")
    yield "catalogue", fact("catalogue", site.catalogue or "")
    if site.kind == "cluster":
        home = "writable" if site.home_writable_in_jobs else "read-only"
        yield "internet in jobs", fact("compute-internet", site.compute_internet)
        yield "$SLURM_TMPDIR", fact("job-storage", site.job_storage)
        yield "home in jobs", fact("home-writable-in-jobs", home)
        yield "best built", fact("build-in", {"in-job": "in the job", "login-node": "on a login node"}[site.build_in])
        for label, key, value in _job_facts(site.jobs):
            yield label, fact(f"jobs.{key}", value)
    for name, quota in (site.quotas or {}).items():
        yield f"quota of {name}", fact(f"quotas.{name}", _quota(quota))
    for environment in site.environments:
        label, key = f"StdEnv/{environment.name}", f"environments.{environment.name}"
        if environment.name == site.default_environment:
            yield label, fact("default-environment", "the default")
        yield label, fact(f"{key}.pythons", f"Python {', '.join(environment.pythons)}")
        yield label, fact(f"{key}.default-python", f"default Python {environment.default_python}")
        for level in site.cpu_levels:
            layers = environment.layers.get(level, ())
            yield label, fact(f"{key}.layers", f"layers for {level}: {', '.join(layers)}" if layers else "")
    yield "only as modules", fact("dummies", ", ".join(f"{dummy.name} ({dummy.module})" for dummy in site.dummies))
    yield "profile", site.origin


def _job_facts(rules: JobRules) -> Iterator[tuple[str, str, str]]:
    """Yield label, key and value of what jobs must be like."""
    yield "accounts of jobs", "accounts", ", ".join(f"{prefix}-*" for prefix in rules.accounts)
    yield "GPUs on a node", "gpus", ", ".join(rules.gpus)
    cores = f" of {rules.cores} cores" if rules.cores is not None else ""
    yield "nodes of jobs", "whole-nodes", f"whole ones{cores}" if rules.whole_nodes else ""
    yield "memory of jobs", "memory", "" if rules.memory else "requests are ignored"
    yield "shortest job", "shortest", f"{rules.shortest} minutes" if rules.shortest is not None else ""
    yield "longest job", "longest", f"{rules.longest} minutes" if rules.longest is not None else ""
    yield "shared in arrays", "shared-folder", rules.shared_folder


def inferred_mark(site: Site, key: str) -> str:
    """Return the mark of what nobody confirmed: the key itself, or the table that it is in (R24)."""
    parts = key.split(".")
    return " (inferred)" if any(".".join(parts[: end + 1]) in site.inferred for end in range(len(parts))) else ""


def _quota(quota: Quota) -> str:
    words: list[str] = []
    if quota.space is not None:
        size, unit = next(((size, unit) for size, unit in _UNITS if quota.space >= size), (1, "B"))
        words.append(f"{quota.space / size:g} {unit}")
    if quota.files is not None:
        words.append(f"{quota.files:,} files")
    return ", ".join(words)


def _data(site: Site) -> dict[str, object]:
    """Return a site as plain data; its form is documented in ``docs/reference/sites.md``."""
    return {
        "name": site.name,
        "title": site.title,
        "kind": site.kind,
        "os": site.platform.os,
        "machine": site.platform.machine,
        "tags": list(site.platform.tags),
        "login-host": site.login_host or None,
        "scheduler": site.scheduler or None,
        "cpu-levels": list(site.cpu_levels),
        "manylinux": site.manylinux,
        "wheelhouse": site.wheelhouse,
        "catalogue": site.catalogue,
        "local-tag": site.local_tag or None,
        "compute-internet": site.compute_internet,
        "job-storage": site.job_storage or None,
        "home-writable-in-jobs": site.home_writable_in_jobs,
        "build-in": site.build_in,
        "jobs": {
            "accounts": list(site.jobs.accounts),
            "gpus": list(site.jobs.gpus),
            "whole-nodes": site.jobs.whole_nodes,
            "cores": site.jobs.cores,
            "memory": site.jobs.memory,
            "shortest": site.jobs.shortest,
            "longest": site.jobs.longest,
            "shared-folder": site.jobs.shared_folder or None,
        },
        "default-environment": site.default_environment or None,
        "environments": [
            {
                "name": environment.name,
                "pythons": list(environment.pythons),
                "default-python": environment.default_python,
                "layers": {level: list(layers) for level, layers in environment.layers.items()},
            }
            for environment in site.environments
        ],
        "quotas": {name: {"space": quota.space, "files": quota.files} for name, quota in (site.quotas or {}).items()},
        "dummies": {dummy.name: dummy.module for dummy in site.dummies},
        "inferred": sorted(site.inferred),
        "profile": site.origin,
    }


# Detection


def _detection_lines(found: Detection) -> Iterator[str]:
    yield f"site: {found.site_name}"
    for evidence in found.evidence:
        yield f"  {evidence.seen}: {evidence.meaning}{' (decisive)' if evidence.decisive else ''}"


def _detection_data(found: Detection) -> dict[str, object]:
    return {
        "schema": "tumpline.detection/1",
        "site": found.site_name,
        "environment": found.environment or None,
        "cpu-level": found.cpu_level or None,
        "python": found.python or None,
        "in-job": found.in_job,
        "evidence": [{"seen": e.seen, "meaning": e.meaning, "decisive": e.decisive} for e in found.evidence],
    }
