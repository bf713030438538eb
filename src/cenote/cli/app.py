"""The commands as typer sees them. What they do is in the file of each command, loaded when it is called."""

from __future__ import annotations

import inspect
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final, NoReturn

import typer

from cenote import __version__
from cenote.catalogue import OPS
from cenote.dialects import DIALECTS
from cenote.errors import CenoteError, reason

from . import examples, lab
from .errors import FAILED, INTERRUPTED, USAGE, Failure, of_cenote

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
# What says a window, for every command that has one.
WindowText = Annotated[str | None, typer.Option(help="SIZE[/STRIDE][+PAD][@DILATION][^] in one, as 3x3/2+1.")]
Stride = Annotated[str | None, typer.Option(help="Left out: the window size.")]
Padding = Annotated[str | None, typer.Option(help="1, 1x0, 0:1 (before:after), valid, same, same_lower.")]
Dilation = Annotated[str | None, typer.Option(help="Distance between taps.")]
Ceil = Annotated[bool, typer.Option("--ceil", help="Round the output length up.")]
Adaptive = Annotated[str | None, typer.Option(help="So many results per axis: 7, or 7x5.")]
Global = Annotated[bool, typer.Option("--global", help="One window over everything.")]
AxesText = Annotated[str | None, typer.Option(help="Layout of an array (NHWC, HWC, ...) or axis numbers (0,1).")]


def build() -> typer.Typer:
    """The commands. Built for every run: the annotations below list what the catalogue holds by then."""
    app = typer.Typer(
        name="cenote",
        help="Pooling of images and arrays by one contract: exact, compiled, on the command line and in Python.",
        epilog="Exit codes: 0 done, 1 failed, 2 usage, 130 interrupted.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help: windows are written with brackets, and examples are to be copied
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_cenote)
    app.command("pool", epilog=examples.epilog(examples.POOL))(_with_own_options(_pool))
    app.command("shape", epilog=examples.epilog(examples.SHAPE), help=_about_shapes())(_shape)
    app.command("explore", epilog=examples.epilog(examples.EXPLORE))(_with_own_options(_explore, without="dtype"))
    app.command("demo", epilog=examples.epilog(examples.DEMO))(_demo)
    app.command("info", epilog=examples.epilog(examples.INFO))(_info)
    app.add_typer(lab.build())
    return app


def _version(wanted: bool) -> None:
    if wanted:
        print(f"cenote {__version__}")
        raise typer.Exit


def _cenote(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


def _pool(
    paths: Annotated[list[Path], typer.Argument(metavar="IN... OUT", show_default=False)],
    op: Annotated[str, typer.Option(help=f"Operator: {', '.join(OPS)}.")] = "max",
    window: WindowText = None,
    size: Annotated[str | None, typer.Option(help="Window size: 2, or 3x2 (height x width).")] = None,
    stride: Stride = None,
    padding: Padding = None,
    dilation: Dilation = None,
    ceil: Ceil = False,
    adaptive: Adaptive = None,
    global_: Global = False,
    axes: AxesText = None,
    indices: Annotated[Path | None, typer.Option(help="Also write where each value was found (.npy, int64).")] = None,
    suffix: Annotated[str | None, typer.Option(help="Ending of the outputs in a folder, as .npy or .png.")] = None,
    max_pixels: Annotated[int, typer.Option(help="Largest image to read.", min=1)] = 89_478_485,
    force: Annotated[bool, typer.Option("--force", help="Overwrite outputs.")] = False,
    json: Json = False,
    **own: str | None,
) -> int:
    """Pool images and .npy arrays.

    IN is a PNG, JPEG, TIFF, WebP or .npy file, or a folder of them; several go into the folder OUT under their names.
    Images are pooled per channel (alpha too). Nothing is overwritten without --force.
    """
    from . import pool as command
    from . import windows
    from .plan import Wish

    text = windows.notation(
        window=window,
        size=size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil=ceil,
        adaptive=adaptive,
        global_=global_,
    )
    windows.check(text)
    row = command.operator(op)
    parameters = command.parameters(row, own)
    dtype: Any = parameters.get("dtype")
    wish = Wish(row, text, windows.read_axes(axes), parameters, dtype, max_pixels, force)
    return command.run(paths, wish, indices=indices, suffix=suffix, as_json=json)


def _with_own_options(function: Callable[..., int], *, without: str = "") -> Callable[..., int]:
    """Give a command an option for every parameter that a row of the catalogue has: a new row needs no change here."""
    rows: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    for op in OPS.values():
        for parameter in op.parameters:
            if parameter.name not in ("return_indices", without):  # the first is --indices, which needs a file
                rows.setdefault(parameter.name, []).append(op.name)
                texts.setdefault(parameter.name, _HELP.get(parameter.name, parameter.doc))
    signature = inspect.signature(function, eval_str=True)
    kept = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    made = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[str | None, typer.Option(f"--{name}", help=f"({', '.join(ops)}) {texts[name]}")],
        )
        for name, ops in rows.items()
    ]

    def command(**values: Any) -> int:
        return function(**values)

    command.__doc__ = function.__doc__
    command.__signature__ = signature.replace(parameters=[*kept, *made])  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in (*kept, *made)}
    return command


_HELP: Final = {
    "divisor": "inside, padded, window or a number.",
    "dtype": "Dtype of the result, as float32.",
    "p": "Exponent of the norm, or inf.",
}


def _about_shapes() -> str:
    return (
        "Shapes of a chain of layers: arithmetic, receptive field and jump.\n\n"
        f"A layer is conv, pool, {' or '.join((', '.join(list(OPS)[:-1]), list(OPS)[-1]))}, and its window: "
        "SIZE[/STRIDE][+PAD][@DILATION][^], >PARTS (adaptive) or * (global). "
        "The stride of a convolution is 1 when left out, that of a pool is its size."
    )


def _shape(
    shape: Annotated[str, typer.Argument(help="Lengths of the pooled axes: 28x28, 224x224, 16x56x56, 1000.")],
    layers: Annotated[list[str], typer.Argument(help="Layers, as conv3 or pool2.")],
    dialect: Annotated[
        str | None,
        typer.Option(help=f"Say what a framework makes of the same words: {', '.join(DIALECTS)} or all."),
    ] = None,
    json: Json = False,
) -> int:
    """Shapes of a chain of layers: arithmetic, receptive field and jump."""
    from . import shape as command

    return command.run(shape, layers, dialect=dialect, as_json=json)


def _explore(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[IMAGE|ARRAY.npy|MODEL.keras]", help="Left out: a 4x4 by hand.", show_default=False),
    ] = None,
    op: Annotated[str, typer.Option(help=f"Operator: {', '.join(OPS)}.")] = "max",
    window: WindowText = None,
    size: Annotated[str | None, typer.Option(help="Window size: 2, or 3x2; left out: 2.")] = None,
    stride: Stride = None,
    padding: Padding = None,
    dilation: Dilation = None,
    ceil: Ceil = False,
    adaptive: Adaptive = None,
    global_: Global = False,
    axes: AxesText = None,
    input: Annotated[Path | None, typer.Option(help="What a model is shown; left out: a drawn seven.")] = None,
    out: Annotated[Path, typer.Option(help="The page, .html; or a picture, .svg, .png or .gif.")] = Path(
        "cenote-explorer.html"
    ),
    serve: Annotated[bool, typer.Option("--serve", help="Serve it on 127.0.0.1 and open the browser.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of --serve; 0: a free one.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the output.")] = False,
    json: Json = False,
    **own: str | None,
) -> int:
    """A page on which pooling is seen: windows, padding, winners, gradients, frameworks, a model's maps."""
    from . import explore as command
    from . import pool, windows

    options = {"window": window, "size": size, "adaptive": adaptive}
    details = {"stride": stride, "padding": padding, "dilation": dilation}
    said = any(value is not None for value in (*options.values(), *details.values())) or ceil or global_
    if said and not any(value is not None for value in options.values()) and not global_:
        options["size"] = "2"
    text = windows.notation(**options, **details, ceil=ceil, global_=global_) if said else None
    row = pool.operator(op)
    parameters = pool.parameters(row, own)
    wish = command.Wish(op, text, axes, parameters, input)
    return command.run(source, wish, out=out, force=force, serve=serve, port=port, as_json=json)


def _demo(
    image: Annotated[Path | None, typer.Option(help="Your own image instead of the handwritten digits.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the picture.")] = Path("cenote-demo"),
    json: Json = False,
) -> int:
    """Filter and pool real images, check them, draw a picture."""
    from . import demo as command

    return command.run(image, out, as_json=json)


def _info(json: Json = False) -> int:
    """Version, compiler, CPU targets and threads."""
    from . import info as command

    return command.run(as_json=json)


def run(args: Sequence[str]) -> int:
    """Run a command; every way to fail ends in one line and an exit code."""
    who = _who(args)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name need not be text, nor a terminal know every letter
            stream.reconfigure(errors="backslashreplace")
    before = _catch_termination()
    try:
        code = build()(args=list(args) or ["--help"], prog_name="cenote", standalone_mode=False)
        sys.stdout.flush()
        # Newer typer answers Ctrl-C with this code, older typer with Abort.
        return _said(who, "interrupted", code) if code == INTERRUPTED else code if isinstance(code, int) else 0
    except Failure as failure:
        return _said(who, str(failure), failure.code)
    except CenoteError as error:
        found = of_cenote(error)
        return _said(who, str(found), found.code)
    except (KeyboardInterrupt, typer.Abort):
        return _said(who, "interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader has what it wanted (`| head`); what is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _said(who, f"{place}{reason(error)}", FAILED)
    except MemoryError:
        return _said(who, "not enough memory; pool smaller files", FAILED)
    except Exception as error:
        shown = getattr(error, "format_message", None)
        if shown is not None:  # typer's own complaints about options
            text = str(shown()).strip().rstrip(".")
            return _said(who, f"{text[:1].lower()}{text[1:]}; see {who} --help", USAGE)
        if os.environ.get("CENOTE_TRACEBACK"):
            traceback.print_exc()
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return _said(
            who, f"a fault of cenote itself ({said}); CENOTE_TRACEBACK=1 shows where, please report it", FAILED
        )

    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _who(args: Sequence[str]) -> str:
    """The command as it is named in messages: `cenote pool`, `cenote lab run`."""
    words = [arg for arg in args if not arg.startswith("-")]
    if words[:1] == ["lab"]:
        return " ".join(["cenote", *words[:2]])
    return f"cenote {words[0]}" if words[:1] and words[0] in ("pool", "shape", "explore", "demo", "info") else "cenote"


def _catch_termination() -> Any:
    """Leave by the front door on SIGTERM too; what was in place before, or None outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGTERM, _terminated)


def _said(who: str, text: str, code: int) -> int:
    sys.stdout.flush()
    print(f"{who}: {' '.join(text.split())}", file=sys.stderr)
    return code


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    """Leave by the front door, so that temporary files are removed on the way."""
    raise SystemExit(128 + number)
