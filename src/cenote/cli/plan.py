"""Which file becomes which: every question that can be asked before any work is done is asked here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cenote.catalogue import Op
from cenote.errors import CenoteError, reason
from cenote.explorer.reading import Header, Picture
from cenote.geometry import Axes

from . import arrays, images
from .errors import Failure, Usage, of_cenote
from .files import check_target
from .outputs import SUFFIXES, check_holds, check_suffix
from .windows import Pooling, one_number, pooling


@dataclass(frozen=True, slots=True)
class Wish:
    """What the options ask for, the same for every file."""

    op: Op
    window: str
    axes: Axes
    parameters: dict[str, object]
    dtype: np.dtype[np.generic] | None
    max_pixels: int
    force: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """An input and where its results go."""

    source: Path
    target: Path
    indices: Path | None


@dataclass(frozen=True, slots=True)
class Job:
    """A pair that can be pooled: its header fits the window, and its outputs can hold the result."""

    pair: Pair
    header: Header
    pooling: Pooling
    output_shape: tuple[int, ...]


def is_array(path: Path) -> bool:
    """Arrays go by their name; images are known by their content."""
    return path.suffix.lower() == arrays.SUFFIX


def read(path: Path, max_pixels: int) -> Picture:
    """The values of a file of either kind."""
    return arrays.read(path) if is_array(path) else images.read(path, max_pixels)


def pairs(inputs: Sequence[Path], out: Path, *, indices: Path | None, suffix: str | None) -> tuple[list[Pair], bool]:
    """Inputs and outputs, and whether OUT is a folder of several."""
    sources = [file for path in inputs for file in _files(path)]
    many = len(inputs) > 1 or inputs[0].is_dir()
    if not (many or out.is_dir() or str(out).endswith(("/", os.sep))):
        if suffix is not None:
            raise Usage("--suffix is for a folder of outputs; give OUT the ending you want")
        check_suffix(str(out), out.suffix)
        found = [Pair(sources[0], out, indices)]
    else:
        if many and out.suffix.lower() in SUFFIXES and not out.is_dir():
            raise Usage(f"{len(sources)} inputs go into a folder, and {out} is named like a file; name a folder as OUT")
        found = [_into(source, out, indices, suffix, many) for source in sources]
    _check_indices(found)
    _check_collisions(found)
    return found, many


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        if not os.path.lexists(path):
            raise Failure(f"{path}: no such file or folder; check the name")
        return [path]
    try:
        names = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise Failure(f"{path}: {reason(error)}; choose another folder") from None
    found = [name for name in names if name.suffix.lower() in SUFFIXES and name.is_file()]
    if not found:
        held = f"its {len(names)} entries end otherwise" if names else "it is empty"
        raise Failure(f"{path}: no image in this folder ({held}); it should hold {', '.join(SUFFIXES)} files")
    return found


def _into(source: Path, out: Path, indices: Path | None, suffix: str | None, many: bool) -> Pair:
    name = source.name if suffix is None else source.stem + suffix
    check_suffix(str(out / name), Path(name).suffix)
    if indices is not None and (many or indices.is_dir()):
        indices = indices / (source.name + arrays.SUFFIX)
    return Pair(source, out / name, indices)


def _check_indices(found: Sequence[Pair]) -> None:
    for pair in found:
        if pair.indices is not None and not is_array(pair.indices):
            raise Usage(f"--indices {pair.indices}: indices are int64, which takes a {arrays.SUFFIX} file")


def _check_collisions(found: Sequence[Pair]) -> None:
    seen: dict[str, Path] = {}
    for pair in found:
        for target in (pair.target, pair.indices):
            if target is None:
                continue
            key = os.path.abspath(target)
            if key in seen:
                raise Usage(
                    f"{target}: both {seen[key]} and {pair.source} would go there; rename one, or pool them apart"
                )
            seen[key] = pair.source
    for pair in found:
        for target in (pair.target, pair.indices):
            if target is not None and (own := _same(target, found)) is not None:
                raise Usage(f"{target}: is the input {own} itself; give the output another name or folder")


def _same(target: Path, found: Sequence[Pair]) -> Path | None:
    """The input that ``target`` would overwrite, also through a link."""
    try:
        there = target.stat()
    except OSError:
        return None
    for pair in found:
        try:
            if os.path.samestat(there, pair.source.stat()):
                return pair.source
        except OSError:
            continue  # reading it says what is wrong
    return None


def check_outputs(found: Sequence[Pair], *, force: bool, new_folders: Sequence[Path]) -> None:
    """No output exists yet, and each could be made."""
    for pair in found:
        for target in (pair.target, pair.indices):
            if target is not None and target.parent not in new_folders:
                check_target(target, force=force)


def folders(found: Sequence[Pair], many: bool) -> list[Path]:
    """Output folders that are not there yet: made for several inputs, if the folder above exists."""
    missing = {
        target.parent
        for pair in found
        for target in (pair.target, pair.indices)
        if target is not None and not os.path.lexists(target.parent)
    }
    return sorted(folder for folder in missing if many and folder.parent.is_dir())


def job(pair: Pair, wish: Wish) -> Job:
    """Read one header and check the whole of what is asked against it."""
    path = pair.source
    header = arrays.header(path) if is_array(path) else images.header(path, wish.max_pixels)
    if header.dtype.name not in wish.op.dtypes:
        raise Usage(
            f"{path}: {wish.op.name} pooling does not take {header.dtype}; it takes {', '.join(wish.op.dtypes)}"
        )
    if is_array(path) and wish.axes is None and not 2 <= len(header.shape) <= 4 and one_number(wish.window):
        raise Usage(
            f"{path}: has {len(header.shape)} dimensions, and only of 2 to 4 the last two are pooled unasked; "
            "name the axes: --axes W, --axes NCDHW or --axes 0,1"
        )
    try:
        found = pooling(wish.window, _axes(path, header, wish.axes), len(header.shape))
        shape = found.output_shape(header.shape)
        dtype = wish.op.result_dtype("pool", header.dtype, wish.dtype)
    except CenoteError as error:
        raise type(of_cenote(error))(f"{path}: {of_cenote(error)}") from None
    target = pair.target
    if header.mode is None and len(shape) == 3 and not is_array(target) and sorted(found.axes) != [0, 1]:
        # 3 x 4 x 4 could pass for 3 rows of 4 pixels with alpha.
        raise Usage(
            f"{target}: an image has its channels last, and other axes than the first two are pooled; "
            "write --axes HWC, or .npy"
        )
    check_holds(str(pair.target), pair.target.suffix, shape, dtype, header.mode)
    return Job(pair, header, found, shape)


def _axes(path: Path, header: Header, axes: Axes) -> Axes:
    if header.mode is None:
        return axes
    layout = "HWC"[: len(header.shape)]
    if axes is None or axes == layout or (isinstance(axes, str) and axes.upper() in ("HW", "HWC")):
        return layout
    if isinstance(axes, tuple) and sorted(axis % len(header.shape) for axis in axes) == [0, 1]:
        return axes
    raise Usage(f"{path}: the axes of an image are {layout} and H and W are pooled; drop --axes {_spelled(axes)}")


def _spelled(axes: Axes) -> str:
    return ",".join(str(axis) for axis in axes) if isinstance(axes, tuple) else str(axes)
