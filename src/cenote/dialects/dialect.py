"""A dialect is a row: how one framework spells and defaults a window, and what it does not allow.

A row is data. It turns words into the rules of ``geometry``, which alone compute lengths; what a framework
cannot say is refused with that framework's own rule as the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from cenote.errors import bad
from cenote.geometry import Rule, Slide, Split, Window

from .habits import Code, Habits
from .words import Pad, Words


class Stride(Enum):
    """The stride of a window whose stride was left out."""

    SIZE = "the window size"
    ONE = "1"


class Padding(Enum):
    """A form in which padding can be asked for; no padding at all is open to everybody."""

    SYMMETRIC = "one number for both sides"
    PAIRS = "(before, after) pairs"
    SAME = "same"
    SAME_LOWER = "same_lower"


class Limit(Enum):
    """How large a padding in numbers may be."""

    NONE = "any size"
    HALF = "at most half the window size"
    BELOW_SIZE = "smaller than the window size"


class Ceil(Enum):
    """Whether output lengths can be rounded up, and which windows are dropped then."""

    NEVER = "always rounds down"
    DROPS = "drops a window that would start in the right padding"
    DROPS_IF_PADDED = "drops such a window only where some axis is padded"


@dataclass(frozen=True, slots=True)
class Spelling:
    """What one operation of a framework accepts."""

    call: str
    stride: Stride = Stride.SIZE
    padding: frozenset[Padding] = frozenset()
    limit: Limit = Limit.NONE
    dilation: bool = False
    ceil: Ceil = Ceil.NEVER
    ceil_default: bool = False
    same_strided: bool = True
    """Whether "same" may be joined by a stride above 1."""
    dilated_strided: bool = True
    """Whether a dilation above 1 may be joined by a stride above 1."""
    adapts: bool = True
    """Whether it has an adaptive form, where the framework has such layers."""
    size: int | None = None
    """The window size when it is left out; None where it has to be given."""
    layer: str = ""
    """Name of its layers without the rank."""
    order: tuple[str, ...] = ()
    """Its arguments after the input, in the framework's words and order, where that tells an adapter something."""


@dataclass(frozen=True, slots=True)
class Note:
    """A fact about a framework and where it is written."""

    text: str
    source: str


def _table(entries: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(entries))


@dataclass(frozen=True, slots=True)
class Dialect:
    """One framework's row.

    ``operators`` has a ``Spelling`` for every operator the framework has (``"conv"`` among them, for chains);
    ``missing`` says for others what to write instead. ``arguments`` maps this library's argument names to the
    framework's, ``divisors`` its divisors (a ``"number"`` included) to how the framework asks for them. ``habits`` says
    where its numbers are others than the contract's, ``code`` how its calls are written (None: nobody writes them).
    """

    name: str
    title: str
    covers: tuple[str, ...]
    ranks: tuple[int, ...]
    channels_last: bool
    operators: Mapping[str, Spelling]
    missing: Mapping[str, str]
    arguments: Mapping[str, str]
    divisor: str
    divisors: Mapping[str, str]
    nan: str
    adaptive: bool
    notes: tuple[Note, ...] = field(default=())
    habits: Habits = field(default_factory=Habits)
    code: Code | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "operators", MappingProxyType(dict(self.operators)))
        for name in ("missing", "arguments", "divisors"):
            object.__setattr__(self, name, _table(getattr(self, name)))

    def layout(self, rank: int) -> str:
        """The default layout for ``rank`` pooled axes, as ``axes=`` takes it: 'NCHW', 'NHWC', ..."""
        spatial = "DHW"[-rank:]
        return f"N{spatial}C" if self.channels_last else f"NC{spatial}"

    def spelling(self, operator: str, *, who: str | None = None) -> Spelling:
        """What the framework accepts for ``operator``, or an error that says what to write instead."""
        found = self.operators.get(operator)
        if found is None:
            way_out = self.missing.get(operator, f"it has {', '.join(self.operators)}")
            raise bad(who or self.name, f"{self.title} has no {operator} pooling", way_out)
        return found

    def adapts(self, window: Window, operator: str | None = None, *, who: str | None = None) -> Window:
        """An adaptive or global window, as it is, where the framework has such a layer (of ``operator``, if given)."""
        splits = [rule for rule in window.rules if isinstance(rule, Split)]
        everything = len(splits) == len(window.rules) and all(rule.parts == 1 for rule in splits)
        has = operator is None or self.spelling(operator, who=who).adapts
        if everything or (splits and self.adaptive and has):
            return window
        kind = "" if operator is None or not self.adaptive else f"{operator} "
        raise bad(who or self.name, f"{self.title} has no adaptive {kind}pooling", "use a sliding window")

    def window(self, operator: str, words: Words, *, who: str | None = None) -> Window:
        """The window the framework slides for these words, or an error with the rule that forbids them.

        >>> from cenote.dialects import DIALECTS, Words
        >>> [str(DIALECTS[name].window("max", Words((2, 2)))) for name in ("torch", "jax")]
        ['2x2', '2x2/1x1']
        """
        spelling = self.spelling(operator, who=who)
        asked = _Asked(self, spelling, words, who or f"{self.name}.{spelling.call}")
        return Window(tuple(asked.rules()))


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question to one row, so that every refusal can name the framework and its call."""

    dialect: Dialect
    spelling: Spelling
    words: Words
    who: str

    def rules(self) -> list[Rule]:
        """The rules per axis; refusals are raised on the way."""
        rank = len(self.words.size)
        if rank not in self.dialect.ranks:
            ranks = ", ".join(str(r) for r in self.dialect.ranks)
            raise self._refused(f"pools {ranks} axes, got {rank}", "pool fewer axes")
        strides = self.words.stride or self._strides()
        dilations = self.words.dilation or (1,) * rank
        pads = self.words.padding or ((0, 0),) * rank
        ceil = self._ceil()
        self._check(strides, dilations, pads)
        clipped = any(isinstance(pad, str) or pad != (0, 0) for pad in pads)
        return [
            self._rule(Slide(k, s, d, p, ceil and not isinstance(p, str)), clipped)
            for k, s, d, p in zip(self.words.size, strides, dilations, pads, strict=True)
        ]

    def _strides(self) -> tuple[int, ...]:
        return self.words.size if self.spelling.stride is Stride.SIZE else (1,) * len(self.words.size)

    def _ceil(self) -> bool:
        if self.words.ceil is None:
            return self.spelling.ceil_default
        if self.words.ceil and self.spelling.ceil is Ceil.NEVER:
            raise self._refused("always rounds the output length down", "drop the ^, or pad so that it divides evenly")
        return self.words.ceil

    def _check(self, strides: tuple[int, ...], dilations: tuple[int, ...], pads: tuple[Pad, ...]) -> None:
        spelling, strided = self.spelling, max(strides) > 1
        same = any(isinstance(pad, str) for pad in pads)
        alike = len({pad if isinstance(pad, str) else "" for pad in pads}) == 1
        if max(dilations) > 1 and not spelling.dilation:
            raise self._refused("has no dilation", "drop the dilation")
        if max(dilations) > 1 and strided and not spelling.dilated_strided:
            raise self._refused("takes no stride above 1 together with a dilation", "drop one of the two")
        for size, pad in zip(self.words.size, pads, strict=True):
            self._check_pad(size, pad)
        if not alike:
            raise self._refused("takes one padding word for all axes", "pad every axis in numbers")
        if same and strided and not spelling.same_strided:
            raise self._refused('takes padding="same" with stride 1 only', "pad in numbers")

    def _check_pad(self, size: int, pad: Pad) -> None:
        spelling = self.spelling
        if isinstance(pad, str):
            if Padding(pad) not in spelling.padding:
                raise self._refused(f"has no padding word {pad!r}", self._forms())
            return
        lo, hi = pad
        if (lo, hi) == (0, 0):
            return
        if lo != hi and Padding.PAIRS not in spelling.padding:
            raise self._refused(f"cannot pad {lo} before and {hi} after", self._forms())
        if not spelling.padding & {Padding.PAIRS, Padding.SYMMETRIC}:
            raise self._refused(f"takes no padding in numbers, got {max(lo, hi)}", self._forms())
        most = {Limit.NONE: None, Limit.HALF: size // 2, Limit.BELOW_SIZE: size - 1}[spelling.limit]
        if most is not None and max(lo, hi) > most:
            raise self._refused(
                f"allows a padding {spelling.limit.value} ({most} for size {size}), got {max(lo, hi)}",
                "pad the array itself first",
            )

    def _rule(self, slide: Slide, clipped: bool) -> Slide:
        """Caffe keeps a window that starts beyond the input where nothing is padded (it takes stride > size).

        Rounding up without dropping is rounding down after stride - 1 more cells.
        """
        keeps = self.spelling.ceil is Ceil.DROPS_IF_PADDED and not clipped
        if slide.ceil_mode and keeps and slide.stride > slide.extent:
            return Slide(slide.size, slide.stride, slide.dilation, (0, slide.stride - 1), False)
        return slide

    def _forms(self) -> str:
        have = [form for form in Padding if form in self.spelling.padding]
        forms = [form.value if form in NUMBERS else f"{form.value!r}" for form in have]
        return f"it takes {' or '.join(forms)}" if forms else "drop the padding, or pad the array itself first"

    def _refused(self, problem: str, way_out: str) -> Exception:
        return bad(self.who, f"{self.dialect.title} {problem}", way_out)


NUMBERS: Final = frozenset({Padding.SYMMETRIC, Padding.PAIRS})
