"""The first five minutes: filter and pool real images, check every value, draw it, make a page to look closer."""

from .digits import DIGITS_NOTE, digits
from .explorer_page import explorer_page
from .picture import draw
from .story import Check, Stage, Story, tell

__all__ = ["DIGITS_NOTE", "Check", "Stage", "Story", "digits", "draw", "explorer_page", "tell"]
