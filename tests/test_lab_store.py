"""The folder of an experiment: whose it is, what it refuses, and what it says of files that are damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cenote.lab.store import Store, StoreError, differences
from lab_here import lab

pytestmark = pytest.mark.keras
SETTINGS = {"epochs": 1, "versions": {"keras": "3.15.1", "numpy": "2.1"}}


def prepared(folder: Path, *, resume: bool = False) -> Store:
    return Store.prepare(folder, SETTINGS, resume=resume, needed=0)


@pytest.mark.parametrize("name", ["models/none.keras", "runs/none-0.json", "runs"])
def test_folders_of_somebody_else_s_may_have_our_names(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    with pytest.raises(StoreError, match="holds other things"):
        prepared(tmp_path)
    assert path.read_text() == "mine"
    assert not (tmp_path / "settings.json").exists()


def test_what_a_run_killed_in_its_first_moment_leaves_is_no_obstacle(tmp_path):
    for name in ("runs", "models"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".part-1.json").write_text("{")
    (tmp_path / ".lock").touch()
    prepared(tmp_path).close()
    assert not list(tmp_path.rglob(".part-*"))


def test_who_began_at_the_same_moment_is_noticed(tmp_path, monkeypatch):
    alone = Store._alone

    def late(store):
        store.write_json("settings.json", {"epochs": 2})  # between our look and our lock
        alone(store)

    monkeypatch.setattr(Store, "_alone", late)
    with pytest.raises(StoreError, match="at the same moment"):
        prepared(tmp_path)
    assert '"epochs": 2' in (tmp_path / "settings.json").read_text()
    monkeypatch.undo()
    with pytest.raises(StoreError, match="epochs: 2 there, 1 here"):
        prepared(tmp_path, resume=True)


def test_a_folder_inside_that_cannot_be_written_is_said_before_training(tmp_path, monkeypatch):
    prepared(tmp_path).close()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "runs")
    with pytest.raises(StoreError, match="runs cannot be written"):
        prepared(tmp_path, resume=True)


@pytest.mark.parametrize("content", ["{", "[]", '{"arm": "none", "measures": []}', "7"])
def test_damaged_files_are_named(tmp_path, content):
    store = prepared(tmp_path)
    (tmp_path / "runs" / "none-0.json").write_text(content)
    with pytest.raises(StoreError, match=r"none-0.json cannot be read .*; remove it"):
        store.runs()
    (tmp_path / "latency.json").write_text(content)
    with pytest.raises(StoreError, match=r"latency.json cannot be read .*; remove it"):
        store.latency()
    store.close()
    (tmp_path / "settings.json").write_text("[]")
    with pytest.raises(StoreError, match=r"settings.json holds no settings"):
        prepared(tmp_path, resume=True)


def test_differences_are_shown_where_they_are():
    there = {"versions": {"keras": "3.15.1", "numpy": "2.0"}, "arms": ["max-2/2"] * 20 + ["none"], "seeds": [0]}
    here = {"versions": {"keras": "3.15.1", "numpy": "2.1"}, "arms": ["max-2/2"] * 20 + ["own"], "seeds": (0,)}
    numpy, arms = differences(there, here)
    assert numpy == "versions.numpy: 2.0 there, 2.1 here"
    before, after = arms.split(" there, ")
    assert "none" in before
    assert "own" in after
    assert len(arms) < 150


def test_models_count_with_what_keras_saves_beside_them(tmp_path, monkeypatch):
    """Adam keeps two numbers for every weight, and they are in the file."""
    from cenote.lab import experiment

    def told(*_, needed, **__):
        raise StoreError(str(needed))

    monkeypatch.setattr(experiment.Store, "prepare", told)
    with pytest.raises(StoreError) as error:
        lab.run(lab.Experiment(arms="none", seeds=1), tmp_path)
    assert int(str(error.value)) >= 12 * 2_378_826
