"""What can be set in ``station.yaml``."""

from pathlib import Path

import yaml
from pydantic import BaseModel, HttpUrl, PositiveInt


class Station(BaseModel):
    """The station; `source` is the address of a CSV file, without which the observations are made up."""

    name: str
    year: int = 2025
    seed: int = 0
    folds: PositiveInt = 4
    source: HttpUrl | None = None


def read_settings(path: Path) -> Station:
    """Read and check the settings."""
    return Station.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
