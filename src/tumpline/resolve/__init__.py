"""The resolution: one version per package for all targets together.

`solver` is PubGrub over integer bit sets and knows nothing of packaging; `offers` says what each target can get, and
`judge` what it takes; `active` says what is asked for there, `preference` what is tried first; `joint` puts all that
together; `report` tells why there is no answer. Nothing here reads files or the network by itself.
"""
