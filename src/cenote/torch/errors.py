"""PyTorch raises RuntimeError where Python has ValueError: here an error is both."""

from __future__ import annotations

from cenote.errors import CenoteError, CenoteIndexError, CenoteMemoryError, CenoteTypeError


class TorchError(CenoteError, RuntimeError):
    """A value that breaks a rule."""


class TorchTypeError(CenoteTypeError, NotImplementedError):
    """A type or a dtype that has no meaning here: TypeError and NotImplementedError are what PyTorch has for them."""


class TorchIndexError(CenoteIndexError, RuntimeError):
    """An index outside of the tensor."""


class TorchMemoryError(CenoteMemoryError, RuntimeError):
    """A result that does not fit into memory."""


def as_torch(error: CenoteError) -> CenoteError:
    """The same error as users of PyTorch expect to catch it."""
    if isinstance(error, RuntimeError):
        return error
    for kind, ours in _KINDS:
        if isinstance(error, kind):
            return ours(str(error))
    return TorchError(str(error))


_KINDS = (
    (CenoteTypeError, TorchTypeError),
    (CenoteIndexError, TorchIndexError),
    (CenoteMemoryError, TorchMemoryError),
)
