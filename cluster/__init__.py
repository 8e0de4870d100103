"""A cluster to test on, on one machine and without containers: real Slurm, real Lmod, nodes of their own.

``python -m cluster up`` starts it and ``down`` takes it away; `cluster.running.up` is the same for programs. Each node
is a slurmd with a network, a host name and a local disk of its own; the modules, the wheelhouse and pip's configuration
are like the Alliance's, on top of the replica. All its files are in one folder, and there can be a cluster in each of
several folders at once.
"""
