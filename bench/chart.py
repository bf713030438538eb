"""The charts of the report. Imports matplotlib, so only the report imports this, and may do without."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from .bars import short_name
from .contestant import load
from .results import Row, Run

load("matplotlib").use("Agg")  # before pyplot, which would look for a screen
plt = load("matplotlib.pyplot")
FuncFormatter = load("matplotlib.ticker").FuncFormatter

# column, label, colour, marker: distinct in shape as well as in colour
_SHOWN: Final = (
    ("torch", "PyTorch, same layout", "#d1495b", "o"),
    ("jax", "JAX, same layout", "#8e6bbf", "s"),
    ("fastest", "fastest peer, any layout", "#00798c", "D"),
    ("stream", "stream limit", "#4d4d4d", "|"),
)
_SIZE_LINES: Final = (
    ("cenote", "cenote", "#1b1b1b", "-"),
    ("stream", "stream limit", "#8a8a8a", "--"),
    ("fastest", "fastest peer", "#00798c", "-"),
    ("torch", "PyTorch", "#d1495b", "-"),
)
_HEADLINES: Final = ("2-D windows", "Pyramids", "Adaptive and global", "3-D", "1-D", "Stride-1 windows")
_TYPES: Final = ("bfloat16", "uint8")


def headline(row: Row) -> bool:
    """Whether a row is in the chart: the better known layers, one layout, and two of the small types."""
    w = row.workload
    if row.ours is None or w.overhead or w.offset or w.threads or w.scaling or w.op in ("min", "lp"):
        return False
    if w.channels_last and not (w.geometry.size == (2, 2) and w.op == "max" and w.dtype == "float32"):
        return False
    if w.group == "Types":
        return w.dtype in _TYPES and w.geometry.size == (2, 2) and not w.channels_last
    if w.group == "Stride-1 windows":
        return w.op == "max" and w.dtype == "float32" and w.geometry.size[0] in (3, 31, 101)
    if w.group == "Forward and backward":
        return w.dtype == "float32" and not w.channels_last
    return w.group in _HEADLINES


def _value(row: Row, name: str) -> float | None:
    column = row.stream_name if name == "stream" else row.fastest_peer if name == "fastest" else name
    return row.ratio(column)


def _plain(value: float, _: object) -> str:
    return f"{value:g}"


def _size(value: float, _: object) -> str:
    return f"{value / 2**20:g} MB" if value >= 2**20 else f"{value / 2**10:g} KB"


def draw(run: Run, path: Path) -> bool:
    """How many times as long as cenote the others take; False if there is nothing to show."""
    rows = [row for row in run.rows if headline(row)]
    if not rows:
        return False
    figure, axes = plt.subplots(figsize=(10, 1.6 + 0.3 * len(rows)), layout="constrained")
    for place, row in enumerate(rows):
        values = [v for v in (_value(row, name) for name, *_ in _SHOWN) if v is not None]
        axes.plot([min([1, *values]), max([1, *values])], [place, place], color="#e3e3e3", linewidth=3, zorder=1)
    for name, label, colour, marker in _SHOWN:
        points = [(v, i) for i, row in enumerate(rows) if (v := _value(row, name)) is not None]
        if points:
            xs, ys = zip(*points, strict=True)
            line = marker == "|"
            axes.scatter(
                xs,
                ys,
                s=130 if line else 42,
                marker=marker,
                color=colour,
                label=label,
                zorder=3 if line else 2,
                linewidths=2.5 if line else 0,
            )
    _finish(axes, rows)
    figure.legend(loc="outside upper center", ncols=len(_SHOWN), frameon=False)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
    return True


def _finish(axes: Any, rows: list[Row]) -> None:
    axes.axvline(1, color="#1b1b1b", linewidth=1.4, zorder=1)
    axes.text(1, -0.9, "cenote", ha="center", va="bottom", fontsize=10, fontweight="bold", color="#1b1b1b")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    axes.set_xlabel("time as a multiple of cenote's (log scale): right of the line is slower than cenote")
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows], fontsize=8.5)
    axes.set_ylim(len(rows) - 0.4, -1)
    axes.grid(axis="x", color="#eeeeee", zorder=0)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _label(row: Row) -> str:
    return short_name(row).replace(" float32", "").replace(", forward and backward", "  (fwd + bwd)")


def draw_sizes(run: Run, path: Path) -> bool:
    """Bytes read and written per second over the size of the input, one panel per window."""
    rows = [row for row in run.rows if row.workload.scaling and row.ours]
    windows = list(dict.fromkeys(str(row.workload.geometry) for row in rows))
    if not windows:
        return False
    figure, panels = plt.subplots(
        1, len(windows), figsize=(max(8, 4 * len(windows)), 3.8), layout="constrained", sharey=True, squeeze=False
    )
    for axes, window in zip(panels[0], windows, strict=True):
        here = [row for row in rows if str(row.workload.geometry) == window]
        for name, label, colour, style in _SIZE_LINES:
            points = [(row.workload.x_bytes, speed) for row in here if (speed := _speed(row, name))]
            axes.plot(*zip(*points, strict=True), style, color=colour, label=label, marker=".") if points else None
        axes.set_xscale("log", base=2)
        axes.set_xticks([1 << 14, 1 << 18, 1 << 22, 1 << 26])
        axes.set_yscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(_size))
        axes.yaxis.set_major_formatter(FuncFormatter(_plain))
        axes.set_title(f"max {window}, float32", fontsize=10)
        axes.set_xlabel("bytes of input")
        axes.grid(color="#eeeeee")
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    panels[0][0].set_ylabel("GB/s read and written")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
    return True


def _speed(row: Row, name: str) -> float | None:
    column = row.stream_name if name == "stream" else row.fastest_peer if name == "fastest" else name
    ms = row.median(column or "")
    return row.workload.moved_bytes / ms / 1e6 if ms else None
