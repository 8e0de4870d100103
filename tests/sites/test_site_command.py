"""`tumpline site` as a person calls it, and as a program reads it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tumpline.cli import main
from tumpline.sites.detect import here_platform

SITE_KEYS = [
    "name",
    "title",
    "kind",
    "os",
    "machine",
    "tags",
    "login-host",
    "scheduler",
    "cpu-levels",
    "manylinux",
    "wheelhouse",
    "catalogue",
    "local-tag",
    "compute-internet",
    "job-storage",
    "home-writable-in-jobs",
    "build-in",
    "jobs",
    "default-environment",
    "environments",
    "quotas",
    "dummies",
    "inferred",
    "profile",
]

LAB = """
title = "Our laboratory"
wheelhouse = "../wheels"
manylinux = false
local-tag = "lab"
cpu-levels = ["x86-64-v3"]
default-environment = "1"
inferred = ["quotas.home"]
platform = { tags = ["linux_x86_64"] }
dummies = { gadget = "gadgets" }
[environments.1]
pythons = ["3.11.5", "3.12.4"]
layers = { x86-64-v3 = ["v3", "generic"] }
[jobs]
gpus = ["a100:4"]
whole-nodes = true
cores = 64
longest = 90
shared-folder = "/disk"
[quotas]
home = { space = "500 MB" }
scratch = { files = 1000 }
[[modules]]
environment = "1"
module = "gadgets"
version = "2.0"
pythons = ["3.11", "3.12"]
provides = { gadget = "2.0.1" }
"""


@pytest.fixture(autouse=True)
def sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of profiles with one of our own, and none of this machine's settings."""
    for name in list(os.environ):
        if name.startswith(("TUMPLINE_", "CC_", "RSNT_", "EB", "SLURM_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("tumpline.cli.wiring.host_name", lambda: "laptop")
    folder = tmp_path / "lab" / "sites"
    folder.mkdir(parents=True)
    (folder / "lab.toml").write_text(LAB, encoding="utf-8")
    monkeypatch.setenv("TUMPLINE_SITES", str(folder))
    return folder


def answer(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["site", *words]) == status
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def data(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> dict[str, Any]:
    found = json.loads(answer(capsys, *words, "--json", status=status))
    assert isinstance(found, dict)
    return found


class TestList:
    def test_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        lines = {line.split()[0]: line for line in answer(capsys, "list").splitlines()}
        assert list(lines) == sorted(lines)
        assert {"narval", "lab", "linux"} <= set(lines)
        assert "Our laboratory" in lines["lab"]
        assert lines["fir"].count("(inferred)") == 1
        assert "(inferred)" not in lines["narval"]
        assert not any(line.endswith(" ") for line in lines.values())

    def test_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = data(capsys, "list")
        assert list(found) == ["schema", "sites"]
        assert found["schema"] == "tumpline.sites/1"
        assert [list(site) for site in found["sites"]] == [SITE_KEYS] * len(found["sites"])

    def test_profiles_of_the_config_folder(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        folder = tmp_path / "config" / "tumpline" / "sites"
        folder.mkdir(parents=True)
        (folder / "mine.toml").write_text("platform.tags = ['win_amd64']\n", encoding="utf-8")
        (folder / "lab.toml").write_text("title = 'hidden by the other'\nplatform.tags = ['x']\n", encoding="utf-8")
        text = answer(capsys, "list")
        assert "\nmine " in text
        assert "Our laboratory" in text


class TestShow:
    def test_text(self, sites: Path, capsys: pytest.CaptureFixture[str]) -> None:
        text = answer(capsys, "show", "lab")
        wheels = (sites.parent / "wheels").resolve()
        told = [" ".join(line.split()) for line in text.splitlines()]
        assert told[0] == "lab: Our laboratory"
        for line in (
            "manylinux wheels refused",
            f"wheelhouse {wheels}",
            "GPUs on a node a100:4",
            "nodes of jobs whole ones of 64 cores",
            "longest job 90 minutes",
            "catalogue lab",
            "quota of home 500 MB (inferred)",
            "quota of scratch 1,000 files",
            "layers for x86-64-v3: v3, generic",
            "only as modules gadget (gadgets)",
            f"profile {sites / 'lab.toml'}",
        ):
            assert line in told, line
        assert "gadget 2.0.1" not in text

    def test_modules(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert answer(capsys, "show", "lab", "--modules").splitlines()[-2:] == [
            "",
            "StdEnv/1 gadgets/2.0 (Python 3.11, 3.12): gadget 2.0.1",
        ]
        assert answer(capsys, "show", "linux", "--modules").endswith("no module is known to bring Python packages\n")

    def test_modules_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = data(capsys, "show", "lab", "--modules")
        assert list(found) == ["schema", *SITE_KEYS, "modules"]
        assert found["modules"] == [
            {
                "environment": "1",
                "module": "gadgets",
                "version": "2.0",
                "pythons": ["3.11", "3.12"],
                "packages": {"gadget": "2.0.1"},
            }
        ]

    def test_json(self, sites: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert data(capsys, "show", "lab") == {
            "schema": "tumpline.site/1",
            "name": "lab",
            "title": "Our laboratory",
            "kind": "cluster",
            "os": "linux",
            "machine": "x86_64",
            "tags": ["linux_x86_64"],
            "login-host": None,
            "scheduler": None,
            "cpu-levels": ["x86-64-v3"],
            "manylinux": False,
            "wheelhouse": str((sites.parent / "wheels").resolve()),
            "catalogue": "lab",
            "local-tag": "lab",
            "compute-internet": "full",
            "job-storage": None,
            "home-writable-in-jobs": True,
            "build-in": "in-job",
            "jobs": {
                "accounts": [],
                "gpus": ["a100:4"],
                "whole-nodes": True,
                "cores": 64,
                "memory": True,
                "shortest": None,
                "longest": 90,
                "shared-folder": "/disk",
            },
            "default-environment": "1",
            "environments": [
                {
                    "name": "1",
                    "pythons": ["3.11.5", "3.12.4"],
                    "default-python": "3.11.5",
                    "layers": {"x86-64-v3": ["v3", "generic"]},
                }
            ],
            "quotas": {"home": {"space": 500_000_000, "files": None}, "scratch": {"space": None, "files": 1000}},
            "dummies": {"gadget": "gadgets"},
            "inferred": ["quotas.home"],
            "profile": str(sites / "lab.toml"),
        }

    @pytest.mark.parametrize("name", ["trillium", "narval", "vulcan"])
    def test_a_cluster(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        text = " ".join(answer(capsys, "show", name).split())
        read_only = name == "trillium"
        assert ("home in jobs read-only" in text) is read_only
        assert ("best built on a login node" in text) is read_only
        assert ("$SLURM_TMPDIR memory" in text) is read_only
        assert "StdEnv/2023 the default (inferred)" in text
        assert ("default Python 3.11.5 (inferred)" in text) is (name == "narval")
        assert ("$SLURM_TMPDIR disk (inferred)" in text) is (name == "vulcan")

    def test_here(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert data(capsys, "show", "here")["tags"] == list(here_platform().tags)
        assert "inferred" not in answer(capsys, "show", "here")

    @pytest.mark.parametrize("name", ["nowhere", "../lab", "a/b", "alliance-modules"])
    def test_unknown(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["site", "show", name]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith(f"error[unknown-site]: there is no site '{name}'\nhint: ")

    def test_unknown_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = data(capsys, "show", "narvel", status=2)
        assert found["problems"][0]["code"] == "unknown-site"
        assert "narval" in found["problems"][0]["hint"]

    def test_a_profile_with_faults(self, sites: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (sites / "bad.toml").write_text("title = 1\ncolour = 2\nplatform.tags = ['x']\n", encoding="utf-8")
        assert main(["site", "show", "bad"]) == 2
        error = capsys.readouterr().err
        assert f"error[bad-profile]: {sites / 'bad.toml'}: title: expected a string, found a number\n" in error
        assert f"error[bad-profile]: {sites / 'bad.toml'}: colour: there is no such key\n" in error

    def test_no_action(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as caught:
            main(["site"])
        assert caught.value.code == 2
        assert "ACTION" in capsys.readouterr().err


class TestDetect:
    def test_text(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setenv("CC_CLUSTER", "fir")
        monkeypatch.setenv("RSNT_ARCH", "avx512")
        assert answer(capsys, "detect") == (
            "site: fir\n  CC_CLUSTER=fir: the site is fir (decisive)\n  RSNT_ARCH=avx512: the CPU level is x86-64-v4\n"
        )

    def test_json(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setenv("TUMPLINE_SITE", "lab")
        monkeypatch.setenv("SLURM_JOB_ID", "12")
        assert data(capsys, "detect") == {
            "schema": "tumpline.detection/1",
            "site": "lab",
            "environment": None,
            "cpu-level": None,
            "python": None,
            "in-job": True,
            "evidence": [
                {"seen": "TUMPLINE_SITE=lab", "meaning": "the site is lab, because you say so", "decisive": True},
                {"seen": "SLURM_JOB_ID=12", "meaning": "this runs inside a job", "decisive": False},
            ],
        }

    def test_the_host_name(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setattr("tumpline.cli.wiring.host_name", lambda: "trillium-gpu.alliancecan.ca")
        assert data(capsys, "detect")["site"] == "trillium"
