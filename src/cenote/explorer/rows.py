"""The frameworks' rows as the page reads them: ``static/dialects.json``, which ``make generate`` writes."""

from __future__ import annotations

import json
from typing import Any, Final

from cenote.catalogue import OPS
from cenote.dialects import DIALECTS, NUMBERS, Code, Dialect, Habits, Limit, Padding, Spelling

#: Where the text stands, beside this file.
PATH: Final = "static/dialects.json"


def rows() -> list[dict[str, Any]]:
    """One object per framework; ``engine/dialects.js`` says what is in it."""
    return [_row(row) for row in DIALECTS.values()]


def text() -> str:
    """The JSON that is stored: a line per framework, so that a change shows where it is."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows())
    return f"[\n{lines}\n]\n"


def _row(row: Dialect) -> dict[str, Any]:
    has = [name for name in OPS if name in row.operators]
    return {
        "name": row.name,
        "title": row.title,
        "ranks": list(row.ranks),
        "operators": {name: _spelling(row, row.spelling(name)) for name in has},
        "missing": {name: row.missing.get(name, f"it has {', '.join(has)}") for name in OPS if name not in has},
        "arguments": dict(row.arguments),
        "divisor": row.divisor,
        "divisors": dict(row.divisors),
        "divides": ", ".join(f"{rule} ({how})" for rule, how in row.divisors.items()),
        "nan": row.nan,
        "adaptive": row.adaptive,
        "notes": [{"text": note.text, "source": note.source} for note in row.notes],
        "habits": _habits(row.habits),
        "code": None if row.code is None else _code(row.code, row.title),
    }


def _spelling(row: Dialect, spelling: Spelling) -> dict[str, Any]:
    forms = [form for form in Padding if form in spelling.padding]
    takes = " or ".join(form.value if form in NUMBERS else f"{form.value!r}" for form in forms)
    return {
        "stride": spelling.stride.name.lower(),
        "padding": [form.name.lower() for form in forms],
        "takes": f"it takes {takes}" if takes else "pad the array itself first",
        "limit": spelling.limit.name.lower(),
        "limited": "" if spelling.limit is Limit.NONE else spelling.limit.value,
        "dilation": spelling.dilation,
        "ceil": spelling.ceil.name.lower(),
        "ceil_default": spelling.ceil_default,
        "adapts": row.adaptive and spelling.adapts,
    }


#: What the page says of a habit: alone as a reason, or behind the framework's title as a refusal.
_SAID: Final = {
    "signed_powers": "adds x^p, not |x|^p",
    "scales_overhang": "multiplies the mean of the cells that are there by all taps of the window, where the last one "
    "hangs over",
    "divides_nothing": "an average of no cells is NaN there, 0 here",
    "spare_cell": "on {} ends the process where an adaptive window's bin and one more cell do not fit into the axis",
    "volumes_fit": "wants windows of three axes that fit into the input without its padding",
}


def _habits(habits: Habits) -> dict[str, Any]:
    said = {name: text.format(habits.runs_on) if getattr(habits, name) else "" for name, text in _SAID.items()}
    return {
        "runs_on": habits.runs_on,
        "drops_nan": sorted(habits.drops_nan),
        "starts_lowest": sorted(habits.starts_lowest),
        "unsettled": habits.unsettled,
        "signed_powers": said["signed_powers"],
        "scales_overhang": said["scales_overhang"],
        "whole_p": habits.whole_p,
        "divides_nothing": said["divides_nothing"],
        "same_raw": habits.same_raw,
        "spare_cell": said["spare_cell"],
        "volumes_fit": said["volumes_fit"],
        "number_axes": habits.number_axes,
    }


def _code(code: Code, title: str) -> dict[str, Any]:
    return {
        "title": code.title or title,
        "calls": dict(code.calls),
        "pads": code.pads.name.lower(),
        "pad_words": dict(code.pad_words),
        "lists": code.lists,
        "bare": code.bare,
        "true": code.true,
    }
