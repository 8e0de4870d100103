"""``tumpline site``: the sites, what is known of one, and which one this is."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict

from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import all_sites, here, load_site_named
from tumpline.sites import Quota, Site

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="name all sites", description="Name all sites.")
    show = actions.add_parser("show", help="show what is known of a site", description="Show what is known of a site.")
    show.add_argument("site", metavar="SITE", help="the name of a site, or here")
    detecting = actions.add_parser(
        "detect", help="say which site this is", description="Say which site this is, and from what evidence."
    )
    for action in (listing, show, detecting):
        action.add_argument("--json", action="store_true", help="print the answer as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Answer; raises InputError ``unknown-site``."""
    match options.action:
        case "list":
            sites = all_sites()
            _answer(terminal, {"schema": "tumpline.sites/1", "sites": [_data(s) for s in sites]}, _list_lines(sites))
        case "show":
            site = load_site_named(options.site)
            _answer(terminal, {"schema": "tumpline.site/1", **_data(site)}, _show_lines(site))
        case "detect":
            found = here()
            _answer(
                terminal,
                {"schema": "tumpline.detection/1", **asdict(found)},
                [
                    f"site: {found.site_name}",
                    *(f"  {e.seen}: {e.meaning}{' (decisive)' if e.decisive else ''}" for e in found.evidence),
                ],
            )
    return 0


def _answer(terminal: Terminal, data: dict[str, object], lines: Iterator[str] | list[str]) -> None:
    if terminal.json:
        terminal.data(json.dumps(data, indent=2))
    else:
        for line in lines:
            terminal.data(line)


def _list_lines(sites: tuple[Site, ...]) -> Iterator[str]:
    width = max(len(site.name) for site in sites)
    for site in sites:
        words = [site.title]
        if site.environments:
            words.append(f"StdEnv {', '.join(environment.name for environment in site.environments)}")
        if site.cpu_levels:
            words.append(f"{', '.join(site.cpu_levels)}{_mark(site, 'cpu-levels')}")
        yield f"{site.name:<{width}}  {'; '.join(words)}"


def _show_lines(site: Site) -> Iterator[str]:
    yield f"{site.name}: {site.title}"
    for label, key, value in (
        ("login host", "login-host", site.login_host),
        ("scheduler", "scheduler", site.scheduler),
        ("system", "platform", f"{site.platform.os} {site.platform.machine}"),
        ("CPU levels", "cpu-levels", ", ".join(site.cpu_levels)),
        ("manylinux wheels", "manylinux", "accepted" if site.manylinux else "refused"),
        ("wheelhouse", "wheelhouse", site.wheelhouse or "none"),
        ("catalogue", "catalogue", site.catalogue or "none"),
    ):
        if value:
            yield f"  {label}: {value}{_mark(site, key)}"
    if site.kind == "cluster":
        home = "writable" if site.home_writable_in_jobs else "read-only"
        yield f"  internet on compute nodes: {site.compute_internet}{_mark(site, 'compute-internet')}"
        yield f"  $SLURM_TMPDIR: {site.job_storage or 'unknown'}{_mark(site, 'job-storage')}"
        yield f"  home in jobs: {home}{_mark(site, 'home-writable-in-jobs')}"
        yield f"  environments are best made: {site.build_in}{_mark(site, 'build-in')}"
    for name, quota in (site.quotas or {}).items():
        yield f"  quota of {name}: {_quota(quota)}"
    for environment in site.environments:
        default = " (default)" if environment.name == site.default_environment else ""
        default += _mark(site, "default-environment") if default else ""
        yield f"  StdEnv/{environment.name}{default}: Python {', '.join(environment.pythons)}"
        for level in site.cpu_levels:
            yield f"    layers for {level}: {', '.join(environment.layers.get(level, ()))}"
    if site.dummies:
        yield f"  only from modules: {', '.join(f'{dummy.name} ({dummy.module})' for dummy in site.dummies)}"
    yield f"  from: {site.origin.rpartition('/')[2] if '/tumpline/sites/data/' in site.origin else site.origin}"


def _mark(site: Site, key: str) -> str:
    return " (inferred)" if key in site.inferred else ""


def _quota(quota: Quota) -> str:
    space = f"{quota.space / 10**9:,.0f} GB" if quota.space is not None else "unknown space"
    return f"{space}, {quota.files:,} files" if quota.files is not None else space


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
        "quotas": {name: asdict(quota) for name, quota in (site.quotas or {}).items()},
        "dummies": {dummy.name: dummy.module for dummy in site.dummies},
        "inferred": sorted(site.inferred),
    }
