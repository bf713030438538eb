"""How far a run of the lab is: a bar with the time that is left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .tables import seconds


class Bars:
    """The lab's ``Progress`` on standard error."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._epochs: Any = None
        self._timing: Any = None
        self._each, self._done, self._whole, self._start = 1, 0, 0, time.perf_counter()

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        self._bars.stop()

    def begin(self, trainings: int, epochs: int, done: int) -> None:
        """So many trainings, of which some are there already."""
        self._each, self._done, self._whole = epochs, done, trainings
        self._epochs = self._bars.add_task("training", total=trainings * epochs, completed=done * epochs)
        if done:
            self._say(f"{done} of {trainings} trainings are there already")

    def epoch(self, arm: str, seed: int, epoch: int) -> None:
        """An epoch is over."""
        self._bars.update(self._epochs, description=f"training {arm}, seed {seed}", advance=1)

    def trained(self, arm: str, run: Any) -> None:
        """A training is over."""
        self._done += 1
        self._bars.update(self._epochs, completed=self._done * self._each)
        said = f"test accuracy {100 * run.measures['test_accuracy']:.1f} %"
        pace = seconds(run.measures["seconds_per_epoch"])
        self._say(f"[{self._done}/{self._whole}] {arm}, seed {run.seed}: {said}, {pace} an epoch")

    def refused(self, arm: str, reason: str) -> None:
        """An arm cannot be built."""
        self._say(f"left out: {arm}: {reason}")

    def timing(self, done: int, whole: int) -> None:
        """So many rounds of timing."""
        if self._timing is None:
            self._say("timing predictions")
            self._timing = self._bars.add_task("timing predictions", total=whole)
        self._bars.update(self._timing, completed=done)

    def writing(self) -> None:
        """The report is next."""
        self._say("writing the report")

    def _say(self, text: str) -> None:
        with suppress(OSError):  # a reader that has gone (`2>&1 | head`) stops no training
            if self._console.is_terminal:
                self._bars.print(text, markup=False)
            else:
                print(text, file=sys.stderr, flush=True)
