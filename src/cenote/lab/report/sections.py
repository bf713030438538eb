"""What stands below the head: numbers, charts, maps, claims, layers, conventions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..arms import BASELINE
from ..claims import ACCURACY_MARGIN, LEAST_SEEDS, Claim, LeftOut, Ruling, Verdict
from ..measures import Unit, margin_in_words
from ..statistics import CONFIDENCE
from . import pictures, tables
from .charts import Chart
from .intro import css
from .maps import Maps, Place, Seen, range_of
from .markup import Child, Html, h
from .numbers import plural, significant
from .view import ResultsView

#: Sections of the page: the anchor, and the heading that the list of contents shows.
CONTENTS: Final[Mapping[str, str]] = {
    "arms": "Arms",
    "learning": "Accuracy",
    "cost": "Cost",
    "time": "Time",
    "shift": "Shifts",
    "maps": "Maps",
    "claims": "Claims",
    "layers": "Layers",
    "conventions": "Conventions",
}


def _section(name: str, *children: Child) -> Html:
    return h("section", h("h2", CONTENTS[name]), *children, id=name)


def contents() -> Html:
    """Links to all sections."""
    return h("nav", [h("a", text, href=f"#{name}") for name, text in CONTENTS.items()], aria_label="Contents")


def _charts(charts: Sequence[Chart], *groups: str) -> Html | None:
    found = [
        h("figure", chart.picture.inline, h("figcaption", chart.caption), class_="card")
        for chart in charts
        if chart.group in groups
    ]
    return h("div", found, class_="charts") if found else None


def _nothing(text: str) -> Html:
    return h("p", text, class_="empty")


def arms(view: ResultsView) -> Html:
    """What each arm is, and which could not be built."""
    shown = [
        h(
            "li",
            tables.swatch(view, arm.name),
            h("b", arm.name),
            h("span", arm.title + (", the baseline" if arm.name == BASELINE else "")),
        )
        for arm in view.arms
    ]
    refused = [h("li", h("b", arm.name), h("span", arm.reason or "")) for arm in view.refused]
    return _section(
        "arms",
        h("ul", shown, class_="legend"),
        [h("h3", "Could not be built"), h("ul", refused, class_="refused")] if refused else None,
    )


def learning(view: ResultsView, charts: Sequence[Chart]) -> Html:
    """Accuracy, gap, loss."""
    if not any(arm.runs for arm in view.arms):
        return _section("learning", _nothing("No training is finished yet."))
    return _section(
        "learning",
        h(
            "p",
            "After the last epoch; none was picked by its test accuracy. ",
            _below(view, "difference"),
            class_="note",
        ),
        tables.learning(view),
        _charts(charts, "learning", "training"),
    )


def _below(view: ResultsView, word: str) -> Child:
    if not _has_baseline(view):
        return f"{BASELINE} is not among the arms, so there is no comparison with it."
    scattered, equal = "", 1
    if word == "difference":
        scattered = f", in points for shares, seed by seed with its {100 * CONFIDENCE:g} % interval"
        equal = 0
    return [
        f"The second line is the {word} to ",
        h("span", BASELINE, class_="name"),
        f"{scattered}; ",
        h("span", "in colour", class_="apart"),
        f" where the interval does not hold {equal} and stands on {LEAST_SEEDS} values or more.",
    ]


def cost(view: ResultsView, charts: Sequence[Chart]) -> Html:
    """Counts."""
    note = h(
        "p",
        "Counted, not measured, and therefore without interval. KB are 1000 bytes.",
        [" The second line is the ratio to ", h("span", BASELINE, class_="name"), "."] if _has_baseline(view) else None,
        class_="note",
    )
    return _section("cost", note, tables.costs(view), _charts(charts, "cost"))


def _has_baseline(view: ResultsView) -> bool:
    return any(arm.name == BASELINE for arm in view.arms)


def time(view: ResultsView, charts: Sequence[Chart]) -> Html:
    """Training and prediction."""
    if not any(arm.runs or arm.latency for arm in view.arms):
        return _section("time", _nothing("Nothing has been timed yet."))
    timed = any(arm.latency for arm in view.arms)
    said = (
        "Predictions were timed after all training with nothing beside them, all arms by turns in every round. "
        if timed
        else "Predictions have not been timed yet. "
    )
    beside = sorted({why for arm in view.arms if (why := view.disturbed(arm.name, "seconds_per_epoch"))})
    if beside:
        said += f"Trainings ran side by side ({', '.join(beside)}), so their times decide no claim. "
    elif len(view.arms) > 1:
        said += "Arms were trained one after the other: what slowed the machine for a while slowed one of them. "
    return _section(
        "time", h("p", said, _below(view, "ratio"), class_="note"), tables.times(view), _charts(charts, "time")
    )


def shift(view: ResultsView, charts: Sequence[Chart]) -> Html:
    """Consistency."""
    drawn = _charts(charts, "shift")
    if drawn is None:
        return _section("shift", _nothing("No training is finished yet."))
    note = (
        "How often a network says the same of an image and of the image moved by a few pixels, each in one of four "
        "directions. An accurate network agrees with itself because it is right twice; among the images that it gets "
        "right where they are, networks can be compared."
    )
    numbers = h("details", h("summary", "The numbers, with intervals"), tables.all_shifts(view))
    return _section("shift", h("p", note, class_="note"), drawn, numbers)


# --- maps ---


def maps(view: ResultsView, seen: Seen | None, beside: str = "") -> Html:
    """One image inside the networks; ``beside`` is the file where all their pooling layers are explored, if any."""
    drawn = [(arm.name, seen.maps[arm.name]) for arm in view.arms if arm.name in seen.maps] if seen else []
    if seen is None or not drawn:
        why = "There is no image in this folder yet." if seen is None else "No network is trained yet."
        return _section("maps", _nothing(why))
    seed = view.results.seeds[0]
    note = (
        f"Test image {seen.index} (class {seen.label}) in the networks trained with seed {seed}, before and after the "
        "first pooling. Shown is the channel with the most energy before it; networks number their channels each in "
        "their own way, so maps of different arms need not show the same feature. Dark is the least value of an arm, "
        "yellow its largest."
    )
    bar = h("span", class_="bar", style=f"background: {pictures.colour_bar()}", aria_hidden="true")
    image = h("div", h("h3", "the image"), pictures.photograph(seen.image, f"test image {seen.index}"), class_="source")
    cards = [_map_card(view, arm, found, bar) for arm, found in drawn]
    more = h("p", h("a", "Every pooling layer of every arm, window by window", href=beside)) if beside else None
    return _section("maps", h("p", note, class_="note"), more, h("div", image, cards, class_="maps"))


def _map_card(view: ResultsView, arm: str, found: Maps, bar: Html) -> Html:
    name = h("h3", tables.swatch(view, arm), arm)
    if found.before is None or found.first is None:
        return h("div", name, h("p", found.note, class_="note"), class_="card map")
    ends = range_of((found.before, found.after))
    tiles = [_tile(arm, "before", found.before, found.first, ends)]
    if found.after is not None and found.second is not None:
        tiles.append(_tile(arm, "after", found.after, found.second, ends))
    legend = h("p", h("span", significant(ends[0], 2)), bar, h("span", significant(ends[1], 2)), class_="range")
    finite = all(np.isfinite(cells).all() for cells in (found.before, found.after) if cells is not None)
    said = (found.note, "" if finite else "training diverged: not all of these are numbers")
    notes = [h("p", note, class_="note") for note in said if note]
    return h("div", name, h("div", tiles, class_="pair"), legend, notes, class_="card map")


def _tile(arm: str, word: str, cells: NDArray[Any], place: Place, ends: tuple[float, float]) -> Html:
    size = f"{place.height} x {place.width}"
    picture = pictures.map_picture(cells, ends, f"{arm}, {word}: {size} map of {place.layer}")
    where = f"channel {place.channel} of {place.channels}"
    return h("figure", picture, h("figcaption", h("b", size), h("span", place.kind), h("span", where)))


# --- claims ---

_SIGNS: Final = {Ruling.SUPPORTED: "✓", Ruling.NOT_SUPPORTED: "✕", Ruling.UNDECIDED: "?"}


def claims(verdicts: Sequence[Verdict], unspoken: Sequence[LeftOut]) -> Html:
    """What is said about pooling, and what these numbers say."""
    note = (
        f"A claim is supported where the whole {100 * CONFIDENCE:g} % interval lies within what it claims, not "
        "supported where the whole interval lies beyond, and undecided otherwise, or with fewer than "
        f"{LEAST_SEEDS} values. “Changes little”, “without loss” and “costs no accuracy” allow "
        f"{margin_in_words(Unit.SHARE, ACCURACY_MARGIN)}. Of forty claims about arms without any difference one is "
        "expected to come out as supported. All of it holds for these images and this network, times for this machine."
    )
    return _section(
        "claims",
        h("p", note, class_="note"),
        h("ul", map(_claim, verdicts), class_="claims") if verdicts else _nothing("No claim can be judged yet."),
        _unspoken(unspoken) if unspoken else None,
    )


def _claim(one: Verdict) -> Html:
    sign = h("i", _SIGNS[one.verdict], aria_hidden="true")
    badge = h("span", sign, str(one.verdict), class_=f"badge {css(one.verdict)}")
    return h("li", badge, *_said(one.claim, one.sentence))


def _said(claim: Claim, numbers: str) -> tuple[Html, Html]:
    return h("div", h("b", claim.sentence), h("p", numbers)), h("small", claim.source)


def _unspoken(unspoken: Sequence[LeftOut]) -> Html:
    rows = [h("li", _said(one.claim, one.reason)) for one in unspoken]
    said = f"{plural(len(unspoken), 'more claim')} that these results cannot speak about"
    return h("details", h("summary", said), h("ul", rows, class_="claims silent"))


# --- layers and conventions ---


def layers(view: ResultsView) -> Html:
    """Every network, layer by layer."""
    folded = [
        h(
            "details",
            h("summary", tables.swatch(view, arm.name), h("b", arm.name), h("span", arm.title)),
            tables.layers(arm.summary, f"Layers of {arm.name}"),
            [h("p", note, class_="note") for note in arm.summary.get("notes", ())],
        )
        for arm in view.arms
        if arm.summary.get("layers")
    ]
    return _section("layers", folded or _nothing("Nothing is known of the layers."))


def conventions(view: ResultsView) -> Html:
    """How was counted."""
    said: Sequence[str] = next((arm.summary["conventions"] for arm in view.arms if arm.summary.get("conventions")), [])
    return _section("conventions", h("ul", [h("li", text) for text in said], class_="prose"))
