"""A task that is learned in a second: bright squares above or below the middle, and a network for them."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np

BUILD = """\
import keras


def build(input_shape, classes):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def other(input_shape, classes):
    model = build(input_shape, classes)
    model.add(keras.layers.Activation("linear"))
    return model
"""
ARMS = "none,max-2/2,strided"
WITHOUT_TENSORFLOW = str(Path(__file__).resolve().parent / "without_tensorflow")


def images(count: int, seed: int, side: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """uint8 images and classes 0 and 1."""
    random = np.random.default_rng(seed)
    x = random.integers(0, 90, (count, side, side), dtype=np.uint8)
    y = random.integers(0, 2, count, dtype=np.uint8)
    for i in range(count):
        row, column = random.integers(0, side // 2 - 1) + (side // 2) * int(y[i]), random.integers(0, side - 2)
        x[i, row : row + 2, column : column + 2] = 255
    return x, y


def write_folder(folder: Path, count: int = 160) -> Path:
    """The same as IDX files under MNIST's names."""
    folder.mkdir(parents=True)
    for part, size, seed in (("train", count, 1), ("t10k", count // 4, 2)):
        x, y = images(size, seed)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 0x803, *x.shape) + x.tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 0x801, len(y)) + y.tobytes())
    return folder


def write_model(folder: Path) -> str:
    """FILE.py:build."""
    path = folder / "small.py"
    path.write_text(BUILD)
    return f"{path}:build"


def command(*words: str | Path) -> list[str]:
    """The command line in a process of its own."""
    return [sys.executable, "-m", "cenote", "lab", *map(str, words)]


def environment() -> dict[str, str]:
    """Keras on JAX, quietly and without TensorFlow; else what is installed or on the path here."""
    return {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join([WITHOUT_TENSORFLOW, *sys.path])}


def call(*words: str | Path, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(command(*words), env=environment(), capture_output=True, text=True, timeout=timeout)
