"""Hourly observations: fetched or made up, and kept as a Parquet file."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import requests
from scipy.signal import lfilter

from field_station.settings import Station


def observe(station: Station) -> pd.DataFrame:
    """Return a year of observations, one row an hour (degrees Celsius, W/m2, m/s, degrees)."""
    if station.source is not None:
        answer = requests.get(str(station.source), timeout=30)
        answer.raise_for_status()
        return pd.read_csv(io.StringIO(answer.text), index_col="time", parse_dates=True)
    random = np.random.default_rng(station.seed)
    time = pd.date_range(f"{station.year}-01-01", periods=365 * 24, freq="h", name="time")
    season = np.cos(2 * np.pi * (time.dayofyear - 200) / 365)
    height = np.clip(np.sin(2 * np.pi * (time.hour - 6) / 24) * (0.7 + 0.3 * season), 0, None)
    sun = 900 * height * random.uniform(0.3, 1.0, len(time))
    weather = lfilter([1], [1, -0.98], random.normal(0, 0.6, len(time)))
    air = 6 + 13 * season + 0.008 * sun + weather
    wind = random.weibull(1.9, len(time)) * 4
    direction = (250 + 40 * np.sin(time.dayofyear / 9) + random.normal(0, 45, len(time))) % 360
    # The soil follows the air slowly; wind dries and cools it a little.
    soil = lfilter([0.03], [1, -0.97], air + 0.004 * sun - 0.25 * wind) + random.normal(0, 0.3, len(time))
    columns = {"air": air, "sun": sun, "wind": wind, "direction": direction, "soil": soil}
    return pd.DataFrame({name: np.asarray(values) for name, values in columns.items()}, index=time)


def keep(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Write the observations to a Parquet file and return what a later run would read from it."""
    pq.write_table(pa.Table.from_pandas(table), path, compression="zstd")
    return pq.read_table(path).to_pandas()
