"""What a model costs, layer by layer: shapes and their arithmetic, receptive fields, parameters, operations, memory."""

from __future__ import annotations

from .facts import CONVENTIONS
from .summary import COLUMNS, LayerCost, Summary, summarize

__all__ = ["COLUMNS", "CONVENTIONS", "LayerCost", "Summary", "summarize"]
