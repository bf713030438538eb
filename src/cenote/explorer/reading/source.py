"""Where an array comes from and what is known of it: what readers of every kind share."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from cenote.errors import CenoteError, message


class Unreadable(CenoteError):
    """What was handed over cannot be read; the sentence names it, what is wrong, and the way out."""


class Unknown(Unreadable):
    """It is of no kind that is read here."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or bytes that came another way; ``name`` is what sentences about it begin with."""

    name: str
    content: Path | bytes

    @classmethod
    def of(cls, path: Path) -> Source:
        """A file under its own path."""
        return cls(str(path), path)

    def open(self) -> IO[bytes]:
        """Its bytes, from the beginning."""
        return io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")

    def length(self) -> int:
        """How many bytes there are."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def error(self, problem: str, way_out: str) -> Unreadable:
        """A sentence about it."""
        return Unreadable(message(self.name, problem, way_out))

    def unknown(self, problem: str, way_out: str) -> Unknown:
        """The same where it is of no kind that is read here."""
        return Unknown(message(self.name, problem, way_out))


@dataclass(frozen=True, slots=True)
class Header:
    """What a file holds, known without reading its values."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    mode: str | None
    """Pillow's name for the channels ("RGB", "L", ...); None for an array."""
    notes: tuple[str, ...] = ()

    @property
    def pixels(self) -> int:
        """Height times width of an image, the number of values of an array."""
        lengths = self.shape if self.mode is None else self.shape[:2]
        return int(np.prod(lengths, dtype=object))


@dataclass(frozen=True, slots=True)
class Picture:
    """A file's values."""

    header: Header
    array: NDArray[Any]
    icc: bytes | None = None
    """The colour profile, kept so that the pooled picture looks like its original."""
