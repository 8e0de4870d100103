"""The reference of sites is complete, and its example works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.sites.test_site_command import SITE_KEYS
from tumpline.sites.load import list_sites, load_site, module_packages

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "sites.md").read_text(encoding="utf-8")


def test_the_example_works(tmp_path: Path) -> None:
    profile, table, _project = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "sites" / "tables").mkdir(parents=True)
    (tmp_path / "sites" / "lab.toml").write_text(profile, encoding="utf-8")
    (tmp_path / "sites" / "tables" / "modules.toml").write_text(table, encoding="utf-8")
    site = load_site("lab", (tmp_path / "sites",))
    assert site.wheelhouse == str((tmp_path / "wheelhouse").resolve())
    assert [row.name for row in module_packages(site)] == ["gadget", "gadget"]


@pytest.mark.parametrize("key", [*SITE_KEYS, "schema", "modules", "seen", "meaning", "decisive", "in-job"])
def test_keys_of_json_are_documented(key: str) -> None:
    json = TEXT.partition("## JSON")[2]
    assert re.search(rf"[`{{ ]{key}[`,}}]", json)


def test_every_shipped_site_is_named() -> None:
    names = TEXT.partition("## Your own profiles")[0]
    assert [site.name for site in list_sites() if f"`{site.name}`" not in names] == []


def test_every_inferred_fact_is_explained() -> None:
    rows = TEXT.partition("## What is inferred")[2].partition("\n## ")[0].splitlines()
    explained = {
        "default-environment": "the default is `StdEnv/2023`",
        "cpu-levels": "the CPU level",
        "job-storage": "`$SLURM_TMPDIR`",
        "environments.2023.default-python": "the default Python",
        "quotas.scratch": "scratch",
        "jobs.gpus": "what GPUs are called",
        "jobs.shared-folder": "`/tmp` outlasts a job",
        "build-in": "environments are best made",
        "platform": "the platform",
    }
    for site in list_sites():
        for fact in site.inferred:
            row = next(row for row in rows if row.startswith(f"| {explained[fact]}"))
            assert f"`{site.name}`" in row or re.search(r"\| all (of|but)", row), (site.name, fact)
