"""How reading data fails: one line that names the file, what was expected of it, what it holds and the way out."""

from __future__ import annotations

from pathlib import Path

from ...errors import CenoteError, message
from ..backend import INSTALL

_WHO = "load"


class DataError(CenoteError):
    """A file or folder does not hold what it should; the message names it and says what was expected and found."""


class MissingPackageError(CenoteError, ImportError):
    """A package that a loader needs is not installed; the message says how to get it."""


def unreadable(where: Path | str, problem: str, way_out: str) -> DataError:
    """``load: file: expected and found; the way out``."""
    return DataError(_one_line(message(_WHO, f"{where}: {problem}", way_out)))


def _one_line(text: str) -> str:
    """Names of files may hold line ends, a terminal's commands and bytes that are no text: these are written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def refused(where: Path, error: OSError) -> DataError:
    """What the system says about a file, as one of our errors."""
    text = error.strerror or str(error) or type(error).__name__
    return unreadable(where, f"cannot be read ({text[:1].lower()}{text[1:]})", "check the path and its permissions")


def missing(what: str, package: str, error: ImportError) -> MissingPackageError:
    """A loader without its package."""
    return MissingPackageError(message(_WHO, f"{what} needs {package}, which cannot be imported ({error})", INSTALL))
