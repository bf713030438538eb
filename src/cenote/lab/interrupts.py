"""Ctrl-C that is heard wherever it falls."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

from .progress import Progress
from .results import Run


class Attentive(Progress):
    """A ``Progress`` that raises a Ctrl-C which was dropped on its way.

    Python drops what is raised in a callback of its garbage collector, and JAX has one: the run would go on as if
    nobody had asked it to stop. It is remembered here, and raised at the next thing that is over.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress, self._asked = progress, False
        self._before: Any = None

    def __enter__(self) -> Self:
        # A handler of the caller's, or none at all in a background job, is the caller's business.
        here = threading.current_thread() is threading.main_thread()
        if here and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        raise KeyboardInterrupt

    def _listen(self) -> None:
        if self._asked:
            raise KeyboardInterrupt

    def begin(self, trainings: int, epochs: int, done: int) -> None:
        """Told on."""
        self._progress.begin(trainings, epochs, done)

    def epoch(self, arm: str, seed: int, epoch: int) -> None:
        """Told on."""
        self._listen()
        self._progress.epoch(arm, seed, epoch)

    def trained(self, arm: str, run: Run) -> None:
        """Told on."""
        self._progress.trained(arm, run)
        self._listen()

    def refused(self, arm: str, reason: str) -> None:
        """Told on."""
        self._progress.refused(arm, reason)

    def timing(self, done: int, whole: int) -> None:
        """Told on."""
        self._listen()
        self._progress.timing(done, whole)

    def writing(self) -> None:
        """Told on: the report is written, whoever has asked to stop."""
        self._progress.writing()
