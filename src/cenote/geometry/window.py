"""Window: one rule per pooled axis. Everything about a pooling call that is not the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import CenoteMemoryError, bad, bad_type, message, shown
from .arguments import flag, integer, is_sequence, per_axis
from .arguments import padding as read_padding
from .notation import format_rules, parse_rules
from .rules import Rule, Slide, Spans, Split, word_with_ceil
from .spans import AxisSpans


@dataclass(frozen=True, slots=True)
class Halo:
    """What a slice of the output needs along one axis: the input cells ``[start, stop)``, and by how many cells the
    slice's windows reach out ``before`` and ``after`` them (padding, if these cells are pooled by themselves)."""

    start: int
    stop: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Window:
    """One rule (``Slide``, ``Split`` or ``Spans``) per pooled axis.

    >>> from cenote import Window
    >>> window = Window.parse("3x3/2+1")
    >>> str(window), window.output_shape((28, 28))
    ('3x3/2x2+1x1', (14, 14))
    >>> Window.of(2, rank=2) == Window.parse("2", rank=2)
    True
    """

    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        rules = tuple(self.rules) if is_sequence(self.rules) else (self.rules,)
        for rule in rules:
            if not isinstance(rule, Slide | Split | Spans):
                raise bad_type("Window", f"a rule is a Slide, Split or Spans, got {shown(rule)}", "build one of these")
        if not rules:
            raise bad("Window", "there is no rule", "give one rule per pooled axis")
        object.__setattr__(self, "rules", rules)

    @classmethod
    def of(
        cls,
        size: int | Sequence[int],
        *,
        stride: int | Sequence[int] | None = None,
        padding: object = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        rank: int | None = None,
        who: str = "Window.of",
    ) -> Window:
        """A sliding window from the arguments of ``max_pool``; ``rank`` repeats an int ``size`` (default 1)."""
        count = _rank(who, "size", size, rank)
        sizes = per_axis(who, "size", size, count, 1)
        strides = sizes if stride is None else per_axis(who, "stride", stride, count, 1)
        dilations = per_axis(who, "dilation", dilation, count, 1)
        ceil = flag(who, "ceil_mode", ceil_mode)
        pads = read_padding(who, padding, count)
        if ceil and isinstance(padding, str):
            raise word_with_ceil(who, padding)
        return cls(tuple(Slide(k, s, d, p, ceil) for k, s, d, p in zip(sizes, strides, dilations, pads, strict=True)))

    @classmethod
    def adaptive(
        cls,
        parts: int | Sequence[int | None],
        *,
        rank: int | None = None,
        lengths: Sequence[int] | None = None,
        who: str = "Window.adaptive",
    ) -> Window:
        """Adaptive bins. ``None`` for an axis keeps its length, which ``lengths`` must then supply."""
        count = _rank(who, "parts", parts, rank)
        entries: tuple[Any, ...] = tuple(parts) if is_sequence(parts) else (parts,) * count
        if lengths is not None:
            if not is_sequence(lengths):
                raise bad_type(who, f"lengths is one length per axis, got {shown(lengths)}", "pass a tuple of ints")
            entries = tuple(
                max(1, lengths[i]) if part is None and i < len(lengths) else part for i, part in enumerate(entries)
            )
        return cls(tuple(Split(part) for part in per_axis(who, "parts", entries, count, 1)))

    @classmethod
    def global_(cls, rank: int) -> Window:
        """One window over everything."""
        return cls((Split(1),) * integer("Window.global_", "rank", rank, 1))

    @classmethod
    def parse(cls, text: str, rank: int | None = None, *, who: str = "Window.parse") -> Window:
        """Read the notation ``SIZE[/STRIDE][+PAD][@DILATION][^]``, ``>PARTS`` (adaptive) or ``*`` (global).

        Each entry is one value or x-joined per axis; PAD is ``n``, ``lo:hi``, ``valid``, ``same`` or
        ``same_lower``; ``^`` rounds up. The rank is the number of sizes; ``rank`` repeats a single one.

        >>> from cenote import Window
        >>> Window.parse("3/2+same", rank=2).output_shape((5, 8))
        (3, 4)
        >>> str(Window.parse(">7x7"))
        '>7x7'
        """
        return cls(parse_rules(text, None if rank is None else integer(who, "rank", rank, 1), who))

    @property
    def rank(self) -> int:
        """Number of pooled axes."""
        return len(self.rules)

    def __str__(self) -> str:
        return format_rules(self.rules)

    def output_shape(self, lengths: Sequence[int], *, who: str = "Window", axes: Sequence[int] = ()) -> tuple[int, ...]:
        """Output length of every pooled axis; ``axes`` are the numbers to name in an error."""
        return tuple(
            rule.output_length(length, who=who, axis=axis) for rule, length, axis in self._zipped(lengths, who, axes)
        )

    def spans(self, lengths: Sequence[int], *, who: str = "Window", axes: Sequence[int] = ()) -> tuple[AxisSpans, ...]:
        """The taps of every output, axis by axis."""
        try:
            tables = tuple(
                rule.spans(length, who=who, axis=axis) for rule, length, axis in self._zipped(lengths, who, axes)
            )
        except (MemoryError, OverflowError):
            shape = self.output_shape(lengths, who=who, axes=axes)
            raise CenoteMemoryError(
                message(
                    who,
                    f"an output of shape {shape} does not fit into memory",
                    "use less padding or a larger stride",
                )
            ) from None
        taps = 1
        for table in tables:
            taps *= int(table.window.max(initial=0))
        if taps >= 2**63:
            raise bad(who, f"size makes a window of {taps} taps, beyond 2^63", "use a smaller size")
        return tables

    def halo(self, lengths: Sequence[int], slices: Sequence[slice]) -> tuple[Halo, ...]:
        """The input that a slice of the output needs, per axis (steps other than 1 are an error).

        >>> from cenote import Window
        >>> Window.parse("3/2+1").halo((8,), (slice(0, 2),))
        (Halo(start=0, stop=4, before=1, after=0),)
        """
        who = "Window.halo"
        if not is_sequence(slices) or not all(isinstance(part, slice) for part in slices):
            raise bad_type(who, f"slices is one slice per pooled axis, got {shown(slices)}", "pass a tuple of slices")
        if len(slices) != self.rank:
            raise bad(who, f"{len(slices)} slices for {self.rank} axes", "give one slice per pooled axis")
        return tuple(
            _axis_halo(who, rule, length, part)
            for (rule, length, _), part in zip(self._zipped(lengths, who, ()), slices, strict=True)
        )

    def _zipped(self, lengths: Sequence[int], who: str, axes: Sequence[int]) -> list[tuple[Rule, int, int]]:
        if not is_sequence(lengths):
            raise bad_type(who, f"lengths is one length per pooled axis, got {shown(lengths)}", "pass a tuple of ints")
        if len(lengths) != self.rank:
            raise bad(
                who,
                f"{len(lengths)} lengths for a window of {self.rank} axes",
                "give one length per pooled axis",
            )
        numbers = axes or range(self.rank)
        return [(rule, length, axis) for rule, length, axis in zip(self.rules, lengths, numbers, strict=True)]


def _rank(who: str, name: str, value: object, rank: int | None) -> int:
    if rank is not None:
        return integer(who, "rank", rank, 1)
    if not is_sequence(value):
        return 1
    entries = len(value)
    if entries == 0:
        raise bad(who, f"{name} is empty", "give one entry per pooled axis")
    return entries


def _axis_halo(who: str, rule: Rule, length: int, part: slice) -> Halo:
    outputs = rule.output_length(length, who=who)
    try:
        first, last, step = part.indices(outputs)
    except TypeError:
        raise bad_type(who, f"{part} is no slice of whole numbers", "write slice(0, 2) or the like") from None
    if step != 1:
        raise bad(who, f"a slice of the output has step 1, got {step}", "slice contiguously")
    if last <= first:
        return Halo(0, 0, 0, 0)
    table = rule.spans(length, who=who)
    taps = [table[i] for i in range(first, last) if table.count[i] > 0]
    start = min((t[0] for t in taps), default=0)
    stop = max((t[-1] + 1 for t in taps), default=0)
    if not isinstance(rule, Slide):
        return Halo(start, stop, 0, 0)
    lo, _ = rule.pads(length)
    before = max(0, start - (first * rule.stride - lo))
    after = max(0, (last - 1) * rule.stride - lo + rule.extent - stop)
    return Halo(start, stop, before, after)
