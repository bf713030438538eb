"""Make the pictures and the figures of docs/explorer.md: python scripts/explorer_page.py

    python scripts/explorer_page.py             all pictures, in Chromium, and the figures
    python scripts/explorer_page.py stage dark  these pictures
    python scripts/explorer_page.py --figures   the figures alone, without a browser

Pictures need Playwright, Chromium and Pillow, and the one of a model PyTorch and scikit-learn, on whose digits it is
trained. They go to docs/images/explorer, in few colours, so that all of them together are small.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

import cenote
from cenote.explorer import html
from cenote.explorer.presets import by_hand, seven

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE, IMAGES = ROOT / "docs" / "explorer.md", ROOT / "docs" / "images" / "explorer"
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->"
MOST_BYTES: Final = 120_000
COLOURS: Final = 96
CELLS: Final = np.array(
    [[3.0, 12, 8, 1, 7], [5, 8, 20, 20, 2], [9, -4, 0, 6, 6], [1, 1, 13, 2, 11], [7, 2, 2, 4, 10], [0, 14, 3, 3, 6]]
)

# --- figures --------------------------------------------------------------------------------------------------------


def figures() -> str:
    """The table of sizes and counts."""
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        import explorer_vectors
        import test_explorer_engine
    finally:
        sys.path.pop(0)
    static = ROOT / "src" / "cenote" / "explorer" / "static"
    written = [path for path in static.rglob("*") if path.suffix in (".js", ".css")]
    vectors = explorer_vectors.cases()
    others = sum(len(drawn) for name, drawn in vectors.items() if name != "pools")
    rows = [
        ("JavaScript and CSS as written", f"{kilobytes(sum(path.stat().st_size for path in written))}"),
        (
            "the same in a page, without comments and idle space",
            kilobytes(len((html.script() + html.style()).encode())),
        ),
        ("a whole page, the tutorials' 4x4", kilobytes(len(cenote.explore(by_hand(), 2).html().encode()))),
        ("a page of a 28x28 image", kilobytes(len(cenote.explore(seven(), 2).html().encode()))),
        ("arrays that the page's engine pools as the Python reference does", f"{explorer_vectors.count():,}"),
        ("further vectors: rules, states, windows and chains as text", f"{others:,}"),
        ("wrong engines that these vectors must catch", str(len(test_explorer_engine.MUTANTS))),
    ]
    return "\n".join(["| what | figure |", "| --- | ---: |", *(f"| {what} | {figure} |" for what, figure in rows)])


def kilobytes(count: int) -> str:
    """Whole ones: a letter more in a comment is no news."""
    return f"{count / 1000:.0f} KB"


def page(text: str) -> str:
    """The document with its figures between their marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + figures() + "\n" + END + after


# --- pictures -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: a page, what is done to it, and the part of it that is kept (None: what the window shows)."""

    made: Callable[[], Any]
    done: Callable[[Any], None]
    part: str | None
    width: int = 1180
    height: int = 800
    dark: bool = False
    phone: bool = False


def at(page: Any, grid: str, row: int, column: int) -> None:
    """The mouse over a cell."""
    page.locator(f"#{grid}-grid [aria-label^='row {row}, column {column}:']").hover()


def preset(page: Any, title: str) -> None:
    """Another array to begin with."""
    page.select_option("#preset", label=title)
    page.wait_for_timeout(200)


def nothing(page: Any) -> None:
    """The page as it begins."""


def _same() -> Any:
    return cenote.explore(CELLS, 3, stride=2, padding="same", title="6x5")


def _overlapping() -> Any:
    return cenote.explore(CELLS, 3, stride=1, title="6x5")


def _averages() -> Any:
    return cenote.explore(CELLS, 3, op="avg", stride=2, padding=1, ceil_mode=True, title="6x5")


def _seven() -> Any:
    return cenote.explore(seven(), 2, title="a drawn seven")


def _network() -> Any:
    """A small network, trained for a few seconds on scikit-learn's digits, and one of them that it did not see."""
    import torch
    from sklearn.datasets import load_digits
    from torch import nn

    torch.manual_seed(0)
    digits = load_digits()
    small = torch.as_tensor(digits.images[:, None] / 16, dtype=torch.float32)
    x = nn.functional.interpolate(small, 28, mode="bicubic").clamp(0, 1)
    y = torch.as_tensor(digits.target)
    model = nn.Sequential(
        *(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(16 * 5 * 5, 10)),
    )
    optimiser = torch.optim.Adam(model.parameters(), 0.003)
    for step in range(150):
        batch = torch.arange(step * 64, step * 64 + 64) % 1500
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
        optimiser.step()
    right = (model(x[1500:]).argmax(1) == y[1500:]).float().mean()
    print(f"the network of the picture reads {100 * right:.0f} % of the digits that it has not seen")
    unseen = 1500 + int((y[1500:] == 7).nonzero()[0])
    return cenote.explore(model.eval(), x[unseen : unseen + 1], title="a small network")


def _stage(page: Any) -> None:
    at(page, "output", 0, 1)


def _backward(page: Any) -> None:
    page.check("#backward")
    at(page, "output", 1, 1)


def _narrow(page: Any) -> None:
    at(page, "output", 0, 1)
    page.evaluate("document.getElementById('stage').scrollIntoView()")


def _shift(page: Any) -> None:
    page.locator("#shift-right").fill("1")
    page.evaluate("document.activeElement.blur()")


def _stack(page: Any) -> None:
    page.fill("#stack-layers", "conv3:32 pool2 conv3:64 avg*")
    page.evaluate("document.activeElement.blur()")


def _code(page: Any) -> None:
    page.click("#snippet-torch")


PICTURES: Final = {
    "stage": Picture(_same, _stage, "#stage"),
    "page": Picture(_seven, lambda page: preset(page, "a 28x28 seven, convolved to 26x26, pooled to 13x13"), None),
    "backward": Picture(_overlapping, _backward, "#stage"),
    "frameworks": Picture(_averages, nothing, "#frameworks-card"),
    "code": Picture(_averages, _code, "#snippets-card", width=1360),
    "shape": Picture(_averages, nothing, "#shape-card"),
    "stack": Picture(_seven, _stack, "#stack-card"),
    "shift": Picture(lambda: cenote.explore(seven(14), 2, title="a drawn seven"), _shift, "#shift-card"),
    "model": Picture(_network, nothing, "#model-card"),
    "phone": Picture(_same, _narrow, None, width=390, height=760, phone=True),
    "dark": Picture(_same, _stage, None, height=820, dark=True),
}


def draw(names: list[str]) -> None:
    """These pictures, each in a browser's page of its own."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        raise SystemExit("no chromium: the pictures cannot be made")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name in names:
            content = _taken(browser, PICTURES[name], Path(folder) / f"{name}.html")
            (IMAGES / f"{name}.png").write_bytes(content)
            print(f"{name}.png: {len(content):,} bytes")
            if len(content) > MOST_BYTES:
                raise SystemExit(f"{name}.png has more than {MOST_BYTES:,} bytes: show less of it")
        browser.close()


def _taken(browser: Any, picture: Picture, file: Path) -> bytes:
    file.write_text(picture.made().html(), encoding="utf-8")
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        device_scale_factor=2 if picture.phone else 1.5,
        color_scheme="dark" if picture.dark else "light",
        has_touch=picture.phone,
        reduced_motion="reduce",
    )
    shown = context.new_page()
    shown.goto(file.as_uri())
    shown.wait_for_timeout(400)  # panels are filled in when the stage is drawn
    picture.done(shown)
    shown.wait_for_timeout(400)
    whole = shown if picture.part is None else shown.locator(picture.part)
    content = whole.screenshot(animations="disabled")
    context.close()
    return small(content)


def small(content: bytes) -> bytes:
    """A screenshot in few colours."""
    from PIL import Image

    image = Image.open(io.BytesIO(content)).convert("RGB")
    few = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    out = io.BytesIO()
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> None:
    """Pictures, figures, or both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="PICTURE", help=f"some of {', '.join(PICTURES)}")
    parser.add_argument("--figures", action="store_true", help="no pictures")
    chosen = parser.parse_args()
    if unknown := set(chosen.names).difference(PICTURES):
        parser.error(f"there is no picture {', '.join(sorted(unknown))}")
    if not chosen.figures:
        draw(chosen.names or list(PICTURES))
    if PAGE.exists() and not chosen.names:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
