"""How far a run is."""

from __future__ import annotations

from .results import Run


class Progress:
    """Who is told how far a run is: nobody, until methods are overridden. For people; nothing depends on it."""

    def begin(self, trainings: int, epochs: int, done: int) -> None:
        """So many trainings of so many epochs, of which some are there already."""

    def epoch(self, arm: str, seed: int, epoch: int) -> None:
        """An epoch is over."""

    def trained(self, arm: str, run: Run) -> None:
        """A training is over, and on disk."""

    def refused(self, arm: str, reason: str) -> None:
        """An arm cannot be built."""

    def timing(self, done: int, whole: int) -> None:
        """So many of the rounds in which predictions are timed."""

    def writing(self) -> None:
        """The report is next."""
