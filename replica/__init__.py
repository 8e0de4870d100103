"""A small wheelhouse like the Alliance's, made of real wheels: for tests, the demo, and to try without a cluster.

``python -m replica OUT`` makes one; `replica.build.make_replica` is the same for programs. The wheels come from the
index that pip is configured with; their names, versions, tags and METADATA are then made to look like a wheelhouse's.
"""
