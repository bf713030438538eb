"""The rows about adapters, as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..table import IMAGES, VOLUMES, slide, twin
from ..workload import Workload
from . import calls, cnn, networks, small
from .case import Case

# operator, window, shape in NCHW order
LARGE: Final[tuple[tuple[str, str, tuple[int, ...]], ...]] = (
    ("max", "2x2/2", IMAGES),
    ("max", "3x3/2+1", IMAGES),
    ("avg", "2x2/2", IMAGES),
    ("max", "2x2x2/2", VOLUMES),
)


def _large(room: str, rows: int) -> Iterator[Case]:
    for backward in (False, True):
        for op, window, shape in LARGE[:rows]:
            layout = "NCHW" if len(shape) == 4 else "NCDHW"
            row = Workload("Inside the frameworks", op, slide(window), "float32", layout, shape, backward=backward)
            first = (op, window) == LARGE[0][:2]
            for workload in (row, twin(row)):
                yield calls.case(room, workload, quick=first and (workload is row or not backward))


def cases() -> tuple[Case, ...]:
    """Every row, in the order in which they run and are printed."""
    return (
        *_large("torch", len(LARGE)),
        *_large("jax", 1),
        *small.cases(),
        *(
            networks.case(network, training, quick=network is not networks.UNET)
            for network in (networks.VGG, networks.UNET, networks.SPPF)
            for training in (False, True)
        ),
        cnn.case(quick=True),
    )
