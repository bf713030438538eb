"""What folders are called, as text that results and reports can hold: the name of a file need not be text."""

from __future__ import annotations

import os
from pathlib import Path


def of_folder(folder: Path) -> str:
    """The last part of where a folder really is: ``.`` is called as the current folder is."""
    found = text(Path(os.path.abspath(folder)).name or str(folder))
    return found if found.strip() else repr(found)


def text(name: str) -> str:
    r"""A name that any file can hold: bytes that are no UTF-8 are written out.

    >>> text("cat\udce9")
    'cat\\udce9'
    """
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
