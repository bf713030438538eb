"""What the explorer's engine must read and refuse: broken rules, states, windows and chains as text.

Every verdict is Python's own: the same numbers and texts are given to cenote, and what it answers is expected.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

import cenote
from cenote.cli.errors import Usage
from cenote.cli.shape import own, read
from cenote.errors import CenoteError
from cenote.geometry import Slide, Split, Window
from cenote.geometry.notation import parse_rules

Json = dict[str, Any]
Rule = Slide | Split


def plain(rule: Rule) -> Json:
    """A rule as the engine has it."""
    if isinstance(rule, Split):
        return {"kind": "split", "parts": rule.parts}
    pad = rule.pad if isinstance(rule.pad, str) else list(rule.pad)
    words = {"size": rule.size, "stride": rule.stride, "dilation": rule.dilation, "pad": pad, "ceil": rule.ceil_mode}
    return {"kind": "slide", **words}


def pick(rng: Generator, choices: Sequence[Any]) -> Any:
    return choices[int(rng.integers(len(choices)))]


def slide(rng: Generator, length: int) -> Slide:
    """Any sliding rule, whether it fits or not."""
    size = int(rng.integers(1, max(3, min(6, length + 2))))
    word = pick(rng, (None, None, None, "same", "same_lower"))
    pads = ((0, 0), (0, 0), (1, 1), (0, 1), (2, 0), (size // 2, size // 2), (size, size + 1), (3, 1))
    dilation, stride = pick(rng, (1, 1, 1, 2, 3)), pick(rng, (1, 1, 2, 3, size, size + 1))
    return Slide(size, stride, dilation, word or pick(rng, pads), word is None and bool(rng.integers(2)))


# ------------------------------------------------------------------------------------------------ what is refused

GOOD: Json = {"kind": "slide", "size": 2, "stride": 2, "dilation": 1, "pad": [0, 0], "ceil": False}


def broken() -> Iterator[Json]:
    """One number of a good rule made bad at a time; Python is asked whether it is."""
    bad: dict[str, tuple[Any, ...]] = {
        "size": (0, -1, 1.5, math.nan, math.inf, 9),
        "stride": (0, -2, 0.5, math.nan),
        "dilation": (0, -1, 2.5, 9),
        "pad": ([-1, 0], [0, -1], [0.5, 0], [math.nan, 0]),
    }
    for key, values in bad.items():
        for value in values:
            for beside in (0, 1):  # on either axis
                rules = [{**GOOD, key: value}, GOOD]
                yield _verdict(f"{key} {value}", rules[:: 1 - 2 * beside], [6, 6])
    for pad in ("same", "same_lower"):
        yield _verdict(f"{pad} with ceil", [{**GOOD, "pad": pad, "ceil": True}], [6])
    for parts in (0, -1, 1.5, math.nan):
        yield _verdict(f"{parts} parts", [{"kind": "split", "parts": parts}], [6])
    yield _verdict("parts of nothing", [{"kind": "split", "parts": 1}], [0])
    for pad in ([0, 0], [1, 1], "same"):
        yield _verdict(f"slide over nothing, padded by {pad}", [{**GOOD, "pad": pad}], [0])


def perhaps_broken(number: int, rng: Generator) -> Json:
    length = int(rng.integers(1, 9))
    return _verdict(f"drawn rule {number}", [plain(slide(rng, length))], [length])


def _verdict(name: str, rules: Sequence[Json], shape: Sequence[int]) -> Json:
    try:
        window = Window(
            tuple(
                Split(rule["parts"])
                if rule["kind"] == "split"
                else Slide(rule["size"], rule["stride"], rule["dilation"], _pad(rule["pad"]), rule["ceil"])
                for rule in rules
            )
        )
        window.spans(tuple(shape))
        accepted = True
    except CenoteError:
        accepted = False
    return {"name": f"{name}: {rules} over {shape}", "rules": rules, "shape": shape, "accepted": accepted}


def _pad(pad: Any) -> Any:
    return pad if isinstance(pad, str) else tuple(pad)


def states() -> Iterator[Json]:
    """What is typed into the page, with the field that the mistake is shown beside; Python refuses the same."""
    trials: list[tuple[str | None, str, Json]] = [
        (None, "max", {}),
        *[("p", "lp", {"p": p}) for p in (0.0, -1.0, math.nan)],
        *[(None, "lp", {"p": p}) for p in (0.5, 1.0, math.inf)],
        *[("divisor", "avg", {"divisor": by}) for by in (0.0, math.inf, math.nan)],
        *[(None, "avg", {"divisor": by}) for by in (-1.0, 0.5, "padded")],
        ("divisor", "avg", {"divisor": 2.5, "integers": True}),
        (None, "avg", {"divisor": 2.0, "integers": True}),
        ("size", "max", {"size": 0}),
        ("size", "max", {"size": 5}),
        ("stride", "max", {"stride": 0}),
        ("dilation", "max", {"dilation": 0}),
        ("padding", "max", {"padding": [-1, 0]}),
        ("ceil", "max", {"padding": "same", "ceil_mode": True}),
    ]
    for field, op, given in trials:
        integers, own_words = (
            given.get("integers", False),
            {key: given[key] for key in ("p", "divisor") if key in given},
        )
        pad, stride = given.get("padding", [0, 0]), given.get("stride")
        geometry = {"stride": stride, "dilation": given.get("dilation", 1), "ceil_mode": given.get("ceil_mode", False)}
        geometry["padding"] = pad if isinstance(pad, str) else (tuple(pad),)
        try:
            x = np.zeros(4, dtype=np.int64 if integers else np.float64)
            getattr(cenote, f"{op}_pool")(x, (given.get("size", 2),), **geometry, **own_words)
            refused = False
        except CenoteError:
            refused = True
        assert refused == (field is not None), f"Python thinks otherwise of {op} with {given}"
        words = {
            "form": "slide",
            "size": [given.get("size", 2)],
            "stride": None if stride is None else [stride],
            "padding": [pad],
            "dilation": [given.get("dilation", 1)],
            "ceil": given.get("ceil_mode"),
            "divisor": given.get("divisor"),
        }
        state = {"op": op, "words": words, "p": given.get("p", 2.0), "integers": integers, "shape": [4]}
        more = {"values": [0.0] * 4, "title": "", "upstream": None, "filter": None, "look": {"focus": 0}}
        yield {"name": f"the state {op} with {given}", "state": {**state, **more}, "field": field}


# ------------------------------------------------------------------------------------------------ texts


def _entries(rng: Generator, choices: Sequence[str], rank: int) -> str:
    return "x".join(pick(rng, choices) for _ in range(pick(rng, (1, rank, rank))))


def _notation(rng: Generator, rank: int, most: int = 5, pools: bool = True) -> str:
    form = pick(rng, ("slide",) * 5 + (("adaptive", "global") if pools else ()))
    if form == "global":
        return "x".join("*" * pick(rng, (1, rank)))
    numbers = [str(n) for n in range(1, most + 1)]
    if form == "adaptive":
        return ">" + _entries(rng, numbers, rank)
    found = "x".join(pick(rng, numbers[:3]) for _ in range(pick(rng, (1, rank))))
    for sign, choices, chance in (
        ("/", numbers[:3], 0.5),
        ("+", ("0", "1", "2", "0:1", "2:0"), 0.4),
        ("@", "112", 0.25),
    ):
        if rng.random() < chance:
            words = sign == "+" and rng.random() < 0.4
            found += sign + (pick(rng, ("same", "valid", "same_lower")) if words else _entries(rng, choices, rank))
    return found + ("^" if rng.random() < 0.2 else "")


def window_text(rng: Generator) -> Json:
    rank = pick(rng, (1, 2, 2, 3))
    written = _notation(rng, rank)
    for _ in range(pick(rng, (0, 0, 0, 1, 1, 2))):  # slips of the finger
        at = int(rng.integers(len(written) + 1))
        slip = pick(rng, ("", "x", "/", "+", "@", "^", "*", ">", ",", ":", "0", " ", "-1", "Same", "[0:1]", "a", "."))
        written = written[:at] + slip + written[at + pick(rng, (0, 1)) :]
    asked = pick(rng, (rank, None))
    try:
        rules = parse_rules(written, asked, "test")
        want = [plain(rule) for rule in rules] if all(isinstance(rule, Rule) for rule in rules) else None
    except CenoteError:
        want = None
    return {"text": written, "rank": asked, "want": want}


def chain(rng: Generator) -> Json:
    rank = pick(rng, (1, 2))
    lengths = [pick(rng, (7, 13, 28, 41)) for _ in range(rank)]
    bare, written, outputs = [], [], []
    for _ in range(int(rng.integers(1, 5))):
        kind = pick(rng, ("conv", "conv", "pool", "max", "min", "avg", "sum", "lp"))
        layer = kind + _notation(rng, rank, pools=kind != "conv")
        bare.append(layer)
        outputs.append(pick(rng, (None, 1, 4, 32)) if kind == "conv" else None)
        size = layer[: min((layer.index(sign) for sign in "/+@^" if sign in layer), default=len(layer))]
        written.append(layer if outputs[-1] is None else f"{size}:{outputs[-1]}{layer[len(size) :]}")
    channels = pick(rng, (1, 3))
    try:
        steps = own(*read("x".join(map(str, lengths)), bare)).steps
    except Usage:
        return {"text": " ".join(written), "lengths": lengths, "channels": channels, "want": None}
    want, deep = [], channels
    for step, name, filters in zip(steps, written, outputs, strict=True):
        cells, weights, biases = math.prod(step.output), 0, 0
        if name.startswith("conv"):
            biases = filters or 1
            weights = (
                math.prod(rule.size for rule in step.layer.window.rules if isinstance(rule, Slide)) * deep * biases
            )
            deep = biases
        facts = {key: list(getattr(step, key)) for key in ("input", "output", "arithmetic", "receptive", "jump")}
        costs = {"parameters": weights + biases, "multiplyAdds": weights * cells, "bytes": 4 * deep * cells}
        want.append({"name": name, **facts, "channels": deep, **costs})
    return {"text": " ".join(written), "lengths": lengths, "channels": channels, "want": want}
