"""What this installation is made of."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..native import build, get_num_threads, target
from .table import table


@dataclass(frozen=True, slots=True)
class Info:
    """The answer of ``info``. As text it is a table."""

    version: str
    compiler: str
    targets_compiled: tuple[str, ...]
    targets_usable: tuple[str, ...]
    target: str
    threads: int
    numpy: str
    python: str
    frameworks: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return table([(name, text(value)) for name, value in self.as_dict().items()])


def text(value: object) -> str:
    """One entry of an Info on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {version}" for name, version in value.items()) or "none"
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)


def info() -> Info:
    """Version, compiler, CPU targets (compiled, usable here, chosen), threads, NumPy, Python, and the frameworks that
    are installed, none of which is loaded for it.

    Examples
    --------
    >>> import cenote
    >>> cenote.info().target in cenote.info().targets_usable
    True
    """
    import platform  # only here: it would add a tenth to the time of every import of cenote

    made = build()
    return Info(
        version=made.version,
        compiler=made.compiler,
        targets_compiled=made.targets,
        targets_usable=made.usable,
        target=target(),
        threads=get_num_threads(),
        numpy=np.__version__,
        python=platform.python_version(),
        frameworks=_frameworks(),
    )


def _frameworks() -> dict[str, str]:
    from importlib import metadata  # slow to import, and of no use to pooling

    from ..dialects import DIALECTS

    found = {}
    for dialect in DIALECTS.values():
        for name in dialect.covers:
            for distribution in (name, f"{name}-cpu"):
                with suppress(metadata.PackageNotFoundError):
                    found[name] = metadata.version(distribution)
    return found
