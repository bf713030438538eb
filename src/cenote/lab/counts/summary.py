"""The costs of a model, layer by layer and in all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from ..backend import load
from . import view as views
from .cells import CELLS, OPERATIONS
from .facts import CONVENTIONS, Facts, Rule, Site, by, nobody_knows, size
from .graph import Call, Tensor, calls
from .view import Known
from .windows import WINDOWS

keras = load()
_TABLE: Final = {**CELLS, **WINDOWS}
_UNKNOWN: Final = "?"


@dataclass(frozen=True, slots=True)
class LayerCost:
    """One call of a layer, for one image. None is a number that nobody knows.

    ``output_shape`` has no batch; ``arithmetic`` says per axis where it comes from. ``receptive`` and
    ``jump`` are per axis of the input, in its cells. ``parameters`` counts the weights that no layer before has.
    ``activation_bytes``, ``kept_bytes`` (positions as cenote's offsets) and ``kept_bytes_int64`` (as int64 indices) are
    bytes; what is counted how, `CONVENTIONS` says.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...] | None
    arithmetic: tuple[str, ...]
    padding: str
    window: str
    receptive: tuple[int, ...] | None
    jump: tuple[int | None, ...] | None
    parameters: int
    trainable_parameters: int
    head: bool
    multiply_adds: int | None
    pooling_operations: int | None
    activation_bytes: int | None
    kept_bytes: int | None
    kept_bytes_int64: int | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: its title, and what it shows of a layer and of the whole."""

    title: str
    shown: Callable[[LayerCost], str]
    total: str = ""
    right: bool = False


def _number(value: int | None) -> str:
    return _UNKNOWN if value is None else f"{value:,}"


def _counted(title: str, name: str) -> Column:
    return Column(title, lambda layer: _number(getattr(layer, name)), name, right=True)


def _one(texts: Sequence[str]) -> str:
    """One text where all axes share it."""
    return texts[0] if texts and len(set(texts)) == 1 else "; ".join(texts)


def _shape(values: Sequence[int | None] | None) -> str:
    if values is None:
        return _UNKNOWN
    return by(["-" if value is None else value for value in values]) if set(values) - {None} else "-" * bool(values)


def _name(layer: LayerCost) -> str:
    """Keras numbers an input that nobody named, differently in every process."""
    return "input" if layer.name.startswith("keras_tensor") else layer.name


COLUMNS: Final = (
    Column("layer", _name, "all"),
    Column("output", lambda layer: _shape(layer.output_shape)),
    Column("arithmetic", lambda layer: _one(layer.arithmetic)),
    Column("padding", lambda layer: layer.padding),
    Column("window", lambda layer: layer.window),
    Column("field", lambda layer: _shape(layer.receptive)),
    Column("jump", lambda layer: _shape(layer.jump)),
    _counted("parameters", "parameters"),
    _counted("multiply-adds", "multiply_adds"),
    _counted("pooling operations", "pooling_operations"),
    _counted("activation bytes", "activation_bytes"),
    _counted("kept bytes", "kept_bytes"),
    _counted("kept, int64", "kept_bytes_int64"),
)
"""Of the table, in order."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What ``summarize`` found: the layers in the order in which they run, and notes about what is not known.

    The totals are sums over the layers, and None where one of them is not known.
    """

    name: str
    layers: tuple[LayerCost, ...]
    notes: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """All weights, as ``model.count_params()``."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def trainable_parameters(self) -> int:
        """Those that training changes."""
        return sum(layer.trainable_parameters for layer in self.layers)

    @property
    def head_parameters(self) -> int:
        """Those of the head."""
        return sum(layer.parameters for layer in self.layers if layer.head)

    @property
    def multiply_adds(self) -> int | None:
        """Products and additions for one image."""
        return _sum([layer.multiply_adds for layer in self.layers])

    @property
    def pooling_operations(self) -> int | None:
        """Cells that windows read for one image."""
        return _sum([layer.pooling_operations for layer in self.layers])

    @property
    def activation_bytes(self) -> int | None:
        """Outputs of all layers for one image."""
        return _sum([layer.activation_bytes for layer in self.layers])

    @property
    def kept_bytes(self) -> int | None:
        """What waits for the backward pass of one image, positions as cenote's offsets."""
        return _sum([layer.kept_bytes for layer in self.layers])

    @property
    def kept_bytes_int64(self) -> int | None:
        """The same with positions as int64 indices."""
        return _sum([layer.kept_bytes_int64 for layer in self.layers])

    def totals(self) -> dict[str, int | None]:
        """All sums by name."""
        return {name: getattr(self, name) for name in _TOTALS}

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the totals by name, ``layers``, ``notes`` and ``conventions``."""
        return {
            "name": self.name,
            **self.totals(),
            "layers": [asdict(layer) for layer in self.layers],
            "notes": list(self.notes),
            "conventions": list(CONVENTIONS),
        }

    def rows(self) -> list[tuple[str, ...]]:
        """The cells of the table: one row per layer, and the totals in the last."""
        found = [tuple(column.shown(layer) for column in COLUMNS) for layer in self.layers]
        totals = self.totals()
        last = [_number(totals[column.total]) if column.total in totals else column.total for column in COLUMNS]
        return [*found, tuple(last)]

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]], tuple[str, ...]]:
        """Titles, rows, and the titles of what stands to the right. What no layer has is left out."""
        rows = self.rows()
        kept = [i for i in range(len(COLUMNS)) if any(row[i] for row in rows)]
        titles = tuple(COLUMNS[i].title for i in kept)
        right = tuple(COLUMNS[i].title for i in kept if COLUMNS[i].right)
        return titles, [tuple(row[i] for i in kept) for row in rows], right

    def lines(self) -> list[str]:
        """What stands below the table: parameters in parts, what is not known, and how was counted."""
        return [
            f"{self.parameters:,} parameters, {self.trainable_parameters:,} of them trainable, "
            f"{self.head_parameters:,} in the head",
            *self.notes,
            *CONVENTIONS,
        ]


_TOTALS: Final = tuple(name for name, value in vars(Summary).items() if isinstance(value, property))


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def summarize(model: Any, input_shape: Sequence[int] | None = None) -> Summary:
    """What a Keras model costs, layer by layer, for one image: counted from its graph, nothing is run.

    Layers of inner functional and sequential models are listed by themselves, as ``inner/conv``; a layer that is called
    again is a row of its own (``conv (2)``) whose weights are counted once. Layers that the table does not know, and
    models with a ``call`` of their own, have None where a number would be a guess, and a note.

    Parameters
    ----------
    model : keras.Model
        Functional or sequential. It is left as it is.
    input_shape : sequence of int, optional
        Shape of the input without the batch, for a model with one input whose lengths are not fixed. A sequential
        model that is not built yet is built for it.

    Returns
    -------
    Summary
        ``layers``, ``notes`` and the totals.

    Raises
    ------
    CenoteError
        No Keras model, an input whose shape is not known, or a shape that the model does not take.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential(
    ...     [
    ...         keras.Input((28, 28, 1)),
    ...         keras.layers.Conv2D(8, 3, name="conv"),
    ...         keras.layers.MaxPooling2D(2, name="pool"),
    ...     ]
    ... )
    >>> summary = summarize(model)
    >>> for layer in summary.layers[1:]:
    ...     print(layer.name, layer.output_shape, layer.arithmetic[0], layer.receptive, layer.multiply_adds)
    conv (26, 26, 8) floor((28 + 0 + 0 - 3)/1) + 1 = 26 (3, 3) 48672
    pool (13, 13, 8) floor((26 + 0 + 0 - 2)/2) + 1 = 13 (4, 4) 0
    >>> summary.parameters, summary.kept_bytes, summary.kept_bytes_int64
    (80, 4488, 13952)
    """
    ledger = Ledger(calls(model, input_shape))
    return Summary(model.name, ledger.rows, tuple(ledger.notes))


def _followed(found: Sequence[Call]) -> Callable[[tuple[int, ...]], tuple[int, ...]]:
    """Which axes of an input are no channels: what the first layer with a window says, else Keras's own setting."""
    said = next((call for call in found if call.kind in WINDOWS), None)
    planes = len(said.arguments[0].shape) - 1 if said else None
    order = keras.config.image_data_format() if said is None else getattr(said.layer, "data_format", "channels_last")

    def axes(shape: tuple[int, ...]) -> tuple[int, ...]:
        rank = len(shape)
        if rank == 1:
            return ()
        if rank == planes or (planes is None and rank == 2):  # channels come later, or never
            return tuple(range(rank))
        return tuple(range(1, rank)) if order == "channels_first" else tuple(range(rank - 1))

    return axes


def _heads(found: Sequence[Call], facts: Sequence[Facts]) -> list[bool]:
    """Which calls belong to the head: behind a Flatten or global pooling, a vector's input too, and to nothing else."""
    flat: set[Tensor] = set()
    behind = []
    for call, fact in zip(found, facts, strict=True):
        starts = fact.flattens or (not call.arguments and all(len(x.shape) == 1 for x in call.results))
        is_behind = bool(call.results) and (starts or (bool(call.arguments) and flat.issuperset(call.arguments)))
        behind.append(is_behind)
        if is_behind:
            flat.update(call.results)
    needed: set[Tensor] = set()  # by what is no head
    for i in reversed(range(len(found))):
        behind[i] = behind[i] and needed.isdisjoint(found[i].results)
        if not behind[i]:
            needed.update(found[i].arguments)
    if any(behind) and not any(_weights(call) for call, is_head in zip(found, behind, strict=True) if is_head):
        _lead_in_weights(found, behind)
    return behind


def _lead_in_weights(found: Sequence[Call], behind: list[bool]) -> None:
    """A head of pooling alone begins with the layer that makes what it pools: one map per class, as a rule."""
    for i in reversed(range(len(found))):
        if behind[i]:
            continue
        needed = {x for j, call in enumerate(found) if not behind[j] and j != i for x in call.arguments}
        if not found[i].arguments or not needed.isdisjoint(found[i].results):
            return
        behind[i] = True
        if _weights(found[i]):
            return


def _weights(call: Call) -> Sequence[Any]:
    """Of its layer; an input is no layer, and a function of ``keras.ops`` has none."""
    return getattr(call.layer, "weights", ())


class Ledger:
    """The calls of a model, what the table says of each by what is known of the tensors at that point, and the rows."""

    def __init__(self, found: Sequence[Call]) -> None:
        self.calls = found
        self.notes: list[str] = []
        self._followed = _followed(found)
        self._views: dict[Tensor, Known] = {}
        self._live: dict[Tensor, bool] = {}
        self._memory: dict[Tensor, Tensor] = {}
        self._kept: set[Tensor] = set()
        self._weights: set[int] = set()
        self.facts = [self._enter(call) for call in found]
        heads = _heads(found, self.facts)
        # in order, for what several calls share counts at the first
        self.rows = tuple(self._row(*row) for row in zip(found, self.facts, heads, strict=True))

    def _enter(self, call: Call) -> Facts:
        """What a call costs, and what is known of its results from now on."""
        if not call.arguments:
            given = [views.of_input(x.shape, self._followed(x.shape)) for x in call.results]
            site = Site(call.layer, call.results, call.results, tuple(given), (False,))
        else:
            seen = tuple(self._views[x] for x in call.arguments)
            live = tuple(self._live[x] for x in call.arguments)
            site = Site(call.layer, call.arguments, call.results, seen, live)
        rule = _rule(call)
        why = f"{call.kind.__name__} is not in the table"
        facts = rule(site) if rule is not None and call.results else nobody_knows(why)
        for x in call.results:
            self._views[x] = facts.view
            self._live[x] = site.passes
            self._memory[x] = self._memory[call.arguments[0]] if facts.alias else x
        if facts.unknown:
            behind = "; receptive fields from there on are not known" if facts.view is None else ""
            self.notes.append(f"{call.name}: not counted in full, {facts.unknown}{behind}")
        return facts

    def _row(self, call: Call, facts: Facts, head: bool) -> LayerCost:
        whole, trainable = self._new_weights(call)
        needed = self._newly_kept(facts.needs)
        view = facts.view
        return LayerCost(
            name=call.name,
            kind=call.kind.__name__,
            output_shape=call.results[0].shape if call.results else None,
            arithmetic=facts.arithmetic,
            padding=facts.padding,
            window=facts.window,
            receptive=None if view is None else view.field,
            jump=None if view is None else view.jump,
            parameters=whole,
            trainable_parameters=trainable,
            head=head,
            multiply_adds=facts.multiply_adds,
            pooling_operations=facts.pooling_operations,
            activation_bytes=sum(size(x.shape) for x in call.results) if call.results else None,
            kept_bytes=None if needed is None else needed + facts.own,
            kept_bytes_int64=None if needed is None else needed + facts.own_int64,
        )

    def _new_weights(self, call: Call) -> tuple[int, int]:
        whole = trainable = 0
        learning = {id(weight) for weight in getattr(call.layer, "trainable_weights", ())}
        for weight in _weights(call):
            if id(weight) not in self._weights:
                self._weights.add(id(weight))
                whole += math.prod(weight.shape)
                trainable += math.prod(weight.shape) * (id(weight) in learning)
        return whole, trainable

    def _newly_kept(self, needs: Sequence[Tensor] | None) -> int | None:
        if needs is None:
            return None
        found = 0
        for tensor in needs:
            memory = self._memory[tensor]
            if memory not in self._kept:
                self._kept.add(memory)
                found += size(memory.shape)
        return found


def _rule(call: Call) -> Rule | None:
    """The row of the table for exactly this class: a subclass may do more than its base."""
    if issubclass(call.kind, keras.layers.Layer):
        return _TABLE.get(call.kind)
    return OPERATIONS.get(call.kind.__name__) if call.kind.__module__.split(".")[0] == "keras" else None
