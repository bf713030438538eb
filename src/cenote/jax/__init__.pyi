"""Types of the public names. Written by scripts/generate.py from the catalogue; do not edit."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, overload

from jax import Array
from numpy.typing import ArrayLike, DTypeLike

from ..geometry import Window
from . import flax as flax
from .explain import explain as explain

Padding: TypeAlias = int | Literal["valid", "same", "same_lower"] | Sequence[int | tuple[int, int]]

__all__: list[str]

@overload
def max_pool(
    x: ArrayLike,
    size: int | Sequence[int] | Window,
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    axes: int | Sequence[int] | str | None = None,
    return_indices: Literal[False] = False,
) -> Array: ...
@overload
def max_pool(
    x: ArrayLike,
    size: int | Sequence[int] | Window,
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    axes: int | Sequence[int] | str | None = None,
    return_indices: Literal[True],
) -> tuple[Array, Array]: ...
@overload
def max_pool(
    x: ArrayLike,
    size: int | Sequence[int] | Window,
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    axes: int | Sequence[int] | str | None = None,
    return_indices: bool,
) -> Array | tuple[Array, Array]: ...
@overload
def min_pool(
    x: ArrayLike,
    size: int | Sequence[int] | Window,
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    axes: int | Sequence[int] | str | None = None,
    return_indices: Literal[False] = False,
) -> Array: ...
@overload
def min_pool(
    x: ArrayLike,
    size: int | Sequence[int] | Window,
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    axes: int | Sequence[int] | str | None = None,
    return_indices: Literal[True],
) -> tuple[Array, Array]: ...
@overload
def min_pool(
    x: ArrayLike,
    size: int | Sequence[int] | Window,
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    axes: int | Sequence[int] | str | None = None,
    return_indices: bool,
) -> Array | tuple[Array, Array]: ...
def avg_pool(
    x: ArrayLike,
    size: int | Sequence[int] | Window,
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    axes: int | Sequence[int] | str | None = None,
    divisor: Literal["inside", "padded", "window"] | float = "inside",
    dtype: DTypeLike | None = None,
) -> Array: ...
def sum_pool(
    x: ArrayLike,
    size: int | Sequence[int] | Window,
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    axes: int | Sequence[int] | str | None = None,
    dtype: DTypeLike | None = None,
) -> Array: ...
def lp_pool(
    x: ArrayLike,
    size: int | Sequence[int] | Window,
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    axes: int | Sequence[int] | str | None = None,
    p: float = 2,
    dtype: DTypeLike | None = None,
) -> Array: ...
@overload
def adaptive_max_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    return_indices: Literal[False] = False,
) -> Array: ...
@overload
def adaptive_max_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    return_indices: Literal[True],
) -> tuple[Array, Array]: ...
@overload
def adaptive_max_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    return_indices: bool,
) -> Array | tuple[Array, Array]: ...
@overload
def adaptive_min_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    return_indices: Literal[False] = False,
) -> Array: ...
@overload
def adaptive_min_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    return_indices: Literal[True],
) -> tuple[Array, Array]: ...
@overload
def adaptive_min_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    return_indices: bool,
) -> Array | tuple[Array, Array]: ...
def adaptive_avg_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    divisor: Literal["inside", "padded", "window"] | float = "inside",
    dtype: DTypeLike | None = None,
) -> Array: ...
def adaptive_sum_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    dtype: DTypeLike | None = None,
) -> Array: ...
def adaptive_lp_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    p: float = 2,
    dtype: DTypeLike | None = None,
) -> Array: ...
@overload
def global_max_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    return_indices: Literal[False] = False,
) -> Array: ...
@overload
def global_max_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    return_indices: Literal[True],
) -> tuple[Array, Array]: ...
@overload
def global_max_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    return_indices: bool,
) -> Array | tuple[Array, Array]: ...
@overload
def global_min_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    return_indices: Literal[False] = False,
) -> Array: ...
@overload
def global_min_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    return_indices: Literal[True],
) -> tuple[Array, Array]: ...
@overload
def global_min_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    return_indices: bool,
) -> Array | tuple[Array, Array]: ...
def global_avg_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    divisor: Literal["inside", "padded", "window"] | float = "inside",
    dtype: DTypeLike | None = None,
) -> Array: ...
def global_sum_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    dtype: DTypeLike | None = None,
) -> Array: ...
def global_lp_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    p: float = 2,
    dtype: DTypeLike | None = None,
) -> Array: ...
