"""Types of the public names. Written by scripts/generate.py from the catalogue; do not edit."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from .convert import Report as Report
from .convert import convert as convert
from .convert import restore as restore
from .explain import Explanation as Explanation
from .explain import explain as explain
from .layer import MaskedLayer, PoolingLayer

Padding: TypeAlias = int | Literal["valid", "same", "same_lower"] | Sequence[int | tuple[int, int]]
DataFormat: TypeAlias = Literal["channels_last", "channels_first"] | None

__all__: list[str]

class MaxPooling1D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class MaxPooling2D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int] = (2, 2),
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class MaxPooling3D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int] = (2, 2, 2),
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class MinPooling1D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class MinPooling2D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int] = (2, 2),
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class MinPooling3D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int] = (2, 2, 2),
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class AveragePooling1D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        divisor: Literal["inside", "padded", "window"] | float = "inside",
        **kwargs: Any,
    ) -> None: ...

class AveragePooling2D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        divisor: Literal["inside", "padded", "window"] | float = "inside",
        **kwargs: Any,
    ) -> None: ...

class AveragePooling3D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        divisor: Literal["inside", "padded", "window"] | float = "inside",
        **kwargs: Any,
    ) -> None: ...

class SumPooling1D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        **kwargs: Any,
    ) -> None: ...

class SumPooling2D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int] = (2, 2),
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        **kwargs: Any,
    ) -> None: ...

class SumPooling3D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int] = (2, 2, 2),
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        **kwargs: Any,
    ) -> None: ...

class LpPooling1D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        p: float = 2,
        **kwargs: Any,
    ) -> None: ...

class LpPooling2D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int] = (2, 2),
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        p: float = 2,
        **kwargs: Any,
    ) -> None: ...

class LpPooling3D(PoolingLayer):
    def __init__(
        self,
        pool_size: int | Sequence[int] = (2, 2, 2),
        strides: int | Sequence[int] | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        *,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        p: float = 2,
        **kwargs: Any,
    ) -> None: ...

class AdaptiveMaxPooling1D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        *,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class AdaptiveMaxPooling2D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        *,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class AdaptiveMaxPooling3D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        *,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class AdaptiveMinPooling1D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        *,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class AdaptiveMinPooling2D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        *,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class AdaptiveMinPooling3D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        *,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class AdaptiveAveragePooling1D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        *,
        divisor: Literal["inside", "padded", "window"] | float = "inside",
        **kwargs: Any,
    ) -> None: ...

class AdaptiveAveragePooling2D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        *,
        divisor: Literal["inside", "padded", "window"] | float = "inside",
        **kwargs: Any,
    ) -> None: ...

class AdaptiveAveragePooling3D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        *,
        divisor: Literal["inside", "padded", "window"] | float = "inside",
        **kwargs: Any,
    ) -> None: ...

class AdaptiveSumPooling1D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        **kwargs: Any,
    ) -> None: ...

class AdaptiveSumPooling2D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        **kwargs: Any,
    ) -> None: ...

class AdaptiveSumPooling3D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        **kwargs: Any,
    ) -> None: ...

class AdaptiveLpPooling1D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        *,
        p: float = 2,
        **kwargs: Any,
    ) -> None: ...

class AdaptiveLpPooling2D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        *,
        p: float = 2,
        **kwargs: Any,
    ) -> None: ...

class AdaptiveLpPooling3D(PoolingLayer):
    def __init__(
        self,
        output_size: int | Sequence[int],
        data_format: DataFormat = None,
        *,
        p: float = 2,
        **kwargs: Any,
    ) -> None: ...

class GlobalMaxPooling1D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        *,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class GlobalMaxPooling2D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        *,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class GlobalMaxPooling3D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        *,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class GlobalMinPooling1D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        *,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class GlobalMinPooling2D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        *,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class GlobalMinPooling3D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        *,
        return_indices: bool = False,
        **kwargs: Any,
    ) -> None: ...

class GlobalAveragePooling1D(MaskedLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        *,
        divisor: Literal["inside", "padded", "window"] | float = "inside",
        **kwargs: Any,
    ) -> None: ...

class GlobalAveragePooling2D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        *,
        divisor: Literal["inside", "padded", "window"] | float = "inside",
        **kwargs: Any,
    ) -> None: ...

class GlobalAveragePooling3D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        *,
        divisor: Literal["inside", "padded", "window"] | float = "inside",
        **kwargs: Any,
    ) -> None: ...

class GlobalSumPooling1D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        **kwargs: Any,
    ) -> None: ...

class GlobalSumPooling2D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        **kwargs: Any,
    ) -> None: ...

class GlobalSumPooling3D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        **kwargs: Any,
    ) -> None: ...

class GlobalLpPooling1D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        *,
        p: float = 2,
        **kwargs: Any,
    ) -> None: ...

class GlobalLpPooling2D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        *,
        p: float = 2,
        **kwargs: Any,
    ) -> None: ...

class GlobalLpPooling3D(PoolingLayer):
    def __init__(
        self,
        data_format: DataFormat = None,
        keepdims: bool = False,
        *,
        p: float = 2,
        **kwargs: Any,
    ) -> None: ...

MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
MinPool1D = MinPooling1D
MinPool2D = MinPooling2D
MinPool3D = MinPooling3D
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
SumPool1D = SumPooling1D
SumPool2D = SumPooling2D
SumPool3D = SumPooling3D
LpPool1D = LpPooling1D
LpPool2D = LpPooling2D
LpPool3D = LpPooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalMinPool1D = GlobalMinPooling1D
GlobalMinPool2D = GlobalMinPooling2D
GlobalMinPool3D = GlobalMinPooling3D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalSumPool1D = GlobalSumPooling1D
GlobalSumPool2D = GlobalSumPooling2D
GlobalSumPool3D = GlobalSumPooling3D
GlobalLpPool1D = GlobalLpPooling1D
GlobalLpPool2D = GlobalLpPooling2D
GlobalLpPool3D = GlobalLpPooling3D
