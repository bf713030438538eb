"""`cenote demo`: reads the image, saves the picture and prints; what is computed and drawn is the demo's own room."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cenote.demo import DIGITS_NOTE, Story, digits, draw, explorer_page, tell
from cenote.errors import reason

from . import images, tables
from .errors import Failure
from .files import Outputs

_NAME = "pooling.png"
_PAGE = "explorer.html"
#: Brightness as the eye weighs the primaries (ITU-R BT.601).
_WEIGHTS = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def run(image: Path | None, out: Path, *, as_json: bool) -> int:
    """Pool, check, draw and print; the exit code."""
    colours: NDArray[np.uint8] | None = None
    if image is None:
        source = DIGITS_NOTE
        stories = [tell(label, pixels) for label, pixels in _digits()]
    else:
        source = str(image)
        brightness, colours = _photograph(image)
        stories = [tell(image.stem, brightness)]
    path, page = _save(out, stories, colours)
    if as_json:
        tables.show_json({**_as_dict(source, stories, path), "page": str(page)})
    else:
        _show(source, stories, path, page)
    if not all(story.is_checked for story in stories):
        raise Failure("native and reference disagree; this build is broken, please report it with `cenote info`")
    return 0


def _digits() -> list[tuple[str, NDArray[np.float32]]]:
    try:
        return digits()
    except ImportError:
        raise Failure(
            "the handwritten digits come with scikit-learn, which is not installed; "
            "run: pip install 'cenote[demo]', or give --image FILE"
        ) from None


def _photograph(path: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
    """Brightness from 0 to 1, and the colours as they are shown."""
    picture = images.read(path, images.MAX_PIXELS)
    mode, array = picture.header.mode, picture.array
    if mode in ("RGB", "RGBA"):
        colours = np.ascontiguousarray(array[:, :, :3])
        return (colours @ _WEIGHTS / 255).astype(np.float32), colours
    if mode == "CMYK":
        raise Failure(f"{path}: the demo shows gray and RGB images; save it as RGB")
    gray = (array[:, :, 0] if mode == "LA" else array).astype(np.float32)
    if not np.isfinite(gray).all():
        raise Failure(f"{path}: holds NaN or infinity, which cannot be drawn; use another image")
    low, high = (0.0, 255.0) if array.dtype == np.uint8 else (float(gray.min()), float(gray.max()))
    return ((gray - low) / ((high - low) or 1)).astype(np.float32), None


def _save(out: Path, stories: Sequence[Story], colours: NDArray[np.uint8] | None) -> tuple[Path, Path]:
    """Picture and page have one name each and are made anew by every run: they are the demo's own, in its folder."""
    path, page = out / _NAME, out / _PAGE
    try:
        out.mkdir(parents=True, exist_ok=True)
        with Outputs(force=True) as outputs:
            with outputs.open(path) as file:
                draw(stories, colours).save(file, format="PNG", optimize=True)
            with outputs.open(page) as file:
                file.write(explorer_page(stories).rendered(".html"))
            outputs.publish()
    except OSError as error:
        raise Failure(f"{path}: {reason(error)}; choose another folder with --out") from None
    return path, page


def _show(source: str, stories: Sequence[Story], path: Path, page: Path) -> None:
    out = tables.console()
    out.print(f"Source: {source}\n", markup=False)
    # The digits share their shapes: the arithmetic is told once.
    steps = [
        (stage.name, tables.by(stage.values.shape) or "1 value", "; ".join(stage.arithmetic))
        for stage in stories[0].stages
    ]
    out.print(tables.table(("step", "shape", "arithmetic"), steps), "")
    rows = [
        (
            story.label,
            " -> ".join(tables.by(stage.values.shape) for stage in story.stages[:3]),
            _number(story.global_largest),
            _number(story.global_mean),
            _verdict(story),
        )
        for story in stories
    ]
    columns = ("image", "shape", "global max", "global avg", "checked")
    out.print(tables.table(columns, rows, right=("global max", "global avg")), "")
    checks = [check for story in stories for check in story.checks]
    largest = max(check.largest_difference for check in checks)
    values = sum(check.values for check in checks)
    if all(check.passed for check in checks):
        out.print(
            f"Checked {values:,} values, native against the slow reference: maxima and their positions are identical, "
            f"averages differ by at most {largest:.1e} (rounding).",
            markup=False,
        )
    out.print(f"Picture: {path}", markup=False)
    out.print(f"Page: {page}, to be opened in a browser: every window, its winner and its gradient", markup=False)
    sys.stdout.flush()


def _number(value: float) -> str:
    return f"{value:.4f}".replace("-0.0000", "0.0000")


def _verdict(story: Story) -> str:
    return "yes" if story.is_checked else "NO: " + ", ".join(c.function for c in story.checks if not c.passed)


def _as_dict(source: str, stories: Sequence[Story], path: Path) -> dict[str, Any]:
    return {
        "source": source,
        "picture": str(path),
        "images": [
            {
                "label": story.label,
                "stages": [
                    {
                        "name": stage.name,
                        "shape": list(stage.values.shape),
                        "arithmetic": list(stage.arithmetic),
                    }
                    for stage in story.stages
                ],
                "global_max": story.global_largest,
                "global_avg": story.global_mean,
                "checks": [
                    {
                        "function": check.function,
                        "values": check.values,
                        "largest_difference": check.largest_difference,
                        "allowed": float(check.allowed),
                        "indices_equal": check.indices_equal,
                        "passed": bool(check.passed),
                    }
                    for check in story.checks
                ],
            }
            for story in stories
        ],
    }
