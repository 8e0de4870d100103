"""Jobs: the script of a job, from a description; what a site wants of it; and the record that a run leaves.

The script is the whole of a job: it loads the modules, brings the environment to every node, runs the command and
writes the record, with nothing but bash and what the description names.
"""
