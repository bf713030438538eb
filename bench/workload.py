"""One workload: what is pooled, how, and how many bytes that moves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

ITEM_BYTES: Final = {"float32": 4, "float64": 8, "float16": 2, "bfloat16": 2, "int8": 1, "uint8": 1}
SHORT: Final = {"float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16", "int8": "i8", "uint8": "u8"}
SPATIAL: Final = "DHW"
INTEGERS: Final = ("int8", "uint8")


@dataclass(frozen=True, slots=True)
class Geometry:
    """A sliding window, or adaptive ``parts`` (1 everywhere: global), one entry per pooled axis; padding symmetric."""

    size: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()

    @property
    def rank(self) -> int:
        """How many axes are pooled."""
        return len(self.size or self.parts)

    @property
    def is_global(self) -> bool:
        """One window over everything."""
        return bool(self.parts) and set(self.parts) == {1}

    def outputs(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        """The output length of every pooled axis."""
        if self.parts:
            return self.parts
        rows = zip(lengths, self.size, self.stride, self.padding, strict=True)
        return tuple((n + 2 * p - k) // s + 1 for n, k, s, p in rows)

    def taps(self, lengths: tuple[int, ...]) -> int:
        """How many cells the largest window has."""
        if self.parts:
            return math.prod(-(-n // parts) for n, parts in zip(lengths, self.parts, strict=True))
        return math.prod(self.size)

    def __str__(self) -> str:
        if self.is_global:
            return "global"
        if self.parts:
            return "adaptive " + "x".join(map(str, self.parts))
        text = "x".join(map(str, self.size)) + "/" + _one_or_all(self.stride)
        return text + (f"+{_one_or_all(self.padding)}" if any(self.padding) else "")


def _one_or_all(numbers: tuple[int, ...]) -> str:
    return str(numbers[0]) if len(set(numbers)) == 1 else "x".join(map(str, numbers))


@dataclass(frozen=True, slots=True)
class Workload:
    """A row of the table. ``id`` is made from the other fields, so two rows never share one by accident.

    ``layout`` has one letter per axis of ``shape``; D, H and W are pooled. ``offset`` is the distance of the first
    element from a 64-byte line. ``threads`` None means the run's own number. In a ``ladder`` rows ascend in cost: a
    peer that was too slow for one row is spared the next ones. ``scaling`` adds one-thread columns to the row.
    """

    group: str
    op: str
    geometry: Geometry
    dtype: str
    layout: str
    shape: tuple[int, ...]
    backward: bool = False
    offset: int = 0
    threads: int | None = None
    ladder: str = ""
    scaling: bool = False
    overhead: bool = False
    quick: bool = False

    @property
    def id(self) -> str:
        """Names the row in files, on the command line and in tables."""
        parts = [self.op, str(self.geometry).replace(" ", "-"), SHORT[self.dtype], self.layout, shape_text(self.shape)]
        parts += ["backward"] * self.backward + [f"off{self.offset}"] * bool(self.offset)
        parts += [f"{self.threads}t"] * bool(self.threads) + ["call"] * self.overhead
        return "-".join(parts)

    @property
    def axes(self) -> tuple[int, ...]:
        """The pooled axes."""
        return tuple(i for i, letter in enumerate(self.layout) if letter in SPATIAL)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Their lengths."""
        return tuple(self.shape[i] for i in self.axes)

    @property
    def outputs(self) -> tuple[int, ...]:
        """Their lengths in the result."""
        return self.geometry.outputs(self.lengths)

    @property
    def out_shape(self) -> tuple[int, ...]:
        """Shape of the result, pooled axes kept."""
        outputs = dict(zip(self.axes, self.outputs, strict=True))
        return tuple(outputs.get(i, n) for i, n in enumerate(self.shape))

    @property
    def taps(self) -> int:
        """Cells of the largest window."""
        return self.geometry.taps(self.lengths)

    @property
    def work(self) -> int:
        """Taps of all windows together."""
        return self.taps * math.prod(self.out_shape)

    @property
    def x_bytes(self) -> int:
        """Bytes of the input."""
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]

    @property
    def y_bytes(self) -> int:
        """Bytes of the result."""
        return math.prod(self.out_shape) * ITEM_BYTES[self.dtype]

    @property
    def moved_bytes(self) -> int:
        """What the stream limit reads and writes: forward, and for backward rows the way back as well."""
        return (self.x_bytes + self.y_bytes) * (2 if self.backward else 1)

    @property
    def channels_last(self) -> bool:
        """The contiguous axis is the channels."""
        return self.layout.endswith("C")

    @property
    def batch(self) -> int:
        """Length of N, 1 if there is none."""
        return self.shape[self.layout.index("N")] if "N" in self.layout else 1

    @property
    def channels(self) -> int:
        """Length of C, 1 if there is none."""
        return self.shape[self.layout.index("C")] if "C" in self.layout else 1


def shape_text(shape: tuple[int, ...]) -> str:
    """``32x64x112x112``."""
    return "x".join(map(str, shape))
