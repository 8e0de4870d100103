"""A year at a weather station: from observations to a figure."""
