"""`cenote lab` as typer sees it. What the commands do is in ``lab_commands``, loaded when one is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import examples

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ModelName = Annotated[
    str,
    typer.Option("--model", help="tutorial, digits, ann, FILE.py:FUNCTION of (input_shape, classes), or FILE.keras."),
]
Input = Annotated[
    str | None, typer.Option(help="Bring images to this size, as 28x28x1; else as model or data have it.")
]
Classes = Annotated[str | None, typer.Option(help="Names of the classes to keep, separated by commas.")]


def build() -> typer.Typer:
    """The group of commands."""
    app = typer.Typer(
        name="lab",
        help="Build networks, train them on real images, and measure what pooling does to them.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for name, function, shown in (
        ("run", _run, examples.LAB_RUN),
        ("report", _report, examples.LAB_REPORT),
        ("summary", _summary, examples.LAB_SUMMARY),
        ("predict", _predict, examples.LAB_PREDICT),
    ):
        app.command(name, epilog=examples.epilog(shown))(function)
    return app


def _run(
    data: Annotated[
        str, typer.Option(help="digits, mnist, fashion_mnist, or a folder: IDX files or images by class.")
    ] = "digits",
    model: ModelName = "digits",
    arms: Annotated[
        str | None,
        typer.Option(
            help="What stands where the network pools, separated by commas: none, max-2/2, avg-3/2-same, l2-2/2, "
            "strided, max+conv, global-avg, global-max, dense, own; left out: the full set."
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of every arm.")] = 5,
    epochs: Annotated[int, typer.Option(min=1, help="Rounds over the images.")] = 10,
    batch_size: Annotated[int, typer.Option(min=1, help="Images a step.")] = 32,
    learning_rate: Annotated[float, typer.Option(help="Of Adam.")] = 1e-3,
    input: Input = None,
    classes: Classes = None,
    out: Annotated[Path, typer.Option(help="Folder for results and report.")] = Path("cenote-lab"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on in the folder where a run was stopped.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Arms trained side by side; predictions are timed alone.")] = 1,
    json: Json = False,
) -> int:
    """Train every arm with every seed, measure, and write a report."""
    from . import lab_commands as commands

    return commands.run(
        data=data,
        model=model,
        arms=arms,
        seeds=seeds,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        shape=input,
        classes=classes,
        out=out,
        resume=resume,
        jobs=jobs,
        as_json=json,
    )


def _report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.", show_default=False)],
    json: Json = False,
) -> int:
    """Write the report of a run anew, and say what it found."""
    from . import lab_commands as commands

    return commands.report(folder, as_json=json)


def _summary(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="As for run --model.", show_default=False)],
    input: Annotated[str | None, typer.Option(help="Input, as 20x20x3; left out: the model's own.")] = None,
    classes: Annotated[int | None, typer.Option(min=1, help="Number of classes; left out: the model's own.")] = None,
    arm: Annotated[str | None, typer.Option(help="With another choice where it pools, as avg-2/2.")] = None,
    json: Json = False,
) -> int:
    """What every layer makes, sees and costs."""
    from . import lab_commands as commands

    return commands.summary(model, input, classes, arm, as_json=json)


def _predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A trained network, FILE.keras.", show_default=False)],
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", show_default=False)],
    invert: Annotated[bool, typer.Option("--invert", help="Dark on light becomes light on dark.")] = False,
    json: Json = False,
) -> int:
    """Class, probabilities and time of images."""
    from . import lab_commands as commands

    return commands.predict(model, images, invert=invert, as_json=json)
