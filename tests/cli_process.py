"""Running the command line: as a process, or in this one where a matrix of cases would start too many."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest


@dataclass(frozen=True)
class Ran:
    """What a run left behind."""

    code: int
    out: str
    err: str

    def failed(self, code: int, *said: str) -> None:
        """One line on standard error, with these words in it and no traceback."""
        assert self.code == code, self
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("cenote"), self.err
        for word in said:
            assert word in lines[0], (word, lines[0])

    def worked(self) -> Ran:
        """Exit code 0 and nothing on standard error."""
        assert (self.code, self.err) == (0, ""), self
        return self


def environment() -> dict[str, str]:
    """Ours, with nothing that changes how text is laid out."""
    kept = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR", "COLUMNS")}
    # The processes run in folders of their own, where a relative path would lead nowhere.
    paths = [os.path.abspath(path) for path in kept.pop("PYTHONPATH", "").split(os.pathsep) if path]
    # Deprecations are between the libraries below; whatever else somebody warns of would end up before the user.
    warnings = "error,ignore::DeprecationWarning"
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "PYTHONWARNINGS": warnings, "COLUMNS": "80"}


def process(*args: str | Path, cwd: Path, extra: Mapping[str, str] | None = None) -> Ran:
    """`cenote ARGS` as a process of its own."""
    command = [sys.executable, "-m", "cenote", *map(str, args)]
    done = subprocess.run(
        command, cwd=cwd, env={**environment(), **(extra or {})}, capture_output=True, text=True, timeout=120
    )
    return Ran(done.returncode, done.stdout, done.stderr)


class Here:
    """Runs `cenote ARGS` in this process, in a folder of its own."""

    def __init__(self, folder: Path, captured: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._captured = captured

    def __call__(self, *args: str | Path) -> Ran:
        from cenote.cli import main

        self._captured.readouterr()
        code = main([str(arg) for arg in args])
        said = self._captured.readouterr()
        return Ran(code, said.out, said.err)

    def names(self, folder: str = ".") -> set[str]:
        """What is in a folder now, hidden files too."""
        return {path.name for path in (self.folder / folder).iterdir()}


def png(path: Path, array: np.ndarray, *, colour: int, size: tuple[int, int] | None = None) -> None:
    """A PNG written by hand, for kinds that Pillow cannot write; ``size`` may lie about width and height."""
    depth = array.dtype.itemsize * 8
    width, height = size or (array.shape[1], array.shape[0])
    rows = b"".join(b"\0" + row.tobytes() for row in array.astype(array.dtype.newbyteorder(">")))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def tiff(path: Path, array: np.ndarray) -> None:
    """An uncompressed TIFF written by hand: any dtype, any number of channels."""
    height, width, channels = (*array.shape, 1)[:3]
    kind = {"u": 1, "i": 2, "f": 3}[array.dtype.kind]
    data = np.ascontiguousarray(array).tobytes()
    bits = struct.pack(f"<{channels}H", *[array.dtype.itemsize * 8] * channels)
    kinds = struct.pack(f"<{channels}H", *[kind] * channels)
    entries = 10
    after = 8 + 2 + 12 * entries + 4
    shorts = {258: bits, 339: kinds}
    places = {258: after, 339: after + len(bits)}
    start = after + len(bits) + len(kinds)
    directory = b""
    for tag, form, count, value in (
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, None),
        (259, 3, 1, 1),
        (262, 3, 1, 2 if channels >= 3 else 1),
        (273, 4, 1, start),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, len(data)),
        (339, 3, channels, None),
    ):
        if value is not None:
            held = struct.pack("<I", value)
        elif len(shorts[tag]) <= 4:
            held = shorts[tag].ljust(4, b"\0")
        else:
            held = struct.pack("<I", places[tag])
        directory += struct.pack("<HHI", tag, form, count) + held
    path.write_bytes(
        b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", entries) + directory + b"\0" * 4 + bits + kinds + data
    )


def noise(*shape: int, seed: int = 7) -> np.ndarray:
    """Values that can hurt: nothing rises from first to last, extremes and ties included."""
    found = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    found.reshape(-1)[::7] = 255
    found.reshape(-1)[3::11] = 0
    return found


def halved(array: np.ndarray) -> np.ndarray:
    """The 2 x 2 maximum of the first two axes, by slicing."""
    height, width = array.shape[0] // 2 * 2, array.shape[1] // 2 * 2
    corners = [array[i:height:2, j:width:2] for i in (0, 1) for j in (0, 1)]
    return np.maximum.reduce(corners)


def pixels(name: str) -> np.ndarray:
    """The values of an image file."""
    from PIL import Image

    with Image.open(name) as image:
        return np.asarray(image)
