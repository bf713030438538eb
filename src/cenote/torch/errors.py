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


def renamed(error: CenoteError, ours: str, theirs: str) -> CenoteError:
    """The same error in the words of the call: ``ours``, where its message begins with that, becomes ``theirs``."""
    text = str(error)
    return type(error)(theirs + text.removeprefix(ours)) if text.startswith(ours) else error


_KINDS = (
    (CenoteTypeError, TorchTypeError),
    (CenoteIndexError, TorchIndexError),
    (CenoteMemoryError, TorchMemoryError),
)
