"""The benchmark: every workload, every peer, one process. ``make bench`` runs it; ``python -m bench --help`` explains.

Not part of the package that users install. Peers are imported by name when they are run, so that this folder reads,
checks and tests without any of them.
"""
