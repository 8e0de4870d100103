"""Which site this is, told from variables and host names that are given."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.tags import platform_tags

from tumpline.errors import InputError
from tumpline.sites.detect import Detection, detect, here_platform, site_here
from tumpline.sites.load import load_site


@pytest.mark.parametrize(
    ("environ", "hostname", "system", "site", "because"),
    [
        ({"CC_CLUSTER": "narval"}, "ng1", "linux", "narval", "CC_CLUSTER=narval"),
        ({"CC_CLUSTER": "narval", "TUMPLINE_SITE": "fir"}, "", "linux", "fir", "TUMPLINE_SITE=fir"),
        ({"CC_CLUSTER": "computecanada"}, "desk", "linux", "linux", "system linux"),
        ({"CC_CLUSTER": "computecanada"}, "fir.alliancecan.ca", "linux", "fir", "host fir.alliancecan.ca"),
        ({}, "login1.narval.alliancecan.ca", "linux", "narval", "host login1.narval.alliancecan.ca"),
        ({}, "trillium-gpu.alliancecan.ca", "linux", "trillium", "host trillium-gpu.alliancecan.ca"),
        ({}, "CN-A001.server.mila.quebec", "linux", "mila", "host CN-A001.server.mila.quebec"),
        ({}, "laptop.mila.quebec", "linux", "linux", "system linux"),
        ({}, "alliancecan.ca", "linux", "linux", "system linux"),
        ({}, "narval", "linux", "linux", "system linux"),
        ({}, "narval.alliancecan.ca.example.org", "linux", "linux", "system linux"),
        ({}, "desk", "darwin", "macos", "system darwin"),
        ({}, "desk", "win32", "windows", "system win32"),
        ({}, "desk", "freebsd14", "linux", "system freebsd14"),
        # `here` as an answer would go round in a circle; a path or an escape sequence is no name.
        ({"TUMPLINE_SITE": "here"}, "", "linux", "linux", "system linux"),
        ({"TUMPLINE_SITE": "../narval"}, "", "linux", "linux", "system linux"),
        ({"CC_CLUSTER": "\x1b[31mfir"}, "", "linux", "linux", "system linux"),
        ({"CC_CLUSTER": ""}, "", "darwin", "macos", "system darwin"),
    ],
)
def test_site(environ: dict[str, str], hostname: str, system: str, site: str, because: str) -> None:
    found = detect(environ, hostname=hostname, system=system)
    assert found.site_name == site
    assert [evidence.seen for evidence in found.evidence if evidence.decisive] == [because]


def test_all_that_a_job_tells() -> None:
    environ = {
        "CC_CLUSTER": "rorqual",
        "EBVERSIONGENTOO": "2023",
        "RSNT_ARCH": "avx512",
        "EBVERSIONPYTHON": "3.11.5",
        "SLURM_JOB_ID": "4711",
    }
    found = detect(environ, hostname="rc32404")
    assert (found.site_name, found.environment, found.cpu_level, found.python, found.in_job) == (
        "rorqual",
        "2023",
        "x86-64-v4",
        "3.11.5",
        True,
    )
    assert [evidence.seen for evidence in found.evidence] == [f"{name}={value}" for name, value in environ.items()]


@pytest.mark.parametrize(("value", "level"), [("avx512", "x86-64-v4"), ("avx2", "x86-64-v3"), ("sse3", ""), ("", "")])
def test_cpu_level(value: str, level: str) -> None:
    found = detect({"CC_CLUSTER": "fir", "RSNT_ARCH": value})
    assert found.cpu_level == level
    assert any(evidence.seen.startswith("RSNT_ARCH") for evidence in found.evidence) == bool(level)


def test_the_stack_without_a_cluster_is_evidence() -> None:
    found = detect({"CC_CLUSTER": "computecanada"}, system="linux")
    assert "no cluster" in found.evidence[0].meaning
    assert not found.evidence[0].decisive


def _detected(name: str) -> Detection:
    return detect({"TUMPLINE_SITE": name})


def test_here_is_the_real_machine() -> None:
    found = detect({}, hostname="desk")
    site = site_here(found)
    assert (site.name, site.kind) == (found.site_name, "machine")
    assert site.platform == here_platform()
    assert site.platform.tags == tuple(platform_tags())


def test_here_on_a_cluster_is_its_profile() -> None:
    assert site_here(_detected("narval")) == load_site("narval")


def test_another_kind_of_machine_keeps_its_own_tags() -> None:
    other = "windows" if sys.platform != "win32" else "linux"
    assert site_here(_detected(other)) == load_site(other)


def test_here_without_a_profile() -> None:
    with pytest.raises(InputError) as caught:
        site_here(_detected("beluga"))
    assert caught.value.code == "unknown-site"


def test_a_users_profile_counts(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text('kind = "cluster"\n[platform]\nos = "linux"\ntags = ["linux_x86_64"]\n')
    assert site_here(_detected("lab"), (tmp_path,)).origin == str(tmp_path / "lab.toml")
