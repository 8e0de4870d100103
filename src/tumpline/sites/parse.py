"""From the tables of a profile to values, with every complaint named by file and key.

A profile may come from anywhere: what becomes part of a path, a command or a line on a terminal is checked here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast

from packaging.version import InvalidVersion

from tumpline.sites.platforms import parse_platform
from tumpline.sites.profile import (
    BuildPlace,
    Dummy,
    Internet,
    JobRules,
    ModulePackage,
    Quota,
    Site,
    SiteKind,
    SoftwareEnvironment,
)
from tumpline.sites.reader import Complaints, Form, Table
from tumpline.values import normalise, parse_version

__all__ = ["parse_modules", "parse_site"]

_WORD = Form(re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*"), "a name of letters, digits, dots, dashes and underscores")
_HOST = Form(re.compile(r"([A-Za-z0-9][\w.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*", re.ASCII), "the name of a host")
_BELOW = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
# Layers become folders below the wheelhouse: they must not lead out of it.
_LAYER = Form(_BELOW, "a folder below the wheelhouse")
_FILE = Form(_BELOW, "a file beside the profile or below it")
_LOCAL = Form(re.compile(r"[a-z0-9]+(\.[a-z0-9]+)*"), "the local part of a version, such as computecanada")
_PYTHON = Form(re.compile(r"[0-9]+\.[0-9]+\.[0-9]+"), "an exact version such as 3.11.5")
_MINOR = Form(re.compile(r"[0-9]+\.[0-9]+"), "a minor version such as 3.11")
_PROJECT = Form(re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"), "the name of a Python package")
_GPUS = Form(
    re.compile(r"[0-9]{1,3}|[A-Za-z][A-Za-z0-9_.-]*(:[0-9]{1,3})?"), "a model such as a100, h100:4, or a number"
)
_ABSOLUTE = Form(re.compile(r"/[A-Za-z0-9._/-]+"), "the path of a folder")
_SPACE = Form(re.compile(r"[0-9]{1,9} (KB|MB|GB|TB)"), 'a size such as "50 GB"')
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def parse_site(name: str, values: Mapping[str, object], origins: Mapping[str, Path]) -> Site:
    """Make a site of a profile's keys; `origins` says which file a key path came from, and ``""`` which is the site's
    own.

    Raises InputError ``bad-profile`` with all that is wrong.
    """
    own = origins[""]
    complaints = Complaints(origins)
    top = Table(values, complaints)
    top.need("platform")
    top.text("extends")  # followed by the loader
    wheelhouse = _wheelhouse(top.text("wheelhouse"), origins)
    quotas = top.table("quotas")
    dummies = top.table("dummies")
    site = Site(
        name=name,
        title=top.text("title", name),
        kind=cast("SiteKind", top.text("kind", "cluster", choices=("cluster", "machine"))),
        platform=parse_platform(top.table("platform")),
        catalogue=top.text("catalogue", form=_WORD) or (name if wheelhouse else None),
        wheelhouse=wheelhouse,
        local_tag=top.text("local-tag", form=_LOCAL),
        manylinux=top.flag("manylinux", True),
        cpu_levels=top.texts("cpu-levels", form=_WORD),
        environments=_environments(top.table("environments")),
        default_environment=top.text("default-environment"),
        login_host=top.text("login-host", form=_HOST),
        scheduler=top.text("scheduler", form=_WORD),
        compute_internet=cast("Internet", top.text("compute-internet", "full", choices=("none", "proxy", "full"))),
        job_storage=cast('Literal["disk", "memory", ""]', top.text("job-storage", choices=("disk", "memory"))),
        home_writable_in_jobs=top.flag("home-writable-in-jobs", True),
        build_in=cast("BuildPlace", top.text("build-in", "in-job", choices=("in-job", "login-node"))),
        jobs=_job_rules(top.table("jobs")),
        quotas={key: _quota(quotas.table(key)) for key in quotas.names(_WORD)} or None,
        dummies=tuple(
            Dummy(normalise(package), dummies.text(package, form=_WORD)) for package in dummies.names(_PROJECT)
        ),
        module_tables=_tables(top, origins),
        inferred=frozenset(top.texts("inferred")),
        origin=str(own),
    )
    _compare(site, top)
    top.done()
    complaints.finish()
    return site


def parse_modules(values: Mapping[str, object], where: str) -> tuple[ModulePackage, ...]:
    """Read ``[[modules]]`` of a table, or of a profile that has some: environment, module, version, pythons, provides.

    Raises InputError ``bad-profile`` with all that is wrong.
    """
    complaints = Complaints({"": Path(where)})
    top = Table(values, complaints)
    top.need("modules")
    rows = _rows(top)
    complaints.finish()
    return rows


def _compare(site: Site, top: Table) -> None:
    """Complain about keys that do not agree with each other."""
    names = [environment.name for environment in site.environments]
    if site.default_environment not in names and (names or site.default_environment):
        top.complain("default-environment", f"{site.default_environment!r} is not one of the environments")
    if not site.manylinux and any(tag.startswith(("manylinux", "musllinux")) for tag in site.platform.tags):
        top.complain("manylinux", "is false, but the platform takes manylinux or musllinux tags")
    for environment in site.environments if site.wheelhouse else ():
        for level in site.cpu_levels:
            if level not in environment.layers:
                top.complain("environments", f"{environment.name} has no layers for the CPU level {level}")
    for fact in sorted(site.inferred):
        if fact.partition(".")[0] not in top.asked:
            top.complain("inferred", f"{fact!r} is not a key of a profile")


def _tables(top: Table, origins: Mapping[str, Path]) -> tuple[str, ...]:
    """Return the files with rows of modules: the tables that are named, and the profile itself where it has some."""
    tables = [str(origins["module-tables"].parent / table) for table in top.texts("module-tables", form=_FILE)]
    if _rows(top):
        tables.append(str(origins["modules"]))
    return tuple(tables)


def _rows(top: Table) -> tuple[ModulePackage, ...]:
    rows: list[ModulePackage] = []
    for table in top.rows("modules"):
        table.need("environment", "module", "version", "pythons", "provides")
        environment, module, version = (table.text(key, form=_WORD) for key in ("environment", "module", "version"))
        pythons = table.texts("pythons", form=_MINOR)
        provides = table.table("provides")
        brought = [(name, _version(provides, name)) for name in provides.names(_PROJECT)]
        rows += [
            ModulePackage(environment, module, version, python, normalise(name), text)
            for python in pythons
            for name, text in brought
        ]
        table.done()
    return tuple(rows)


def _version(table: Table, key: str) -> str:
    text = table.text(key)
    try:
        parse_version(text)
    except InvalidVersion:
        # What is not a string was complained of already, and came back empty.
        if text or table.values[key] == "":
            table.complain(key, f"{text!r} is not a version")
    return text


def _environments(table: Table) -> tuple[SoftwareEnvironment, ...]:
    return tuple(_environment(name, table.table(name)) for name in table.names(_WORD))


def _environment(name: str, table: Table) -> SoftwareEnvironment:
    pythons = table.texts("pythons", form=_PYTHON)
    default = table.text("default-python", pythons[0] if pythons else "", form=_PYTHON)
    if not pythons:
        table.complain("pythons", "there is none")
    elif default not in pythons:
        table.complain("default-python", f"{default} is not one of the Pythons")
    layers = table.table("layers")
    found = {level: layers.texts(level, form=_LAYER) for level in layers.names(_WORD)}
    table.done()
    return SoftwareEnvironment(name, pythons, default, found)


def _job_rules(table: Table) -> JobRules:
    rules = JobRules(
        accounts=table.texts("accounts", form=_WORD),
        gpus=table.texts("gpus", form=_GPUS),
        whole_nodes=table.flag("whole-nodes", False),
        cores=table.count("cores"),
        memory=table.flag("memory", True),
        shortest=table.count("shortest"),
        longest=table.count("longest"),
        shared_folder=table.text("shared-folder", form=_ABSOLUTE),
    )
    table.done()
    return rules


def _wheelhouse(text: str, origins: Mapping[str, Path]) -> str | None:
    if not text:
        return None
    # A relative folder is meant from the profile's own place, so that a replica can be moved as a whole.
    return text if text.startswith("/") else str((origins["wheelhouse"].parent / text).resolve())


def _quota(table: Table) -> Quota:
    number, _, unit = table.text("space", form=_SPACE).partition(" ")
    quota = Quota(int(number) * _UNITS[unit] if number else None, table.count("files"))
    table.done()
    return quota
