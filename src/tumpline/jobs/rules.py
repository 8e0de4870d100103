"""What a site wants of a job, held against what the job asks for; nothing is held against it where that is unknown."""

from __future__ import annotations

from collections.abc import Iterator

from tumpline.errors import Problem
from tumpline.project.job import JobRequest
from tumpline.sites import Site

__all__ = ["minutes_of", "refusals", "remarks"]


def refusals(request: JobRequest, site: Site, *, account_known: bool = False) -> Iterator[Problem]:
    """Yield what the site would refuse. `account_known` says that a variable of Slurm names an account.

    Codes: ``no-account``, ``gpus-not-offered``, ``outside-time-limits``, ``whole-nodes-only``.
    """
    rules = site.jobs
    where = f"site {site.name}"
    if rules.accounts and not request.account and not account_known:
        yield Problem(
            "no-account",
            "the job names no account",
            where,
            hint=f"say which with --account {rules.accounts[0]}-NAME, or as account in [tool.tumpline.job]",
        )
    if request.gpus and rules.gpus and not _offered(request.gpus, rules.gpus):
        yield Problem(
            "gpus-not-offered",
            f"no node offers the GPUs {request.gpus}{_guess(site, 'gpus')}",
            where,
            hint=f"choose one of: {', '.join(rules.gpus)}; a number may follow a model, as in h100:2"
            if any(not form.isdigit() and ":" not in form for form in rules.gpus)
            else f"choose one of: {', '.join(rules.gpus)}",
        )
    if request.time:
        asked = minutes_of(request.time)
        if rules.longest is not None and asked > rules.longest:
            limit = f"at most {rules.longest} minutes"
        elif rules.shortest is not None and asked < rules.shortest:
            limit = f"at least {rules.shortest} minutes"
        else:
            limit = ""
        if limit:
            yield Problem(
                "outside-time-limits",
                f"the job asks for {asked:g} minutes; jobs have {limit}{_guess(site, 'longest')}",
                where,
                hint="ask for another time with --time, or cut the work into several jobs",
            )
    if rules.whole_nodes and not request.gpus and not request.nodes:
        yield Problem(
            "whole-nodes-only",
            f"jobs get whole nodes, and this one does not say how many{_guess(site, 'whole-nodes')}",
            where,
            hint="say how many with --nodes",
        )


def remarks(request: JobRequest, site: Site) -> Iterator[Problem]:
    """Yield what is no mistake and may be one: ``account-unusual``, ``memory-ignored``, ``cores-idle``."""
    rules = site.jobs
    where = f"site {site.name}"
    if request.account and rules.accounts and request.account.partition("-")[0] not in rules.accounts:
        known = ", ".join(f"{prefix}-*" for prefix in rules.accounts)
        yield Problem("account-unusual", f"the account {request.account} is none of {known}", where)
    if not rules.memory and (request.memory or request.memory_per_cpu):
        yield Problem("memory-ignored", "the request for memory means nothing: jobs get whole nodes", where)
    if rules.whole_nodes and rules.cores is not None and not request.gpus and request.nodes:
        tasks = int(request.tasks_per_node or 0) or -(-int(request.tasks or 1) // int(request.nodes))
        used = tasks * int(request.cpus or 1)
        if used < rules.cores:
            yield Problem(
                "cores-idle",
                f"the job uses {used} of the {rules.cores} cores of each node",
                where,
                hint="use them with --tasks-per-node and --cpus, or put several tasks into one job",
            )


def minutes_of(time: str) -> float:
    """Return a time of sbatch in minutes: ``90``, ``90:00``, ``1:30:00``, ``1-12``, ``1-12:30``, ``1-12:30:00``."""
    days, dash, rest = time.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if dash:
        hours, minutes, seconds = [*parts, 0, 0][:3]
    elif len(parts) == 3:
        hours, minutes, seconds = parts
    else:
        hours, (minutes, seconds) = 0, [*parts, 0][:2]
    return int(days or 0) * 1440 + hours * 60 + minutes + seconds / 60


def _offered(asked: str, forms: tuple[str, ...]) -> bool:
    return asked in forms or (not asked.isdigit() and asked.partition(":")[0] in forms)


def _guess(site: Site, key: str) -> str:
    return " (inferred)" if f"jobs.{key}" in site.inferred else ""
