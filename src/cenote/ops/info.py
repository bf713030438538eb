"""What this installation is made of."""

from __future__ import annotations

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

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return table([(name, ", ".join(v) if isinstance(v, tuple) else str(v)) for name, v in self.as_dict().items()])


def info() -> Info:
    """Version, compiler, CPU targets (compiled, usable here, chosen), threads, NumPy and Python.

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
    )
