"""Benchmarks: each against its named peer, in the same run."""
