"""The first five minutes: filter and pool real images, check every value, and draw what happened."""

from .digits import DIGITS_NOTE, digits
from .picture import draw
from .story import Check, Stage, Story, tell

__all__ = ["DIGITS_NOTE", "Check", "Stage", "Story", "digits", "draw", "tell"]
