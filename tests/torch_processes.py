"""What runs in processes of their own: the two halves of a distributed training step, and a data loader's workers."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import Dataset

import cenote
import cenote.torch
from torch_models import images, made

KINDS = "max avg lp adaptive"


def loss(model: nn.Module, x: Tensor) -> Tensor:
    """A mean over the pictures: the mean of two halves' means is that of all."""
    found: Tensor = model(x).square().mean()
    return found


def half(rank: int, folder: str) -> None:
    """One of two processes: its half of the pictures, and everybody's gradients, in all ways, into a file."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    try:
        found = {}
        for kinds in ("max", KINDS):
            for pools in ("torch", "cenote", "converted", "installed"):
                model = made(cenote.torch if pools == "cenote" else nn, kinds)
                if pools == "converted":
                    cenote.torch.convert(model)
                with cenote.torch.installed() if pools == "installed" else nullcontext():
                    both = DistributedDataParallel(model)
                    loss(both, images()[2 * rank : 2 * rank + 2]).backward()
                found[kinds, pools] = [p.grad for p in model.parameters()]
        torch.save(found, f"{folder}/{rank}.pt")
        dist.barrier()
    except BaseException:
        dist.destroy_process_group()
        raise
    # Not the usual way out: gloo's group waits for its threads with the GIL in hand, while one of them may want the GIL
    # to drop what it was given (one run in fifteen hung there, under load). What was asked is on disk.
    os._exit(0)


def train(folder: str) -> None:
    """In two processes."""
    torch.multiprocessing.spawn(half, (folder,), nprocs=2)


class Pooled(Dataset[Any]):
    """Pictures that are pooled where they are loaded."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor, int]:
        x = picture(i)
        y, indices = cenote.torch.max_pool2d(x, 3, 2, 1, return_indices=True)
        return y + cenote.torch.avg_pool2d(x, 3, padding="same", stride=2), indices, os.getpid()


def picture(i: int) -> Tensor:
    """Large enough for several threads."""
    return torch.randn(8, 96, 96, generator=torch.Generator().manual_seed(i))


def load(folder: str, method: str) -> None:
    """The loader's batches into a file; the parent's own threads are at work before the workers begin."""
    cenote.set_num_threads(2)
    torch.set_num_threads(2)
    for _ in range(3):
        cenote.torch.max_pool2d(torch.randn(16, 16, 128, 128), 2)
    loader = torch.utils.data.DataLoader(Pooled(), 2, num_workers=2, multiprocessing_context=method)
    ys, indices, processes = zip(*loader, strict=True)
    assert os.getpid() not in torch.cat(processes).tolist()
    torch.save((torch.cat(ys), torch.cat(indices)), Path(folder) / f"{method}.pt")


def serve(folder: str) -> None:
    """A program that never saw the model: it reads what was saved, and writes what it gives."""
    x = images(3, 20, seed=8)
    found = {}
    for name in ("static", "dynamic"):
        program = torch.export.load(f"{folder}/{name}.pt2").module()
        found[name] = program(images()) if name == "static" else program(x)
    found["traced"] = torch.jit.load(f"{folder}/traced.pt")(x)
    found["model"] = torch.load(f"{folder}/model.pt", weights_only=False)(x)
    found["converted"] = torch.load(f"{folder}/converted.pt", weights_only=False)(x)
    found["state"] = made(cenote.torch, KINDS, seed=77).eval().requires_grad_(False)
    found["state"].load_state_dict(torch.load(f"{folder}/state.pt"))
    found["state"] = found["state"](x)
    torch.save({name: y.detach() for name, y in found.items()}, f"{folder}/served.pt")
