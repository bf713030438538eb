"""`cenote pool`: files in, pooled files out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cenote.catalogue import OPS, Op
from cenote.errors import CenoteError, reason
from cenote.explorer.reading import Header
from cenote.geometry import arithmetic
from cenote.ops import functions

from . import plan, tables
from .errors import Failure, Interrupted, Usage, of_cenote
from .files import Outputs
from .outputs import write
from .plan import Job, Pair, Wish


@dataclass(frozen=True, slots=True)
class Done:
    """One file pooled."""

    job: Job
    output: Header
    seconds: float

    @property
    def rate(self) -> float:
        """Pixels (values, for an array) of the input per second."""
        return self.job.header.pixels / max(self.seconds, 1e-9)

    def arithmetic(self) -> dict[str, str]:
        """The sum behind each pooled axis, numbers substituted."""
        pooling = self.job.pooling
        lengths = pooling.lengths(self.job.header.shape)
        names = _axis_names(self.job.header, pooling.axes)
        return {
            name: arithmetic(rule, length)
            for name, rule, length in zip(names, pooling.window.rules, lengths, strict=True)
        }

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        job = self.job
        return {
            "input": str(job.pair.source),
            "output": str(job.pair.target),
            "indices": None if job.pair.indices is None else str(job.pair.indices),
            "input_shape": list(job.header.shape),
            "output_shape": list(self.output.shape),
            "input_dtype": job.header.dtype.name,
            "dtype": self.output.dtype.name,
            "window": str(job.pooling.window),
            "axes": list(job.pooling.axes),
            "arithmetic": self.arithmetic(),
            "seconds": self.seconds,
            "pixels": job.header.pixels,
            "pixels_per_second": self.rate,
        }


def _axis_names(header: Header, axes: Sequence[int]) -> list[str]:
    return ["HW"[axis] if header.mode is not None else f"axis {axis}" for axis in axes]


def operator(name: str) -> Op:
    """The catalogue's row."""
    if name not in OPS:
        raise Usage(f"--op {name}: no such operator; write one of {', '.join(OPS)}")
    return OPS[name]


def parameters(op: Op, given: Mapping[str, str | None]) -> dict[str, object]:
    """The operator's own parameters, read by its row."""
    own = {parameter.name: parameter for parameter in op.parameters}
    read: dict[str, object] = {}
    for name, text in given.items():
        if text is None:
            continue
        if name not in own:
            having = [row.name for row in OPS.values() if any(p.name == name for p in row.parameters)]
            raise Usage(f"--{name} is not for {op.name}; it is for {', '.join(having)}")
        try:
            read[name] = own[name].read("pool", _value(text))
        except CenoteError as error:
            raise of_cenote(error) from None
    return read


def _value(text: str) -> int | float | str:
    for kind in (int, float) if "_" not in text else ():  # Python's 1_000 is no number to a shell
        with suppress(ValueError):
            return kind(text)
    return text


def run(paths: Sequence[Path], wish: Wish, *, indices: Path | None, suffix: str | None, as_json: bool) -> int:
    """Pool every input; the exit code."""
    if len(paths) < 2:
        raise Usage("an input and an output are needed: cenote pool IN... OUT")
    if indices is not None and not wish.op.selects:
        having = ", ".join(op.name for op in OPS.values() if op.selects)
        raise Usage(f"--indices: {wish.op.name} pooling picks no values and has no indices; {having} do")
    if suffix is not None and not suffix.startswith("."):
        suffix = f".{suffix}"
    found, many = plan.pairs(paths[:-1], paths[-1], indices=indices, suffix=suffix)
    new_folders = plan.folders(found, many)
    plan.check_outputs(found, force=wish.force, new_folders=new_folders)
    jobs, failed = _jobs(found, wish, many)
    done: list[Done] = []
    with _made(new_folders), _bar(len(jobs), many) as advance:
        for job in jobs:
            try:
                done.append(_one(job, wish))
            except Failure as failure:
                if not many:
                    raise
                failed.append(failure)
            except KeyboardInterrupt:
                after = f" after {len(done)} of {len(jobs)} files" if many else ""
                raise Interrupted(f"interrupted{after}") from None
            advance()
    if as_json:
        tables.show_json(_as_dict(done, wish, failed))
    elif done:
        _show(done, wish, many)
    for one in failed:
        print(f"cenote pool: {one}", file=sys.stderr)
    if failed and len(found) > 1:
        print(f"cenote pool: {len(failed)} of {len(found)} files failed, {len(done)} are done", file=sys.stderr)
    return Failure.code if failed else 0


def _jobs(found: Sequence[Pair], wish: Wish, many: bool) -> tuple[list[Job], list[Failure]]:
    """Every header is read before the first file is pooled; one that cannot be read does not stop the others."""
    jobs: list[Job] = []
    failed: list[Failure] = []
    for pair in found:
        try:
            jobs.append(plan.job(pair, wish))
        except Usage:
            raise
        except Failure as failure:
            if not many:
                raise
            failed.append(failure)
    return jobs, failed


def _one(job: Job, wish: Wish) -> Done:
    picture = plan.read(job.pair.source, wish.max_pixels)
    positional, keywords = job.pooling.arguments()
    keywords |= wish.parameters
    if job.pair.indices is not None:
        keywords["return_indices"] = True
    function: Callable[..., Any] = functions()[wish.op.function_name(job.pooling.form)]
    start = perf_counter()
    try:
        result = function(picture.array, *positional, **keywords)
    except CenoteError as error:
        raise type(of_cenote(error))(f"{job.pair.source}: {of_cenote(error)}") from None
    except MemoryError:
        raise Failure(f"{job.pair.source}: the result does not fit into memory; use a larger stride") from None
    taken = perf_counter() - start
    values, found = result if job.pair.indices is not None else (result, None)
    _save(job, wish, values, found, picture.icc)
    for note in job.header.notes:
        print(f"cenote pool: {note}", file=sys.stderr)
    return Done(job, Header(values.shape, values.dtype, job.header.mode), taken)


def _save(job: Job, wish: Wish, values: NDArray[Any], found: NDArray[np.int64] | None, icc: bytes | None) -> None:
    pair = job.pair
    with Outputs(force=wish.force) as outputs:
        _write(outputs, pair.target, values, job.header.mode, icc)
        if pair.indices is not None and found is not None:
            _write(outputs, pair.indices, found, None, None)
        outputs.publish()


def _write(outputs: Outputs, target: Path, values: NDArray[Any], mode: str | None, icc: bytes | None) -> None:
    try:
        with outputs.open(target) as file:
            write(file, target.suffix, values, mode, icc)
    except Failure:
        raise
    except OSError as error:
        raise Failure(f"{target}: {reason(error)}; nothing was written there") from None
    except MemoryError:
        raise Failure(f"{target}: does not fit into memory while it is encoded; write .npy") from None
    except Exception as error:  # encoders raise whatever they come across
        raise Failure(f"{target}: cannot be written ({error}); nothing was written there, .npy may do") from None


@contextmanager
def _made(folders: Sequence[Path]) -> Iterator[None]:
    """Make the output folders; one that stays empty goes again."""
    made: list[Path] = []
    try:
        for folder in folders:
            try:
                folder.mkdir()
            except OSError as error:
                raise Failure(f"{folder}: {reason(error)}; choose another folder as OUT") from None
            made.append(folder)
        yield
    finally:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()  # refuses a folder that holds something


@contextmanager
def _bar(total: int, many: bool) -> Iterator[Callable[[], None]]:
    """A progress bar on standard error for several files, where somebody watches."""
    if not (many and sys.stderr.isatty()):
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("pooling"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("pooling", total=total)
        yield lambda: progress.advance(task)


def _as_dict(done: Sequence[Done], wish: Wish, failed: Sequence[Failure]) -> dict[str, Any]:
    return {
        "operator": wish.op.name,
        "parameters": wish.parameters,
        "files": [one.as_dict() for one in done],
        "failed": [str(failure) for failure in failed],
        "seconds": sum(one.seconds for one in done),
    }


def _show(done: Sequence[Done], wish: Wish, many: bool) -> None:
    out = tables.console()
    settings = "".join(f", {name}={value}" for name, value in wish.parameters.items())
    for one in {(one.job.header.shape, one.job.pooling.axes): one for one in done}.values():
        job = one.job
        out.print(f"{wish.op.function_name(job.pooling.form)} {job.pooling.window}{settings}", markup=False)
        for name, text in one.arithmetic().items():
            out.print(f"  {name}: {text}", markup=False)
    out.print("")
    out.print(_many(done) if many else _single(done[0]))


def _many(done: Sequence[Done]) -> Any:
    rows = [
        (
            str(one.job.pair.target),
            tables.by(one.job.header.shape),
            tables.by(one.output.shape),
            one.output.dtype.name,
            tables.seconds(one.seconds),
            _speed(one),
        )
        for one in done
    ]
    return tables.table(("file", "shape", "result", "dtype", "time", "speed"), rows, right=("time", "speed"))


def _single(one: Done) -> Any:
    pair, header = one.job.pair, one.job.header
    rows = [
        ("input", str(pair.source), tables.by(header.shape), header.dtype.name),
        ("output", str(pair.target), tables.by(one.output.shape), one.output.dtype.name),
    ]
    if pair.indices is not None:
        rows.append(("indices", str(pair.indices), tables.by(one.output.shape), "int64"))
    return tables.grid([*rows, ("time", tables.seconds(one.seconds), _speed(one), "")])


def _speed(one: Done) -> str:
    return tables.rate(one.rate) + ("pixels/s" if one.job.header.mode else "values/s")
