"""A plugin for Keras's own tests of its pooling layers: the names that they use mean cenote's layers.

Keras skips what its own layers fail on a backend. Those tests run here as well.
"""

from __future__ import annotations

from typing import Any

import keras.src.layers
import pytest

import cenote.keras
from cenote.keras.layer import PoolingLayer
from cenote.keras.theirs import classes

made: list[str] = []
revived: list[str] = []
start = PoolingLayer._start


def counting(self: PoolingLayer, *args: Any) -> None:
    made.append(type(self).__name__)
    start(self, *args)


PoolingLayer._start = counting
for kind in classes().values():
    setattr(keras.src.layers, kind.name, getattr(cenote.keras, kind.name))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in list(item.iter_markers("skipif")):
            if mark.args and mark.args[0] is True:
                revived.append(f"{item.name}: {mark.kwargs.get('reason')}")
        item.own_markers = [mark for mark in item.own_markers if mark.name != "skipif"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.write_line(f"{len(made)} layers of cenote were made, of {len(set(made))} classes")
    terminalreporter.write_line(
        f"{len(revived)} tests run that Keras skips: {sorted({r.split(': ')[1] for r in revived})}"
    )
