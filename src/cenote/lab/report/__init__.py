"""The report of an experiment: one HTML file that needs nothing else, and its charts as PNG and SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..datasets import Dataset
from ..results import Results, load_results
from ..store import Store
from . import explorer, maps, pictures
from .charts import charts
from .page import page
from .svg import picture, settings
from .view import ResultsView

__all__ = ["FIGURES", "REPORT", "ResultsView", "write", "write_report"]

REPORT: Final = "report.html"
FIGURES: Final = "figures"


def write(results: Results, store: Store, data: Dataset | None) -> None:
    """Write ``report.html``, ``maps.html``, ``figures/*.png`` and ``figures/*.svg`` into the folder, each whole or not
    at all.

    Any results will do: those of a run that was stopped, of one seed, of arms that could not be built. ``data`` is
    where the one image of the maps comes from; None takes the image that an earlier report has left in the folder.
    """
    view = ResultsView(results)
    seen = maps.seen(view, store, data)
    drawn = list(charts(view))
    for chart in drawn:
        store.write(f"{FIGURES}/{chart.name}.svg", chart.picture.svg)
        store.write(f"{FIGURES}/{chart.name}.png", chart.picture.png)
    if seen is not None:
        _write_maps(seen, store)
        explorer.write(view, seen, store)
    beside = explorer.PAGE if (store.folder / explorer.PAGE).is_file() else ""
    # A folder's name need not be text, and classes are named after folders.
    store.write(REPORT, page(view, drawn, seen, beside).encode(errors="replace"))


def _write_maps(seen: maps.Seen, store: Store) -> None:
    with settings("maps"):
        figure = pictures.figure(seen)
    if figure is not None:
        made = picture("maps", "maps", figure)
        store.write(f"{FIGURES}/maps.svg", made.svg)
        store.write(f"{FIGURES}/maps.png", made.png)


def write_report(folder: str | Path) -> Path:
    """Write the report of a folder anew, and return where it is; the data is not needed.

    Raises ``CenoteError`` where the folder holds no results.
    """
    store = Store(Path(folder))
    write(load_results(folder), store, None)
    return store.folder / REPORT
