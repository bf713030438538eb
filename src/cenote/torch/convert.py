"""Models built with PyTorch's own modules: their pooling becomes ours in place, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import nn

from cenote.errors import bad_type, shown
from cenote.ops.table import table

from .modules import MODULES

_OURS: Final = {getattr(nn, name): ours for name, ours in MODULES.items() if hasattr(nn, name)}
_THEIRS: Final = {ours: theirs for theirs, ours in _OURS.items()}


@dataclass(frozen=True, slots=True)
class Report:
    """What happened to a model: module names to ``"OldClass -> NewClass"``, and to the reason where nothing did."""

    changed: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        rows = [(name or "(the model)", what) for name, what in self.changed.items()]
        rows += [(name or "(the model)", f"left: {reason}") for name, reason in self.left.items()]
        return table(rows) if rows else "nothing to change"


def convert(model: nn.Module) -> Report:
    """Make every pooling module of PyTorch in ``model`` one of ours, in place; a second call changes nothing.

    Modules keep their identity: names, hooks, the training flag, who shares them, and all that refers to them. Only
    exact types change. Subclasses, which may have a forward of their own, are left and reported, and so are modules
    that have no counterpart here, or are scripted.

    Parameters
    ----------
    model : torch.nn.Module
        Any module, nested as it may be; a pooling module itself, too.

    Returns
    -------
    Report
        ``changed`` and ``left``, by name; ``str`` makes a table of it.

    Raises
    ------
    TorchTypeError
        ``model`` is no module.

    Examples
    --------
    >>> import cenote.torch
    >>> model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.MaxPool2d(2))
    >>> print(cenote.torch.convert(model))
    1  torch.nn.MaxPool2d -> cenote.torch.MaxPool2d
    >>> print(cenote.torch.restore(model))
    1  cenote.torch.MaxPool2d -> torch.nn.MaxPool2d

    Notes
    -----
    An export to ONNX goes by PyTorch's own operators: a converted model exports as it did before.
    """
    report = Report()
    for name, module in _modules("convert", model):
        kind = type(module)
        if kind in _OURS:
            module.__class__ = _OURS[kind]
            report.changed[name] = f"torch.nn.{kind.__name__} -> cenote.torch.{kind.__name__}"
        elif kind not in _THEIRS and (reason := _why_left(module)):
            report.left[name] = reason
    return report


def restore(model: nn.Module) -> Report:
    """Undo ``convert``: every module of ours that PyTorch has too becomes PyTorch's again, in place.

    Modules with arguments that PyTorch's lack (a padding word, a dilated average), and modules that PyTorch lacks, are
    left and reported.

    Parameters
    ----------
    model : torch.nn.Module
        Any module.

    Returns
    -------
    Report
        ``changed`` and ``left``, by name.

    Raises
    ------
    TorchTypeError
        ``model`` is no module.
    """
    report = Report()
    ours = frozenset(MODULES.values())
    for name, module in _modules("restore", model):
        kind = type(module)
        if kind not in ours:
            continue
        reason = _why_ours(module)
        if reason is None:
            module.__class__ = _THEIRS[kind]
            report.changed[name] = f"cenote.torch.{kind.__name__} -> torch.nn.{kind.__name__}"
        else:
            report.left[name] = reason
    return report


def _modules(who: str, model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    if not isinstance(model, nn.Module):
        raise bad_type(who, f"model is a torch.nn.Module, got {shown(model)}", "pass the model itself")
    return model.named_modules()


def _why_left(module: nn.Module) -> str | None:
    if isinstance(module, torch.jit.ScriptModule):
        name = getattr(module, "original_name", "")
        return "scripted: its code is fixed" if name in MODULES else None
    for theirs in _OURS:
        if isinstance(module, theirs):
            return f"{type(module).__name__} is a subclass of {theirs.__name__} and may differ from it"
    if type(module).__module__ == "torch.nn.modules.pooling":
        return f"there is no {type(module).__name__} here"
    return None


def _why_ours(module: nn.Module) -> str | None:
    kind = type(module)
    if kind not in _THEIRS:
        return f"PyTorch has no {kind.__name__}"
    further = {name for name in vars(module) if name in vars(kind) and getattr(module, name) != getattr(kind, name)}
    if further:
        return f"PyTorch's {kind.__name__} has no {', '.join(sorted(further))}"
    padding = getattr(module, "padding", 0)
    entries = padding if isinstance(padding, tuple | list) else (padding,)
    if not all(isinstance(entry, int) for entry in entries):
        return f"PyTorch's {kind.__name__} takes no padding={padding!r}"
    return None
