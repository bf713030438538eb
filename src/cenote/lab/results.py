"""What an experiment found, as data: what is in ``results.json``, and what claims and reports read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from ..errors import bad

FORMAT: Final = 1
FILE: Final = "results.json"


@dataclass(frozen=True, slots=True)
class Run:
    """One network trained with one seed. ``measures`` are by name: accuracies and losses after the last epoch, and
    the consistencies; ``jobs`` is how many trainings shared the machine."""

    seed: int
    losses: tuple[float, ...]
    measures: Mapping[str, float]
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class ArmResult:
    """An arm: what it costs, its runs by seed, its latencies by batch and round; or why it could not be built."""

    name: str
    title: str
    reason: str | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    runs: Mapping[int, Run] = field(default_factory=dict)
    latency: Mapping[int, tuple[tuple[float, ...], ...]] = field(default_factory=dict)
    """Seconds of single calls."""


@dataclass(frozen=True, slots=True)
class Results:
    """An experiment from its settings to its last number."""

    settings: Mapping[str, Any]
    environment: Mapping[str, Any]
    data: Mapping[str, Any]
    arms: Mapping[str, ArmResult]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Every seed that was asked for."""
        return tuple(self.settings["seeds"])

    @property
    def missing(self) -> int:
        """Runs that were asked for and are not there."""
        return sum(len(self.seeds) - len(arm.runs) for arm in self.arms.values() if arm.reason is None)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing, latencies included."""
        return not self.missing and all(arm.latency for arm in self.arms.values() if arm.reason is None)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "format": FORMAT,
            "complete": self.complete,
            "settings": dict(self.settings),
            "environment": dict(self.environment),
            "data": dict(self.data),
            "arms": {name: _of_arm(arm) for name, arm in self.arms.items()},
        }


def _of_arm(arm: ArmResult) -> dict[str, Any]:
    found = {"name": arm.name, "title": arm.title, "reason": arm.reason, "summary": dict(arm.summary)}
    runs = {str(seed): run_as_dict(run) for seed, run in sorted(arm.runs.items())}
    return found | {"runs": runs, "latency": {str(batch): rounds for batch, rounds in arm.latency.items()}}


def run_as_dict(run: Run) -> dict[str, Any]:
    """For JSON."""
    measures = {name: _or_none(value) for name, value in run.measures.items()}
    return asdict(run) | {"measures": measures, "losses": [_or_none(loss) for loss in run.losses]}


def run_of(value: Mapping[str, Any]) -> Run:
    """The inverse of ``run_as_dict``."""
    measures = {name: _or_nan(number) for name, number in value["measures"].items()}
    return Run(int(value["seed"]), tuple(map(_or_nan, value["losses"])), measures, int(value["jobs"]))


def _or_none(value: float) -> float | None:
    """JSON has no NaN: what a training that diverged gives, or a share among no images."""
    return value if math.isfinite(value) else None


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


def latency_of(value: Mapping[Any, Any]) -> dict[int, tuple[tuple[float, ...], ...]]:
    """Latencies as they come from JSON, where keys are text."""
    return {int(batch): tuple(tuple(map(float, calls)) for calls in rounds) for batch, rounds in value.items()}


def load_results(folder: str | Path) -> Results:
    """What ``run`` has left in a folder.

    Raises ``CenoteError`` where there is no ``results.json``, or one that this version does not know.
    """
    path = Path(folder) / FILE
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise bad("load_results", f"{path} is not there", "name the folder of a finished or stopped run") from None
    except (OSError, ValueError) as error:
        raise bad("load_results", f"{path} cannot be read ({error})", "run the experiment anew") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise bad("load_results", f"{path} is of another format", "run the experiment anew")
    try:
        return _of_document(value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        way_out = "go on with --resume: what is finished is in the folder runs"
        raise bad("load_results", f"{path} is damaged ({type(error).__name__}: {error})", way_out) from error


def _of_document(value: Mapping[str, Any]) -> Results:
    arms = {
        name: ArmResult(
            name,
            arm["title"],
            arm["reason"],
            arm["summary"],
            {int(seed): run_of(run) for seed, run in arm["runs"].items()},
            latency_of(arm["latency"]),
        )
        for name, arm in value["arms"].items()
    }
    return Results(value["settings"], value["environment"], value["data"], arms)
