"""MNIST's test set for the tests that use it; where it is not, they skip and say so. The project never contains it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("CENOTE_MNIST", Path(__file__).resolve().parent.parent / "../shared/data/mnist"))
IMAGES, LABELS = FOLDER / "t10k-images-idx3-ubyte.gz", FOLDER / "t10k-labels-idx1-ubyte.gz"
needed = pytest.mark.skipif(
    not IMAGES.exists(), reason=f"MNIST is not in {os.path.relpath(FOLDER)}: set CENOTE_MNIST to a folder that has it"
)
