"""The figure: soil and prediction, wind, and the climate of the soil."""

from pathlib import Path

import pandas as pd
from matplotlib.dates import DateFormatter, MonthLocator
from matplotlib.figure import Figure
from windrose import WindroseAxes

from field_station.analysis import Findings


def draw(findings: Findings, hourly: pd.DataFrame, title: str, path: Path) -> None:
    """Write the figure."""
    # A Figure of its own, not pyplot's: a compute node has no screen.
    figure = Figure(figsize=(12, 4), layout="constrained")
    figure.suptitle(title)
    left = figure.add_subplot(1, 3, 1)
    left.plot(findings.days.index, findings.days["soil"], label="soil", linewidth=2)
    left.plot(findings.days.index, findings.days["predicted"], label="predicted", linewidth=1)
    left.set(title=f"mean error {findings.error:.2f} °C", ylabel="°C")
    left.xaxis.set_major_locator(MonthLocator(interval=3))
    left.xaxis.set_major_formatter(DateFormatter("%b"))
    left.legend()
    rose = figure.add_subplot(1, 3, 2, axes_class=WindroseAxes)
    rose.bar(hourly["direction"].to_numpy(), hourly["wind"].to_numpy(), normed=True, bins=[0, 2, 4, 6, 8])
    rose.set_title("wind (% of hours)")
    right = figure.add_subplot(1, 3, 3)
    shades = right.pcolormesh(findings.climate["hour"], findings.climate["month"], findings.climate, shading="nearest")
    right.set(title="soil by month and hour", xlabel="hour", ylabel="month")
    figure.colorbar(shades, ax=right, label="°C")
    figure.savefig(path, dpi=120)
