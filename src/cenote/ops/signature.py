"""The arguments of every public pooling function: one list, from which signatures, docstrings and the stub are made."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Final

from ..catalogue import Op

REQUIRED: Final = inspect.Parameter.empty
FORMS: Final = ("sliding", "adaptive", "global")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Argument:
    """One argument: its default (REQUIRED for the positional ones), its type, the same in words, and its meaning."""

    name: str
    default: Any
    annotation: str
    kind: str
    doc: str


_PER_AXIS: Final = "int | Sequence[int]"
_X: Final = Argument("x", REQUIRED, "ArrayLike", "array_like", "The input, at least one dimension. Dtypes: {dtypes}.")
_AXES: Final = Argument(
    "axes",
    None,
    "int | Sequence[int] | str | None",
    "int, tuple of int or layout string, optional",
    "The pooled axes; one to three. A layout such as 'HWC', 'NCHW' or 'NCDHW' names every dimension, and D, H and W "
    "are pooled.",
)
_BEFORE: Final[dict[str, tuple[Argument, ...]]] = {
    "sliding": (
        _X,
        Argument(
            "size",
            REQUIRED,
            f"{_PER_AXIS} | Window",
            "int, tuple of int, or Window",
            "Window size. A tuple pools that many trailing axes, or ``axes``, entry by entry; an int pools every axis "
            "of ``axes``, by default the last two of an array of 2 to 4 dimensions. A ``Window`` says "
            "the whole geometry, one rule per axis.",
        ),
        Argument(
            "stride",
            None,
            f"{_PER_AXIS} | None",
            "int or tuple of int, optional",
            "Cells from one window to the next; left out, the window size.",
        ),
        Argument(
            "padding",
            0,
            "Padding",
            "int, word, or one entry per axis, default 0",
            'Cells around the input that no window finds a value in: an int for all sides, "valid" (none), "same" '
            '(the output has ceil(L / stride) cells, an odd cell at the end), "same_lower" (at the beginning), or '
            "exactly one int or ``(lo, hi)`` pair per pooled axis. For one axis a pair is written ``((1, 2),)``.",
        ),
        Argument(
            "dilation",
            1,
            _PER_AXIS,
            "int or tuple of int, default 1",
            "Cells from one tap of a window to the next.",
        ),
        Argument(
            "ceil_mode",
            False,
            "bool",
            "bool, default False",
            "Round the output length up; a window may hang over the end but not start behind it. An error together "
            "with a padding word.",
        ),
        _AXES,
    ),
    "adaptive": (
        _X,
        Argument(
            "parts",
            REQUIRED,
            "int | Sequence[int | None]",
            "int, or tuple of int or None",
            "Number of bins, which is the output length. A tuple pools that many trailing axes, or ``axes``; an int "
            "every axis of ``axes``, by default the last two of an array of 2 to 4 dimensions. None keeps an axis as "
            "it is.",
        ),
        _AXES,
    ),
    "global": (
        _X,
        Argument(
            "axes",
            (-2, -1),
            "int | Sequence[int] | str",
            "int, tuple of int or layout string, default (-2, -1)",
            _AXES.doc,
        ),
        Argument("keepdims", False, "bool", "bool, default False", "Keep the pooled axes, with length 1."),
    ),
}


def arguments(op: Op, form: str) -> tuple[Argument, ...]:
    """All arguments of one public function, in order."""
    own = tuple(
        Argument(p.name, p.default, p.annotation, f"{p.kind}, default {_shown(p.default)}", p.doc)
        for p in op.parameters
    )
    return (*_BEFORE[form], *own, _out(op))


def signature(op: Op, form: str) -> inspect.Signature:
    """The signature of one public function."""
    places = []
    for argument in arguments(op, form):
        kind = (
            inspect.Parameter.POSITIONAL_OR_KEYWORD if argument.default is REQUIRED else inspect.Parameter.KEYWORD_ONLY
        )
        places.append(inspect.Parameter(argument.name, kind, default=argument.default))
    return inspect.Signature(places)


def _out(op: Op) -> Argument:
    pair = " With ``return_indices=True`` a pair of arrays." if op.selects else ""
    annotation = "NDArray[Any] | tuple[NDArray[Any], NDArray[np.int64]] | None" if op.selects else "NDArray[Any] | None"
    return Argument(
        "out",
        None,
        annotation,
        "ndarray, optional",
        f"Where to write the result: its very shape and dtype, writeable, apart from x.{pair} A call that is "
        "interrupted leaves its contents undefined.",
    )


def _shown(default: object) -> str:
    return f'"{default}"' if isinstance(default, str) else str(default)
