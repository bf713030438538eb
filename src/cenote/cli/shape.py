"""`cenote shape`: a chain of layers on paper, and what each framework makes of the same words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cenote.catalogue import OPS
from cenote.dialects import DIALECTS, Dialect, Words
from cenote.errors import CenoteError
from cenote.geometry import Layer, Slide, Step, Window, walk

from . import tables
from .errors import Usage, of_cenote

_TOKEN: Final = re.compile(r"(?P<name>[a-z_]+)(?P<window>[\d>*].*)")
_SHAPE: Final = re.compile(r"\d{1,18}(x\d{1,18})*")
_CONV: Final = "conv"
_POOL: Final = "pool"
_OWN_DIVISOR: Final = "inside"
_ROOMY: Final = 96


@dataclass(frozen=True, slots=True)
class Token:
    """One layer as written."""

    text: str
    name: str
    notation: str

    @property
    def operator(self) -> str:
        """The catalogue's operator ("pool" says no more than the geometry, which max shares with all), or "conv"."""
        return "max" if self.name == _POOL else self.name

    def words(self, rank: int) -> Words | None:
        """The layer's window with what was left out left out; None if it is adaptive or global."""
        return Words.parse(self.notation, rank, who=self.text)

    def window(self, rank: int) -> Window:
        """The window by this library's own defaults: a pool's stride is its size, a convolution's is 1."""
        window = Window.parse(self.notation, rank, who=self.text)
        if self.name != _CONV or "/" in self.notation:
            return window
        return Window(tuple(_stride_one(rule) if isinstance(rule, Slide) else rule for rule in window.rules))


def _stride_one(rule: Slide) -> Slide:
    return Slide(rule.size, 1, rule.dilation, rule.pad, rule.ceil_mode)


def names() -> tuple[str, ...]:
    """What a layer may be called."""
    return (_CONV, _POOL, *OPS)


def read(shape: str, layers: Sequence[str]) -> tuple[tuple[int, ...], list[Token]]:
    """The input lengths and the layers, or the error that shows how to write them."""
    if not _SHAPE.fullmatch(shape):
        raise Usage(f"{shape!r} is no input shape; write the pooled lengths, as in 28 or 28x28")
    if not layers:
        raise Usage("there is no layer; write some after the shape, as in cenote shape 28x28 conv3 pool2")
    lengths = tuple(int(length) for length in shape.split("x"))
    return lengths, [_token(text) for text in layers]


def _token(text: str) -> Token:
    match = _TOKEN.fullmatch(text)
    if match is None or match["name"] not in names():
        raise Usage(f"{text!r} is no layer; write {', '.join(names())} and a window, as in conv3, pool2 or max3x3/2+1")
    if match["name"] == _CONV and match["window"][0] in ">*":
        raise Usage(f"{text!r}: a convolution has a kernel; adaptive and global windows are for pools")
    return Token(text, match["name"], match["window"])


@dataclass(frozen=True, slots=True)
class Reading:
    """A chain as one dialect reads it: the steps up to the end, or up to the layer it refuses."""

    name: str
    title: str
    steps: tuple[Step, ...]
    refusal: str | None = None


def own(lengths: tuple[int, ...], tokens: Sequence[Token]) -> Reading:
    """The chain by this library's own defaults; a layer that does not fit is an error."""
    try:
        layers = [Layer(token.text, token.window(len(lengths))) for token in tokens]
        return Reading("cenote", "cenote", tuple(walk(lengths, layers)))
    except CenoteError as error:
        raise _named(error, tokens) from None


def _named(error: CenoteError, tokens: Sequence[Token]) -> Usage:
    """Keep the layer in front when the error names one."""
    text = str(error)
    known = any(text.startswith(f"{token.text}: ") for token in tokens)
    return Usage(text if known else str(of_cenote(error)))


def spoken(dialect: Dialect, lengths: tuple[int, ...], tokens: Sequence[Token]) -> Reading:
    """The chain as one framework reads it."""
    layers: list[Layer] = []
    steps: list[Step] = []
    for token in tokens:
        try:
            layers.append(Layer(token.text, _spoken(dialect, token, len(lengths))))
            steps = walk(lengths, layers)
        except CenoteError as error:
            return Reading(dialect.name, dialect.title, tuple(steps), str(_named(error, [token])))
    return Reading(dialect.name, dialect.title, tuple(steps))


def _spoken(dialect: Dialect, token: Token, rank: int) -> Window:
    words = token.words(rank)
    if words is not None:
        return dialect.window(token.operator, words, who=token.text)
    return dialect.adapts(token.window(rank), token.operator, who=token.text)


def dialects(name: str | None) -> list[Dialect]:
    """The rows that ``--dialect`` names."""
    if name is None:
        return []
    if name == "all":
        return list(DIALECTS.values())
    by_name = {covered: row for row in DIALECTS.values() for covered in (*row.covers, row.name)}
    if name not in by_name:
        raise Usage(f"--dialect {name}: no such framework; write one of {', '.join(DIALECTS)} or all")
    return [by_name[name]]


def differences(tokens: Sequence[Token], ours: Reading, theirs: Sequence[Reading]) -> list[str]:
    """Where a framework leaves our path first, and why: a refusal, or another window for the same words."""
    found: dict[str, list[str]] = {}
    for reading in theirs:
        for i, token in enumerate(tokens):
            if i >= len(reading.steps):
                found.setdefault(reading.refusal or token.text, []).append(reading.title)
                break
            if reading.steps[i].output != ours.steps[i].output:
                found.setdefault(_why(token, ours.steps[i], reading.steps[i]), []).append(reading.title)
                break
    return [f"{', '.join(titles)}: {text}" for text, titles in found.items()]


def divisors(tokens: Sequence[Token], rows: Sequence[Dialect], rank: int) -> list[str]:
    """Averages of equal shape and unequal value: who counts padding unless told otherwise."""
    found = []
    for token in tokens:
        words = token.words(rank) if token.operator == "avg" else None
        if words is None or not (words.ceil or any(pad != (0, 0) for pad in words.padding or ())):
            continue
        for row in rows:
            if row.divisor != _OWN_DIVISOR and "avg" in row.operators:
                ask = row.divisors.get(_OWN_DIVISOR)
                way_out = f"{ask} gives cenote's default" if ask else "there is no other"
                how = f'divides by what divisor="{row.divisor}" says ({row.divisors[row.divisor]})'
                found.append(f"{row.title}: {token.text} {how}; {way_out}")
    return found


def _why(token: Token, ours: Step, theirs: Step) -> str:
    mine, its = ours.layer.window, theirs.layer.window
    reasons = []
    for a, b in zip(mine.rules, its.rules, strict=True):
        if isinstance(a, Slide) and isinstance(b, Slide):
            if a.stride != b.stride:
                reasons.append(
                    f"a stride left out is {b.stride} there, {a.stride} here; write {_explicit(token, ours)}"
                )
            elif b.ceil_mode and not a.ceil_mode:
                reasons.append("lengths are rounded up there")
            elif b.pad != a.pad:
                reasons.append("a window that starts beyond the input is kept there")
    why = reasons[0] if reasons else "the rules differ"
    return f"{token.text} gives {tables.by(theirs.output)} instead of {tables.by(ours.output)}: {why}"


def _explicit(token: Token, step: Step) -> str:
    size, *rest = re.split(r"(?=[+@^])", token.notation, maxsplit=1)
    strides = {rule.stride for rule in step.layer.window.rules if isinstance(rule, Slide)}
    stride = str(strides.pop()) if len(strides) == 1 else size
    return f"{token.name}{size}/{stride}{''.join(rest)}"


def run(shape: str, layers: Sequence[str], *, dialect: str | None, as_json: bool) -> int:
    """Print the chain; the exit code."""
    lengths, tokens = read(shape, layers)
    rows = dialects(dialect)
    ours = own(lengths, tokens)
    theirs = [spoken(row, lengths, tokens) for row in rows]
    different = differences(tokens, ours, theirs) + divisors(tokens, rows, len(lengths))
    if as_json:
        tables.show_json(_as_dict(lengths, ours, theirs, different if rows else None))
        return 0
    out = tables.console()
    if len(rows) == 1:
        _show_chain(out, lengths, theirs[0], tokens)
    elif rows:
        _show_dialects(out, lengths, tokens, [ours, *theirs])
    else:
        _show_chain(out, lengths, ours, tokens)
    if rows:
        out.print("")
    for line in different:
        out.print(line, markup=False)
    if rows and not different:
        out.print(f"no difference between cenote and {', '.join(row.title for row in rows)}", markup=False)
    return 0


def _show_chain(out: Any, lengths: tuple[int, ...], reading: Reading, tokens: Sequence[Token]) -> None:
    columns: tuple[str, ...] = ("layer", "window", "output", "arithmetic", "receptive", "jump")
    rows: list[tuple[str, ...]] = [
        ("input", "", tables.by(lengths), "", tables.by((1,) * len(lengths)), tables.by((1,) * len(lengths)))
    ]
    rows += [
        (
            step.layer.name,
            str(step.layer.window),
            tables.by(step.output),
            _sums(step.arithmetic),
            tables.by(step.receptive),
            tables.by(step.jump),
        )
        for step in reading.steps
    ]
    if reading.refusal is not None:
        rows.append((tokens[len(reading.steps)].text, "", "refused", "", "", ""))
    if reading.name != "cenote":
        out.print(f"as {reading.title} reads it", markup=False)
    if out.width < _ROOMY:  # the layer's own word says as much, unless its stride was left out
        columns, rows = columns[:1] + columns[2:], [row[:1] + row[2:] for row in rows]
    out.print(tables.table(columns, rows))


def _sums(texts: Sequence[str]) -> str:
    """One sum where all axes share it, else one line per axis."""
    return texts[0] if len(set(texts)) == 1 else "\n".join(texts)


def _show_dialects(out: Any, lengths: tuple[int, ...], tokens: Sequence[Token], readings: Sequence[Reading]) -> None:
    columns = ("layer", *(reading.title for reading in readings))
    rows = [("input", *(tables.by(lengths) for _ in readings))]
    for i, token in enumerate(tokens):
        cells = []
        for reading in readings:
            if i < len(reading.steps):
                cells.append(tables.by(reading.steps[i].output))
            else:
                cells.append("refused" if i == len(reading.steps) else "")
        rows.append((token.text, *cells))
    out.print(tables.table(columns, rows))


def _as_dict(
    lengths: tuple[int, ...], ours: Reading, theirs: Sequence[Reading], different: Sequence[str] | None
) -> dict[str, Any]:
    found: dict[str, Any] = {"input": list(lengths), "layers": _steps(ours)}
    if different is not None:
        found["dialects"] = {
            reading.name: {"layers": _steps(reading), "refused": reading.refusal} for reading in theirs
        }
        found["differences"] = list(different)
    return found


def _steps(reading: Reading) -> list[dict[str, Any]]:
    return [
        {
            "layer": step.layer.name,
            "window": str(step.layer.window),
            "input": list(step.input),
            "output": list(step.output),
            "arithmetic": list(step.arithmetic),
            "receptive_field": list(step.receptive),
            "jump": list(step.jump),
        }
        for step in reading.steps
    ]
