"""The number of threads a call may use, before anybody sets it."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cenote.native import threads


def found(**environment: str) -> int:
    """What a fresh process says."""
    code = "import cenote; print(cenote.get_num_threads())"
    inherited = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    paths = os.pathsep.join(filter(None, sys.path))
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, "PYTHONPATH": paths, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return int(answer.stdout)


@pytest.fixture
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process where nobody has asked yet, and no environment says anything."""
    monkeypatch.setattr(threads._Setting, "threads", None)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def test_the_environment_comes_first() -> None:
    assert found(OMP_NUM_THREADS="5") == 5
    assert found(OMP_NUM_THREADS="3,2") == 3


@pytest.mark.parametrize("nonsense", ["", "0", "-2", "many", "99999999999"])
def test_an_environment_that_makes_no_sense_says_nothing(nonsense: str) -> None:
    assert found(OMP_NUM_THREADS=nonsense) == found()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no CPU affinity")
def test_only_cores_that_may_be_used_count() -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert found() == 1
    finally:
        os.sched_setaffinity(0, before)


def test_the_default_is_looked_up_once(afresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads.get_num_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert threads.get_num_threads() == 3
    threads.set_num_threads(2)
    assert threads.get_num_threads() == 2


@pytest.mark.parametrize(("quota", "want"), [(0.3, 1), (1.0, 1), (2.5, 3), (math.inf, 8)])
def test_a_quota_is_rounded_up(quota: float, want: int, afresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(threads, "_quota", lambda: quota)
    assert threads.get_num_threads() == want


GROUPS = {
    "none": ("", {}, math.inf),
    "no limit": ("0::/\n", {"cpu.max": "max 100000\n"}, math.inf),
    "container": ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
    "outside": ("0::/../../elsewhere\n", {"cpu.max": "150000 100000\n"}, 1.5),
    "the tightest of all above": (
        "0::/slice/job/step\n",
        {"slice/cpu.max": "200000 100000\n", "slice/job/cpu.max": "max 100000\n", "slice/job/step/cpu.max": "5 1\n"},
        2,
    ),
    "somebody else's": ("0::/mine\n", {"mine/cpu.max": "max 100000\n", "other/cpu.max": "1 1\n"}, math.inf),
    "version 1": (
        "4:memory:/box\n3:cpu,cpuacct:/box\n",
        {"cpu,cpuacct/box/cpu.cfs_quota_us": "50000\n", "cpu,cpuacct/box/cpu.cfs_period_us": "100000\n"},
        0.5,
    ),
    "version 1, the host's path": (
        "3:cpu,cpuacct:/docker/0123\n0::/\n",
        {"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"},
        3,
    ),
    "version 1, no limit": (
        "3:cpu:/\n",
        {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
        math.inf,
    ),
    "nonsense": ("what\n0::/\n::\n", {"cpu.max": "10 0\n"}, math.inf),
}


@pytest.mark.parametrize("name", GROUPS)
def test_control_groups(name: str, tmp_path: Path) -> None:
    lines, files, want = GROUPS[name]
    mount = tmp_path / "mount"
    for file, text in files.items():
        (mount / file).parent.mkdir(parents=True, exist_ok=True)
        (mount / file).write_text(text)
    (tmp_path / "groups").write_text(lines)
    assert threads._quota(str(tmp_path / "groups"), str(mount)) == want


def test_no_control_groups_at_all(tmp_path: Path) -> None:
    assert threads._quota(str(tmp_path / "none"), str(tmp_path)) == math.inf
