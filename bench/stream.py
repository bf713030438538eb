"""The stream limit as contestants: plain and streaming stores, and one thread where rows ask for the scaling."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from .contestant import Contestant
from .data import Array, Data, placed
from .workload import Workload

_SOURCE: Final = Path(__file__).with_name("stream.cpp")
# Below this, handing work to a second thread can cost more than it saves, and the limit is the faster of both.
_SMALL: Final = 1 << 20


class Stream:
    """Compiled when it is made; OSError or CalledProcessError if this machine has no C++ compiler."""

    def __init__(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder) / "stream.so"
            command = [os.environ.get("CXX", "c++"), "-std=c++20", "-O3", "-fPIC", "-shared", "-pthread"]
            subprocess.run([*command, "-march=native", str(_SOURCE), "-o", str(library)], check=True)
            self._run: Any = ctypes.CDLL(str(library)).stream_seconds
        size, address, number = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int
        self._run.argtypes = [address, size, address, size, address, size, address, size, number, number, number]
        self._run.restype = ctypes.c_double

    def contestants(self, workload: Workload, data: Data, threads: int) -> list[Contestant]:
        """``stream`` and ``stream-nt``; with ``-1t`` on one thread."""
        byte = np.dtype(np.uint8)
        y, dx = placed(workload.y_bytes, byte), placed(workload.x_bytes if workload.backward else 0, byte)
        y[:], dx[:] = 0, 0  # touched: the limit does not pay for fresh pages
        counts = {threads}
        if workload.scaling or workload.moved_bytes <= _SMALL:
            counts.add(1)
        return [
            self._contestant(
                "stream" + "-nt" * streaming + "-1t" * (count != threads), data, y, dx, bool(streaming), count
            )
            for count in sorted(counts, reverse=True)
            for streaming in (0, 1)
        ]

    def _contestant(self, name: str, data: Data, y: Array, dx: Array, streaming: bool, threads: int) -> Contestant:
        run, x = self._run, data.x
        back = (data.dy.ctypes.data, data.dy.nbytes, dx.ctypes.data, dx.nbytes) if data.dy is not None else (0, 0, 0, 0)
        there = (x.ctypes.data, x.nbytes, y.ctypes.data, y.nbytes)

        def loop(repeat: int) -> float:
            return float(run(*there, *back, streaming, threads, repeat))

        return Contestant(name, lambda: loop(1), loop=loop, keep=[data, y, dx])
