"""Types of the public names. Written by scripts/generate.py from the catalogue; do not edit."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, overload

import torch
from torch import Tensor, nn

from .convert import Report as Report
from .convert import convert as convert
from .convert import restore as restore
from .errors import TorchError as TorchError
from .errors import TorchIndexError as TorchIndexError
from .errors import TorchTypeError as TorchTypeError
from .explain import Explanation as Explanation
from .explain import explain as explain
from .install import COVERED as COVERED
from .install import NOT_COVERED as NOT_COVERED
from .install import install as install
from .install import installed as installed
from .install import is_installed as is_installed
from .install import uninstall as uninstall

Padding: TypeAlias = int | Literal["valid", "same", "same_lower"] | Sequence[int | tuple[int, int]]

OLDEST: tuple[int, int]
__all__: list[str]

@overload
def max_pool1d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool1d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def max_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def max_pool3d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool3d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def min_pool1d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def min_pool1d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def min_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def min_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def min_pool3d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def min_pool3d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
def avg_pool1d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    dilation: int | Sequence[int] = 1,
    divisor: Literal["inside", "padded", "window"] | float | None = None,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def avg_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    dilation: int | Sequence[int] = 1,
    divisor: Literal["inside", "padded", "window"] | float | None = None,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def avg_pool3d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    dilation: int | Sequence[int] = 1,
    divisor: Literal["inside", "padded", "window"] | float | None = None,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def sum_pool1d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    *,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def sum_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    *,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def sum_pool3d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    *,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def lp_pool1d(
    input: Tensor,
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def lp_pool2d(
    input: Tensor,
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def lp_pool3d(
    input: Tensor,
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
@overload
def adaptive_max_pool1d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def adaptive_max_pool1d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def adaptive_max_pool2d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def adaptive_max_pool2d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def adaptive_max_pool3d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def adaptive_max_pool3d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def adaptive_min_pool1d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def adaptive_min_pool1d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def adaptive_min_pool2d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def adaptive_min_pool2d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def adaptive_min_pool3d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def adaptive_min_pool3d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
def adaptive_avg_pool1d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    *,
    divisor: Literal["inside", "padded", "window"] | float | None = None,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def adaptive_avg_pool2d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    *,
    divisor: Literal["inside", "padded", "window"] | float | None = None,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def adaptive_avg_pool3d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    *,
    divisor: Literal["inside", "padded", "window"] | float | None = None,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def adaptive_sum_pool1d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    *,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def adaptive_sum_pool2d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    *,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def adaptive_sum_pool3d(
    input: Tensor,
    output_size: int | Sequence[int | None] | None,
    *,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def adaptive_lp_pool1d(
    input: Tensor,
    norm_type: float,
    output_size: int | Sequence[int | None] | None,
    *,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def adaptive_lp_pool2d(
    input: Tensor,
    norm_type: float,
    output_size: int | Sequence[int | None] | None,
    *,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def adaptive_lp_pool3d(
    input: Tensor,
    norm_type: float,
    output_size: int | Sequence[int | None] | None,
    *,
    dtype: torch.dtype | None = None,
) -> Tensor: ...
def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    output_size: int | Sequence[int | None] | None = None,
) -> Tensor: ...
def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    output_size: int | Sequence[int | None] | None = None,
) -> Tensor: ...
def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    output_size: int | Sequence[int | None] | None = None,
) -> Tensor: ...

class MaxPool1d(nn.MaxPool1d):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None: ...

class MaxPool2d(nn.MaxPool2d):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None: ...

class MaxPool3d(nn.MaxPool3d):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None: ...

class MinPool1d(nn.Module):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> None: ...

class MinPool2d(nn.Module):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> None: ...

class MinPool3d(nn.Module):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> None: ...

class AvgPool1d(nn.AvgPool1d):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        *,
        divisor_override: int | None = None,
        dilation: int | Sequence[int] = 1,
        divisor: Literal["inside", "padded", "window"] | float | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class AvgPool2d(nn.AvgPool2d):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        divisor: Literal["inside", "padded", "window"] | float | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class AvgPool3d(nn.AvgPool3d):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        divisor: Literal["inside", "padded", "window"] | float | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class SumPool1d(nn.Module):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        *,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class SumPool2d(nn.Module):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        *,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class SumPool3d(nn.Module):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        *,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class LPPool1d(nn.LPPool1d):
    def __init__(
        self,
        norm_type: float,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        ceil_mode: bool = False,
        *,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class LPPool2d(nn.LPPool2d):
    def __init__(
        self,
        norm_type: float,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        ceil_mode: bool = False,
        *,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class LPPool3d(nn.LPPool3d):
    def __init__(
        self,
        norm_type: float,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        ceil_mode: bool = False,
        *,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class AdaptiveMaxPool1d(nn.AdaptiveMaxPool1d):
    def __init__(
        self,
        output_size: int | Sequence[int | None] | None,
        return_indices: bool = False,
    ) -> None: ...

class AdaptiveMaxPool2d(nn.AdaptiveMaxPool2d):
    def __init__(
        self,
        output_size: int | Sequence[int | None] | None,
        return_indices: bool = False,
    ) -> None: ...

class AdaptiveMaxPool3d(nn.AdaptiveMaxPool3d):
    def __init__(
        self,
        output_size: int | Sequence[int | None] | None,
        return_indices: bool = False,
    ) -> None: ...

class AdaptiveMinPool1d(nn.Module):
    def __init__(
        self,
        output_size: int | Sequence[int | None] | None,
        return_indices: bool = False,
    ) -> None: ...

class AdaptiveMinPool2d(nn.Module):
    def __init__(
        self,
        output_size: int | Sequence[int | None] | None,
        return_indices: bool = False,
    ) -> None: ...

class AdaptiveMinPool3d(nn.Module):
    def __init__(
        self,
        output_size: int | Sequence[int | None] | None,
        return_indices: bool = False,
    ) -> None: ...

class AdaptiveAvgPool1d(nn.AdaptiveAvgPool1d):
    def __init__(
        self,
        output_size: int | Sequence[int | None] | None,
        *,
        divisor: Literal["inside", "padded", "window"] | float | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class AdaptiveAvgPool2d(nn.AdaptiveAvgPool2d):
    def __init__(
        self,
        output_size: int | Sequence[int | None] | None,
        *,
        divisor: Literal["inside", "padded", "window"] | float | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class AdaptiveAvgPool3d(nn.AdaptiveAvgPool3d):
    def __init__(
        self,
        output_size: int | Sequence[int | None] | None,
        *,
        divisor: Literal["inside", "padded", "window"] | float | None = None,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class AdaptiveSumPool1d(nn.Module):
    def __init__(
        self,
        output_size: int | Sequence[int | None] | None,
        *,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class AdaptiveSumPool2d(nn.Module):
    def __init__(
        self,
        output_size: int | Sequence[int | None] | None,
        *,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class AdaptiveSumPool3d(nn.Module):
    def __init__(
        self,
        output_size: int | Sequence[int | None] | None,
        *,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class AdaptiveLPPool1d(nn.Module):
    def __init__(
        self,
        norm_type: float,
        output_size: int | Sequence[int | None] | None,
        *,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class AdaptiveLPPool2d(nn.Module):
    def __init__(
        self,
        norm_type: float,
        output_size: int | Sequence[int | None] | None,
        *,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class AdaptiveLPPool3d(nn.Module):
    def __init__(
        self,
        norm_type: float,
        output_size: int | Sequence[int | None] | None,
        *,
        dtype: torch.dtype | None = None,
    ) -> None: ...

class MaxUnpool1d(nn.MaxUnpool1d):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
    ) -> None: ...

class MaxUnpool2d(nn.MaxUnpool2d):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
    ) -> None: ...

class MaxUnpool3d(nn.MaxUnpool3d):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
    ) -> None: ...
