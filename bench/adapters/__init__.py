"""cenote inside the frameworks: what an adapter adds to the NumPy call, and what the framework gains by it.

Like the peers, frameworks are imported by name when a row is run, so that all of this reads and tests without them.
"""
