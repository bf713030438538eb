"""Very many mixed calls: memory must not grow, and a call repeated must give its first bits again.

    python scripts/soak.py                a million calls
    python scripts/soak.py --calls 20000  fewer

Operators, forms, dtypes, views, sizes, threads, `out`, gradients, unpooling, errors, and limits of the cache, drawn at
random from a few hundred calls, in the main thread and now and then in several at once. Exits 1 when memory has grown
after the first tenth, or when bits differ.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import random
import sys
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import cenote
from cenote.catalogue import OPS

MIB = 2**20
KINDS = 600  # different calls: enough to throw each other out of every cache
ALLOWED = 48 * MIB  # growth: the allocator's own unrest, far below what a leak of 100 bytes a call would be
DTYPES = ("bool", "int8", "uint8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64")


def resident() -> int:
    """Bytes of this process in memory, with nothing kept that could be given back."""
    gc.collect()
    cenote.empty_cache()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def _array(rng: random.Random, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    cells = np.random.default_rng(rng.getrandbits(32)).integers(0, 100, tuple(2 * n for n in shape)).astype(dtype)
    way = rng.randrange(4)
    if way == 0:
        return cells[tuple(slice(0, n) for n in shape)].copy()
    if way == 1:
        return cells[tuple(slice(0, 2 * n, 2) for n in shape)]
    if way == 2:
        return cells[tuple(slice(n, 0, -1) for n in shape)]
    return cells[tuple(slice(0, n) for n in shape)].copy().T


@dataclass(slots=True)
class Kind:
    """One call that may be made again and again."""

    run: Callable[[bool], list[np.ndarray]]
    large: bool
    digest: int | None = None


def kind(rng: random.Random, large: bool) -> Kind:
    """A call at random. Its function takes whether to write into arrays of its own."""
    op = rng.choice(list(OPS.values()))
    dtype = rng.choice(DTYPES)
    while dtype == "complex64" and "complex" not in op.kinds:
        dtype = rng.choice(DTYPES)
    if large:
        shape: tuple[int, ...] = (rng.choice((1, 2)), 1024 + rng.randrange(600), 2048)
        dtype = rng.choice(("float32", "int32"))
    else:
        shape = tuple(rng.randrange(1, 13) for _ in range(rng.randrange(2, 5)))
    x = np.ones(shape, dtype) if large else _array(rng, dtype, shape)
    if large:
        x[:, ::3, ::7] = rng.randrange(2, 99)
    form = "sliding" if large else rng.choice(("sliding", "sliding", "adaptive", "global"))
    function = getattr(cenote, op.function_name(form))
    words: dict[str, Any] = {}
    args: tuple[Any, ...] = ()
    if form == "sliding":
        args = (2 if large else rng.choice((1, 2, 3, (2,), (1, 3), [2, 2], np.int64(2))),)
        words = rng.choice(({}, {"stride": 1}, {"padding": "same"}, {"padding": 1, "ceil_mode": True}, {"dilation": 2}))
        words = {} if large else dict(words)
    elif form == "adaptive":
        args = (rng.choice((1, 2, 5, (3,), (2, None))),)
    if dtype == "bool" and op.name == "avg":
        words["dtype"] = np.float32
    way = "float" in dtype and rng.randrange(3) == 0 and "vjp"
    if op.selects and not way and rng.randrange(3) == 0:
        words["return_indices"] = True

    def run(into: bool) -> list[np.ndarray]:
        if way:
            y, pullback = cenote.vjp(function, x, *args, **words)
            return [y, pullback(y, out=np.empty_like(x) if into else None)]
        found = function(x, *args, **words)
        results = list(found) if isinstance(found, tuple) else [found]
        if into:
            outs = tuple(np.empty_like(y) for y in results)
            function(x, *args, **words, out=outs if len(outs) > 1 else outs[0])
            results = list(outs)
        if len(results) == 2 and form == "sliding" and x.ndim == 2 and args == (2,):
            results.append(cenote.max_unpool(*results, x.shape))
        return results

    return Kind(run, large)


def check(one: Kind, into: bool) -> bool:
    """Make the call; are the bits those of the first time? A refusal is an answer like any other."""
    digest = 0
    try:
        for y in one.run(into):
            digest = zlib.crc32(y.tobytes(), digest)
    except cenote.CenoteError as error:
        digest = zlib.crc32(str(error).encode())
    if one.digest is None:
        one.digest = digest
    return one.digest == digest


def together(kinds: list[Kind], seed: int, threads: int, each: int) -> int:
    """The same in several Python threads at once; the number of calls that went wrong."""
    wrong: list[int] = []

    def work(mine: int) -> None:
        rng = random.Random(mine)
        wrong.extend(not check(rng.choice(kinds), rng.randrange(2) == 0) for _ in range(each))

    team = [threading.Thread(target=work, args=(seed + i,)) for i in range(threads)]
    for member in team:
        member.start()
    for member in team:
        member.join()
    return sum(wrong)


def soak(calls: int, seed: int) -> int:
    """The whole run; the exit code."""
    rng = random.Random(seed)
    kinds = [kind(rng, large=False) for _ in range(KINDS)]
    large = [kind(rng, large=True) for _ in range(6)]
    started, done, wrong, shown = time.monotonic(), 0, 0, 0
    base: int | None = None
    most = 0
    limit = cenote.get_cache_limit()
    while done < calls:
        if done % 1000 == 0:
            cenote.set_num_threads(rng.choice((1, 2, 3)))
            cenote.set_cache_limit(rng.choice((0, 8 * MIB, 64 * MIB, limit)))
            wrong += not check(rng.choice(large), rng.randrange(2) == 0)
        if done % 5000 == 0:
            wrong += together(kinds, rng.getrandbits(32), 4, 100)
            done += 400
        wrong += not check(rng.choice(kinds), rng.randrange(4) == 0)
        done += 1
        if done * 20 >= calls * (shown + 1):
            shown = done * 20 // calls
            now = resident()
            if base is None and shown >= 2:
                base = now
            most = max(most, now - base if base is not None else 0)
            print(
                f"{done:>9} calls  {time.monotonic() - started:6.0f} s  {now / MIB:7.1f} MiB"
                + (f"  {(now - base) / MIB:+7.1f} since the first tenth" if base is not None else ""),
                flush=True,
            )
    good = wrong == 0 and most <= ALLOWED
    print(f"{'steady' if good else 'NOT GOOD'}: {wrong} calls with other bits, {most / MIB:.1f} MiB of growth at most")
    return 0 if good else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        return soak(max(40, given.calls), given.seed)
    return 130


if __name__ == "__main__":
    sys.exit(main())
