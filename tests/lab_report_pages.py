"""Results out of nothing, and a page read as strictly as no browser would, for `test_lab_report.py`."""

from __future__ import annotations

import importlib.util
import itertools
import math
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

import pytest

# Keras is looked for and not imported: the lab chooses its backend.
if importlib.util.find_spec("keras") is None:
    pytest.skip("Keras is not installed: no lab", allow_module_level=True)
if importlib.util.find_spec("matplotlib") is None:
    pytest.skip("matplotlib is not installed: no report", allow_module_level=True)

from cenote.lab.arms import parse
from cenote.lab.counts import LayerCost, Summary
from cenote.lab.measures import MEASURES, SHIFTS
from cenote.lab.results import ArmResult, Results, Run

SIX = ("none", "max-2/2", "avg-2/2", "strided", "global-avg", "dense")


def summary(place: int) -> dict[str, Any]:
    """Three layers, the numbers of which grow with the place of the arm."""
    counts = {
        "parameters": 100 * (place + 1),
        "trainable_parameters": 100,
        "multiply_adds": 7 * 10**place,
        "pooling_operations": 5,
        "activation_bytes": 4000 + place,
        "kept_bytes": 3000 + place,
        "kept_bytes_int64": 9000 + place,
    }
    layers = tuple(
        LayerCost(
            name=f"layer_{i}",
            kind="Conv2D",
            output_shape=(8, 8, 4),
            arithmetic=("10 - 2 = 8", "10 - 2 = 8"),
            padding="valid",
            window="3x3/1",
            receptive=(3, 3),
            jump=(1, None),
            head=i == 2,
            **counts,
        )
        for i in range(3)
    )
    return Summary("net", layers, ("nothing is known of layer_3",)).as_dict()


def measures(place: int, seed: int, finite: bool) -> dict[str, float]:
    scatter = 0.002 * ((seed * 7 + place * 3) % 5)
    test = 0.9 + 0.01 * place - scatter
    found = {
        "test_accuracy": test,
        "train_accuracy": test + 0.02,
        "gap": 0.02,
        "train_loss": 0.1 + scatter if finite else math.nan,
        "test_loss": 0.2,
        "seconds_per_epoch": 1.0 + 0.1 * place + scatter,
    }
    shares = [name for name in MEASURES if name.startswith("consistency")]
    return found | {name: 1 - 0.03 * int(re.findall(r"\d", name)[0]) - scatter for name in shares}


def made(
    arms: Sequence[str] = SIX,
    *,
    seeds: int = 3,
    runs: int | None = None,
    refused: Sequence[str] = (),
    latency: bool = True,
    diverged: bool = False,
    **texts: Any,
) -> Results:
    """Results of ``arms``; the first ``runs`` trainings of them are finished, all where None."""
    left = itertools.count()
    found = {}
    for place, name in enumerate(arms):
        if name in refused:
            reason = texts.get("reason", f"{name}: its output would be empty; choose other arms")
            found[name] = ArmResult(name, parse(name).title, reason)
            continue
        trained = {
            seed: Run(
                seed, tuple(2.0 / (epoch + 1 + place) for epoch in range(4)), measures(place, seed, not diverged), 1
            )
            for seed in range(seeds)
            if runs is None or next(left) < runs
        }
        calls = tuple(tuple(1e-3 * (1 + place + 0.01 * (i + k)) for k in range(5)) for i in range(3))
        found[name] = ArmResult(
            name, parse(name).title, None, summary(place), trained, {1: calls, 32: calls} if latency else {}
        )
    classes = texts.get("classes", ["0", "1"])
    settings = {
        "data": texts.get("data", "digits"),
        "model": texts.get("model", "digits"),
        "classes": classes,
        "input": [10, 10, 1],
        "arms": list(arms),
        "seeds": list(range(seeds)),
        "epochs": 4,
        "batch_size": 64,
        "learning_rate": 0.001,
        "shifts": list(SHIFTS),
    }
    environment = {
        "cpu": "a processor",
        "cores": 2,
        "system": "a system",
        "versions": {"keras": "3"},
        "written": "2026-01-02T03:04:05+00:00",
    }
    note = texts.get("note", "images out of nowhere")
    about = {"name": settings["data"], "note": note, "classes": classes, "shape": [10, 10, 1], "train": 80, "test": 20}
    return Results(settings, environment, about, found)


class Page(HTMLParser):
    """A page read strictly: every element is closed in turn; what a browser would mend is an error here."""

    void = ("meta", "img", "br", "wbr")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.pieces: list[str] = []  # of the text: in it one piece runs into the next
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute of {tag} twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data
            self.pieces.append(data)

    def values(self, *names: str) -> list[str]:
        return [value or "" for _, attributes in self.elements for name, value in attributes.items() if name in names]
