"""Types of the public names. Written by scripts/generate.py from the catalogue; do not edit."""

from collections.abc import Sequence
from typing import Literal, overload

from jax import Array
from numpy.typing import ArrayLike, DTypeLike

__all__: list[str]

@overload
def max_pool(
    inputs: ArrayLike,
    window_shape: Sequence[int],
    strides: Sequence[int] | None = None,
    padding: str | Sequence[Sequence[int]] = "VALID",
    *,
    window_dilation: Sequence[int] | None = None,
    return_indices: Literal[False] = False,
) -> Array: ...
@overload
def max_pool(
    inputs: ArrayLike,
    window_shape: Sequence[int],
    strides: Sequence[int] | None = None,
    padding: str | Sequence[Sequence[int]] = "VALID",
    *,
    window_dilation: Sequence[int] | None = None,
    return_indices: Literal[True],
) -> tuple[Array, Array]: ...
@overload
def max_pool(
    inputs: ArrayLike,
    window_shape: Sequence[int],
    strides: Sequence[int] | None = None,
    padding: str | Sequence[Sequence[int]] = "VALID",
    *,
    window_dilation: Sequence[int] | None = None,
    return_indices: bool,
) -> Array | tuple[Array, Array]: ...
@overload
def min_pool(
    inputs: ArrayLike,
    window_shape: Sequence[int],
    strides: Sequence[int] | None = None,
    padding: str | Sequence[Sequence[int]] = "VALID",
    *,
    window_dilation: Sequence[int] | None = None,
    return_indices: Literal[False] = False,
) -> Array: ...
@overload
def min_pool(
    inputs: ArrayLike,
    window_shape: Sequence[int],
    strides: Sequence[int] | None = None,
    padding: str | Sequence[Sequence[int]] = "VALID",
    *,
    window_dilation: Sequence[int] | None = None,
    return_indices: Literal[True],
) -> tuple[Array, Array]: ...
@overload
def min_pool(
    inputs: ArrayLike,
    window_shape: Sequence[int],
    strides: Sequence[int] | None = None,
    padding: str | Sequence[Sequence[int]] = "VALID",
    *,
    window_dilation: Sequence[int] | None = None,
    return_indices: bool,
) -> Array | tuple[Array, Array]: ...
def avg_pool(
    inputs: ArrayLike,
    window_shape: Sequence[int],
    strides: Sequence[int] | None = None,
    padding: str | Sequence[Sequence[int]] = "VALID",
    count_include_pad: bool = True,
    *,
    window_dilation: Sequence[int] | None = None,
    divisor: Literal["inside", "padded", "window"] | float | None = None,
    dtype: DTypeLike | None = None,
) -> Array: ...
def sum_pool(
    inputs: ArrayLike,
    window_shape: Sequence[int],
    strides: Sequence[int] | None = None,
    padding: str | Sequence[Sequence[int]] = "VALID",
    *,
    window_dilation: Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> Array: ...
def lp_pool(
    inputs: ArrayLike,
    window_shape: Sequence[int],
    strides: Sequence[int] | None = None,
    padding: str | Sequence[Sequence[int]] = "VALID",
    *,
    window_dilation: Sequence[int] | None = None,
    p: float = 2,
    dtype: DTypeLike | None = None,
) -> Array: ...
