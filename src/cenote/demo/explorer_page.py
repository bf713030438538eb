"""The demo's page: the same images, filtered and pooled, in the explorer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cenote.explorer import Exploration, explore

from .story import Story


def explorer_page(stories: Sequence[Story]) -> Exploration:
    """A page that begins with the first image, convolved for vertical edges and pooled 2x2, and offers the others."""
    pages = [explore(story.image, 2, title=f"{story.label}, filtered for vertical edges") for story in stories]
    states = [{**page.state, "filter": "vertical"} for page in pages]
    first = pages[0]
    return replace(first, state=states[0], gallery=states[1:], title="cenote explorer: what pooling keeps")
