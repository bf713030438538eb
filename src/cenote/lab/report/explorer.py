"""The explorer's page beside the report: every pooling layer of every arm's network, for the image of the maps."""

from __future__ import annotations

from typing import Final

from ...errors import CenoteError
from ...explorer.models import exploration, joined
from ..models import read
from ..store import Store
from .maps import Seen, of_pooling
from .view import ResultsView

PAGE: Final = "maps.html"


def write(view: ResultsView, seen: Seen, store: Store) -> None:
    """Write it anew where networks were looked at just now; else what is in the folder stays."""
    if not seen.pooling:
        return
    found = dict(seen.pooling)
    for arm in view.arms:
        path = store.model_path(arm.name)
        if arm.name not in found and path.is_file():
            try:
                pooling = of_pooling(read(path), seen.image)
            except CenoteError:  # a file that is no network any more; the report says so
                continue
            if pooling is not None:
                found[arm.name] = pooling
    parts = {arm.name: found[arm.name] for arm in view.arms if arm.name in found}
    title = f"test image {seen.index} (class {seen.label})"
    try:
        made = exploration(joined(f"the arms of {view.results.settings['model']}", parts), title)
    except CenoteError:  # only windows that no page draws
        return
    store.write(PAGE, made.html().encode(errors="replace"))
