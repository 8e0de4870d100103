"""Learning the temperature of the soil from the weather above it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import theilslopes
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import KFold
from tqdm import tqdm


@dataclass(frozen=True)
class Findings:
    """What came out: predictions for every day, their mean error (degrees), the bias against wind, a climatology."""

    days: pd.DataFrame
    error: float
    wind_slope: float
    climate: xr.DataArray


def analyse(hourly: pd.DataFrame, folds: int, seed: int) -> Findings:
    """Predict each day's soil temperature by a forest that has not seen the day."""
    days = hourly.drop(columns="direction").resample("D").mean()
    for lag in (1, 3, 7):
        days[f"air_{lag}"] = days["air"].rolling(lag).mean().shift(1)
    days = days.dropna()
    features = days.drop(columns="soil")
    predicted = np.empty(len(days))
    splits = KFold(folds, shuffle=True, random_state=seed).split(features)
    for seen, unseen in tqdm(splits, total=folds, desc="forests", unit="fold"):
        forest = RandomForestRegressor(200, random_state=seed, n_jobs=-1)
        forest.fit(features.iloc[seen], days["soil"].iloc[seen])
        predicted[unseen] = forest.predict(features.iloc[unseen])
    days["predicted"] = predicted
    slope = theilslopes(days["soil"] - days["predicted"], days["wind"]).slope
    return Findings(days, mean_absolute_error(days["soil"], predicted), float(slope), _climate(hourly["soil"]))


def _climate(soil: pd.Series) -> xr.DataArray:
    """Return the mean temperature by month and hour."""
    hours = xr.DataArray(soil.to_numpy(), dims="time", coords={"time": soil.index.to_numpy()})
    months = [month.groupby("time.hour").mean() for _, month in hours.groupby("time.month")]
    return xr.concat(months, pd.Index(range(1, len(months) + 1), name="month"))
