"""The lab: networks with every kind of pooling, trained on real images and measured.

>>> from cenote import lab
>>> lab.Experiment(arms="none,max-2/2,avg-2/2", seeds=3, epochs=5).all_seeds
(0, 1, 2)

``run(experiment)`` trains and writes a folder with ``results.json`` and ``report.html``; ``compare`` does so for a
network and images of your own. See docs/lab.md.
"""

from __future__ import annotations

from . import backend as _backend

_backend.load()

from .arms import ALL as ARMS  # noqa: E402  # Keras must know its backend before anything imports it
from .compare import compare  # noqa: E402
from .datasets import DATASETS, DataError, Dataset  # noqa: E402
from .datasets import load as load_data  # noqa: E402
from .digest import document, results_table, verdicts  # noqa: E402
from .experiment import Experiment, run  # noqa: E402
from .models import PRESETS  # noqa: E402
from .predict import Prediction, predict  # noqa: E402
from .progress import Progress  # noqa: E402
from .report import REPORT, write_report  # noqa: E402
from .results import ArmResult, Results, Run, load_results  # noqa: E402
from .store import StoreError  # noqa: E402
from .summary import summary  # noqa: E402

__all__ = [
    "ARMS",
    "DATASETS",
    "PRESETS",
    "REPORT",
    "ArmResult",
    "DataError",
    "Dataset",
    "Experiment",
    "Prediction",
    "Progress",
    "Results",
    "Run",
    "StoreError",
    "compare",
    "document",
    "load_data",
    "load_results",
    "predict",
    "results_table",
    "run",
    "summary",
    "verdicts",
    "write_report",
]
