"""PyTorch's own pooling on the CPU, rerouted: whoever calls it gets these kernels, functional calls and all."""

from __future__ import annotations

import inspect
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import torch

from cenote.errors import bad

from . import library
from .errors import as_torch
from .functional import FUNCTIONS, Pooling
from .state import is_odd, is_transforming
from .tensors import DTYPES

# What PyTorch dispatches on the way from a function to a kernel: those with a kernel of their own, and those made of
# others, which are caught before they are taken apart.
COVERED: Final = (
    *(f"max_pool{rank}d" for rank in (1, 2, 3)),
    *(f"max_pool{rank}d_with_indices" for rank in (1, 2, 3)),
    *(f"avg_pool{rank}d" for rank in (1, 2, 3)),
    *(f"adaptive_avg_pool{rank}d" for rank in (1, 2, 3)),
    *(f"adaptive_max_pool{rank}d" for rank in (1, 2, 3)),
)
NOT_COVERED: Final = {
    "*.out": "variants that write into a tensor of the caller's",
    "*_backward": "called by hand; gradients of covered operators never get there",
    "_adaptive_avg_pool2d, _adaptive_avg_pool3d": "called by hand",
    "max_unpool2d, max_unpool3d": "PyTorch's gradient of theirs needs its own kernel; call cenote.torch.max_unpool2d",
    "fractional_max_pool2d, fractional_max_pool3d": "not in the catalogue",
    "lp_pool1d, lp_pool2d, lp_pool3d": "no operator of PyTorch's: they are written with avg_pool, which is covered",
    "mkldnn_max_pool2d, quantized_max_pool2d": "other layouts and number formats",
    "other devices": "only the CPU is rerouted",
    "what was compiled before": "a graph that torch.compile has made keeps the kernels that it was made with",
}


# PyTorch 2.6 lacks the word: kernels of its own may be replaced there, but not those that other Python code has put.
_OVERRIDE: Final[dict[str, Any]] = (
    {"allow_override": True} if "allow_override" in inspect.signature(torch.library.Library.impl).parameters else {}
)
_TAG: Final = " cenote.torch.install"


@dataclass(frozen=True, slots=True)
class Route:
    """How one operator of PyTorch's is run here."""

    operator: str
    pooling: Pooling
    with_indices: bool

    @classmethod
    def of(cls, operator: str) -> Route:
        """The function whose name the operator bears."""
        name = operator.removesuffix("_with_indices")
        pooling: Pooling = FUNCTIONS[name].cenote
        # In PyTorch the adaptive maxima always give both.
        return cls(operator, pooling, operator != name or operator.startswith("adaptive_max"))

    def words(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Their arguments, lists as lists are, and whether positions are wanted."""
        if self.with_indices:
            kwargs = {**kwargs, "return_indices": True}
        return self.pooling.words.fill(tuple(map(_frozen, args)), {name: _frozen(v) for name, v in kwargs.items()})

    def with_derivatives(self, keyset: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """Where PyTorch would begin to record. Within function transforms the dispatcher goes on, level by level."""
        if is_odd(x) or x.dtype not in DTYPES:
            return self._theirs(keyset, x, *args, **kwargs)
        words = self.words(args, kwargs)
        if torch.onnx.is_in_onnx_export():
            raise as_torch(
                bad(
                    self.operator,
                    "the model is being exported to ONNX, and cenote.torch.install() has rerouted PyTorch's operators",
                    "call cenote.torch.uninstall() first",
                )
            )
        if is_transforming():
            return library.pool(x, *library.spelled(self.pooling.request(x.ndim, words)))
        return self.pooling.run(x, words)

    def _theirs(self, keyset: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """PyTorch's own way for tensors that have no business here: other layouts, quantized numbers."""
        operator = getattr(torch.ops.aten, self.operator).default
        if operator.has_kernel_for_dispatch_key(torch._C.DispatchKey.CompositeImplicitAutograd):
            return operator.decompose(x, *args, **kwargs)
        with torch._C._AutoDispatchBelowAutograd():
            return operator.redispatch(keyset & torch._C._after_autograd_keyset, x, *args, **kwargs)

    def plain(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """Where PyTorch has recorded, or nobody will."""
        with torch.no_grad():
            return self.pooling.run(x, self.words(args, kwargs))


class _Installed:
    """Whether it is, and what holds it in place."""

    library: torch.library.Library | None = None
    lock = threading.RLock()


def install() -> None:
    """From now on PyTorch's pooling of CPU tensors runs here, with and without gradients; calling it again is harmless.

    ``cenote.torch.COVERED`` lists the operators, ``cenote.torch.NOT_COVERED`` what is not rerouted, and why. Values are
    by cenote's contract: docs/differences.md says what changes. For the backward pass offsets of one byte are kept, not
    int64 indices.

    Where somebody else has rerouted one of these operators, theirs is back after ``uninstall()``.

    Examples
    --------
    >>> import cenote.torch
    >>> cenote.torch.install()
    >>> cenote.torch.is_installed()
    True
    >>> cenote.torch.uninstall()
    """
    with _Installed.lock:
        if _Installed.library is not None:
            return
        made = torch.library.Library("aten", "IMPL")
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="(?s).*Overriding a previously registered kernel.*")
                for operator in COVERED:
                    route = Route.of(operator)
                    made.impl(operator, route.with_derivatives, "AutogradCPU", with_keyset=True, **_OVERRIDE)
                    made.impl(operator, route.plain, "CPU", **_OVERRIDE)
        except BaseException:
            made._destroy()
            raise
        _Installed.library = made
        _tag_graphs(True)


def uninstall() -> None:
    """PyTorch's own kernels run again; calling it again is harmless."""
    with _Installed.lock:
        made, _Installed.library = _Installed.library, None
        if made is not None:
            made._destroy()
            _tag_graphs(False)


def _tag_graphs(ours: bool) -> None:
    """Graphs that PyTorch's compiler keeps on disk for later programs: those made meanwhile are not for programs whose
    pooling is PyTorch's own, and which may never have heard of cenote."""
    import torch.compiler.config as config

    if hasattr(config, "cache_key_tag"):  # PyTorch 2.7
        tag = config.cache_key_tag.removesuffix(_TAG)
        config.cache_key_tag = tag + _TAG if ours else tag


def is_installed() -> bool:
    """Is PyTorch's pooling rerouted at the moment?"""
    return _Installed.library is not None


@contextmanager
def installed() -> Iterator[None]:
    """``install()`` for the length of a block; what was before is so again after it.

    Examples
    --------
    >>> with installed():
    ...     torch.nn.functional.max_pool2d(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2)
    tensor([[[4.]]])
    """
    before = is_installed()
    install()
    try:
        yield
    finally:
        if not before:
            uninstall()


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
