"""How a command fails: one line, and an exit code that says whose turn it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cenote.errors import CenoteError, CenoteMemoryError

FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130

_WHO: Final = re.compile(r"^[A-Za-z_][\w.]*: ")


class Failure(Exception):
    """The command line was right, but a file or the machine stood in the way (exit code 1)."""

    code = FAILED


class Usage(Failure):
    """The command line itself must change (exit code 2)."""

    code = USAGE


class Interrupted(Failure):
    """Ctrl-C."""

    code = INTERRUPTED


def of_cenote(error: CenoteError) -> Failure:
    """An error of the library, without the function in front: the command is named instead."""
    text = " ".join(_WHO.sub("", str(error)).split())
    return Failure(text) if isinstance(error, CenoteMemoryError) else Usage(text)


@contextmanager
def of_a_file() -> Iterator[None]:
    """What reading a file raises, which names the file already."""
    try:
        yield
    except CenoteError as error:
        raise Failure(str(error)) from None
