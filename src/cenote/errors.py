"""The errors cenote raises, and the one form their messages take."""

from __future__ import annotations


class CenoteError(ValueError):
    """An argument breaks a rule of the contract. Base of every error cenote raises for bad input."""


class CenoteTypeError(CenoteError, TypeError):
    """An argument is of a type (or dtype) that has no meaning here.

    It is a ``ValueError`` as well, so that one ``except CenoteError`` catches every bad argument.
    """


class CenoteIndexError(CenoteError, IndexError):
    """An axis or an index lies outside the array."""


class CenoteMemoryError(CenoteError, MemoryError):
    """A result or a table does not fit into memory."""


def message(who: str, problem: str, way_out: str) -> str:
    """``function: argument + rule + what was received; the way out``."""
    return f"{who}: {problem}; {way_out}"


def bad(who: str, problem: str, way_out: str) -> CenoteError:
    """A value that breaks a rule."""
    return CenoteError(message(who, problem, way_out))


def bad_type(who: str, problem: str, way_out: str) -> CenoteTypeError:
    """A type that has no meaning here."""
    return CenoteTypeError(message(who, problem, way_out))


def bad_index(who: str, problem: str, way_out: str) -> CenoteIndexError:
    """An axis or index outside the array."""
    return CenoteIndexError(message(who, problem, way_out))


def shown(value: object, limit: int = 80) -> str:
    """``repr`` of what was received, cut so that a message stays one readable line."""
    try:
        text = repr(value)
    except Exception:  # a hostile or broken __repr__ must not hide the real error
        text = f"<{type(value).__name__}>"
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def reason(error: OSError) -> str:
    """What the system says, in one lower-case phrase: 'no space left on device'."""
    text = error.strerror or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]
