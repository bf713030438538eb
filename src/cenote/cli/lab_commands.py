"""What the commands of `cenote lab` do: the lab's own functions, and their results printed."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cenote.errors import CenoteError

from . import tables
from .errors import Failure, Usage, of_cenote


def run(
    *,
    data: str,
    model: str,
    arms: str | None,
    seeds: int,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    shape: str | None,
    classes: str | None,
    out: Path,
    resume: bool,
    jobs: int,
    as_json: bool,
) -> int:
    """Train, measure, report; the exit code."""
    lab = _lab()
    from .lab_progress import Bars

    experiment = lab.Experiment(
        data=data,
        model=model,
        arms=lab.ARMS if arms is None else arms,
        seeds=seeds,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        input=_shape(shape),
        classes=None if classes is None else tuple(part.strip() for part in classes.split(",")),
    )
    with _files(lab), Bars() as bars:
        results = lab.run(experiment, out, resume=resume, jobs=jobs, progress=bars, command=_typed())
    _show_results(lab, results, out, as_json)
    return 0


def report(folder: Path, *, as_json: bool) -> int:
    """Write the report anew; the exit code."""
    lab = _lab()
    with _files(lab):
        lab.write_report(folder)
        results = lab.load_results(folder)
    _show_results(lab, results, folder, as_json)
    return 0


def summary(model: str, shape: str | None, classes: int | None, arm: str | None, *, as_json: bool) -> int:
    """The layers of a network; the exit code."""
    lab = _lab()
    found = lab.summary(model, input=_shape(shape), classes=classes, arm=arm)
    if as_json:
        tables.show_json(found.as_dict())
        return 0
    out = tables.console()
    heads, rows, right = found.table()
    out.print(tables.table(heads, rows, right=right), "")
    for line in found.lines():
        out.print(line, markup=False)
    return 0


def predict(model: str, images: Sequence[Path], *, invert: bool, as_json: bool) -> int:
    """What a network says of images; the exit code."""
    lab = _lab()
    with _files(lab):
        found = lab.predict(model, images, invert=invert)
    if as_json:
        tables.show_json({"predictions": [asdict(one) for one in found]})
        return 0
    rows = []
    for one in found:
        best = sorted(one.probabilities.items(), key=lambda item: -item[1])[:3]
        shares = ", ".join(f"{name} {100 * share:.1f} %" for name, share in best)
        rows.append((one.image, one.label, shares, tables.seconds(one.seconds)))
    tables.console().print(tables.table(("file", "class", "probabilities", "time"), rows, right=("time",)))
    return 0


def _lab() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what TensorFlow says as it is loaded is not for this reader
    try:
        from cenote import lab
    except CenoteError as error:
        raise Failure(str(of_cenote(error))) from None
    except ImportError as error:
        raise Failure(f"the lab needs {error.name}, which is not installed; run: pip install 'cenote[lab]'") from None
    return lab


@contextmanager
def _files(lab: Any) -> Iterator[None]:
    """What a file or folder is to blame for is no fault of the command line."""
    try:
        yield
    except (lab.DataError, lab.StoreError) as error:
        raise Failure(str(of_cenote(error))) from None


def _shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,9})x(\d{1,9})x(\d{1,9})", text)
    if not found or not all(int(length) for length in found.groups()):
        raise Usage(f"--input is {text!r}; write height x width x channels, as 28x28x1")
    return tuple(map(int, found.groups()))


def _typed() -> str:
    """The command line, to be repeated: without what only this run needed."""
    return shlex.join(["cenote", *(word for word in sys.argv[1:] if word not in ("--resume", "--json"))])


def _show_results(lab: Any, results: Any, folder: Path, as_json: bool) -> None:
    report = folder / lab.REPORT
    if as_json:
        tables.show_json({"report": str(report), **lab.document(results)})
        return
    out = tables.console()
    heads, rows, right = lab.results_table(results)
    out.print(tables.table(heads, rows, right=right), "")
    for verdict in lab.verdicts(results):
        out.print(f"{verdict.verdict + ':':15} {verdict.sentence}", markup=False)
    for arm in results.arms.values():
        if arm.reason is not None:
            out.print(f"left out: {arm.name}: {arm.reason}", markup=False)
    if not results.complete:
        out.print(f"PARTIAL: {results.missing} trainings are missing; go on with --resume", markup=False)
    out.print(f"Report: {report}", markup=False)
    sys.stdout.flush()
