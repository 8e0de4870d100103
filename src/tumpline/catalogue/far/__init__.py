"""A wheelhouse on another machine, listed and read by a program that is sent there and leaves nothing behind.

`bundle` makes that program from the modules that this side uses itself, so that there is one reader of wheels. Of this
folder `frames`, `buckets` and `program` travel; `link` speaks with them, and `wheelhouse` is what a scan is given.
"""
