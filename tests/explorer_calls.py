"""Calls of the page that frameworks are asked too: hand-made nasty ones, drawn ones, and what the page says of them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

import explorer_node
from cenote.dialects import NAMES

State = dict[str, Any]
ROWS = json.loads(explorer_node.STATIC.joinpath("dialects.json").read_text(encoding="utf-8"))
NAN, INF = float("nan"), float("inf")
LOWEST = float(np.finfo(np.float32).min)
#: What the habits are of somebody who keeps the contract.
CONTRACT = {
    "drops_nan": [],
    "starts_lowest": [],
    "unsettled": False,
    "signed_powers": "",
    "scales_overhang": "",
    "whole_p": False,
    "divides_nothing": "",
    "same_raw": False,
    "spare_cell": "",
    "volumes_fit": "",
    "number_axes": 1,
}

_ANSWER = """
import { columns } from "./engine/answers.js";
import { ours, theirs } from "./engine/snippets.js";
import { RuleError } from "./engine/windows.js";
const or = (act) => {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { refusal: error.message };
  }
};
export default ({ rows, states }) => states.map((state) => {
  const found = or(() => columns(state, rows));
  if (found.refusal) return null; // ours already is none
  return {
    columns: found.map((column) => (
      { ...column, row: null, different: [...column.different], unsure: [...column.unsure] }
    )),
    codes: [ours(state), ...rows.map((row) => or(() => theirs(row, state)))],
  };
});
"""


def answered(states: Sequence[State], rows: Sequence[Any] = ROWS) -> list[Any]:
    """What the page says of each: the columns of cenote and of every row, and its snippets; None without an answer."""
    found: list[Any] = explorer_node.run(_ANSWER, {"rows": list(rows), "states": list(states)})
    return found


def told(*asked: tuple[State, str]) -> list[dict[str, Any]]:
    """The columns of a framework each."""
    places = [("cenote", *NAMES).index(name) for _, name in asked]
    answers = answered([state for state, _ in asked])
    return [answer["columns"][place] for answer, place in zip(answers, places, strict=True)]


def drawn_words(rng: random.Random, rank: int, lengths: list[int] | None = None) -> dict[str, Any]:
    """Words with much left out, and much that some framework forbids."""
    form = rng.choices(("slide", "adaptive", "global"), (8, 1, 1))[0]
    size = [rng.randint(1, 4) for _ in range(rank)]
    plain = {"stride": None, "padding": [[0, 0]] * rank, "dilation": [1] * rank, "ceil": None, "divisor": None}
    divisor = rng.choice([None, None, None, "inside", "padded", "window", rng.choice([2, 7.5, -3])])
    if form != "slide":
        parts = [1] * rank if form == "global" else [rng.randint(1, lengths[i] if lengths else 4) for i in range(rank)]
        return {"form": form, **plain, "size": parts, "divisor": divisor}
    padding: list[Any] = [[0, 0]] * rank
    kind = rng.choice(["none", "none", "even", "pairs", "word", "word", "mixed"])
    if kind == "even":
        padding = [[pad, pad] for pad in (rng.randint(0, 2) for _ in range(rank))]
    elif kind == "pairs":
        padding = [[rng.randint(0, 3), rng.randint(0, 3)] for _ in range(rank)]
    elif kind == "word":
        padding = [rng.choice(["same", "same", "same_lower"])] * rank
    elif kind == "mixed" and rng.random() < 0.3:
        padding = [rng.choice(["same", "same_lower", [0, 0], [1, 1]]) for _ in range(rank)]
    return {
        "form": form,
        "size": size,
        "stride": rng.choice([None, [rng.randint(1, 4) for _ in range(rank)]]),
        "padding": padding,
        "dilation": [rng.choice([1, 2]) for _ in range(rank)] if rng.random() < 0.25 else [1] * rank,
        "ceil": True if rng.random() < 0.3 and not any(isinstance(pad, str) for pad in padding) else None,
        "divisor": divisor,
    }


def state(op: str, values: Any, size: Any, *, p: float = 2.0, integers: bool = False, **words: Any) -> State:
    """A state of the page; ``size`` None is global."""
    array = np.asarray(values, float)
    rank = array.ndim
    plain = {
        "form": "global" if size is None else "slide",
        "size": [1] * rank if size is None else list(size),
        "stride": None,
        "padding": [[0, 0]] * rank,
        "dilation": [1] * rank,
        "ceil": None,
        "divisor": None,
    }
    return {
        "op": op,
        "words": plain | words,
        "p": p,
        "integers": integers,
        "shape": list(array.shape),
        "values": array.ravel().tolist(),
        "title": "",
        "upstream": None,
        "filter": None,
    }


def drawn_state(rng: random.Random) -> State:
    """Small arrays of halves with ties, in which some have NaN and infinities; sums of them are exact in float32."""
    rank = rng.choice([1, 2, 2, 2, 3])
    lengths = [rng.randint(1, (12, 7, 4)[rank - 1]) for _ in range(rank)]
    odd = rng.choice([[], [], [NAN], [-INF, -INF], [NAN, -INF, INF]])
    pool = [rng.choice([k / 2 for k in range(-9, 10)]) for _ in range(6)] + odd + ([-INF] * 20 if len(odd) == 2 else [])
    values = [rng.choice(pool) for _ in range(int(np.prod(lengths)))]
    whole = not odd and rng.random() < 0.2
    return {
        "op": rng.choice(["max", "max", "max", "min", "avg", "avg", "avg", "sum", "lp", "lp"]),
        "words": drawn_words(rng, rank, lengths),
        "p": rng.choice([1, 2, 3, 2.5, INF, 0.5, 4]),
        "integers": whole,
        "shape": lengths,
        "values": [float(np.floor(value)) for value in values] if whole else values,
        "title": "",
        "upstream": None,
        "filter": None,
    }


COUNTED = np.arange(1.0, 17.0).reshape(4, 4)
NASTY = [
    state("avg", COUNTED, (3, 3), stride=[2, 2], padding=[[1, 1]] * 2, ceil=True),
    state("avg", COUNTED, (3, 3), stride=[2, 2], padding=[[1, 1]] * 2, ceil=True, divisor="inside"),
    state("avg", COUNTED, (3, 3), stride=[2, 2], padding=[[1, 1]] * 2, divisor=8),
    state("avg", [10, 20], (3,), stride=[2], padding=["same"]),
    state("avg", [10, 20], (2,), divisor=8),
    state("avg", np.ones((2, 2, 2)), (3, 3, 3), padding=[[1, 1]] * 3),
    state("avg", COUNTED - 8, (2, 2), integers=True),
    state("avg", [1, NAN, 3, INF, -INF, 2], (2,), stride=[1]),
    state("avg", [[1, -2, 3]] * 2, None),
    state("avg", [5.0], (2,), stride=[1], padding=[[1, 1]], dilation=[2], divisor="inside"),
    state("max", [NAN, 1, 2, -INF, -INF, NAN, NAN, NAN], (2,)),
    state("max", [[NAN, 1], [1, NAN]], None),
    state("max", [[-INF, -INF], [-INF, -INF]], None),
    state("max", [-INF] * 4, (2,)),
    state("max", -COUNTED, (3, 3), stride=[1, 1], padding=[[1, 1]] * 2),
    state("max", COUNTED, (3, 3), stride=[2, 2], padding=["same"] * 2),
    state("max", COUNTED, (3, 3), stride=[2, 2], padding=["same_lower"] * 2),
    state("max", COUNTED, (2, 2)),
    state("max", [5.0], (2,), stride=[1], padding=[[1, 1]], dilation=[2]),
    state("max", [1, 9, 2, 8, 3, 7, 4, 6, 5], (3,), stride=[2], dilation=[2], padding=["same"]),
    state("max", np.arange(25.0).reshape(5, 5), (3, 3), form="adaptive"),
    state("max", COUNTED, (1, 2), form="adaptive"),
    state("min", [[3, NAN], [INF, 1]], (1, 2)),
    state("min", [1, 9, 2, 8, 3], (2,), stride=[1], dilation=[2]),
    state("sum", COUNTED, (3, 2), padding=[[1, 0], [0, 1]]),
    state("lp", -COUNTED, (3, 3), p=3, stride=[1, 1]),
    state("lp", -COUNTED, (2, 2), p=1),
    state("lp", COUNTED - 8, (3, 3), p=2, ceil=True),
    state("lp", COUNTED - 8, (3, 3), p=INF, ceil=True),
    state("lp", [[[1, -2], [3, 4]]] * 2, (2, 2, 2), p=2),
    state("lp", COUNTED - 8, (2, 2), p=3, padding=[[1, 1]] * 2),
    state("lp", COUNTED - 8, None, p=3),
    state("lp", [4.0, 9.0, 0.0], (2,), p=0.5, stride=[1]),
]
