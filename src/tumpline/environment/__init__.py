"""Environments: made from the lock for one target, verified, replaced all at once."""
