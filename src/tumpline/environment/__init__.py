"""Environments: made from the lock for one target, verified, replaced all at once.

`plan` says what will be there and `sources` where it comes from, `building` makes the wheels of what is a source and
`footprint` says how large it all will be; `install` puts one wheel into an environment (with `wheelfile`, `safety` and
`rows`, which believe nothing that a wheel says of itself, and `reuse`, which believes nothing of what is there),
`crew` many at once, `bytecode` is what is compiled, `other_installers` are pip and uv; `make` fills an environment,
`generations` makes the whole appear in one step, and `sync` is all of it in order. `record` is what an environment
says of itself, `check` whether that fits the present, `seen` what was found before, and `activation` what a shell has
to do.

`pack` makes one file of an environment (`pack_content` says of what) and `unpack` an environment of that, elsewhere:
`image` is its head, `tarstream`, `compression` and `parts` are its form, `relocation` is what depends on the place.
`verify` holds an environment against its RECORDs, which `inventory` reads, and `imports` tries what is in it.

Nothing is imported here: the worker processes need few of these modules, and start often.
"""
