"""What the tests of cenote.keras need of the backend that runs them: arrays in and out, and gradients."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np

BACKEND = keras.config.backend()


def array(y: Any) -> np.ndarray:
    """A tensor as an array, bfloat16 included."""
    if BACKEND == "torch":
        import torch

        if y.dtype is torch.bfloat16:
            import ml_dtypes

            return y.detach().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return np.asarray(keras.ops.convert_to_numpy(y))


def tensor(x: np.ndarray) -> Any:
    """An array as a tensor, bit for bit."""
    if BACKEND == "torch" and x.dtype.name == "bfloat16":
        import torch

        return torch.from_numpy(x.view(np.int16).copy()).view(torch.bfloat16)
    return keras.ops.convert_to_tensor(x)


def value_and_gradient(
    function: Callable[[Any], Any], x: np.ndarray, g: Callable[[tuple[int, ...]], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """``function(x)``, and what ``x`` gets when the result gets ``g(shape of the result)``."""
    if BACKEND == "torch":
        leaf = tensor(x).requires_grad_()
        y = function(leaf)
        y.backward(tensor(g(tuple(y.shape)).astype(array(y).dtype)))
        return array(y), array(leaf.grad)
    if BACKEND == "jax":
        import jax

        y, pullback = jax.vjp(function, tensor(x))
        (dx,) = pullback(tensor(g(tuple(y.shape)).astype(array(y).dtype)))
        return array(y), array(dx)
    import tensorflow as tf

    leaf = tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(leaf)
        y = function(leaf)
    dx = tape.gradient(y, leaf, output_gradients=tensor(g(tuple(y.shape)).astype(array(y).dtype)))
    return array(y), array(dx)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal, with one NaN for all and one zero for both: neither is anybody's promise."""
    return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind not in "biu")


def examples(torch: int, tensorflow: int, jax: int) -> Any:
    """Settings of a drawn test: JAX compiles every shape anew, 0.3 s for Keras's layer and its gradient."""
    from hypothesis import settings

    return settings(max_examples={"torch": torch, "tensorflow": tensorflow, "jax": jax}[BACKEND])


def drawn_gradient(shape: tuple[int, ...]) -> np.ndarray:
    """What the results get in tests of gradients: the same for the same shape."""
    return np.random.default_rng(5).standard_normal(shape)
