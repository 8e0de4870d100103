"""What several test folders need."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared facts, cases and scenarios beside the project; tests that need it are skipped without it."""
    folder = ROOT.parent / "shared"
    if not (folder / "design.md").is_file():
        pytest.skip("the folder ../shared is not here")
    return folder
