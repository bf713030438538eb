"""What stands where a network pools: the choices that an experiment compares, by name.

A name says what it does. ``max-2/2`` is a maximum of 2 x 2 cells with stride 2; any operator of the catalogue may stand
there, ``l2`` and the like are the Lp norms, and ``-same`` behind it pads. The others have names of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..catalogue import OPS
from ..errors import bad, bad_type, shown

Body = Literal["own", "none", "pool", "strided", "max+conv", "dense"]
Head = Literal["own", "avg", "max"]


@dataclass(frozen=True, slots=True)
class Arm:
    """One choice. ``body`` takes the place of every pooling layer, ``head`` of everything from Flatten on."""

    name: str
    title: str
    body: Body
    op: str = "max"
    parameters: tuple[tuple[str, Any], ...] = ()
    size: int = 2
    stride: int = 2
    padding: str = "valid"
    head: Head = "own"


#: What other choices are compared with.
BASELINE: Final = "max-2/2"
_POOL: Final = re.compile(r"(?P<op>[a-z_]+?)(?P<p>[0-9.]*)-(?P<size>[0-9]+)/(?P<stride>[0-9]+)(?P<same>-same)?")
_NAMED: Final = {
    arm.name: arm
    for arm in (
        Arm("own", "the model as it is", "own"),
        Arm("none", "no pooling", "none"),
        Arm("strided", "3x3 convolution, stride 2, instead of pooling", "strided"),
        Arm("max+conv", "3x3 convolution, then maximum 2x2, stride 2", "max+conv"),
        Arm("global-avg", "maximum 2x2, stride 2; head of one map per class, averaged", "pool", head="avg"),
        Arm("global-max", "maximum 2x2, stride 2; head of one map per class, its maximum", "pool", head="max"),
        Arm("dense", "dense layers alone", "dense"),
    )
}
#: The full set, and the one of the demo.
ALL: Final = (
    "none",
    "max-2/2",
    "max-3/2",
    "avg-2/2",
    "l2-2/2",
    "strided",
    "max+conv",
    "max-2/2-same",
    "max-3/1",
    "max-3/3",
    "global-avg",
    "global-max",
    "dense",
)
DEMO: Final = ("none", "max-2/2", "max-3/2", "avg-2/2", "strided", "max+conv", "global-avg")
SETS: Final = {"all": ALL, "demo": DEMO}


def parse(name: str) -> Arm:
    """The arm of that name.

    >>> parse("avg-3/2-same").title
    'average 3x3, stride 2, padding same'
    >>> parse("l2-2/2").op, parse("l2-2/2").parameters
    ('lp', (('p', 2.0),))
    """
    if name in _NAMED:
        return _NAMED[name]
    found = _POOL.fullmatch(name)
    if found is not None:
        made = _pool(name, found)
        if made is not None:
            return made
    pools = ", ".join(f"{op}-2/2" for op in OPS if op != "lp")
    raise bad(
        "lab",
        f"there is no arm {shown(name)}",
        f"choose among {', '.join(_NAMED)}, or OPERATOR-SIZE/STRIDE[-same] as in {pools}, l2-2/2, max-3/2-same",
    )


def _pool(name: str, found: re.Match[str]) -> Arm | None:
    op, p = found["op"], found["p"]
    size, stride = int(found["size"]), int(found["stride"])
    parameters: tuple[tuple[str, Any], ...] = ()
    if op == "l" and p:
        try:
            parameters = (("p", float(p)),)
        except ValueError:
            return None
        op, word = "lp", f"L{p} norm"
    elif op in OPS and not p and op != "lp":
        word = OPS[op].title.lower()
    else:
        return None
    if min(size, stride) < 1:
        return None
    padding = "same" if found["same"] else "valid"
    title = f"{word} {size}x{size}, stride {stride}" + ", padding same" * (padding == "same")
    return Arm(name, title, "pool", op, parameters, size, stride, padding)


def parse_all(names: str | Iterable[str]) -> tuple[Arm, ...]:
    """Several, as a list or separated by commas, each once; ``all`` and ``demo`` are sets of them.

    >>> [arm.name for arm in parse_all("demo,l2-2/2")]
    ['none', 'max-2/2', 'max-3/2', 'avg-2/2', 'strided', 'max+conv', 'global-avg', 'l2-2/2']
    """
    if not isinstance(names, Iterable):
        raise bad_type("lab", f"arms is {shown(names)}", f"give names, as in {BASELINE}")
    wanted: Sequence[str] = [part.strip() for part in names.split(",")] if isinstance(names, str) else list(names)
    if not all(isinstance(name, str) for name in wanted):
        raise bad_type("lab", f"arms is {shown(names)}", f"give names, as in {BASELINE}")
    arms = tuple(parse(one) for name in wanted if name for one in SETS.get(name, (name,)))
    if not arms:
        raise bad("lab", "no arms were named", f"name at least one, as in {BASELINE}")
    twice = {arm.name for arm in arms if sum(other.name == arm.name for other in arms) > 1}
    if twice:
        raise bad("lab", f"arms named twice: {', '.join(sorted(twice))}", "name each once")
    return arms
