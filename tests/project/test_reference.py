"""The example in the reference is read, and the table names every key."""

from __future__ import annotations

import re
from pathlib import Path

from tests.project.conftest import Read
from tumpline.project import PackageRule, settings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "project.md").read_text(encoding="utf-8")


def test_the_example_is_read(read: Read) -> None:
    example = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    project = read(f'[dependency-groups]\ndev = ["pytest"]\ngpu = ["cupy"]\n{example[1]}')
    assert [target.name for target in project.settings.targets] == ["narval", "laptop"]
    assert project.settings.targets[0].modules == ("arrow/17.0.0",)
    assert list(project.settings.packages.values()) == [PackageRule(policy="pypi"), PackageRule(build=True)]


def test_every_key_is_documented() -> None:
    keys = (
        *settings.KEYS[:-2],
        *(f"targets.NAME.{key}" for key in settings.TARGET_KEYS),
        *(f"packages.NAME.{key}" for key in settings.PACKAGE_KEYS),
    )
    assert [key for key in keys if f"\n| `{key}` |" not in PAGE] == []
