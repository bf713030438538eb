"""How tables, numbers and verdicts are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .bars import Verdict


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: int = 1) -> str:
    """Markdown; columns from ``right`` on hold numbers."""
    marks = ["---" if i < right else "---:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, marks, *rows))


def number(value: float) -> str:
    """Three digits, never an exponent."""
    if value >= 100:
        return f"{value:.0f}"
    if value >= 0.001:
        return f"{value:.3g}"
    return f"{value:.6f}"


def bytes_text(count: int) -> str:
    """``13.5 MB``."""
    for unit, shift in (("GB", 30), ("MB", 20), ("KB", 10)):
        if count >= 1 << shift:
            return f"{count / (1 << shift):.3g} {unit}"
    return f"{count} B"


def verdicts(found: Sequence[Verdict], heading: str) -> str:
    """A table of bars, and below it the rows that fall short."""
    words = {True: "met", False: "**not met**", None: "not measured"}
    rows = []
    for verdict in found:
        rows.append((verdict.bar.text, words[verdict.met], _score(verdict), _worst(verdict)))
    parts = [table(("bar", "verdict", "rows that meet it", "worst row"), rows, right=4)]
    short = [verdict for verdict in found if verdict.short]
    if short:
        parts.append(f"### {heading}")
    for verdict in short:
        lines = [f"- {name}: {verdict.shortfall(value)}" for name, value in verdict.short]
        parts.append(f"{verdict.bar.text}:\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def _score(verdict: Verdict) -> str:
    judged = f"{len(verdict.values) - len(verdict.short)} of {len(verdict.values)}"
    return judged + (f", {len(verdict.unmeasured)} not measured" if verdict.unmeasured else "")


def _worst(verdict: Verdict) -> str:
    if not verdict.values:
        return "-"
    name, value = verdict.values[0]
    return f"{value:.3g}: {name}"
