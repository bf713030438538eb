"""Small networks whose pooling comes from ``torch.nn`` or from ``cenote.torch``, and what they learn."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Net(nn.Module):
    """Every kind of pooling in one: ``pools`` is ``torch.nn`` or ``cenote.torch``."""

    def __init__(self, pools: Any, kinds: str = "max avg lp unpool adaptive") -> None:
        super().__init__()
        self.kinds = kinds.split()
        self.first, self.second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)
        self.max = pools.MaxPool2d(3, 2, 1, ceil_mode=True)
        self.halve = pools.MaxPool2d(2, return_indices=True)
        self.back = pools.MaxUnpool2d(2)
        self.avg = pools.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.lp = pools.LPPool2d(2, 2, 1)
        self.adaptive_max, self.adaptive_avg = pools.AdaptiveMaxPool2d((3, 4)), pools.AdaptiveAvgPool2d(2)
        self.last = nn.Linear(24, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.max(torch.relu(self.first(x)))
        if "unpool" in self.kinds:
            small, indices = self.halve(x)
            x = x + self.back(small, indices, output_size=x.shape)
        if "avg" in self.kinds:
            x = self.avg(x)
        if "lp" in self.kinds:
            x = self.lp(x.abs() + 0.1)
        x = self.second(x)
        x = self.adaptive_max(x)
        x = self.adaptive_avg(x) if "adaptive" in self.kinds else x[:, :, :2, :2]
        return self.last(x.flatten(1))


def made(pools: Any, kinds: str = "max avg lp unpool adaptive", seed: int = 0) -> Net:
    """The same weights for the same seed."""
    torch.manual_seed(seed)
    return Net(pools, kinds)


def images(n: int = 4, side: int = 16, seed: int = 1) -> Tensor:
    """Pictures in eight grey levels, so that maxima have ties."""
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 8, (n, 1, side, side), generator=draw).float() / 4 - 1


def gradients(model: nn.Module, x: Tensor) -> tuple[float, list[Tensor]]:
    """A loss, and the gradients of the parameters that have one."""
    model.zero_grad()
    loss = model(x).square().sum()
    loss.backward()
    return loss.item(), [p.grad.clone() for p in model.parameters() if p.grad is not None]


def trained(model: nn.Module, steps: int = 50, autocast: Any = None) -> list[float]:
    """The losses of so many steps on the same pictures, single-threaded and deterministic."""
    torch.manual_seed(5)
    x, wanted = images(8), torch.randint(0, 3, (8,))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model(x), wanted)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def pools_of(model: nn.Module) -> list[str]:
    """Where its pooling modules come from."""
    return [type(module).__module__ for module in model.modules() if "Pool" in type(module).__name__]
