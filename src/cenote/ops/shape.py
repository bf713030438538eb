"""The shape of a result without computing it."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import bad_type, shown
from ..geometry import Axes, Window
from ..geometry.arguments import integer, is_sequence
from .prepare import sliding_window


def output_shape(
    shape: Sequence[int],
    size: int | Sequence[int] | Window,
    *,
    stride: int | Sequence[int] | None = None,
    padding: object = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    axes: Axes = None,
) -> tuple[int, ...]:
    """The whole shape that pooling an array of ``shape`` gives; the arguments are those of ``max_pool``.

    Parameters
    ----------
    shape : tuple of int
        Shape of the input, all dimensions.
    size, stride, padding, dilation, ceil_mode, axes
        As for ``max_pool``.

    Returns
    -------
    tuple of int
        Shape of the result.

    Raises
    ------
    CenoteError
        No output would be left along an axis, or an argument breaks a rule.

    Examples
    --------
    >>> import cenote
    >>> cenote.output_shape((28, 28), 3, stride=1), cenote.output_shape((26, 26), 2)
    ((26, 26), (13, 13))
    >>> cenote.output_shape((480, 640, 3), 2, axes="HWC")
    (240, 320, 3)
    >>> cenote.output_shape((8, 64, 13, 13), 3, stride=2, padding="same")
    (8, 64, 7, 7)

    Notes
    -----
    Floor rounding is ``(L + lo + hi - E) // s + 1`` with the effective size ``E = (k - 1) * d + 1``, as in
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016; "same" is ``ceil(L / s)``.
    """
    who = "output_shape"
    if not is_sequence(shape):
        raise bad_type(who, f"shape is a tuple of ints, got {shown(shape)}", "pass x.shape")
    whole = [integer(who, f"shape[{i}]", n, 0) for i, n in enumerate(shape)]
    found, window = sliding_window(
        who,
        len(whole),
        size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
        axes=axes,
    )
    outputs = window.output_shape([whole[axis] for axis in found], who=who, axes=found)
    for axis, n in zip(found, outputs, strict=True):
        whole[axis] = n
    return tuple(whole)
