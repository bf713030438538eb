"""`cenote pool` on every kind of image: what is kept, what is resolved first, and what is refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from cli_process import Here, halved, noise, pixels, png, process, tiff

ORIENTATION = 0x0112


def halve(here: Here, source: str, target: str, *more: str) -> np.ndarray:
    here("pool", source, target, "--size", "2", *more).worked()
    return np.load(target) if target.endswith(".npy") else pixels(target)


# --- what goes in and out -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(9, 14), (9, 14, 2), (9, 14, 3), (9, 14, 4)], ids=["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("suffix", [".png", ".tiff", ".webp", ".npy"])
def test_channels_are_pooled_one_by_one(here: Here, shape: tuple[int, ...], suffix: str) -> None:
    x = noise(*shape)
    Image.fromarray(x).save("in.png")
    found = halve(here, "in.png", f"out{suffix}")
    expected = halved(x)
    if suffix == ".webp" and len(shape) < 3:  # WebP has no gray: the three channels are equal
        expected = np.stack([expected] * 3, axis=-1)
    elif suffix == ".webp" and shape[2] == 2:
        expected = np.concatenate([np.repeat(expected[:, :, :1], 3, axis=2), expected[:, :, 1:]], axis=2)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["in.jpg", "in.jpeg", "in.JPG", "in.webp", "in.tif", "in.PNG"])
def test_inputs_by_content(here: Here, name: str) -> None:
    Image.fromarray(noise(12, 10, 3)).save(name)
    np.testing.assert_array_equal(halve(here, name, "out.npy"), halved(pixels(name)))


def test_the_name_of_an_input_does_not_decide(here: Here) -> None:
    Image.fromarray(noise(12, 10, 3)).save("in.jpg", format="PNG")
    np.testing.assert_array_equal(halve(here, "in.jpg", "out.png"), halved(noise(12, 10, 3)))


def test_jpeg_out_is_close(here: Here) -> None:
    smooth = np.linspace(0, 255, 32 * 32 * 3).reshape(32, 32, 3).astype(np.uint8)
    Image.fromarray(smooth).save("in.png")
    found = halve(here, "in.png", "out.jpg")
    assert np.abs(found.astype(int) - halved(smooth)).max() <= 4


def test_average_of_an_image_stays_an_image(here: Here) -> None:
    x = noise(10, 10, 3)
    Image.fromarray(x).save("in.png")
    here("pool", "in.png", "out.png", "--size", "2", "--op", "avg").worked()
    blocks = x.reshape(5, 2, 5, 2, 3).astype(int).sum(axis=(1, 3))
    half_even = (blocks + 1 + (blocks // 4) % 2) // 4  # adds 1 below, 2 above: .5 goes to the even neighbour
    np.testing.assert_array_equal(pixels("out.png"), half_even)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tiff", ".webp"])
def test_exif_orientation_is_applied(here: Here, orientation: int, suffix: str) -> None:
    x = noise(6, 10, 3)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options: dict[str, Any] = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    Image.fromarray(x).save(f"in{suffix}", exif=exif, **options)
    turned = {
        1: x,
        2: x[:, ::-1],
        3: x[::-1, ::-1],
        4: x[::-1],
        5: x.transpose(1, 0, 2),
        6: x.transpose(1, 0, 2)[:, ::-1],
        7: x.transpose(1, 0, 2)[::-1, ::-1],
        8: x.transpose(1, 0, 2)[::-1],
    }[orientation]
    np.testing.assert_array_equal(halve(here, f"in{suffix}", "out.png"), halved(turned))
    with Image.open("out.png") as image:
        assert image.getexif().get(ORIENTATION) is None  # applied once, not again by a viewer


def test_exif_orientation_of_a_photograph(here: Here) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    Image.fromarray(noise(20, 30, 3)).save("in.jpg", exif=exif)
    with Image.open("in.jpg") as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    assert upright.shape == (30, 20, 3)
    np.testing.assert_array_equal(halve(here, "in.jpg", "out.png"), halved(upright))


def test_palette_becomes_rgb_first(here: Here) -> None:
    # Indices 0 and 1 are bright, 2 and 3 dark: the maximum of indices would be the darkest colour.
    indices = noise(8, 8) % 4
    colours = np.array([[250, 240, 230], [200, 10, 90], [20, 30, 40], [0, 5, 60]], np.uint8)
    image = Image.new("P", (8, 8))
    image.frombytes(indices.tobytes())
    image.putpalette(colours.ravel().tolist())
    image.save("in.png")
    with Image.open("in.png") as saved:
        assert saved.mode == "P"
    np.testing.assert_array_equal(halve(here, "in.png", "out.png"), halved(colours[indices]))


def test_palette_with_transparency_becomes_rgba(here: Here) -> None:
    indices = noise(8, 8) % 3
    colours = np.array([[250, 240, 230], [200, 10, 90], [20, 30, 40]], np.uint8)
    image = Image.new("P", (8, 8))
    image.frombytes(indices.tobytes())
    image.putpalette(colours.ravel().tolist())
    image.save("in.png", transparency=bytes([255, 0, 128]))
    expected = np.concatenate([colours[indices], np.array([255, 0, 128], np.uint8)[indices][..., None]], axis=2)
    np.testing.assert_array_equal(halve(here, "in.png", "out.png"), halved(expected))


def test_one_bit_becomes_gray_first(here: Here) -> None:
    bits = noise(9, 9) > 200
    Image.fromarray(bits).save("in.png")
    with Image.open("in.png") as saved:
        assert saved.mode == "1"
    found = halve(here, "in.png", "out.png")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, halved(bits) * np.uint8(255))


def test_transparent_colour_becomes_alpha(here: Here) -> None:
    x = noise(6, 6, 3)
    x[2:4, 2:4] = (1, 2, 3)
    Image.fromarray(x).save("in.png", transparency=(1, 2, 3))
    found = halve(here, "in.png", "out.png")
    assert found.shape == (3, 3, 4)
    assert found[1, 1, 3] == 0
    assert (np.delete(found[:, :, 3].ravel(), 4) == 255).all()


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32", "float32"])
def test_value_types_of_tiff_are_kept(here: Here, dtype: str) -> None:
    wide = np.random.default_rng(3).integers(-(2**15), 2**15, (8, 10)).astype(np.int32)
    x = wide.astype(dtype) if dtype != "float32" else wide.astype(np.float32) / 7
    tiff(Path("in.tiff"), x)
    found = halve(here, "in.tiff", "out.npy")
    assert found.dtype == x.dtype
    np.testing.assert_array_equal(found, halved(x))
    halve(here, "in.tiff", "out.tiff")
    again = halve(here, "out.tiff", "again.npy")  # read back, and pooled once more, in the same type
    assert again.dtype == x.dtype
    np.testing.assert_array_equal(again, halved(halved(x)))


def test_unsigned_32_bit_tiff_is_read_as_such(here: Here) -> None:
    x = np.array([[2**31 + 5, 1], [7, 2**32 - 1]], np.uint32)
    tiff(Path("in.tiff"), x)
    found = halve(here, "in.tiff", "out.npy")
    assert found.dtype == np.uint32
    assert found.tolist() == [[2**32 - 1]]


def test_sixteen_bit_png_is_kept(here: Here) -> None:
    x = (np.random.default_rng(3).integers(0, 2**16, (8, 10))).astype(np.uint16)
    png(Path("in.png"), x, colour=0)
    np.testing.assert_array_equal(halve(here, "in.png", "out.npy"), halved(x))
    np.testing.assert_array_equal(halve(here, "in.png", "out.png").astype(np.uint16), halved(x))
    np.testing.assert_array_equal(halve(here, "out.png", "again.npy"), halved(halved(x)))
    assert np.load("again.npy").dtype == np.uint16


def test_nan_of_a_float_tiff_wins(here: Here) -> None:
    x = np.ones((4, 4), np.float32)
    x[0, 1] = np.nan
    tiff(Path("in.tiff"), x)
    np.testing.assert_array_equal(halve(here, "in.tiff", "out.npy"), np.array([[np.nan, 1], [1, 1]], np.float32))


def test_cmyk_stays_cmyk(here: Here) -> None:
    x = noise(8, 8, 4)
    Image.frombytes("CMYK", (8, 8), x.tobytes()).save("in.tiff")
    np.testing.assert_array_equal(halve(here, "in.tiff", "out.tiff"), halved(x))
    with Image.open("out.tiff") as image:
        assert image.mode == "CMYK"
    here("pool", "in.tiff", "out.png", "--size", "2").failed(2, "a PNG cannot hold uint8 CMYK; write")


def test_colour_profile_is_kept(here: Here) -> None:
    profile = bytes(range(256)) * 2
    Image.fromarray(noise(8, 8, 3)).save("in.png", icc_profile=profile)
    for name in ("out.png", "out.jpg", "out.tiff", "out.webp"):
        halve(here, "in.png", name)
        with Image.open(name) as image:
            assert image.info["icc_profile"] == profile


def test_second_picture_of_a_phone_is_named_and_left(here: Here) -> None:
    first, second = (Image.fromarray(noise(16, 16, 3, seed=i)) for i in (1, 2))
    first.save("in.jpg", format="MPO", save_all=True, append_images=[second])
    ran = here("pool", "in.jpg", "out.png", "--size", "2")
    assert ran.code == 0
    assert "holds 2 pictures; the first" in ran.err
    with Image.open("in.jpg") as image:
        np.testing.assert_array_equal(pixels("out.png"), halved(np.asarray(image)))


# --- global, adaptive, indices --------------------------------------------------------------------------------------


def test_global_gives_a_picture_of_one_pixel(here: Here) -> None:
    x = noise(9, 11, 3)
    Image.fromarray(x).save("in.png")
    here("pool", "in.png", "out.png", "--global").worked()
    np.testing.assert_array_equal(pixels("out.png"), x.max(axis=(0, 1), keepdims=True))
    here("pool", "in.png", "out.npy", "--global", "--op", "avg", "--dtype", "float64").worked()
    whole = x.sum(axis=(0, 1), keepdims=True, dtype=np.int64)  # exact, so the one division decides every bit
    np.testing.assert_array_equal(np.load("out.npy"), whole / (9 * 11))


def test_adaptive(here: Here) -> None:
    x = noise(9, 12)
    Image.fromarray(x).save("in.png")
    here("pool", "in.png", "out.png", "--adaptive", "3x4").worked()
    np.testing.assert_array_equal(pixels("out.png"), x.reshape(3, 3, 4, 3).max(axis=(1, 3)))


def test_indices_lead_back_to_the_values(here: Here) -> None:
    x = noise(10, 14, 3)
    Image.fromarray(x).save("in.png")
    here("pool", "in.png", "out.npy", "--size", "3", "--stride", "2", "--padding", "1", "--indices", "i.npy").worked()
    values, indices = np.load("out.npy"), np.load("i.npy")
    assert indices.dtype == np.int64
    flat = x.reshape(-1, 3)
    np.testing.assert_array_equal(
        np.take_along_axis(flat, indices.reshape(-1, 3), axis=0).reshape(values.shape), values
    )


def test_options_and_notation_agree(here: Here) -> None:
    Image.fromarray(noise(15, 21, 3)).save("in.png")
    here("pool", "in.png", "a.npy", "--window", "3x2/2x1+1x0:1@2x1^").worked()
    options = ["--size", "3x2", "--stride", "2x1", "--padding", "1x0:1", "--dilation", "2x1", "--ceil"]
    here("pool", "in.png", "b.npy", *options).worked()
    np.testing.assert_array_equal(np.load("a.npy"), np.load("b.npy"))


def test_lp_and_its_parameters(here: Here) -> None:
    x = noise(8, 8)
    Image.fromarray(x).save("in.png")
    here("pool", "in.png", "out.tiff", "--size", "2", "--op", "lp", "--p", "inf").worked()
    found = pixels("out.tiff")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, halved(x).astype(np.float32))
    said = here("pool", "in.png", "o.npy", "--size", "2", "--op", "lp", "--p", "inf", "--json").worked().out
    assert json.loads(said, parse_constant=pytest.fail)["parameters"] == {"p": "inf"}


def test_report_as_a_process(tmp_path: Path) -> None:
    Image.fromarray(noise(40, 60, 3)).save(tmp_path / "in.png")
    out = process("pool", "in.png", "out.png", "--window", "3x3/2+1", cwd=tmp_path).worked().out
    assert "max_pool 3x3/2x2+1x1\n" in out
    assert "H: floor((40 + 1 + 1 - 3)/2) + 1 = 20\n" in out
    assert "W: floor((60 + 1 + 1 - 3)/2) + 1 = 30\n" in out
    for text in ("40 x 60 x 3", "20 x 30 x 3", "uint8", "s", "pixels/s"):
        assert text in out
    found = json.loads(
        process("pool", "in.png", "o.npy", "--size", "2", "--op", "lp", "--json", cwd=tmp_path).worked().out
    )
    (one,) = found["files"]
    assert one["input_shape"] == [40, 60, 3]
    assert one["output_shape"] == [20, 30, 3]
    assert (one["input_dtype"], one["dtype"], one["window"]) == ("uint8", "float32", "2x2")
    assert one["pixels"] == 2400
    assert one["seconds"] > 0
    assert one["pixels_per_second"] > 0
    assert one["arithmetic"]["H"] == "floor((40 + 0 + 0 - 2)/2) + 1 = 20"
