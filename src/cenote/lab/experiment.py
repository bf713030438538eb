"""An experiment: every arm with every seed, then how fast they predict, then what it says."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from numbers import Real
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..errors import bad, bad_type, shown
from . import backend, consistency, latency, machine
from .arms import ALL, Arm, parse_all
from .datasets import Dataset
from .datasets import load as load_data
from .digest import document
from .interrupts import Attentive
from .measures import SHIFTS
from .models import Build, Model, built, digest, find
from .progress import Progress
from .results import ArmResult, Results, Run, load_results
from .store import Store
from .training import DEFAULT, Recipe, Trained, Trainer, check, untouched

SEEDS: Final = 5
OUT: Final = "cenote-lab"
_REPORT_BYTES: Final = 30 << 20
_MODEL_BYTES: Final = 3 * 4  # a weight and Adam's two numbers for it, for Keras saves them as well


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is compared, on what, and how it is trained.

    ``data``: ``"digits"``, ``"mnist"``, ``"fashion_mnist"``, a folder, or a ``Dataset``. ``model``: ``"digits"``,
    ``"tutorial"``, ``"ann"``, ``"FILE.py:FUNCTION"``, ``"FILE.keras"``, or a function of (input_shape, classes) that
    builds a Keras model. ``arms``: names, as a list or separated by commas. ``seeds``: so many, from 0, or a list.
    ``input``: (height, width, channels) to which images are brought; left out, as the model or the data has it.
    ``classes``: the names of those to keep; left out, all, or the first so many where the model knows fewer.

    Raises ``CenoteError`` for what cannot be, when it is made or when it is run.
    """

    data: str | Path | Dataset = "digits"
    model: str | Build | Model = "digits"
    arms: str | Sequence[str] = ALL
    seeds: int | Sequence[int] = SEEDS
    epochs: int = DEFAULT.epochs
    batch_size: int = DEFAULT.batch_size
    learning_rate: float = DEFAULT.learning_rate
    input: tuple[int, int, int] | None = None
    classes: Sequence[str] | None = None

    def __post_init__(self) -> None:
        parse_all(self.arms)
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise bad("Experiment", f"{name} must be 1 or more, not {shown(value)}", "give a whole number")
        rate = self.learning_rate
        if not isinstance(rate, Real) or isinstance(rate, bool) or not 0 < rate < float("inf"):
            raise bad("Experiment", f"learning_rate must be above 0, not {shown(self.learning_rate)}", "try 0.001")
        seeds = self.all_seeds
        if not seeds or len(set(seeds)) != len(seeds) or min(seeds) < 0 or max(seeds) >= 2**32:
            raise bad("Experiment", f"seeds must be distinct and 0 to 2^32 - 1, not {shown(self.seeds)}", "try 5")

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """Every seed."""
        if isinstance(self.seeds, bool | str | bytes) or not isinstance(self.seeds, int | Sequence):
            raise bad_type(
                "Experiment", f"seeds is a {type(self.seeds).__name__}", "give a number or a list of numbers"
            )
        if isinstance(self.seeds, int):
            return tuple(range(self.seeds))
        seeds: Sequence[Any] = self.seeds
        if not all(isinstance(seed, int | np.integer) and not isinstance(seed, bool) for seed in seeds):
            raise bad_type("Experiment", f"seeds is {shown(seeds)}", "give whole numbers")
        return tuple(int(seed) for seed in seeds)

    @property
    def recipe(self) -> Recipe:
        """How it is trained."""
        return Recipe(self.epochs, self.batch_size, float(self.learning_rate))  # JSON knows no numbers of NumPy's


@dataclass(frozen=True, slots=True)
class Plan:
    """An experiment with its data read and its network known: all that can be refused has been."""

    experiment: Experiment
    data: Dataset
    model: Model
    arms: tuple[Arm, ...]

    @classmethod
    def of(cls, experiment: Experiment) -> Plan:
        """Read the data and build the network once."""
        model = _model(experiment.model)
        shape = experiment.input or model.input
        data = experiment.data
        if not isinstance(data, Dataset):
            data = load_data(data, input=shape, classes=experiment.classes)
        else:
            data = data if shape is None else data.resized(shape)
            data = data if experiment.classes is None else data.of_classes(experiment.classes)
        if model.classes is not None and len(data.classes) > model.classes and experiment.classes is None:
            data = data.of_classes(data.classes[: model.classes])
        plan = cls(experiment, data, model, parse_all(experiment.arms))
        check(model.name, plan.base())
        return plan

    def base(self) -> Any:
        """The network as it is, with fresh weights."""
        return built(self.model, self.data.x_train.shape[1:], len(self.data.classes))

    def network(self, arm: Arm) -> Any:
        """The network of an arm, with fresh weights; ``Unsuitable`` where there is none."""
        from .surgery import apply

        return apply(arm, self.base())

    def settings(self) -> dict[str, Any]:
        """All that the numbers depend on: a folder is gone on with by the very same alone."""
        return {
            "data": self.data.name,
            "data_digest": self.data.digest,
            "classes": list(self.data.classes),
            "input": list(self.data.x_train.shape[1:]),
            "model": self.model.name,
            "model_digest": digest(self.base()),
            "arms": [arm.name for arm in self.arms],
            "seeds": list(self.experiment.all_seeds),
            **asdict(self.experiment.recipe),
            "shifts": list(SHIFTS),
            "versions": backend.versions(),
        }

    def about_data(self) -> dict[str, Any]:
        """For the report."""
        data = self.data
        return {
            "name": data.name,
            "note": data.note,
            "classes": list(data.classes),
            "shape": list(data.x_train.shape[1:]),
            "train": len(data.x_train),
            "test": len(data.x_test),
        }


def _model(model: str | Build | Model) -> Model:
    if isinstance(model, Model):
        return model
    if isinstance(model, str | Path):
        return find(str(model))
    if isinstance(model, backend.load().Model):  # which is callable, too
        raise bad_type(
            "Experiment",
            "model is a Keras model that is built already",
            "give the function of (input_shape, classes) that builds it, or save it as FILE.keras and give that",
        )
    if callable(model):
        return Model(getattr(model, "__name__", "model"), "a function of the caller's", model)
    raise bad_type("Experiment", f"model is a {type(model).__name__}", "give a name, a file or a function")


@untouched()
def run(
    experiment: Experiment,
    out: str | Path = OUT,
    *,
    resume: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
    command: str = "",
) -> Results:
    """Train every arm with every seed, measure, and write ``results.json`` and ``report.html`` into the folder ``out``.

    ``resume`` goes on where the same experiment was stopped; its numbers are those of an undisturbed run, times aside.
    ``jobs`` trains so many arms side by side, each in a process of its own; predictions are timed afterwards, alone.
    Ctrl-C leaves a report of what is finished, and is passed on. ``command`` is how the report says to repeat the run.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # a process of --jobs that reads its script
        raise bad(
            "lab",
            "a script that uses jobs begins anew in each of its processes, and has come to run() again there",
            "put its commands under: if __name__ == '__main__':",
        )
    asked: Any = jobs
    if not isinstance(asked, int) or isinstance(asked, bool) or asked < 1:
        raise bad("lab", f"jobs must be 1 or more, not {shown(jobs)}", "try 1")
    plan, progress = Plan.of(experiment), progress or Progress()
    networks, reasons = _networks(plan, progress)
    needed = _REPORT_BYTES + sum(_MODEL_BYTES * network.count_params() for network in networks.values())
    with Store.prepare(Path(out), plan.settings(), resume=resume, needed=needed) as store:
        summaries = {name: _summary(network) for name, network in networks.items()}
        about = machine.describe() | ({"command": command} if command else {})
        with (
            Attentive(progress) as progress,
            _report_at_the_end(plan, store, summaries, reasons, about, progress),
        ):
            _train_all(plan, store, [arm for arm in plan.arms if arm.name in networks], jobs, progress)
            _time_all(plan, store, networks, progress)
    return load_results(Path(out))


def _train_all(plan: Plan, store: Store, arms: Sequence[Arm], jobs: int, progress: Progress) -> None:
    """What is not on disk yet."""
    seeds, done = plan.experiment.all_seeds, store.runs()
    todo = {arm: left for arm in arms if (left := [seed for seed in seeds if seed not in done.get(arm.name, {})])}
    whole = len(arms) * len(seeds)
    progress.begin(whole, plan.experiment.epochs, whole - sum(map(len, todo.values())))
    if jobs == 1 or len(todo) < 2:
        for arm, left in todo.items():
            train(plan, store, arm, left, progress)
    else:
        from .jobs import train_side_by_side

        train_side_by_side(plan, store, todo, jobs, progress)


def _time_all(plan: Plan, store: Store, networks: dict[str, Any], progress: Progress) -> None:
    """How long predictions take, when all training is over."""
    if store.latency() is None:
        rounds = len(networks) * latency.ROUNDS * len(latency.BATCHES)
        ticks = iter(range(1, rounds + 1))
        found = latency.measure(networks, plan.data.x_test, tick=lambda: progress.timing(next(ticks), rounds))
        store.save_latency(found)


def _networks(plan: Plan, progress: Progress) -> tuple[dict[str, Any], dict[str, str]]:
    from .surgery import Unsuitable

    networks: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for arm in plan.arms:
        try:
            networks[arm.name] = plan.network(arm)
        except Unsuitable as error:
            reasons[arm.name] = str(error).removeprefix("lab: ")
            progress.refused(arm.name, reasons[arm.name])
    if not networks:
        raise bad("lab", f"no arm can be built: {'; '.join(reasons.values())}", "choose other arms, data or model")
    return networks, reasons


def _summary(network: Any) -> dict[str, Any]:
    from .counts import summarize

    return summarize(network).as_dict()


def train(plan: Plan, store: Store, arm: Arm, seeds: Iterable[int], progress: Progress, jobs: int = 1) -> None:
    """One arm with all its seeds, each on disk as soon as it is finished."""
    trainer = Trainer(lambda: plan.network(arm), plan.data, plan.experiment.recipe)
    for seed in seeds:
        trained = trainer.train(seed, lambda epoch, seed=seed: progress.epoch(arm.name, seed, epoch))  # type: ignore[misc]
        run = _run(seed, trained, trainer, plan.data, jobs)
        if seed == plan.experiment.all_seeds[0]:
            store.save_model(arm.name, trainer.model.save)
        store.save_run(arm.name, run)
        progress.trained(arm.name, run)


def _run(seed: int, trained: Trained, trainer: Trainer, data: Dataset, jobs: int) -> Run:
    measures = {name: value for name, value in asdict(trained).items() if name != "losses"}
    measures["gap"] = trained.train_accuracy - trained.test_accuracy
    measures |= consistency.measure(trainer.predict, data.x_test, data.y_test)
    return Run(seed, trained.losses, measures, jobs)


def gather(
    plan: Plan, store: Store, summaries: dict[str, Any], reasons: dict[str, str], about: dict[str, Any]
) -> Results:
    """What the folder holds by now."""
    runs, times = store.runs(), store.latency() or {}
    arms = {
        arm.name: ArmResult(
            arm.name,
            arm.title,
            reasons.get(arm.name),
            summaries.get(arm.name, {}),
            runs.get(arm.name, {}),
            times.get(arm.name, {}),
        )
        for arm in plan.arms
    }
    settings = json.loads(json.dumps(plan.settings()))
    return Results(settings, about, plan.about_data(), arms)


@contextmanager
def _report_at_the_end(
    plan: Plan,
    store: Store,
    summaries: dict[str, Any],
    reasons: dict[str, str],
    about: dict[str, Any],
    progress: Progress,
) -> Iterator[None]:
    """However it ends, results and report say what is there: also after Ctrl-C, which then goes on its way."""
    from .report import write

    def report() -> None:
        progress.writing()
        results = gather(plan, store, summaries, reasons, about)
        store.save_results(document(results))
        write(results, store, plan.data)

    try:
        yield
    except BaseException as stopped:
        try:
            report()
        except Exception as error:  # on a full disk, say; why it stopped matters more
            stopped.add_note(f"and the report cannot be written: {error}")
        raise
    report()
