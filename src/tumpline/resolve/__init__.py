"""The resolution: one version per package for all targets together.

`solver` is PubGrub over integer bit sets and knows nothing of packaging; `offers` says what each target can get;
`joint` puts the two together; `report` tells why there is no answer. Nothing here reads files or the network by itself.
"""
