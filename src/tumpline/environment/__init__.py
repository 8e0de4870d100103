"""Environments: made from the lock for one target, verified, replaced all at once.

`plan` says what will be there and `sources` where it comes from; `install` puts one wheel into an environment (with
`wheelfile`, `safety` and `rows`, which believe nothing that a wheel says of itself), `crew` many at once; `generations`
makes the whole appear in one step, and `sync` is all of it in order. `record` is what an environment says of itself,
and `check` whether that fits the present. Nothing is imported here: the worker processes need few of these modules,
and start often.
"""
