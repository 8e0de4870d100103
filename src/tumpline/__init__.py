"""Tumpline: one pyproject.toml, one lock, working environments on a laptop and on every cluster."""

__version__ = "0.1.0"
