"""PyTorch: ``torch.nn.functional``, in the row's own layout and, as a column of its own, in the other one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..contestant import Contestant, Refusal, load
from ..data import Array, Data
from ..workload import Workload


class Torch:
    """``torch`` pools in the layout of the row, ``torch-other`` in channels-last for NCHW rows and the reverse."""

    name = "torch"
    title = "PyTorch"
    packages = ("torch",)

    def start(self, threads: int) -> None:
        """Import, and give it the run's threads."""
        self.torch = load("torch")
        self.torch.set_num_threads(threads)
        self.functional = load("torch.nn.functional")

    def contestants(self, workload: Workload, data: Data, threads: int) -> list[Contestant]:
        """Both layouts where they differ."""
        found = [self.contestant("torch", workload, data, threads, workload.channels_last)]
        if workload.channels > 1 and not workload.overhead:
            found.append(self.contestant("torch-other", workload, data, threads, not workload.channels_last))
        return found

    def contestant(self, name: str, workload: Workload, data: Data, threads: int, last: bool) -> Contestant:
        """One column, with the channels last or first."""
        torch = self.torch

        def tensor(array: Array) -> Any:
            if workload.dtype == "bfloat16":  # which NumPy does not know
                made = torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
            else:
                made = torch.from_numpy(array)
            return made.movedim(-1, 1) if last else made

        def array(made: Any, shape: tuple[int, ...]) -> Array:
            plain = made.detach()
            if plain.dtype == torch.bfloat16:
                plain = plain.float()
            return data.from_first(plain.numpy(), shape)

        pool = self._pool(workload)
        x = tensor(data.last() if last else data.first())

        def enter() -> None:
            torch.set_num_threads(threads)

        if not workload.backward:
            return Contestant(
                name,
                lambda: pool(x),
                lambda y: [array(y, workload.out_shape)],
                enter=enter,
                prime=name == self.name,
                keep=[x, data],
            )
        dy = tensor(data.dy_last() if last else data.dy_first())
        x.requires_grad_()

        def both() -> Any:
            y = pool(x)
            return y, torch.autograd.grad(y, x, dy)[0]

        def arrays(result: Any) -> list[Array]:
            return [array(result[0], workload.out_shape), array(result[1], workload.shape)]

        return Contestant(name, both, arrays, enter=enter, prime=name == self.name, keep=[x, dy, data])

    def _pool(self, workload: Workload) -> Callable[[Any], Any]:
        functional, geometry, op = self.functional, workload.geometry, workload.op
        rank = geometry.rank
        if geometry.parts:
            if op not in ("max", "avg"):
                raise Refusal(f"no adaptive {op} pool")
            adaptive = getattr(functional, f"adaptive_{op}_pool{rank}d")
            return lambda x: adaptive(x, geometry.parts)
        size, stride, padding = geometry.size, geometry.stride, geometry.padding
        if op == "avg":
            avg = getattr(functional, f"avg_pool{rank}d")
            return lambda x: avg(x, size, stride, padding, count_include_pad=False)
        if op == "lp":
            if any(padding):
                raise Refusal("lp_pool takes no padding")
            lp = getattr(functional, f"lp_pool{rank}d")
            return lambda x: lp(x, 2.0, size, stride)
        largest = getattr(functional, f"max_pool{rank}d")
        if op == "min":
            return lambda x: -largest(-x, size, stride, padding)
        return lambda x: largest(x, size, stride, padding)
