"""Several arms trained side by side, each in a process of its own, with the numbers that one after the other gives.

Keras's backends take all cores in every process, as they do alone: how sums are shared out to threads must not depend
on how many jobs there are, for the last bits of a network do.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ..errors import CenoteError, bad
from . import backend
from .arms import Arm, parse
from .experiment import Experiment, Plan, train
from .progress import Progress
from .store import Store

_LOOK: Final = 0.3  # seconds between two looks at what is finished


def train_side_by_side(
    plan: Plan, store: Store, todo: Mapping[Arm, Sequence[int]], jobs: int, progress: Progress
) -> None:
    """As ``train`` for every arm; returns when all are done, and stops all of them when anything goes wrong."""
    try:
        pickle.dumps(plan.experiment)
    except Exception as error:
        raise bad(
            "lab", f"jobs={jobs}: this experiment cannot be sent to other processes ({error})", "use jobs=1"
        ) from None
    context = multiprocessing.get_context("spawn")
    tasks: Any = context.Queue()
    for arm, seeds in todo.items():
        tasks.put((arm.name, tuple(seeds)))
    count = min(jobs, len(todo))
    for _ in range(count):
        tasks.put(None)  # nothing is left
    arguments = (plan.experiment, str(store.folder), tasks, count)
    workers = [context.Process(target=_work, args=arguments, daemon=True) for _ in range(count)]
    seen = {(arm, seed) for arm, runs in store.runs().items() for seed in runs}
    try:
        with _same_backend():
            for worker in workers:
                worker.start()
        while any(worker.is_alive() for worker in workers):
            time.sleep(_LOOK)
            _tell(store, seen, progress)
            failed = [worker.exitcode for worker in workers if worker.exitcode]
            if failed:
                raise bad("lab", f"a training process ended with {failed[0]}", "look at what it printed, then --resume")
        _tell(store, seen, progress)
        lost = {(arm.name, seed) for arm, seeds in todo.items() for seed in seeds} - seen
        if lost:
            raise bad("lab", f"{len(lost)} trainings were not done", "go on with --resume")
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
        for worker in workers:
            if worker.pid is not None:
                worker.join()


@contextmanager
def _same_backend() -> Iterator[None]:
    """Said before a process begins, for it imports Keras on its way to ``_work``; here the choice may be by a file."""
    before = os.environ.get("KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = backend.load().backend.backend()
    try:
        yield
    finally:
        if before is None:
            del os.environ["KERAS_BACKEND"]
        else:
            os.environ["KERAS_BACKEND"] = before


def _tell(store: Store, seen: set[tuple[str, int]], progress: Progress) -> None:
    for arm, runs in store.runs().items():
        for seed, run in runs.items():
            if (arm, seed) not in seen:
                seen.add((arm, seed))
                progress.trained(arm, run)


def _leave_with_parent() -> None:
    """An orphan stops at once: whoever goes on in the folder, or times predictions there, must be alone."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _work(experiment: Experiment, folder: str, tasks: Any, jobs: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, who then ends its workers
    _leave_with_parent()
    try:
        plan, store = Plan.of(experiment), Store(Path(folder))
        for arm, seeds in iter(tasks.get, None):
            train(plan, store, parse(arm), seeds, Progress(), jobs)
    except CenoteError as error:  # a full disk, say: a line, not a traceback
        print(error, file=sys.stderr, flush=True)
        sys.exit(1)
