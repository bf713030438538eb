"""`cenote pool` on several inputs: names kept, nothing overwritten, one bad file among many."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli_process import Here, environment, halved, noise, process


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
