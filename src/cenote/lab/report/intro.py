"""What was run, in words: the head of the page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from ..arms import BASELINE
from ..claims import LEAST_SEEDS, Ruling, Verdict
from ..datasets import DATASETS
from ..models import PRESETS
from ..results import Results
from ..statistics import CONFIDENCE
from .markup import Child, Html, h
from .numbers import plural
from .view import ResultsView

_MANY: Final = 20  # names are listed up to so many
_WORD: Final = 30  # letters that fit beside each other on a telephone


def title(results: Results) -> str:
    """For the window."""
    return f"Pooling compared: network {results.settings['model']}, images {results.data['name']}"


def head(view: ResultsView, verdicts: Sequence[Verdict]) -> Html:
    """Title, what was run, how far it got, and where it ran."""
    results = view.results
    return h(
        "header",
        h("p", "cenote lab", class_="eyebrow"),
        h("h1", "Pooling compared"),
        h(
            "p",
            "network ",
            h("b", results.settings["model"]),
            ", images ",
            h("b", results.data["name"]),
            class_="subject",
        ),
        h("p", _what(view), " ", _statistics(view), class_="lead"),
        _banner(view),
        _score(verdicts),
        h("dl", [h("div", h("dt", name), h("dd", text)) for name, text in _facts(results) if text], class_="facts"),
        h("p", "To run it again:", class_="again"),
        h("pre", h("code", _words(command(results))), tabindex="0"),
        _placeholders(results),
    )


def _what(view: ResultsView) -> str:
    results = view.results
    settings, data = results.settings, results.data
    seeds = results.seeds
    times = "once" if len(seeds) == 1 else f"{len(seeds)} times"
    named = f"seed{'s' * (len(seeds) > 1)} {_listed(seeds)}"
    refused = f" ({len(view.refused)} more could not be built)" if view.refused else ""
    return (
        f"{plural(len(view.arms), 'arm')}{refused}: the network {settings['model']}, each time with another choice "
        f"where it pools. Each arm was {'to be ' if results.missing else ''}trained {times} ({named}) for "
        f"{plural(settings['epochs'], 'epoch')}, with Adam at a learning rate of {settings['learning_rate']:g} in "
        f"batches of {settings['batch_size']}, on {plural(data['train'], 'image')}, and tested on {data['test']:,} "
        "others after the last epoch."
    )


def _statistics(view: ResultsView) -> Child:
    if len(view.results.seeds) == 1:
        return f"One seed has no interval, so what training scatters decides no claim; {LEAST_SEEDS} seeds would."
    means = f"Numbers are means over seeds with {100 * CONFIDENCE:g} % intervals"
    if not any(arm.name == BASELINE for arm in view.arms):
        return f"{means}."
    return [f"{means}, and compared with ", h("span", BASELINE, class_="name"), " seed by seed."]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(seeds: Sequence[int]) -> str:
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]} to {seeds[-1]}"
    shown = [str(seed) for seed in seeds[:_MANY]]
    return ", ".join(shown) + (f" and {len(seeds) - _MANY} more" if len(seeds) > _MANY else "")


def _banner(view: ResultsView) -> Html | None:
    results = view.results
    if results.complete:
        return None
    whole = len(view.arms) * len(results.seeds)
    done = whole - results.missing
    if results.missing:
        said = f"{done} of {plural(whole, 'training')} {'is' if done == 1 else 'are'} finished"
    else:
        said = f"All {plural(whole, 'training')} are finished, but predictions have not been timed"
    return h("p", h("strong", "Not finished. "), f"{said}; go on with ", h("code", "--resume"), ".", class_="banner")


def _score(verdicts: Sequence[Verdict]) -> Html:
    tiles = [
        h(
            "a",
            h("b", str(sum(one.verdict is ruling for one in verdicts))),
            h("span", str(ruling)),
            href="#claims",
            class_=f"tile {css(ruling)}",
        )
        for ruling in Ruling
    ]
    return h("div", h("p", "Claims about pooling, judged by these numbers", class_="label"), tiles, class_="score")


def css(ruling: Ruling) -> str:
    """The class of a ruling."""
    return ruling.name.lower().replace("_", "-")


def _facts(results: Results) -> list[tuple[str, Child]]:
    data, machine = results.data, results.environment
    shape = " x ".join(str(length) for length in data["shape"])
    versions = ", ".join(f"{name} {version}" for name, version in machine.get("versions", {}).items())
    return [
        ("Data", f"{data['name']}: {_sentence(str(data['note'])).rstrip('.')}."),
        ("Images", f"{data['train']:,} to train, {data['test']:,} to test, {shape}"),
        ("Classes", _names(data["classes"])),
        ("Machine", f"{machine['cpu']}, {plural(machine['cores'], 'core')}, {machine['system']}"),
        ("Versions", versions),
        ("Written", _when(machine.get("written"))),
    ]


def _names(classes: Sequence[Any]) -> str:
    shown = ", ".join(str(name) for name in classes[:_MANY])
    return shown + (f" and {len(classes) - _MANY} more" if len(classes) > _MANY else "")


def _when(written: Any) -> str:
    try:
        return datetime.fromisoformat(str(written)).strftime("%Y-%m-%d, %H:%M %Z").rstrip(", ")
    except ValueError:
        return ""


def command(results: Results) -> str:
    """The command line: the one that was given, where it is known, else one made from the settings."""
    given = results.environment.get("command")
    if given:
        return given if isinstance(given, str) else shlex.join(map(str, given))
    settings, seeds = results.settings, results.seeds
    words = ["cenote", "lab", "run", "--data", _data(results), "--model", _model(results)]
    words += ["--arms", ",".join(settings["arms"]), "--seeds", str(len(seeds)), "--epochs", str(settings["epochs"])]
    words += ["--batch-size", str(settings["batch_size"]), "--learning-rate", f"{settings['learning_rate']:g}"]
    words += ["--input", "x".join(map(str, settings["input"]))]
    return shlex.join(words)


def _words(line: str) -> list[Html]:
    """A line that may be broken behind a space or comma, and at a hyphen only in what is long."""
    found: list[Html] = []
    for word in re.split(r"(?<=[ ,])", line):
        found.append(h("span", word.rstrip(" "), class_="word" if len(word) < _WORD else None))
        found.append(Html(" ") if word.endswith(" ") else h("wbr"))
    return found


_FOLDER: Final = "FOLDER"
_OWN: Final = "MODEL"


def _data(results: Results) -> str:
    name = str(results.settings["data"])
    return name if name in DATASETS else _FOLDER


def _model(results: Results) -> str:
    name = str(results.settings["model"])
    return name if name in PRESETS else _OWN


def _placeholders(results: Results) -> Html | None:
    """What a command that was made from settings cannot know."""
    if results.environment.get("command"):
        return None
    said = []
    if _data(results) == _FOLDER:
        said.append(f"{_FOLDER} is where the images of {results.settings['data']} are")
    if _model(results) == _OWN:
        said.append(f"{_OWN} is the file of {results.settings['model']}, FILE.py:FUNCTION or FILE.keras")
    if list(results.seeds) != list(range(len(results.seeds))):
        said.append("these seeds can be given in Python: Experiment(seeds=[...])")
    return h("p", _sentence("; ".join(said)) + ".", class_="note") if said else None
