"""`cenote pool` and the file system: nothing overwritten, nothing half-written, nothing left behind."""

from __future__ import annotations

import errno
import json
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


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    monkeypatch.chdir(tmp_path)
    return Here(tmp_path, capsys)


@pytest.fixture
def image(here: Here) -> Path:
    Image.fromarray(noise(12, 16, 3)).save("in.png")
    return Path("in.png")


def folder(name: str, *files: str) -> Path:
    """A folder of images of different sizes."""
    made = Path(name)
    made.mkdir()
    for i, file in enumerate(files):
        target = made / file
        if target.suffix == ".npy":
            np.save(target, noise(8, 8, seed=i))
        else:
            Image.fromarray(noise(8 + 2 * i, 10, 3, seed=i)).save(target)
    return made


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


# --- folders --------------------------------------------------------------------------------------------------------


def test_a_folder_into_a_folder(here: Here) -> None:
    folder("photos", "b.png", "a.tiff", "c.webp", "x.npy")
    (Path("photos") / "notes.txt").write_text("not an image")
    (Path("photos") / ".hidden.png").write_text("not an image")
    (Path("photos") / "deeper.png").mkdir()
    out = here("pool", "photos", "small", "--size", "2").worked().out
    assert here.names("small") == {"a.tiff", "b.png", "c.webp", "x.npy"}
    assert np.load("small/x.npy").shape == (4, 4)
    with Image.open("small/a.tiff") as found:
        np.testing.assert_array_equal(np.asarray(found), halved(noise(10, 10, 3, seed=1)))
    rows = [line.split()[0] for line in out.splitlines() if line.startswith("small/")]
    assert rows == ["small/a.tiff", "small/b.png", "small/c.webp", "small/x.npy"]
    assert "floor((10 + 0 + 0 - 2)/2) + 1 = 5" in out


def test_several_inputs_into_a_folder(here: Here) -> None:
    folder("one", "a.png")
    folder("two", "b.png", "c.png")
    found = json.loads(here("pool", "one/a.png", "two", "out", "--size", "2", "--json").worked().out)
    assert [Path(one["output"]).name for one in found["files"]] == ["a.png", "b.png", "c.png"]
    assert found["failed"] == []
    assert here.names("out") == {"a.png", "b.png", "c.png"}


def test_one_input_into_an_existing_folder(here: Here, image: Path) -> None:
    Path("out").mkdir()
    here("pool", image, "out", "--size", "2").worked()
    assert here.names("out") == {"in.png"}


def test_one_input_into_an_existing_folder_with_indices(here: Here, image: Path) -> None:
    Path("out").mkdir()
    here("pool", image, "out", "--size", "2", "--indices", "i.npy").worked()
    assert here.names() == {"in.png", "out", "i.npy"}
    here("pool", image, "out", "--size", "2", "--indices", "out", "--force").worked()
    assert here.names("out") == {"in.png", "in.png.npy"}


def test_names_that_are_no_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"bad\xff\n.png")
    try:
        Image.fromarray(noise(8, 8)).save(tmp_path / name)
    except OSError:
        pytest.skip("this file system takes names of UTF-8 only")
    out = (
        process("pool", name, "out.png", "--size", "2", cwd=tmp_path, extra={"PYTHONIOENCODING": "ascii"}).worked().out
    )
    assert "bad\\udcff" in out
    process("pool", name, "out.png", "--size", "2", cwd=tmp_path).failed(1, "out.png: exists")
    process("pool", "none" + name, "o.png", "--size", "2", cwd=tmp_path).failed(1, "nonebad\\udcff .png: no such file")


def test_a_folder_run_never_overwrites_and_says_what(here: Here) -> None:
    folder("photos", "a.png", "b.png", "c.png")
    folder("out", "b.png")
    before = (Path("out") / "b.png").read_bytes()
    here("pool", "photos", "out", "--size", "2").failed(1, "out/b.png: exists")
    assert here.names("out") == {"b.png"}
    assert (Path("out") / "b.png").read_bytes() == before
    here("pool", "photos", "out", "--size", "2", "--force").worked()
    assert here.names("out") == {"a.png", "b.png", "c.png"}


def test_inputs_of_one_name_do_not_collide(here: Here) -> None:
    folder("one", "a.png")
    folder("two", "a.png")
    here("pool", "one/a.png", "two/a.png", "out", "--size", "2").failed(
        2, "out/a.png: both one/a.png and two/a.png would go there"
    )
    folder("three", "a.jpg", "a.png")
    here("pool", "three", "out", "--size", "2", "--suffix", "npy").failed(2, "out/a.npy: both three/a.jpg and")
    assert here.names() == {"one", "two", "three"}


def test_folders_that_hold_no_image(here: Here) -> None:
    Path("empty").mkdir()
    here("pool", "empty", "out", "--size", "2").failed(1, "empty: no image in this folder (it is empty)")
    (Path("empty") / "notes.txt").touch()
    here("pool", "empty", "out", "--size", "2").failed(1, "its 1 entries end otherwise", ".png")
    assert here.names() == {"empty"}


def test_a_folder_onto_itself(here: Here) -> None:
    folder("photos", "a.png")
    here("pool", "photos", "photos", "--size", "2", "--force").failed(2, "is the input photos/a.png itself")


def test_several_inputs_into_a_file(here: Here) -> None:
    folder("photos", "a.png", "b.png")
    here("pool", "photos", "out.png", "--size", "2").failed(2, "2 inputs go into a folder", "named like a file")
    here("pool", "photos", "no/such", "--size", "2").failed(1, "the folder no/such does not exist")
    assert here.names() == {"photos"}


def test_another_ending_for_results_that_need_one(here: Here) -> None:
    folder("photos", "a.png", "b.png")
    here("pool", "photos", "out", "--size", "2", "--op", "lp").failed(2, "a PNG cannot hold float32 RGB")
    here("pool", "photos", "out", "--size", "2", "--op", "lp", "--suffix", ".npy").worked()
    assert here.names("out") == {"a.npy", "b.npy"}
    here("pool", "photos", "gifs", "--size", "2", "--suffix", ".gif").failed(2, "ends in '.gif'")
    here("pool", "photos/a.png", "out.npy", "--size", "2", "--suffix", ".npy").failed(2, "--suffix is for a folder")


def test_indices_of_a_folder(here: Here) -> None:
    folder("photos", "a.png", "b.png")
    here("pool", "photos", "out", "--size", "2", "--indices", "where").worked()
    assert here.names("where") == {"a.png.npy", "b.png.npy"}
    assert np.load("where/a.png.npy").shape == (4, 5, 3)


def test_one_bad_file_does_not_stop_the_others(here: Here) -> None:
    folder("photos", "a.png", "b.png", "c.png", "d.png")
    whole = (Path("photos") / "b.png").read_bytes()
    (Path("photos") / "b.png").write_bytes(whole[: len(whole) // 2])
    (Path("photos") / "c.png").write_text("no image")
    ran = here("pool", "photos", "out", "--size", "2")
    assert ran.code == 1
    lines = ran.err.splitlines()
    assert len(lines) == 3
    assert any("photos/b.png: cannot be read" in line for line in lines)
    assert any("photos/c.png: is no readable PNG" in line for line in lines)
    assert lines[-1] == "cenote pool: 2 of 4 files failed, 2 are done"
    assert here.names("out") == {"a.png", "d.png"}


def test_a_folder_made_for_nothing_goes_again(here: Here) -> None:
    folder("photos", "a.png", "b.png")
    for path in Path("photos").iterdir():
        path.write_bytes(path.read_bytes()[:-200])
    assert here("pool", "photos", "out", "--size", "2").code == 1
    assert here.names() == {"photos"}


def test_a_window_too_large_for_one_of_many_stops_before_the_first(here: Here) -> None:
    folder("photos", "a.png", "b.png", "c.png")
    here("pool", "photos", "out", "--size", "9x2").failed(2, "photos/a.png: the output length of axis 0")
    assert here.names() == {"photos"}


def test_a_progress_bar_where_somebody_watches(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="no pseudo-terminals here: the progress bar is not watched")
    (tmp_path / "in").mkdir()
    for name in "abc":
        Image.fromarray(noise(8, 8)).save(tmp_path / "in" / f"{name}.png")
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "cenote", "pool", "in", "out", "--size", "2"]
    env = {**environment(), "TERM": "xterm"}
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=follower) as running:
        os.close(follower)
        seen = b""
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            seen += part
        assert running.wait() == 0
    os.close(leader)
    assert b"pooling" in seen
    assert b"3/3" in seen


# --- interrupts -----------------------------------------------------------------------------------------------------


def running(tmp_path: Path, window: str) -> subprocess.Popen[str]:
    """A folder run that has finished its first file and is at its second, which takes long."""
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in" / "a.npy", noise(8, 8))
    np.save(tmp_path / "in" / "b.npy", np.random.default_rng(1).random((3000, 3000), dtype=np.float32))
    command = [sys.executable, "-m", "cenote", "pool", "in", "out", "--window", window]
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
