"""A pooling layer of a model as it is looked at: its maps, and numbers that say what it does to them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cenote.catalogue import OPS
from cenote.geometry.chain import arithmetic
from cenote.ops import maps
from cenote.ops.request import Request

from . import measures
from .fields import Jump
from .met import Met

Array = NDArray[Any]

#: Cells on a side beyond which a map is scaled down, and of a volume in all.
MOST_SIDE: Final = 128
MOST_CELLS: Final = MOST_SIDE**2


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ChannelMaps:
    """One channel: float32, before and after the layer; scaled down where its layer says so.

    ``energy`` is the mean square of the whole map before, ``removed`` the share of it that pooling took (see
    ``LayerMaps.removed``), None where it is not known.
    """

    channel: int
    energy: float
    removed: float | None
    before: NDArray[np.float32]
    after: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LayerMaps:
    """One run of a pooling layer on the image; a layer that is called again has an entry for every call.

    Shapes are the model's own, without the batch; ``before`` and ``after`` are the lengths of the pooled axes.
    ``reason`` says why numbers are missing, and is empty where none is.

    - ``words``: the layer's arguments that are not its defaults; ``request`` is what they mean in the contract, None
      where that is not known, or where every channel has windows of its own.
    - ``receptive``, ``jump``: in input cells, within the input, by arithmetic over the layers that ran; None where
      ``field_reason`` says that these are not followed. An entry of ``jump`` is None where distances differ.
    - ``bytes_before``, ``bytes_after``: of all maps of the image, in the model's dtype. ``kept``: what waits for the
      backward pass with cenote (which tap won, one byte each for windows of up to 255), ``kept_int64`` with int64
      indices; both 0 for averages and sums, and input and output for norms.
    - ``receives``: the share of the input's cells whose gradient is not 0 where that of every output is 1.
    - ``energy``: of each channel, the mean square of its map before. ``removed``: of each channel, the share of that
      energy that is missing from the pooled map put back at the resolution of the input, from 0 to 1. A maximum puts
      each winner back where it was: the energy of the cells that no window picked is missing. An average or sum puts
      back the smallest map that pools to the same result (for windows that do not overlap: their mean in all their
      cells): the energy of what varies within windows, and of cells in no window, is missing. A norm counts as the
      average of absolute values.
    - ``low``, ``high``: the range of all channels' maps before and after, of what is finite.
    - ``channels``: the strongest and those that lost most; ``by_energy`` and ``by_removed`` are places in it.
    - ``scaled``: cells on a side that became one, before and after.
    """

    name: str
    kind: str
    call: int
    calls: int
    op: str | None
    words: Mapping[str, str]
    request: Request | None
    reason: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    arithmetic: tuple[str, ...] = ()
    receptive: tuple[int, ...] | None = None
    jump: Jump | None = None
    field_reason: str = ""
    bytes_before: int | None = None
    bytes_after: int | None = None
    kept: int | None = None
    kept_int64: int | None = None
    receives: float | None = None
    energy: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    removed: NDArray[np.float64] | None = None
    low: float = 0.0
    high: float = 1.0
    channels: tuple[ChannelMaps, ...] = ()
    by_energy: tuple[int, ...] = ()
    by_removed: tuple[int, ...] = ()
    scaled: tuple[int, int] = (1, 1)
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The name, and which call where there are several."""
        return self.name if self.calls == 1 else f"{self.name} (call {self.call} of {self.calls})"

    def __repr__(self) -> str:
        before, after = ("x".join(map(str, lengths)) for lengths in (self.before, self.after))
        return f"<{self.title}: {self.kind}, {before} -> {after}>"


def layers(found: Sequence[Met], channels: int) -> tuple[LayerMaps, ...]:
    """What there is to see of all that ran, in that order."""
    calls, so_far = Counter(met.name for met in found), Counter[str]()
    made = []
    for met in found:
        so_far[met.name] += 1
        made.append(_layer(met, channels, so_far[met.name], calls[met.name]))
    return tuple(made)


def _layer(met: Met, most: int, call: int, calls: int) -> LayerMaps:
    about: dict[str, Any] = {
        "name": met.name,
        "kind": met.kind,
        "call": call,
        "calls": calls,
        "op": met.requests[0].op.name if met.requests else None,
        "words": met.words,
        "request": met.requests[0] if len(met.requests) == 1 else None,
        "input_shape": met.input_shape,
        "output_shape": met.output_shape,
    }
    if met.before is None:
        return LayerMaps(**about, reason=met.reason)
    before, after, reason = met.before, met.after, met.reason
    numbers: dict[str, Any] = {}
    removed = None
    if met.requests:
        measured = measures.measure(met.requests, before)
        if after is None or after.shape != measured.pooled.shape:
            made = "x".join(map(str, met.output_shape))
            reason = f"its result of {made} is not what the contract makes of its words ({_lengths(measured.pooled)})"
        else:
            removed = measured.removed
            numbers = _numbers(met, measured)
    about |= {"before": before.shape[1:], "after": () if after is None else after.shape[1:]}
    return LayerMaps(
        **about,
        **numbers,
        **_pictures(before, after, removed, most),
        reason=reason,
        bytes_before=before.nbytes,
        bytes_after=None if after is None else after.nbytes,
    )


def _lengths(array: Array) -> str:
    return "x".join(map(str, array.shape[1:])) or "one cell"


def _numbers(met: Met, measured: measures.Numbers) -> dict[str, Any]:
    assert met.before is not None
    assert met.after is not None
    lengths = met.before.shape[1:]
    rules = met.requests[0].window.rules
    found: dict[str, Any] = {
        "arithmetic": tuple(arithmetic(rule, length) for rule, length in zip(rules, lengths, strict=True)),
        "kept": measured.kept,
        "kept_int64": measured.kept_int64,
        "receives": float(measured.receives.mean()),
        "notes": _differs(met, measured.pooled),
    }
    if isinstance(met.field, str):
        return found | {"field_reason": met.field}
    if len(met.requests) > 1:
        return found | {"field_reason": "every channel has windows of its own"}
    behind = met.field.slid(met.requests[0].window)
    return found | {"receptive": behind.receptive, "jump": behind.jump}


def _differs(met: Met, pooled: Array) -> tuple[str, ...]:
    """Whether the framework's values are the contract's, up to the rounding of the dtype it computes in."""
    after, before = met.after, met.before
    assert after is not None
    assert before is not None
    if before.dtype.kind != "f" or after.dtype.kind != "f":
        return ()
    with np.errstate(all="ignore"):
        size = max(float(np.max(np.abs(pooled), initial=0, where=np.isfinite(pooled))), 1e-30)
        # Sums of a window in another order and precision; bfloat16 has 8 bits, of which a sum may lose a few.
        room = size * (1e-5 if after.itemsize >= 4 and _is_fine(after) else 5e-2)
        same = (np.abs(pooled - after) <= room) | (pooled == after) | (np.isnan(pooled) & np.isnan(after))
    count = int(same.size - same.sum())
    return (f"{count} of {same.size} values of this framework are not the contract's",) if count else ()


def _is_fine(array: Array) -> bool:
    """Whether float32 numbers use more bits than 16-bit ones have: bfloat16 comes as float32."""
    bits = array.view(f"u{array.itemsize}")
    return bool((bits & bits.dtype.type(0xFFFF)).any()) if array.dtype == np.float32 else True


# --- pictures ---


def _pictures(before: Array, after: Array | None, removed: NDArray[np.float64] | None, most: int) -> dict[str, Any]:
    energies = measures.energy(before)
    by_energy = _largest(energies, most)
    by_removed = () if removed is None else _largest(removed, most)
    chosen = list(dict.fromkeys((*by_energy, *by_removed)))
    sides = [_block(array.shape[1:]) if array is not None else 1 for array in (before, after)]
    shown = tuple(
        ChannelMaps(
            channel,
            float(energies[channel]),
            None if removed is None else float(removed[channel]),
            _smaller(before[channel], sides[0]),
            None if after is None else _smaller(after[channel], sides[1]),
        )
        for channel in chosen
    )
    low, high = value_range(array for array in (before, after) if array is not None)
    return {
        "energy": energies,
        "removed": removed,
        "low": low,
        "high": high,
        "channels": shown,
        "by_energy": tuple(map(chosen.index, by_energy)),
        "by_removed": tuple(map(chosen.index, by_removed)),
        "scaled": tuple(sides),
    }


def _largest(values: NDArray[np.float64], most: int) -> tuple[int, ...]:
    """Places of the largest, of equals the first; NaN comes last."""
    order = np.argsort(-np.where(np.isnan(values), -math.inf, values), kind="stable")
    return tuple(int(i) for i in order[:most])


def value_range(arrays: Iterable[Array]) -> tuple[float, float]:
    """The least and the largest finite value as float32; (0, 1) where none is."""
    low, high = math.inf, -math.inf
    for one in arrays:
        wide = np.asarray(one, np.float32)
        finite = np.isfinite(wide)
        low = min(low, float(np.min(wide, initial=math.inf, where=finite)))
        high = max(high, float(np.max(wide, initial=-math.inf, where=finite)))
    return (low, high) if low <= high else (0.0, 1.0)


def _block(lengths: Sequence[int]) -> int:
    """Cells on a side that become one."""
    side = max((-(-length // MOST_SIDE) for length in lengths), default=1)
    while math.prod(-(-length // side) for length in lengths) > MOST_CELLS:
        side += 1
    return side


def _smaller(cells: Array, side: int) -> NDArray[np.float32]:
    """A map by the means of its blocks; those at the end may be cut short."""
    with np.errstate(all="ignore"):  # float64 beyond float32 is infinite
        if side > 1:
            axes = tuple(range(-cells.ndim, 0))
            means = Request.sliding("maps", OPS["avg"], cells.ndim, side, ceil_mode=True, axes=axes)
            cells = maps.pool(means.call(cells.shape, np.dtype(np.float64)), cells.astype(np.float64))
        return np.ascontiguousarray(cells, np.float32)
