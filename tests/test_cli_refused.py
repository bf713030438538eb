"""What `cenote pool` refuses: outputs that cannot hold a result, and images that it cannot trust."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli_process import Here, noise, png, tiff

# --- what an output cannot hold -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "more", "said"),
    [
        ("o.png", "--op sum", "a PNG cannot hold uint64 RGB; write .npy"),
        ("o.png", "--op lp", "a PNG cannot hold float32 RGB; write .npy"),
        ("o.tiff", "--op lp", "a TIFF cannot hold float32 RGB; write .npy"),
        ("o.webp", "--op avg --dtype float32", "a WebP cannot hold float32 RGB; write .npy"),
        ("o.jpg", "--op avg --dtype float64", "a JPEG cannot hold float64 RGB; write .npy"),
        ("o.gif", "", "ends in '.gif'; write .png"),
        ("o", "", "has no ending; write .png"),
        ("o.npy.", "", "write .png"),
    ],
)
def test_results_an_output_cannot_hold(here: Here, out: str, more: str, said: str) -> None:
    Image.fromarray(noise(8, 8, 3)).save("in.png")
    here("pool", "in.png", out, "--size", "2", *more.split()).failed(2, out, said)
    assert here.names() == {"in.png"}


def test_alpha_and_depth_that_an_output_cannot_hold(here: Here) -> None:
    Image.fromarray(noise(8, 8, 4)).save("alpha.png")
    here("pool", "alpha.png", "o.jpg", "--size", "2").failed(
        2, "a JPEG cannot hold uint8 RGB with alpha; write .png or"
    )
    png(Path("deep.png"), noise(8, 8).astype(np.uint16) * 257, colour=0)
    here("pool", "deep.png", "o.webp", "--size", "2").failed(
        2, "a WebP cannot hold uint16 gray; write .png or .tiff or .npy"
    )
    np.save("chw.npy", noise(3, 8, 8))
    here("pool", "chw.npy", "o.png", "--size", "2").failed(2, "an image has its channels last", "write --axes HWC")
    np.save("five.npy", noise(8, 8, 5))
    here("pool", "five.npy", "o.png", "--size", "2", "--axes", "HWC").failed(
        2, "holds H x W or H x W x 2 to 4, the result is 4 x 4 x 5"
    )
    np.save("wide.npy", np.zeros((2, 40000), np.uint8))
    here("pool", "wide.npy", "o.webp", "--size", "2").failed(
        2, "at most 16,383 pixels a side", "write .png or .jpeg or .tiff or .npy"
    )
    assert {name for name in here.names() if name.startswith("o.")} == set()


# --- files that are refused -----------------------------------------------------------------------------------------


def test_several_pages_or_frames_are_refused(here: Here) -> None:
    first, second = (Image.fromarray(noise(8, 8, 3, seed=i)) for i in (1, 2))
    first.save("pages.tiff", save_all=True, append_images=[second])
    first.save("moving.png", save_all=True, append_images=[second])
    first.save("moving.webp", save_all=True, append_images=[second], duration=100)
    for name, what in (("pages.tiff", "2 pages"), ("moving.png", "2 frames"), ("moving.webp", "2 frames")):
        here("pool", name, "out.png", "--size", "2").failed(1, f"{name}: has {what}", "save each as its own file")


@pytest.mark.parametrize("colour", [2, 4, 6])
def test_deep_png_of_several_channels_is_refused(here: Here, colour: int) -> None:
    x = noise(4, 4 * {2: 3, 4: 2, 6: 4}[colour]).astype(np.uint16)
    png(Path("in.png"), x, colour=colour, size=(4, 4))
    here("pool", "in.png", "out.npy", "--size", "2").failed(1, "16 bits in each of several channels would be cut to 8")


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_deep_tiff_of_several_channels_is_refused(here: Here, dtype: str) -> None:
    tiff(Path("in.tiff"), noise(4, 4, 3).astype(dtype))
    here("pool", "in.tiff", "out.npy", "--size", "2").failed(1, "in.tiff", "or use .npy")


def test_double_precision_tiff_is_refused(here: Here) -> None:
    tiff(Path("in.tiff"), noise(4, 4).astype(np.float64))
    here("pool", "in.tiff", "out.npy", "--size", "2").failed(1, "is a TIFF of a kind that cannot be read here")


@pytest.mark.parametrize("side", [10_000, 50_000])
def test_decompression_bombs_are_refused(here: Here, side: int) -> None:
    # Pillow only warns of the smaller and raises for the larger: here both are refused.
    png(Path("bomb.png"), np.zeros((1, 1), np.uint8), colour=0, size=(side, side))
    here("pool", "bomb.png", "out.png", "--size", "2").failed(
        1, "more than 89,478,485 pixels, which may be a decompression bomb", "raise --max-pixels"
    )


def test_max_pixels_can_be_raised_and_lowered(here: Here) -> None:
    Image.fromarray(noise(20, 20)).save("in.png")
    here("pool", "in.png", "out.png", "--size", "2", "--max-pixels", "399").failed(1, "more than 399 pixels")
    here("pool", "in.png", "out.png", "--size", "2", "--max-pixels", "400").worked()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".webp"])
def test_truncated_images(here: Here, suffix: str) -> None:
    Image.fromarray(noise(64, 64, 3)).save(f"in{suffix}")
    whole = Path(f"in{suffix}").read_bytes()
    for share in (0.5, 0.9):
        Path(f"in{suffix}").write_bytes(whole[: int(len(whole) * share)])
        here("pool", f"in{suffix}", "out.png", "--size", "2").failed(1, f"in{suffix}: ")
    Path(f"in{suffix}").write_bytes(b"")
    here("pool", f"in{suffix}", "out.png", "--size", "2").failed(1, "is empty")
    assert here.names() == {f"in{suffix}"}


def test_unreadable_files(here: Here) -> None:
    Path("text.png").write_text("no image at all")
    here("pool", "text.png", "out.png", "--size", "2").failed(1, "text.png: is no readable PNG, JPEG, TIFF or WebP")
    Image.fromarray(noise(8, 8)).save("in.gif")
    here("pool", "in.gif", "out.png", "--size", "2").failed(1, "in.gif: is no readable PNG, JPEG, TIFF or WebP")
    here("pool", "none.png", "out.png", "--size", "2").failed(1, "none.png: no such file or folder")
    damaged = bytearray(b"\x89PNG\r\n\x1a\n" + b"\xff" * 100)
    Path("damaged.png").write_bytes(damaged)
    here("pool", "damaged.png", "out.png", "--size", "2").failed(1, "damaged.png: ")
    assert "out.png" not in here.names()


def test_windows_that_do_not_fit(here: Here) -> None:
    Image.fromarray(noise(8, 9, 3)).save("in.png")
    here("pool", "in.png", "out.png", "--size", "9").failed(2, "in.png: the output length of axis 0 would be 0")
    here("pool", "in.png", "out.png", "--size", "2x2x2").failed(2, "in.png: size has 3 entries")
    here("pool", "in.png", "out.png", "--size", "2", "--axes", "CHW").failed(2, "the axes of an image are HWC")
    beyond = ["--size", "2", "--padding", "4611686018427387000"]
    here("pool", "in.png", "out.png", *beyond).failed(2, "at most 2,147,483,647 pixels a side", "write .npy")
    here("pool", "in.png", "out.npy", *beyond).failed(1, "in.png")
    assert here.names() == {"in.png"}
