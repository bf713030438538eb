"""`cenote pool` and the file system: nothing overwritten, nothing half-written, nothing left behind."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cenote.cli import plan
from cenote.cli.errors import Failure
from cenote.cli.files import Outputs
from cli_process import Here, environment, halved, noise, process

# --- one output -----------------------------------------------------------------------------------------------------


def test_an_existing_output_is_left_alone(here: Here, image: Path) -> None:
    Path("out.png").write_text("precious")
    here("pool", image, "out.png", "--size", "2").failed(1, "out.png: exists", "--force")
    assert Path("out.png").read_text() == "precious"
    here("pool", image, "out.png", "--size", "2", "--force").worked()
    with Image.open("out.png") as found:
        np.testing.assert_array_equal(np.asarray(found), halved(noise(12, 16, 3)))
    assert here.names() == {"in.png", "out.png"}


def test_existing_indices_are_left_alone(here: Here, image: Path) -> None:
    Path("i.npy").write_text("precious")
    here("pool", image, "out.png", "--size", "2", "--indices", "i.npy").failed(1, "i.npy: exists")
    assert Path("i.npy").read_text() == "precious"
    assert here.names() == {"in.png", "i.npy"}


def test_existing_output_comes_before_any_work(here: Here, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "read", lambda *given: pytest.fail("the image was read"))
    Path("out.png").touch()
    here("pool", image, "out.png", "--size", "2").failed(1, "exists")


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_an_input_is_never_the_output(here: Here, image: Path, force: list[str]) -> None:
    before = image.read_bytes()
    here("pool", image, image, "--size", "2", *force).failed(2, "in.png: is the input in.png itself")
    here("pool", image, "./in.png", "--size", "2", *force).failed(2, "is the input")
    Path("link.png").symlink_to("in.png")
    here("pool", image, "link.png", "--size", "2", *force).failed(2, "is the input")
    here("pool", image, ".", "--size", "2", *force).failed(2, "is the input")
    np.save("x.npy", noise(4, 4))
    here("pool", "x.npy", "o.npy", "--size", "2", "--indices", "x.npy", *force).failed(2, "x.npy: is the input")
    here("pool", image, "o.npy", "--size", "2", "--indices", "o.npy", *force).failed(
        2, "both in.png and in.png would go"
    )
    assert image.read_bytes() == before


def test_folders_that_are_missing_or_in_the_way(here: Here, image: Path) -> None:
    here("pool", image, "no/such/out.png", "--size", "2").failed(
        1, "the folder no/such does not exist; make it first: mkdir -p no/such"
    )
    here("pool", image, "in.png/out.png", "--size", "2").failed(1, "in.png/out.png")
    Path("out.png").mkdir()
    (Path("out.png") / "in.png").mkdir()
    here("pool", image, "out.png", "--size", "2", "--force").failed(1, "in.png: is a folder")
    here("pool", image, "a" * 300 + ".png", "--size", "2").failed(1, "name too long")
    assert here.names() == {"in.png", "out.png"}


def test_a_name_as_long_as_can_be(here: Here, image: Path) -> None:
    name = "a" * 251 + ".png"
    here("pool", image, name, "--size", "2").worked()
    assert here.names() == {"in.png", name}


def test_an_output_folder_that_cannot_be_written(here: Here, image: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    Path("closed").mkdir(mode=0o500)
    here("pool", image, "closed/out.png", "--size", "2").failed(1, "is not writable")


def test_a_dangling_link_is_in_the_way_too(here: Here, image: Path) -> None:
    Path("out.png").symlink_to("nowhere.png")
    here("pool", image, "out.png", "--size", "2").failed(1, "out.png: exists")
    assert here.names() == {"in.png", "out.png"}


def test_outputs_have_the_usual_permissions(here: Here, image: Path) -> None:
    before = os.umask(0o027)
    try:
        here("pool", image, "out.png", "--size", "2").worked()
    finally:
        os.umask(before)
    assert Path("out.png").stat().st_mode & 0o777 == 0o640


def test_outputs_appear_together_or_not_at_all(tmp_path: Path) -> None:
    first, second = tmp_path / "a.npy", tmp_path / "b.npy"

    def interrupted() -> None:
        with Outputs(force=False) as outputs:
            for target in (first, second):
                with outputs.open(target) as file:
                    file.write(b"half")
            assert len(list(tmp_path.iterdir())) == 2
            raise KeyboardInterrupt

    def overtaken() -> None:
        with Outputs(force=False) as outputs:
            for target in (first, second):
                with outputs.open(target) as file:
                    file.write(b"whole")
            second.write_text("somebody was faster")
            outputs.publish()

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Failure, match=r"b\.npy: exists"):
        overtaken()
    assert list(tmp_path.iterdir()) == [second]
    assert second.read_text() == "somebody was faster"


def test_outputs_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*given: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)

    def write() -> None:
        with Outputs(force=False) as outputs:
            with outputs.open(tmp_path / "a") as file:
                file.write(b"x")
            outputs.publish()

    write()
    with pytest.raises(Failure, match="exists"):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


# --- a full disk ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("out", ["out.npy", "out.png", "out.tiff", "out.webp"])
def test_a_file_that_may_not_grow_leaves_nothing(tmp_path: Path, out: str) -> None:
    np.save(tmp_path / "in.npy", noise(400, 400))

    def little() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    command = [sys.executable, "-m", "cenote", "pool", "in.npy", out, "--size", "2"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, preexec_fn=little, check=False
    )
    assert done.returncode == 1
    assert done.stderr == f"cenote pool: {out}: file too large; nothing was written there\n"
    assert {path.name for path in tmp_path.iterdir()} == {"in.npy"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_leaves_nothing(here: Here, small_disk: Path) -> None:
    np.save("in.npy", noise(1600, 1600))
    for name in ("out.npy", "out.png", "out.tiff"):
        here("pool", "in.npy", small_disk / name, "--size", "2").failed(1, f"{name}: no space left on device")
    assert list(small_disk.iterdir()) == []
    assert here.names() == {"in.npy", "disk"}


# --- interrupts -----------------------------------------------------------------------------------------------------


def running(tmp_path: Path, window: str) -> subprocess.Popen[str]:
    """A folder run that has finished its first file and is at its second, which takes long."""
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in" / "a.npy", noise(8, 8))
    np.save(tmp_path / "in" / "b.npy", np.random.default_rng(1).random((3000, 3000), dtype=np.float32))
    command = [sys.executable, "-m", "cenote", "pool", "in", "out", "--window", window, "--op", "lp", "--p", "3"]
    found = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "out" / "a.npy").exists():
        assert found.poll() is None, found.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.3)
    return found


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
def test_interrupted_while_pooling(tmp_path: Path, number: int, code: int) -> None:
    found = running(tmp_path, "301/1+150")
    sent = time.monotonic()
    found.send_signal(number)
    out, err = found.communicate(timeout=60)
    assert found.returncode == code, err
    assert out == ""
    assert err == ("cenote pool: interrupted after 1 of 2 files\n" if number == signal.SIGINT else "")
    assert time.monotonic() - sent < 10
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.npy"}


def test_interrupted_anywhere_is_one_line(here: Here, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(plan, "read", interrupted)
    here("pool", image, "out.png", "--size", "2").failed(130, "cenote pool: interrupted")
    monkeypatch.setattr(plan, "pairs", interrupted)
    here("pool", image, "out.png", "--size", "2").failed(130, "cenote pool: interrupted")
    assert here.names() == {"in.png"}


def test_two_runs_into_one_folder_do_not_meet(tmp_path: Path) -> None:
    Image.fromarray(noise(12, 12)).save(tmp_path / "in.png")
    first = process("pool", "in.png", "out.png", "--size", "2", cwd=tmp_path)
    second = process("pool", "in.png", "out.png", "--size", "3", cwd=tmp_path)
    first.worked()
    second.failed(1, "out.png: exists")
