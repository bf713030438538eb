"""Types of the public names. Written by scripts/generate.py from the catalogue; do not edit."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .errors import CenoteError as CenoteError
from .errors import CenoteIndexError as CenoteIndexError
from .errors import CenoteMemoryError as CenoteMemoryError
from .errors import CenoteTypeError as CenoteTypeError
from .explorer import explore as explore
from .geometry import Slide as Slide
from .geometry import Spans as Spans
from .geometry import Split as Split
from .geometry import Window as Window
from .ops import empty_cache as empty_cache
from .ops import explain as explain
from .ops import get_cache_limit as get_cache_limit
from .ops import get_num_threads as get_num_threads
from .ops import info as info
from .ops import max_unpool as max_unpool
from .ops import output_shape as output_shape
from .ops import set_cache_limit as set_cache_limit
from .ops import set_num_threads as set_num_threads
from .ops import vjp as vjp

Padding: TypeAlias = int | Literal["valid", "same", "same_lower"] | Sequence[int | tuple[int, int]]

__version__: str
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
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
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
    out: tuple[NDArray[Any], NDArray[np.int64]] | None = None,
) -> tuple[NDArray[Any], NDArray[np.int64]]: ...
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
    out: None = None,
) -> NDArray[Any] | tuple[NDArray[Any], NDArray[np.int64]]: ...
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
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
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
    out: tuple[NDArray[Any], NDArray[np.int64]] | None = None,
) -> tuple[NDArray[Any], NDArray[np.int64]]: ...
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
    out: None = None,
) -> NDArray[Any] | tuple[NDArray[Any], NDArray[np.int64]]: ...
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
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
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
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
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
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
@overload
def adaptive_max_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    return_indices: Literal[False] = False,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
@overload
def adaptive_max_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    return_indices: Literal[True],
    out: tuple[NDArray[Any], NDArray[np.int64]] | None = None,
) -> tuple[NDArray[Any], NDArray[np.int64]]: ...
@overload
def adaptive_max_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    return_indices: bool,
    out: None = None,
) -> NDArray[Any] | tuple[NDArray[Any], NDArray[np.int64]]: ...
@overload
def adaptive_min_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    return_indices: Literal[False] = False,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
@overload
def adaptive_min_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    return_indices: Literal[True],
    out: tuple[NDArray[Any], NDArray[np.int64]] | None = None,
) -> tuple[NDArray[Any], NDArray[np.int64]]: ...
@overload
def adaptive_min_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    return_indices: bool,
    out: None = None,
) -> NDArray[Any] | tuple[NDArray[Any], NDArray[np.int64]]: ...
def adaptive_avg_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    divisor: Literal["inside", "padded", "window"] | float = "inside",
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
def adaptive_sum_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
def adaptive_lp_pool(
    x: ArrayLike,
    parts: int | Sequence[int | None],
    *,
    axes: int | Sequence[int] | str | None = None,
    p: float = 2,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
@overload
def global_max_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    return_indices: Literal[False] = False,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
@overload
def global_max_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    return_indices: Literal[True],
    out: tuple[NDArray[Any], NDArray[np.int64]] | None = None,
) -> tuple[NDArray[Any], NDArray[np.int64]]: ...
@overload
def global_max_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    return_indices: bool,
    out: None = None,
) -> NDArray[Any] | tuple[NDArray[Any], NDArray[np.int64]]: ...
@overload
def global_min_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    return_indices: Literal[False] = False,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
@overload
def global_min_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    return_indices: Literal[True],
    out: tuple[NDArray[Any], NDArray[np.int64]] | None = None,
) -> tuple[NDArray[Any], NDArray[np.int64]]: ...
@overload
def global_min_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    return_indices: bool,
    out: None = None,
) -> NDArray[Any] | tuple[NDArray[Any], NDArray[np.int64]]: ...
def global_avg_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    divisor: Literal["inside", "padded", "window"] | float = "inside",
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
def global_sum_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
def global_lp_pool(
    x: ArrayLike,
    *,
    axes: int | Sequence[int] | str = (-2, -1),
    keepdims: bool = False,
    p: float = 2,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
