"""The libraries that cenote is compared with: one file each, a name, and what it can be asked."""

from __future__ import annotations

from ..contestant import Peer
from .jax_ import Jax
from .numpy_ import NumPy
from .onnxruntime_ import OnnxRuntime
from .opencv_ import OpenCV
from .openvino_ import OpenVINO
from .scipy_ import SciPy
from .skimage_ import ScikitImage
from .tensorflow_ import TensorFlow
from .tinybrain_ import TinyBrain
from .torch_ import Torch


def peers() -> tuple[Peer, ...]:
    """All of them, in the order of the tables."""
    return (
        Torch(),
        Jax(),
        TensorFlow(),
        OnnxRuntime(),
        OpenVINO(),
        OpenCV(),
        NumPy(),
        SciPy(),
        ScikitImage(),
        TinyBrain(),
    )
