"""A small network learns MNIST: trained on 8,000 images of its test set, asked about the other 2,000."""

from __future__ import annotations

import statistics

import pytest

import mnist_here
from lab_here import lab

pytestmark = [pytest.mark.keras, pytest.mark.sweep, pytest.mark.timeout(1800), mnist_here.needed]


def test_max_pooling_reaches_what_is_expected_of_it(tmp_path):
    results = lab.run(lab.Experiment(data=mnist_here.FOLDER, arms="max-2/2"), tmp_path / "out")
    assert (results.data["train"], results.data["test"]) == (8000, 2000)
    runs = results.arms["max-2/2"].runs
    assert len(runs) == 5
    assert statistics.mean(run.measures["test_accuracy"] for run in runs.values()) >= 0.975
