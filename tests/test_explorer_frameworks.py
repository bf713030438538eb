"""The page's answers and snippets against the frameworks themselves, which are asked what the page was asked."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import explorer_frameworks
import explorer_node
from cenote.dialects import NAMES
from explorer_calls import CONTRACT, INF, LOWEST, NASTY, ROWS, State, answered, drawn_state

pytestmark = explorer_node.needs_node

#: Drawn cases beside the nasty ones, and in a sweep; JAX compiles each of its own, Keras runs all layers anew.
DRAWN = {"torch": (60, 300), "onnx": (60, 300), "keras": (30, 120), "jax": (20, 80), "cenote": (60, 300)}
TOLD = {"torch": "torch", "onnx": "onnxruntime", "keras": "tensorflow", "jax": "flax", "cenote": "cenote"}


def sizes(*names: str) -> list[Any]:
    """Few drawn cases for every run, many for a sweep."""
    few = [pytest.param(name, DRAWN[name][0], id=name) for name in names]
    return few + [pytest.param(name, DRAWN[name][1], id=f"{name} many", marks=pytest.mark.sweep) for name in names]


@functools.lru_cache(maxsize=2)
def _answers(count: int) -> tuple[list[State], list[Any]]:
    rng = random.Random(7)
    states = NASTY + [drawn_state(rng) for _ in range(count)]
    found = answered(states)
    assert all(found[: len(NASTY)])
    kept = [i for i, answer in enumerate(found) if answer is not None]
    return [states[i] for i in kept], [found[i] for i in kept]


def answers(drawn: int) -> tuple[list[State], list[Any]]:
    """States of which so many can be picked, and what the page says of each; those without an answer are left out."""
    return _answers(400 if drawn <= 60 else 1500)


def picked(name: str, drawn: int) -> list[int]:
    """Which states a framework is asked: the nasty ones, and drawn ones, of which half are no refusal of its."""
    states, found = answers(drawn)
    place = ("cenote", *NAMES).index(name)
    rest = range(len(NASTY), len(states))
    taken = [i for i in rest if found[i]["columns"][place]["refusal"] is None]
    refused = [i for i in rest if found[i]["columns"][place]["refusal"] is not None]
    return [*range(len(NASTY)), *taken[: drawn // 2], *refused[: drawn // 2]]


def asked(name: str, cases: list[dict[str, Any]]) -> list[Any]:
    """What the framework gives: Keras in a process of its own, since here it may run on something else."""
    if name != "keras":
        return explorer_frameworks.answers(name, cases)
    paths = [str(Path(__file__).parent), *(os.path.abspath(path) for path in sys.path if path)]
    done = subprocess.run(
        [sys.executable, explorer_frameworks.__file__, name],
        input=explorer_node.dumps(cases),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, f"{name} ended with {done.returncode}: {done.stderr[-2000:]}"
    found: list[Any] = explorer_node.revived(json.loads(done.stdout.splitlines()[-1]))
    return found


def unlike(case: State, column: dict[str, Any], got: dict[str, Any]) -> str | None:
    """How a framework's answer differs from what the page says of it; None if it does not."""
    if "raised" in got:
        return str(got["raised"])
    if got["shape"] != column["shape"]:
        return f"shape {got['shape']}"
    mine, real = np.array(column["values"]), np.array(got["values"])
    same = (mine == real) | (np.isnan(mine) & np.isnan(real))
    if case["op"] not in ("max", "min"):
        # Sums are exact; a division, a product with the number of taps and two powers are rounded to float32, and a
        # power by few units.
        with np.errstate(invalid="ignore"):  # of infinities
            same |= (np.abs(mine - real) <= 4e-6 * np.abs(real)) & np.isfinite(real)
    for i in column["unsure"]:  # NaN, or a number of the window that need not be the largest: mine is
        same[i] = np.isnan(real[i]) or real[i] <= max(mine[i], LOWEST)
    wrong = np.flatnonzero(~same)
    return None if not len(wrong) else f"at {wrong[:5]}: {real[wrong[:5]]}, not {mine[wrong[:5]]}"


@pytest.mark.parametrize(("name", "drawn"), sizes(*NAMES[:4]))
def test_answers_and_snippets_are_the_frameworks(name: str, drawn: int) -> None:
    """For the same words and for the snippet: the framework gives what the page says, or refuses where it says so."""
    if importlib.util.find_spec(TOLD[name]) is None:
        pytest.skip(f"{TOLD[name]} is not installed: what the page says of {name} is not compared")
    states, found = answers(drawn)
    place = NAMES.index(name)
    picks = picked(name, drawn)
    if name == "keras":  # what ends the process cannot be asked; the row says so, and the page
        picks = [i for i in picks if "ends the process" not in str(found[i]["columns"][place + 1]["refusal"])]
    cases: list[Any] = []
    for i in picks:
        code = found[i]["codes"][place + 1]
        cases.append({"state": states[i], "code": code if isinstance(code, str) else None})
    seen: Counter[str] = Counter()
    wrong = []
    given = asked(name, cases)
    for i, case, got in zip(picks, cases, given, strict=True):
        column = found[i]["columns"][place + 1]
        if column["refusal"] is not None:
            assert case["code"] is None, (column, case)
            if "cannot divide" in column["refusal"] or "always divides" in column["refusal"]:
                continue  # there is no word for it that could be tried
            if "window spans" in column["refusal"] and name == "onnx":
                continue  # it divides a negative number towards zero and goes on, as test_dialects.py has it too
            if "raised" not in got["naive"]:
                wrong.append(f"{column['refusal']}, but: {got['naive']}\n{case['state']}")
            seen["refused"] += 1
            continue
        assert case["code"] is not None
        for way in ("naive", "code"):
            how = unlike(case["state"], column, got[way])
            if how is not None:
                wrong.append(f"{way}: {how}\n{case['state']}\n{case['code']}")
        seen["answered"] += 1
        seen["differs"] += bool(column["different"])
        seen["unsure"] += bool(column["unsure"])
    assert not wrong, f"{len(wrong)} times {name}: " + "\n".join(wrong[:5])
    assert seen["answered"] > 25, seen
    assert seen["refused"] > 10, seen
    assert seen["differs"] > 1, seen
    unknown = [habit for habit, plain in CONTRACT.items() if ROWS[place]["habits"][habit] != plain]
    assert not unshown(place, [habit for habit in unknown if habit != "spare_cell"], cases, given)


def unshown(place: int, habits: list[str], cases: list[dict[str, Any]], given: list[Any]) -> set[str]:
    """The habits of a framework that no case shows: a page that does not know of them says what the framework gives."""
    rows = [{**ROWS[place], "habits": {**ROWS[place]["habits"], habit: CONTRACT[habit]}} for habit in habits]
    left = set(habits)
    for case, answer, got in zip(cases, answered([case["state"] for case in cases], rows), given, strict=True):
        for habit, column in zip(habits, answer["columns"][1:], strict=True):
            if column["refusal"] is None and unlike(case["state"], column, got["naive"]) is not None:
                left.discard(habit)
    return left


@pytest.mark.parametrize(("name", "drawn"), sizes("cenote"))
def test_cenotes_snippets_give_the_picture(name: str, drawn: int) -> None:
    states, found = answers(drawn)
    picks = range(len(NASTY) + drawn)
    cases = [{"state": states[i], "code": found[i]["codes"][0]} for i in picks]
    for i, case, got in zip(picks, cases, asked(name, cases), strict=True):
        for k, value in enumerate(got["code"].get("values", ())):
            if abs(value) == 2**63:  # the identity of int64, in a window of nothing: the page has one for all types
                got["code"]["values"][k] = np.sign(value) * INF
        how = unlike(case["state"], found[i]["columns"][0], got["code"])
        assert how is None, f"{how}\n{case['state']}\n{case['code']}"
