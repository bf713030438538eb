"""The workloads, as data. A new row here is measured, reported and judged by the bars it falls under."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from .workload import Geometry, Workload


def slide(text: str) -> Geometry:
    """``3x3/2+1``: size, stride, padding on every side."""
    window, _, padding = text.partition("+")
    sizes, _, stride = window.partition("/")
    size = tuple(map(int, sizes.split("x")))
    strides = tuple(map(int, stride.split("x")))
    return Geometry(size, strides * (len(size) // len(strides)), (int(padding or 0),) * len(size))


def parts(*counts: int) -> Geometry:
    """Adaptive bins; 1 everywhere is global pooling."""
    return Geometry(parts=counts)


def twin(row: Workload) -> Workload:
    """The same work with the channels last."""
    channel = row.layout.index("C")
    order = [*(i for i in range(len(row.layout)) if i != channel), channel]
    layout = "".join(row.layout[i] for i in order)
    return replace(row, layout=layout, shape=tuple(row.shape[i] for i in order))


IMAGES: Final = (32, 64, 112, 112)
VOLUMES: Final = (2, 32, 64, 64, 64)
# Bytes of x: from half of an L1 cache to memory that no cache holds.
LADDER: Final = (16 << 10, 128 << 10, 512 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20, 256 << 20)
MISALIGNED: Final = (16 << 10, 1 << 20, 16 << 20)

# group, operator, window, shape in NCHW order, quick?
_PLANES: Final[tuple[tuple[str, str, Geometry, tuple[int, ...], bool], ...]] = (
    ("2-D windows", "max", slide("2x2/2"), IMAGES, True),
    ("2-D windows", "max", slide("3x3/2+1"), IMAGES, True),
    ("2-D windows", "min", slide("2x2/2"), IMAGES, False),
    ("2-D windows", "avg", slide("2x2/2"), IMAGES, True),
    ("2-D windows", "avg", slide("3x3/1+1"), (32, 64, 56, 56), False),
    ("2-D windows", "lp", slide("2x2/2"), IMAGES, False),
    ("2-D windows", "max", slide("7x7/2"), (3, 224, 224), False),
    ("2-D windows", "avg", slide("7x7/2"), (3, 224, 224), False),
    ("2-D windows", "max", slide("3x3/1"), (56, 264, 264), False),
    ("2-D windows", "avg", slide("3x3/1"), (56, 264, 264), False),
    ("Pyramids", "max", slide("5x5/1+2"), (8, 256, 20, 20), True),
    ("Pyramids", "max", slide("5x5/1+2"), (8, 512, 19, 19), False),
    ("Pyramids", "max", slide("9x9/1+4"), (8, 512, 19, 19), False),
    ("Pyramids", "max", slide("13x13/1+6"), (8, 512, 19, 19), True),
    ("Adaptive and global", "avg", parts(1, 1), (64, 2048, 7, 7), True),
    ("Adaptive and global", "max", parts(1, 1), (64, 2048, 7, 7), False),
    ("Adaptive and global", "avg", parts(7, 7), (32, 512, 13, 13), False),
    ("Adaptive and global", "avg", parts(6, 6), (32, 256, 55, 55), False),
    ("Adaptive and global", "max", parts(6, 6), (32, 256, 55, 55), False),
    ("3-D", "max", slide("2x2x2/2"), VOLUMES, True),
    ("3-D", "max", slide("3x3x3/1+1"), (1, 16, 64, 64, 64), False),
    ("3-D", "max", slide("1x2x2/1x2x2"), VOLUMES, False),
    ("3-D", "avg", slide("2x2x2/2"), VOLUMES, False),
    ("3-D", "avg", slide("1x2x2/1x2x2"), VOLUMES, False),
    ("1-D", "max", slide("2/2"), (32, 128, 16000), False),
    ("1-D", "avg", slide("2/2"), (32, 128, 16000), False),
)

# operator, window, dtypes, with the channels last too?
_TYPES: Final[tuple[tuple[str, str, tuple[str, ...], bool], ...]] = (
    ("max", "2x2/2", ("float16", "bfloat16", "float64", "int8", "uint8"), True),
    ("max", "3x3/2+1", ("float16", "bfloat16", "float64", "int8", "uint8"), False),
    ("avg", "2x2/2", ("float16", "bfloat16", "float64", "int8", "uint8"), True),
)

# operator, window, shape, dtypes
_BACKWARD: Final[tuple[tuple[str, Geometry, tuple[int, ...], tuple[str, ...]], ...]] = (
    ("max", slide("2x2/2"), IMAGES, ("float32", "float16", "bfloat16", "float64")),
    ("max", slide("3x3/2+1"), IMAGES, ("float32",)),
    ("max", slide("5x5/1+2"), (8, 256, 20, 20), ("float32",)),
    ("avg", slide("2x2/2"), IMAGES, ("float32", "bfloat16")),
    ("avg", slide("3x3/1+1"), (32, 64, 56, 56), ("float32",)),
    ("avg", parts(1, 1), (64, 2048, 7, 7), ("float32",)),
    ("max", slide("2x2x2/2"), VOLUMES, ("float32",)),
    ("avg", slide("2x2x2/2"), VOLUMES, ("float32",)),
    ("max", slide("2/2"), (32, 128, 4000), ("float32",)),
    ("min", slide("2x2/2"), (8, 64, 112, 112), ("float32",)),
    ("lp", slide("2x2/2"), (8, 64, 112, 112), ("float32",)),
    ("avg", parts(6, 6), (8, 256, 55, 55), ("float32",)),
)


def _layout(geometry: Geometry, shape: tuple[int, ...]) -> str:
    letters = "DHW"[3 - geometry.rank :]
    return ("NC" if len(shape) == geometry.rank + 2 else "C") + letters


def _planes() -> Iterator[Workload]:
    for group, op, geometry, shape, quick in _PLANES:
        row = Workload(group, op, geometry, "float32", _layout(geometry, shape), shape, quick=quick)
        yield row
        last = twin(row)
        yield replace(last, quick=quick and op == "max" and geometry.size == (2, 2))


def _types() -> Iterator[Workload]:
    for op, window, dtypes, last in _TYPES:
        for dtype in dtypes:
            quick = window == "2x2/2" and dtype in ("bfloat16", "uint8")
            row = Workload("Types", op, slide(window), dtype, "NCHW", IMAGES, quick=quick)
            yield row
            if last:
                yield replace(twin(row), quick=False)
    for op in ("max", "avg"):
        for dtype in ("uint8", "float32"):
            quick = (op, dtype) == ("avg", "uint8")
            yield Workload("Types", op, slide("2x2/2"), dtype, "HW", (8192, 8192), quick=quick)


def _windows() -> Iterator[Workload]:
    for op, dtype, sizes in (
        ("max", "float32", (2, 3, 5, 7, 13, 31, 51, 101)),
        ("avg", "float32", (3, 13, 31, 101)),
        ("min", "float32", (31,)),
        ("max", "uint8", (3, 31)),
    ):
        for k in sizes:
            yield Workload(
                "Stride-1 windows",
                op,
                slide(f"{k}x{k}/1+{k // 2}"),
                dtype,
                "HW",
                (2048, 2048),
                ladder=f"windows {op} {dtype}",
                quick=op == "max" and dtype == "float32" and k in (3, 31),
            )


def _backward() -> Iterator[Workload]:
    for op, geometry, shape, dtypes in _BACKWARD:
        for dtype in dtypes:
            quick = dtype == "float32" and geometry.size == (2, 2)
            layout = _layout(geometry, shape)
            row = Workload("Forward and backward", op, geometry, dtype, layout, shape, backward=True, quick=quick)
            yield row
            if dtype == "float32":
                yield replace(twin(row), quick=False)


def _ladder_shape(rank: int, size: int) -> tuple[int, ...]:
    """About ``size`` bytes of float32 in the shapes that networks have: more planes, not larger ones."""
    if rank == 2:
        side = 56 if size <= 1 << 20 else 112
    else:
        side = 16 if size < 128 << 10 else 32 if size <= 1 << 20 else 64
    return (1, max(1, size // 4 // side**rank), *(side,) * rank)


def _sizes() -> Iterator[Workload]:
    for window in ("2x2/2", "3x3/2+1", "2x2x2/2"):
        geometry = slide(window)
        letters = "NC" + "DHW"[3 - geometry.rank :]
        for offset, sizes in ((0, LADDER), (4, MISALIGNED)):
            for size in sizes:
                yield Workload(
                    "Sizes" if offset == 0 else "Misaligned",
                    "max",
                    geometry,
                    "float32",
                    letters,
                    _ladder_shape(geometry.rank, size),
                    offset=offset,
                    ladder=f"sizes {window} {offset}",
                    scaling=offset == 0,
                    quick=window == "2x2/2" and size in (16 << 10, 1 << 20, 16 << 20),
                )


def _one_thread() -> Iterator[Workload]:
    for op, window in (("max", "2x2/2"), ("max", "3x3/2+1"), ("avg", "2x2/2"), ("max", "2x2x2/2")):
        geometry = slide(window)
        shape = IMAGES if geometry.rank == 2 else VOLUMES
        layout = _layout(geometry, shape)
        yield Workload("One thread", op, geometry, "float32", layout, shape, threads=1)


def _overhead() -> Iterator[Workload]:
    yield Workload("Call overhead", "max", slide("2x2/2"), "float32", "HW", (8, 8), overhead=True, quick=True)
    yield Workload("Call overhead", "max", slide("2x2/2"), "float32", "NCHW", (1, 8, 8, 8), overhead=True)


def workloads() -> tuple[Workload, ...]:
    """Every row, in the order in which they run and are printed."""
    return (*_planes(), *_types(), *_windows(), *_backward(), *_sizes(), *_one_thread(), *_overhead())
