"""Colours of the report, on light and on dark paper.

Six hues for arms. On each paper any two of them stay apart (at least 0.11 in OKLab) for readers without one kind of
cones too, simulated after Machado et al. 2009, and each stands out from the paper by 3:1 or more. More than six arms
are told apart by marker and dash as well, and all by the words beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_ROLES: Final = ("paper", "card", "ink", "muted", "faint", "line", "good", "bad")
_LIGHT: Final = ("#fbfaf8", "#ffffff", "#1c2430", "#586473", "#8b95a1", "#e2e5e9", "#0b6b5c", "#a8400a")
_DARK: Final = ("#101318", "#171b22", "#e7eaef", "#9aa5b3", "#717c8a", "#2a313b", "#7fe0cc", "#ffa27a")
_LIGHT_HUES: Final = ("#3533b6", "#e8620e", "#24a095", "#88015f", "#4070a8", "#7a5700")
_DARK_HUES: Final = ("#97b6fd", "#f45913", "#88f6df", "#a0638e", "#0e82f7", "#febb2e")

LIGHT: Final = dict(zip(_ROLES, _LIGHT, strict=True))
HUES: Final = {f"hue-{i}": colour for i, colour in enumerate(_LIGHT_HUES)}
_DASHES: Final = ("solid", (0, (5, 2)), (0, (1.2, 1.6)))
#: matplotlib's letter for each marker, and its outline in a box of 12 x 12 for the page.
_MARKERS: Final = {
    "o": "M6 1a5 5 0 0 1 0 10a5 5 0 0 1 0-10z",
    "s": "M1.5 1.5h9v9h-9z",
    "D": "M6 0.5L11.5 6L6 11.5L0.5 6z",
    "^": "M6 1L11.5 11h-11z",
    "v": "M6 11L0.5 1h11z",
    "P": "M4 1h4v3h3v4h-3v3h-4v-3h-3v-4h3z",
    "X": "M3.2 0.8L6 3.6L8.8 0.8L11.2 3.2L8.4 6L11.2 8.8L8.8 11.2L6 8.4L3.2 11.2L0.8 8.8L3.6 6L0.8 3.2z",
}


@dataclass(frozen=True, slots=True)
class Look:
    """How an arm looks in every chart; ``hue`` names its colour as the page does."""

    hue: str
    marker: str
    dash: str | tuple[int, tuple[float, float]]

    @property
    def colour(self) -> str:
        """On light paper."""
        return HUES[self.hue]

    @property
    def outline(self) -> str:
        """The marker as a path of SVG, 12 x 12."""
        return _MARKERS[self.marker]


def look(place: int) -> Look:
    """Of the arm at this place in the results: no two of 42 are the same in hue and marker.

    >>> look(0).colour, look(6).hue, look(6).marker
    ('#3533b6', 'hue-0', 'X')
    """
    marker = tuple(_MARKERS)[place % len(_MARKERS)]
    return Look(f"hue-{place % len(HUES)}", marker, _DASHES[place // len(HUES) % len(_DASHES)])


def variables() -> str:
    """The colours as CSS, light and dark."""
    names = (*_ROLES, *HUES)
    light, dark = (
        " ".join(f"--{name}: {colour};" for name, colour in zip(names, colours, strict=True))
        for colours in ((*_LIGHT, *_LIGHT_HUES), (*_DARK, *_DARK_HUES))
    )
    return (
        f":root {{ color-scheme: light dark; {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    )
