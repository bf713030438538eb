"""Every peer's result is compared with cenote's once, so that nobody is timed for computing something else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .contestant import Contestant, Refusal
from .data import Array
from .workload import Workload

# Sums are added in another order, and some peers round 16-bit floats more than once: so many last places of the
# largest result are let pass. Maxima and minima have no such excuse.
_LAST_PLACES = {"float32": 64 * 2.0**-23, "float64": 64 * 2.0**-52, "float16": 2 * 2.0**-10, "bfloat16": 2 * 2.0**-7}
# Where two taps are equal, libraries disagree about the winner; normal random numbers tie rarely.
_TIES = {"float32": 1e-4, "float64": 1e-6, "float16": 2e-2, "bfloat16": 5e-2}
# Averages are added in another order, and what follows them in a network adds up a few thousand such differences.
_NETWORK = 1e-4
_NOT_ZERO = 1e-30


class Mismatch(Exception):
    """A peer computes something else; its time means nothing here."""


def reason(error: BaseException) -> str:
    """Why somebody takes no part, in one short line, without the folders of this machine."""
    if isinstance(error, ModuleNotFoundError):
        return "not installed"
    text = str(error).strip() or type(error).__name__
    words = [word for word in text.splitlines()[0].split() if "/" not in word.strip("'\"(")[:1]]
    named = isinstance(error, Refusal | Mismatch)
    return ("" if named else f"{type(error).__name__}: ") + " ".join(words)[:140]


def compare(workload: Workload, contestant: Contestant, ours: Sequence[Array], theirs: Sequence[Array]) -> str:
    """What the comparison found, in a few words; ``Mismatch`` if it is too much."""
    if len(ours) != len(theirs):
        raise Mismatch(f"gives {len(theirs)} arrays instead of {len(ours)}")
    words = []
    for name, mine, other in zip(("y", "dx"), ours, theirs, strict=False):
        words.append(f"{name} {_one(workload, contestant, name, mine, other)}")
    return ", ".join(words)


def agree(contestant: Contestant, expected: Sequence[Array], found: Sequence[Array]) -> str:
    """The same for any result and its gradients, each compared with its own largest value."""
    if len(expected) != len(found):
        raise Mismatch(f"gives {len(found)} arrays instead of {len(expected)}")
    worst = 0.0
    for i, (mine, other) in enumerate(zip(expected, found, strict=True)):
        name = f"gradient {i}" if i else "result"
        if mine.shape != other.shape:
            raise Mismatch(f"{name} has shape {other.shape} instead of {mine.shape}")
        if np.array_equal(mine, other):
            continue
        if contestant.exact:
            raise Mismatch(f"{name} is not equal")
        apart = float(np.abs(mine.astype(np.float64) - other).max())
        share = apart / max(float(np.abs(mine).max()), _NOT_ZERO)
        if not share <= _NETWORK:
            raise Mismatch(f"{name} differs by up to {apart:.3g}, {share:.1e} of its largest value")
        worst = max(worst, share)
    return f"within {worst:.1e} of the largest value" if worst else "equal"


def _one(workload: Workload, contestant: Contestant, name: str, ours: Array, theirs: Array) -> str:
    if ours.shape != theirs.shape:
        raise Mismatch(f"{name} has shape {theirs.shape} instead of {ours.shape}")
    if contestant.margin:
        inner = [slice(None)] * ours.ndim
        for axis in workload.axes:
            inner[axis] = slice(contestant.margin, -contestant.margin)
        ours, theirs = ours[tuple(inner)], theirs[tuple(inner)]
    if ours.dtype == theirs.dtype and np.array_equal(ours, theirs):
        return "equal"
    if contestant.exact:
        raise Mismatch(f"{name} is not equal")
    wide = np.float64 if workload.dtype == "float64" or ours.dtype.kind in "iu" else np.float32
    mine: Array = ours.astype(wide)
    other: Array = theirs.astype(wide)
    apart = np.abs(mine - other)
    if not np.isfinite(apart).all():
        raise Mismatch(f"{name} is not finite somewhere")
    largest = float(apart.max(initial=0))
    if largest == 0:
        return "equal"
    exact = workload.op in ("max", "min") and not contestant.slack
    if exact and name == "dx":
        share = np.count_nonzero(apart) / apart.size
        if share <= _TIES[workload.dtype]:
            return f"equal but for ties ({share:.1e} of the cells)"
        raise Mismatch(f"{name} differs in {share:.1e} of the cells")
    scale = float(np.abs(mine).max(initial=0))
    allowed = contestant.slack if exact or workload.dtype not in _LAST_PLACES else _LAST_PLACES[workload.dtype] * scale
    allowed = max(allowed, contestant.slack)
    if largest <= allowed:
        return f"within {largest:.2g}"
    raise Mismatch(f"{name} differs by up to {largest:.3g}, {allowed:.2g} is allowed")
