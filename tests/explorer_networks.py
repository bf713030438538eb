"""Models of PyTorch whose pooling is looked at; where it is missing, the tests that import this skip and say so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: its models are not looked at")
nn, F = torch.nn, torch.nn.functional


def image(*shape: int, seed: int = 0) -> Any:
    """Drawn numbers."""
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


class Net(nn.Module):
    """One layer that runs twice, sums of branches, functions, a pooling of the user's own, a nested model."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.inner = nn.Sequential(nn.Conv2d(8, 8, 3, padding="same"), nn.ReLU(inplace=True), nn.AvgPool2d(3, 1, 1))
        self.drop = nn.Dropout(0.9)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x: Any) -> Any:
        x = self.pool(F.relu(self.first(x)))
        x = self.drop(self.norm(self.inner(x) + x))
        x = self.pool(x)
        return F.adaptive_avg_pool2d(F.lp_pool2d(x, 2, 2), 1).flatten(1)
