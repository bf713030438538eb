"""cenote inside PyTorch: its functions and modules under the same names, differentiable any number of times.

>>> import torch
>>> import cenote.torch as F
>>> F.max_pool2d(torch.tensor([[[1.0, 9, 2, 8], [3, 4, 5, 7], [6, 0, 1, 2], [3, 5, 5, 4]]]), 2)
tensor([[[9., 8.],
         [6., 5.]]])

``convert(model)`` makes the pooling modules of a model ours, in place; ``install()`` reroutes PyTorch's own pooling of
CPU tensors, functional calls and all.
"""

OLDEST = (2, 6)

try:
    import torch as _torch
except ImportError as _error:
    raise ImportError("cenote.torch needs PyTorch; install it: pip install 'cenote[torch]'") from _error
if tuple(int(_n) for _n in _torch.__version__.split(".")[:2]) < OLDEST:
    raise ImportError(
        f"cenote.torch needs PyTorch {OLDEST[0]}.{OLDEST[1]} or newer, this is {_torch.__version__}; "
        "upgrade it: pip install 'cenote[torch]'"
    )

from . import recording as _recording  # noqa: E402, F401  # the registered operators get their derivatives
from .convert import Report, convert, restore  # noqa: E402
from .errors import TorchError, TorchIndexError, TorchTypeError  # noqa: E402
from .explain import Explanation, explain  # noqa: E402
from .functional import FUNCTIONS as _FUNCTIONS  # noqa: E402
from .install import COVERED, NOT_COVERED, install, installed, is_installed, uninstall  # noqa: E402
from .modules import MODULES as _MODULES  # noqa: E402
from .unpooling import UNPOOLINGS as _UNPOOLINGS  # noqa: E402

globals().update(_FUNCTIONS, **_UNPOOLINGS, **_MODULES)

__all__ = [
    *_FUNCTIONS,
    *_UNPOOLINGS,
    *_MODULES,
    "COVERED",
    "NOT_COVERED",
    "Explanation",
    "Report",
    "TorchError",
    "TorchIndexError",
    "TorchTypeError",
    "convert",
    "explain",
    "install",
    "installed",
    "is_installed",
    "restore",
    "uninstall",
]
