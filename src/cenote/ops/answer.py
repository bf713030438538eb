"""What the answers of every ``explain`` share."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .table import table


class Answer:
    """A frozen dataclass with ``refusals``: plain values for JSON, and a table as text."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]  # whoever inherits is a dataclass

    def rows(self) -> list[tuple[str, str]]:
        """The lines of the table: refusals at the end, one each."""
        found = self.as_dict()
        refusals = found.pop("refusals")
        return [(name, str(value)) for name, value in found.items()] + [
            (f"not {name}", reason) for name, reason in refusals.items()
        ]

    def __str__(self) -> str:
        return table(self.rows())
