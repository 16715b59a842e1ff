"""Finds what is wrong with a machine, a running copy or a cluster, and names the fix; `python -m runtime.doctor`."""
