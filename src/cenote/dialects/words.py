"""What somebody wrote about a window, what was left out still left out: defaults are a dialect's business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cenote.errors import bad
from cenote.geometry import Slide, Window

Pad = tuple[int, int] | str

_MARKS: Final = (">", "*", "[", ",")


@dataclass(frozen=True, slots=True)
class Words:
    """A sliding window as written: one entry per pooled axis, None for what was left out."""

    size: tuple[int, ...]
    stride: tuple[int, ...] | None = None
    padding: tuple[Pad, ...] | None = None
    dilation: tuple[int, ...] | None = None
    ceil: bool | None = None

    def __post_init__(self) -> None:
        for name in ("stride", "padding", "dilation"):
            entries = getattr(self, name)
            if entries is not None and len(entries) != len(self.size):
                raise bad(
                    "Words",
                    f"{name} has {len(entries)} entries for {len(self.size)} axes",
                    "give one entry per axis",
                )

    @classmethod
    def parse(cls, text: str, rank: int | None = None, *, who: str = "Words.parse") -> Words | None:
        """The words of a window in the notation of ``Window.parse``; None for one that does not slide.

        >>> Words.parse("3x3/2")
        Words(size=(3, 3), stride=(2, 2), padding=None, dilation=None, ceil=None)
        """
        rules = Window.parse(text, rank, who=who).rules
        slides = [rule for rule in rules if isinstance(rule, Slide)]
        if len(slides) != len(rules):
            return None
        if any(mark in text for mark in _MARKS):
            raise bad(who, f"{text!r} gives every axis rules of its own", "join the axes with x: 3x5/2x1+1")
        return cls(
            size=tuple(slide.size for slide in slides),
            stride=tuple(slide.stride for slide in slides) if "/" in text else None,
            padding=tuple(slide.pad for slide in slides) if "+" in text else None,
            dilation=tuple(slide.dilation for slide in slides) if "@" in text else None,
            ceil=True if "^" in text else None,
        )
