"""Outputs that appear complete or not at all, and never over a file that was there."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from cenote.errors import reason

from .errors import Failure


class Outputs:
    """Files being written under temporary names in their own folders, published together at the end.

    Leaving the ``with`` block without ``publish()`` (an error, Ctrl-C) removes every temporary file.
    """

    def __init__(self, *, force: bool) -> None:
        self._force = force
        self._waiting: list[tuple[Path, Path]] = []

    def __enter__(self) -> Outputs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for temporary, _ in self._waiting:
            with suppress(OSError):
                temporary.unlink()
        self._waiting.clear()

    def open(self, target: Path) -> IO[bytes]:
        """A new file that becomes ``target`` when published."""
        # The end of the name only, since one of 255 bytes is legal and leaves no room for more.
        temporary = target.with_name(f".{target.name[-40:]}.{os.getpid()}-{len(self._waiting)}.part")
        # Known before it exists: an interrupt between the two must not leave it behind.
        self._waiting.append((temporary, target))
        try:
            return temporary.open("xb")
        except FileExistsError:
            self._waiting.pop()  # somebody else's
            raise Failure(f"{temporary}: is in the way; remove it") from None
        except OSError as error:
            raise Failure(f"{target}: {reason(error)}; choose another place for the output") from None

    def publish(self) -> None:
        """Give every file its name. Without ``force`` a file that has appeared meanwhile is left alone."""
        done: list[Path] = []
        try:
            for temporary, target in self._waiting:
                _publish(temporary, target, force=self._force)
                done.append(target)
        except BaseException:
            if not self._force:  # what stood there before is gone otherwise; then half is better than nothing
                for target in done:
                    with suppress(OSError):
                        target.unlink()
            raise


def _publish(temporary: Path, target: Path, *, force: bool) -> None:
    try:
        if force:
            os.replace(temporary, target)
            return
        try:
            os.link(temporary, target)  # unlike a rename, it fails where the name is taken
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if os.path.lexists(target):
                raise FileExistsError from None
            os.replace(temporary, target)
    except FileExistsError:
        raise exists(target) from None
    except OSError as error:
        raise Failure(f"{target}: {reason(error)}; choose another place for the output") from None


def exists(target: Path) -> Failure:
    """The error for an output that is there already."""
    return Failure(f"{target}: exists; choose another name, or overwrite it with --force")


def check_target(target: Path, *, force: bool) -> None:
    """What can be known of an output before any work: its folder is there, and nothing is in the way."""
    if target.is_dir():
        raise Failure(f"{target}: is a folder; name a file")
    if os.path.lexists(target) and not force:
        raise exists(target)
    folder = target.parent
    if not folder.is_dir():
        known = "is no folder" if folder.exists() else "does not exist"
        raise Failure(f"{target}: the folder {folder} {known}; make it first: mkdir -p {folder}")
    if not os.access(folder, os.W_OK):
        raise Failure(f"{target}: the folder {folder} is not writable; choose another place for the output")
