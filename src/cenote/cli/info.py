"""`cenote info`: which build runs here, and how."""

from __future__ import annotations

import cenote
from cenote.ops.info import text

from . import tables


def run(*, as_json: bool) -> int:
    """Print the build and the machine's part in it; the exit code."""
    found = cenote.info().as_dict()
    if as_json:
        tables.show_json(found)
        return 0
    rows = [(name.replace("_", " "), text(value)) for name, value in found.items()]
    tables.console().print(tables.grid(rows))
    return 0
