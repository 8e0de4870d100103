"""``python -m field_station``: run the whole study and write figure.png in the current folder."""

import tempfile
from pathlib import Path

from field_station.analysis import analyse
from field_station.figure import draw
from field_station.observations import keep, observe
from field_station.settings import Station, read_settings


def main() -> None:
    """Observe, analyse, draw."""
    path = Path("station.yaml")
    station = read_settings(path) if path.is_file() else Station(name="Mont Sans-Bruit")
    with tempfile.TemporaryDirectory() as folder:
        hourly = keep(observe(station), Path(folder) / "observations.parquet")
    findings = analyse(hourly, station.folds, station.seed)
    draw(findings, hourly, f"{station.name}, {station.year}", Path("figure.png"))
    print(f"{len(hourly)} hours, {len(findings.days)} days: soil temperature predicted to {findings.error:.2f} °C")
    print(f"wind explains {findings.wind_slope:+.3f} °C per m/s of what is left")
    print("wrote figure.png")


if __name__ == "__main__":
    main()
