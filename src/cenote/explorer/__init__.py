"""The page where pooling is seen: windows, padding, winners, gradients, and what the frameworks make of the same words.

``cenote.explore`` makes one of an array or a model. The page computes pooling by itself, in ``static/engine``: the one
second copy of the contract, held to the Python reference by the tests.
"""

from __future__ import annotations

from .exploration import ENDINGS, Exploration, explore

__all__ = ["ENDINGS", "Exploration", "explore"]
