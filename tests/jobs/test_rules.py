"""What sites want of jobs, and what the values of a job look like."""

from __future__ import annotations

import pytest

from tumpline.jobs.rules import minutes_of, refusals, remarks
from tumpline.project.job import JOB_FIELDS, JobRequest, wrong_value
from tumpline.sites.load import load_site


@pytest.mark.parametrize(
    ("time", "minutes"),
    [
        *(("90", 90), ("90:30", 90.5), ("1:30:00", 90), ("1-0", 1440), ("1-1:30", 1530), ("2-0:0:30", 2880.5)),
    ],
)
def test_times(time: str, minutes: float) -> None:
    assert wrong_value("time", time) == ""
    assert minutes_of(time) == minutes


@pytest.mark.parametrize(
    ("site", "request_", "codes"),
    [
        ("narval", JobRequest(), ["no-account"]),
        ("narval", JobRequest(account="def-pi", gpus="a100:2"), []),
        ("narval", JobRequest(account="def-pi", gpus="a100_1g.5gb:1"), []),
        ("narval", JobRequest(account="def-pi", gpus="h100:1"), ["gpus-not-offered"]),
        ("narval", JobRequest(account="def-pi", gpus="2"), ["gpus-not-offered"]),
        ("trillium", JobRequest(account="def-pi", gpus="4"), []),
        ("trillium", JobRequest(account="def-pi", gpus="2"), ["gpus-not-offered"]),
        ("trillium", JobRequest(account="def-pi", gpus="h100:4"), ["gpus-not-offered"]),
        ("trillium", JobRequest(account="def-pi"), ["whole-nodes-only"]),
        ("trillium", JobRequest(account="def-pi", nodes="1", time="10"), ["outside-time-limits"]),
        ("trillium", JobRequest(account="def-pi", nodes="1", time="1-1"), ["outside-time-limits"]),
        ("tamia", JobRequest(account="aip-pi", gpus="h100:4"), []),
        ("tamia", JobRequest(account="aip-pi", gpus="h100:2"), ["gpus-not-offered"]),
        ("mila", JobRequest(), []),
    ],
)
def test_refusals(site: str, request_: JobRequest, codes: list[str]) -> None:
    found = list(refusals(request_, load_site(site)))
    assert [problem.code for problem in found] == codes
    assert all(problem.hint and problem.where for problem in found)


def test_an_account_may_be_known_to_slurm() -> None:
    assert list(refusals(JobRequest(), load_site("narval"), account_known=True)) == []


@pytest.mark.parametrize(
    ("request_", "codes"),
    [
        (JobRequest(account="my-pi"), ["account-unusual"]),
        (JobRequest(account="def-pi", memory="4G", nodes="1", tasks_per_node="192"), ["memory-ignored"]),
        (JobRequest(account="def-pi", nodes="2", tasks="96", cpus="4"), []),
        (JobRequest(account="def-pi", nodes="1", tasks_per_node="8"), ["cores-idle"]),
    ],
)
def test_remarks(request_: JobRequest, codes: list[str]) -> None:
    assert [problem.code for problem in remarks(request_, load_site("trillium"))] == codes


HOSTILE = ("a b", "x;y", "$(x)", "`x`", "a\nb", "'", '"', "#", "\\", "é", "")


@pytest.mark.parametrize("key", JOB_FIELDS)
@pytest.mark.parametrize("value", HOSTILE)
def test_what_is_no_value(key: str, value: str) -> None:
    assert wrong_value(key, value)


def test_what_a_guess_rests_on_is_said() -> None:
    (problem,) = refusals(JobRequest(account="def-pi", gpus="mi200"), load_site("nibi"))
    assert "(inferred)" in problem.message
