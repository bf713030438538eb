"""Experiments from settings to results: what training gives, what is on disk, what is gone on with."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

import lab_small
from cenote.errors import CenoteError
from cenote.lab import experiment as experiments
from cenote.lab import training
from cenote.lab.digest import document
from cenote.lab.store import StoreError
from lab_here import lab

pytestmark = [pytest.mark.keras, pytest.mark.slow, pytest.mark.timeout(600)]
TIMES = ("seconds_per_epoch",)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("small")
    data = lab_small.write_folder(folder / "data")
    return {"data": data, "model": lab_small.write_model(folder), "arms": lab_small.ARMS, "seeds": 2, "epochs": 2}


@pytest.fixture(scope="module")
def finished(small, tmp_path_factory) -> tuple[lab.Results, Path]:
    out = tmp_path_factory.mktemp("out") / "run"
    return lab.run(lab.Experiment(**small), out), out


def numbers(results: lab.Results) -> dict:
    """All that must be the same whenever and however it is run."""
    return {
        (name, seed): (run.losses, {k: v for k, v in run.measures.items() if k not in TIMES})
        for name, arm in results.arms.items()
        for seed, run in arm.runs.items()
    }


def test_everything_is_there(finished):
    results, out = finished
    assert results.complete
    assert not results.missing
    assert sorted(results.arms) == sorted(lab_small.ARMS.split(","))
    for arm in results.arms.values():
        assert sorted(arm.runs) == [0, 1]
        assert set(arm.latency) == {1, 32}
        assert arm.summary["parameters"] > 0
        for run in arm.runs.values():
            assert len(run.losses) == 2
            assert run.measures["gap"] == run.measures["train_accuracy"] - run.measures["test_accuracy"]
    assert numbers(lab.load_results(out)) == numbers(results)
    saved = json.loads((out / "results.json").read_text())
    assert saved == json.loads(json.dumps(document(results)))
    for name, arm in results.arms.items():
        found = saved["intervals"][name]["test_accuracy"]
        accuracies = [run.measures["test_accuracy"] for run in arm.runs.values()]
        assert found["n"] == 2
        assert found["mean"] == pytest.approx(np.mean(accuracies))
    assert saved["claims"]
    assert {"report.html", "results.json", "settings.json"} <= {path.name for path in out.iterdir()}
    assert sorted(path.name for path in (out / "models").iterdir()) == ["max-2_2.keras", "none.keras", "strided.keras"]


def test_another_run_gives_the_same_numbers_side_by_side_too(small, finished, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(lab_small.WITHOUT_TENSORFLOW)  # processes begin with the path of this one
    side_by_side = lab.run(lab.Experiment(**small), tmp_path / "out", jobs=2)
    assert numbers(side_by_side) == numbers(finished[0])
    assert {run.jobs for arm in side_by_side.arms.values() for run in arm.runs.values()} == {2}


def test_a_network_that_was_trained_before_starts_afresh(small):
    plan = experiments.Plan.of(lab.Experiment(**small))
    build = lambda: plan.network(plan.arms[1])  # noqa: E731
    first = training.Trainer(build, plan.data, training.Recipe(2))
    often = training.Trainer(build, plan.data, training.Recipe(2))
    often.train(7)
    again, once = often.train(3), first.train(3)
    assert again.losses == once.losses
    assert again.test_loss == once.test_loss


def test_the_caller_s_random_numbers_go_on_as_if_nothing_had_been(small):
    plan = experiments.Plan.of(lab.Experiment(**small))
    random.seed(5), np.random.seed(5)
    wanted = random.random(), np.random.rand()
    random.seed(5), np.random.seed(5)
    training.Trainer(lambda: plan.network(plan.arms[0]), plan.data, training.Recipe(1)).train(0)
    assert (random.random(), np.random.rand()) == wanted


def test_it_learns(small):
    results = lab.Experiment(**{**small, "epochs": 30, "arms": "max-2/2", "seeds": 1})
    plan = experiments.Plan.of(results)
    trained = training.Trainer(lambda: plan.network(plan.arms[0]), plan.data, results.recipe).train(0)
    assert trained.losses[-1] < 0.5 * trained.losses[0]
    assert trained.test_accuracy > 0.8


def test_a_folder_is_gone_on_with_only_on_purpose_and_by_the_same_settings(small, finished, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(finished[1], out)
    with pytest.raises(StoreError, match="--resume"):
        lab.run(lab.Experiment(**small), out)
    for change in ({"epochs": 3}, {"arms": "none"}, {"seeds": 3}, {"batch_size": 16}, {"learning_rate": 0.1}):
        with pytest.raises(StoreError, match=next(iter(change))):
            lab.run(lab.Experiment(**{**small, **change}), out, resume=True)
    model = str(small["model"]).replace(":build", ":other")
    with pytest.raises(StoreError, match="model"):
        lab.run(lab.Experiment(**{**small, "model": model}), out, resume=True)
    before = {path: path.read_bytes() for path in out.rglob("*.json")}
    results = lab.run(lab.Experiment(**small), out, resume=True)  # nothing is left to do
    assert numbers(results) == numbers(finished[0])
    runs = {path: content for path, content in before.items() if path.parent.name == "runs"}
    assert {path: path.read_bytes() for path in runs} == runs


def test_what_is_missing_alone_is_trained(small, finished, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(finished[1], out)
    (out / "runs" / "none-1.json").unlink()
    (out / "runs" / ".part-left.json").write_text("{")  # of a process that was killed
    seen: list[tuple[str, int]] = []

    class Seen(lab.Progress):
        def trained(self, arm, run):
            seen.append((arm, run.seed))

    results = lab.run(lab.Experiment(**small), out, resume=True, progress=Seen())
    assert seen == [("none", 1)]
    assert numbers(results) == numbers(finished[0])
    assert not list(out.rglob(".part-*"))


def test_folders_that_cannot_be_used_are_refused_before_training(small, tmp_path, monkeypatch):
    experiment = lab.Experiment(**small)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="holds other things"):
        lab.run(experiment, tmp_path / "other")
    assert (tmp_path / "other" / "thesis.txt").read_text() == "mine"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="holds other things"):
        lab.run(experiment, tmp_path / "file")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type("U", (), {"free": 1000})())
    with pytest.raises(StoreError, match="MB are needed"):
        lab.run(experiment, tmp_path / "full")
    assert not (tmp_path / "full").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(small, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be written"):
        lab.run(lab.Experiment(**small), tmp_path / "out")


def test_two_runs_in_one_folder(small, finished, tmp_path):
    from cenote.lab.store import Store

    out = tmp_path / "copy"
    shutil.copytree(finished[1], out)
    settings = json.loads((out / "settings.json").read_text())
    with (
        Store.prepare(out, settings, resume=True, needed=0),
        pytest.raises(StoreError, match="another run"),
    ):
        lab.run(lab.Experiment(**small), out, resume=True)
    lab.run(lab.Experiment(**small), out, resume=True)


def test_an_arm_that_cannot_be_built_is_reported_and_the_others_run(small, tmp_path):
    results = lab.run(lab.Experiment(**{**small, "arms": "max-9/1,max-2/2", "seeds": 1, "epochs": 1}), tmp_path / "out")
    assert "cannot be built" in results.arms["max-9/1"].reason
    assert results.complete
    assert "cannot be built" in (tmp_path / "out" / "report.html").read_text()
    with pytest.raises(CenoteError, match="no arm can be built"):
        lab.run(lab.Experiment(**{**small, "arms": "max-9/1"}), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_compare_takes_a_function_and_arrays(tmp_path):
    scope: dict = {}
    exec(lab_small.BUILD, scope)
    (x, y), (x_test, y_test) = lab_small.images(60, 1), lab_small.images(20, 2)
    arrays = (x[..., None] / 255, y, x_test[..., None] / 255, y_test)
    results = lab.compare(scope["build"], arrays, "own,avg-2/2", out=tmp_path / "out", seeds=1, epochs=1)
    assert results.complete
    assert results.data["train"] == 60
    with pytest.raises(CenoteError, match="jobs=2"):
        lab.compare(scope["build"], arrays, "own,avg-2/2", out=tmp_path / "jobs", seeds=1, epochs=1, jobs=2)


@pytest.mark.parametrize(
    "change, said",
    [
        ({"epochs": 0}, "epochs"),
        ({"batch_size": True}, "batch_size"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"seeds": 0}, "seeds"),
        ({"seeds": [1, 1]}, "seeds"),
        ({"seeds": "5"}, "seeds"),
        ({"arms": "maximum"}, "no arm"),
    ],
)
def test_settings_that_mean_nothing(small, change, said):
    with pytest.raises(CenoteError, match=said):
        lab.Experiment(**{**small, **change})


@pytest.mark.parametrize(
    "change, said",
    [
        ({"data": "/nowhere"}, "no folder"),
        ({"model": "vgg"}, "no model"),
        ({"model": "/nowhere.py:build"}, "no such file"),
        ({"model": "/nowhere.keras"}, "no such file"),
        ({"classes": ["7", "x"]}, "no class"),
    ],
)
def test_what_is_not_there(small, change, said, tmp_path):
    with pytest.raises(CenoteError, match=said):
        lab.run(lab.Experiment(**{**small, **change}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- killed -------------------------------------------------------------------------------------------------------


def started(small, out: Path, *more: str) -> subprocess.Popen[str]:
    words = [
        "run",
        "--data",
        small["data"],
        "--model",
        small["model"],
        "--arms",
        small["arms"],
        "--out",
        out,
        "--resume",
    ]
    words += ["--seeds", str(small["seeds"]), "--epochs", str(small["epochs"])]
    return subprocess.Popen(
        lab_small.command(*words, *more),
        env=lab_small.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(process, condition) -> bool:
    """Whether the condition came true before the process ended."""
    while process.poll() is None:
        if condition():
            return True
        time.sleep(0.002)
    return False


def test_killed_at_any_moment_it_goes_on_and_gives_the_same(small, finished, tmp_path):
    """Killed when it has just begun, after the first training, after more, and after the last, when it times."""
    out = tmp_path / "out"
    runs = lambda: len(list((out / "runs").glob("[!.]*.json")))  # noqa: E731
    moments = [
        lambda: (out / "settings.json").exists(),
        lambda: runs() >= 1,
        lambda: runs() >= 3,
        lambda: runs() >= 6,
    ]
    killed = 0
    for moment in moments:
        process = started(small, out)
        if wait_for(process, moment):
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
        for path in [*out.rglob("*.json"), *out.rglob("*.keras")]:
            if not path.name.startswith("."):
                assert path.suffix == ".keras" or json.loads(path.read_text()), path
    assert killed == len(moments)
    process = started(small, out)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert numbers(lab.load_results(out)) == numbers(finished[0])
    assert lab.load_results(out).complete


def test_ctrl_c_leaves_a_report_of_what_is_finished(small, tmp_path):
    out = tmp_path / "out"
    process = started({**small, "epochs": 200, "seeds": 3}, out)
    assert wait_for(process, lambda: len(list((out / "runs").glob("[!.]*.json"))) >= 1), process.communicate()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    results = lab.load_results(out)
    assert results.missing
    assert not results.complete
    assert "--resume" in (out / "report.html").read_text()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc: children cannot be listed")
def test_jobs_end_with_a_process_that_is_killed(small, tmp_path):
    process = started({**small, "epochs": 10**6}, tmp_path / "out", "--jobs", "2")
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    work: list[str] = []

    def trains() -> bool:
        work[:] = [
            pid for pid in listed.read_text().split() if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        return len(work) == 2

    assert wait_for(process, trains), process.communicate()
    time.sleep(4)  # until they train, about
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)  # ends when nobody holds the other end of what it printed to
    assert not any(Path(f"/proc/{pid}/fd/1").exists() for pid in work)
