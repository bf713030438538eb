"""The report: what must be in it, what must not, and that a browser shows it without asking anybody for anything."""

from __future__ import annotations

import base64
import io
import json
import math
import re
import shutil
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cenote.errors import CenoteError
from cenote.lab.arms import ALL
from cenote.lab.claims import CLAIMS
from cenote.lab.counts import CONVENTIONS
from cenote.lab.datasets import Dataset
from cenote.lab.report import FIGURES, REPORT, ResultsView, maps, write, write_report
from cenote.lab.report.charts import charts
from cenote.lab.report.intro import command
from cenote.lab.report.page import page
from cenote.lab.report.palette import variables
from cenote.lab.results import Results
from cenote.lab.store import Store
from lab_report_pages import Page, made

pytestmark = pytest.mark.keras


def drawn(results: Results) -> Page:
    """The page without its charts."""
    return Page(page(ResultsView(results), [], None))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of the full set of arms."""
    found: Path = tmp_path_factory.mktemp("report")
    write(made(ALL, refused=("max-3/3",)), Store(found), None)
    return found


# --- one file, and nothing from elsewhere ---


def test_page_is_well_formed_and_small(folder: Path) -> None:
    text = (folder / REPORT).read_text(encoding="utf-8")
    found = Page(text)
    assert len(text.encode()) < 3 << 20
    assert [tag for tag, _ in found.elements].count("main") == 1
    headings = [tag for tag, _ in found.elements if re.fullmatch(r"h\d", tag)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1


def test_nothing_is_asked_of_anybody(folder: Path) -> None:
    text = (folder / REPORT).read_text(encoding="utf-8")
    found = Page(text)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & {tag for tag, _ in found.elements}
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    asked = found.values("src", "href", "xlink:href", "srcset", "action")
    assert asked
    assert all(value.startswith(("#", "data:image/png;base64,")) for value in asked)
    assert "@import" not in text
    assert all(value.startswith("#") for value in re.findall(r"url\(['\"]?([^)]*)\)", text))
    policy = [a["content"] for tag, a in found.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    assert "default-src 'none'" in str(policy[0])
    assert "script-src" not in str(policy[0])


def test_ids_are_unique_and_every_reference_is_met(folder: Path) -> None:
    text = (folder / REPORT).read_text(encoding="utf-8")
    found = Page(text)
    ids = found.values("id")
    assert len(ids) == len(set(ids))
    wanted = [value[1:] for value in found.values("href")] + re.findall(r"url\(#([^)]*)\)", text)
    assert wanted
    assert set(wanted) <= set(ids)


def test_charts_take_the_colours_of_the_page(folder: Path) -> None:
    text = (folder / REPORT).read_text(encoding="utf-8")
    charts = re.findall(r'<svg class="chart".*?</svg>', text, re.DOTALL)
    assert len(charts) == 14
    known = set(re.findall(r"(--[a-z0-9-]+):", variables()))
    for chart in charts:
        assert set(re.findall(r"var\((--[a-z0-9-]+)\)", chart)) <= known
        colours = set(re.findall(r"(?:fill|stroke): ([^;\"]+)", chart))
        assert all(colour == "none" or colour.startswith("var(--") for colour in colours), colours
        assert "DejaVu" not in chart


# --- everything is there ---


def test_every_arm_claim_and_reason_is_told(folder: Path) -> None:
    found = Page((folder / REPORT).read_text(encoding="utf-8"))
    for name in ALL:
        assert name in found.text
    assert "its output would be empty" in found.text
    for claim in CLAIMS:
        assert claim.sentence in found.text
        assert claim.source in found.text
    for verdict in ResultsView(made(ALL, refused=("max-3/3",))).verdicts():
        assert verdict.sentence in found.text
    for convention in CONVENTIONS:
        assert convention in found.text


def test_claims_that_cannot_be_judged_are_told_too() -> None:
    found = drawn(made(("max-2/2", "avg-2/2")))
    for claim in CLAIMS:
        assert claim.sentence in found.text
    assert "none: not among the arms of this run" in found.text


def test_what_was_run_is_told() -> None:
    found = drawn(made()).text
    for said in ("a processor", "keras 3", "80 to train, 20 to test", "10 x 10 x 1", "2026-01-02, 03:04 UTC"):
        assert said in found
    assert "Images out of nowhere." in found
    assert command(made()) in found


def test_arms_that_could_not_be_built_were_not_trained() -> None:
    found = drawn(made(refused=("dense",))).text
    assert "5 arms (1 more could not be built): the network digits" in found
    assert "Each arm was trained 3 times" in found
    assert "Each arm was trained 3 times" in drawn(made(latency=False)).text
    assert "Each arm was to be trained 3 times" in drawn(made(runs=5)).text


def test_command_is_one_that_the_shell_reads_back() -> None:
    import shlex

    words = shlex.split(command(made(("max-2/2", "max+conv"))))
    assert words[:3] == ["cenote", "lab", "run"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options["--arms"] == "max-2/2,max+conv"
    assert (options["--seeds"], options["--epochs"], options["--input"]) == ("3", "4", "10x10x1")
    own = drawn(made(data="my images", model="mine:build"))
    assert "FOLDER is where the images of my images are" in own.text


def test_figures_are_whole_files(folder: Path) -> None:
    names = {path.stem for path in (folder / FIGURES).iterdir()}
    assert {
        "accuracy",
        "gap",
        "parameters",
        "multiply_adds",
        "memory_maps",
        "memory_kept",
        "latency_1",
        "loss",
    } <= names
    assert {path.name for path in (folder / FIGURES).iterdir()} == {f"{n}.{e}" for n in names for e in ("png", "svg")}
    for name in names:
        root = ElementTree.parse(folder / FIGURES / f"{name}.svg").getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        said = "".join(root.itertext())
        assert "max-2/2" in said, "text is text"
        with Image.open(folder / FIGURES / f"{name}.png") as picture:
            picture.verify()
        width, height = (float(root.attrib[side].removesuffix("pt")) for side in ("width", "height"))
        assert picture.size == (pytest.approx(2 * width, abs=1), pytest.approx(2 * height, abs=1))


def test_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    results = made(("max-2/2", "none"))
    first, second = tmp_path / "a", tmp_path / "b"
    for place in (first, second):
        write(results, Store(place), None)
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert len(files) == 29
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in files)


# --- names of the user's ---

NASTY = "<script>alert(1)</script>"


def test_names_stay_names() -> None:
    results = made(
        refused=("dense",),
        classes=[NASTY, 'b"><img src=x onerror=alert(1)>', "日本語", "a\x00b"],
        model="'\"><b>&amp;",
        data="<i>",
        note="</style></head><script src='http://example.org/x.js'></script>",
        reason="dense: </p><script>1</script> & so on",
    )
    found = drawn(results)
    tags = {tag for tag, _ in found.elements}
    assert "script" not in tags
    assert not [a for tag, a in found.elements if tag == "img"]
    for text in (NASTY, "'\"><b>&amp;", "日本語", "dense: </p><script>1</script> & so on"):
        assert text in found.text


def test_names_stay_names_in_charts_and_maps(tmp_path: Path) -> None:
    x = np.linspace(0, 1, 400, dtype=np.float32).reshape(4, 10, 10, 1)
    data = Dataset("<i>", x, np.array([0, 1, 0, 1]), x, np.array([0, 1, 0, 1]), (NASTY, "$x_1$ \\frac"), "a note")
    store = Store(tmp_path)
    results = made(("max-2/2",), classes=list(data.classes))
    _save(store, "max-2/2")
    write(results, store, data)
    found = Page((tmp_path / REPORT).read_text(encoding="utf-8"))
    assert "script" not in {tag for tag, _ in found.elements}
    assert f"class {NASTY}" in found.text


def test_a_name_that_is_no_text_makes_a_page(tmp_path: Path) -> None:
    """Folders, and so classes, may be named by any bytes."""
    results = made(("max-2/2",), refused=("max-2/2",), classes=["cat\udce9", "dog"])
    write(results, Store(tmp_path), None)
    assert "cat?, dog" in (tmp_path / REPORT).read_text(encoding="utf-8")


# --- results that are not whole ---


def test_a_stopped_run_says_how_far_it_is() -> None:
    found = drawn(made(seeds=3, runs=14)).text
    assert "14 of 18 trainings are finished; go on with --resume" in found
    assert "1 of 18 trainings is finished" in drawn(made(runs=1)).text
    assert "predictions have not been timed; go on with --resume" in drawn(made(latency=False)).text
    assert "--resume" not in drawn(made()).text


@pytest.mark.parametrize(
    "results",
    [
        pytest.param(made(seeds=1), id="one seed"),
        pytest.param(made(runs=0, latency=False), id="no run"),
        pytest.param(made(runs=4, latency=False), id="no latency"),
        pytest.param(made(diverged=True), id="diverged"),
        pytest.param(made(("avg-2/2",)), id="no baseline"),
        pytest.param(made(("max-2/2", "dense"), refused=("max-2/2",)), id="baseline refused"),
        pytest.param(made(("max-2/2", "dense"), refused=("max-2/2", "dense")), id="all refused"),
    ],
)
def test_any_results_make_a_page(results: Results) -> None:
    found = drawn(results)
    assert not [piece for piece in found.pieces if re.search(r"\b(nan|inf|None)\b", piece)]
    for claim in CLAIMS:
        assert claim.sentence in found.text


@pytest.mark.parametrize(
    "results",
    [
        pytest.param(made(("max-2/2",), seeds=1), id="one seed"),
        pytest.param(made(("max-2/2", "none"), runs=0, latency=False), id="no run"),
        pytest.param(made(("max-2/2", "none"), diverged=True), id="diverged"),
        pytest.param(made(("max-2/2",), refused=("max-2/2",)), id="all refused"),
    ],
)
def test_charts_show_numbers_alone(results: Results, tmp_path: Path) -> None:
    write(results, Store(tmp_path), None)
    Page((tmp_path / REPORT).read_text(encoding="utf-8"))
    for path in (tmp_path / FIGURES).glob("*.svg"):
        assert not re.search(r"\b(nan|inf)\b", path.read_text(encoding="utf-8"))


def test_one_seed_has_no_interval() -> None:
    found = drawn(made(seeds=1))
    assert "±" not in found.text
    assert "One seed has no interval" in found.text
    accuracy = next(charts(ResultsView(made(("max-2/2",), seeds=1))))
    assert accuracy.caption == "Filled: test images, one seed. Hollow: training images."


def test_a_diverged_training_is_named_and_not_averaged() -> None:
    assert "none for seed 0, 1, 2" in drawn(made(diverged=True)).text


@pytest.mark.parametrize("loss", ["train_loss", "test_loss"])
def test_a_diverged_network_decides_no_claim(loss: str) -> None:
    """Among NaN the first class wins, whatever the image: no gap, and the same answer after every shift."""
    results = made(("max-2/2", "none"), seeds=4)
    pooled = results.arms["max-2/2"]
    shifts = {name: 1.0 for name in pooled.runs[0].measures if name.startswith("consistency")}
    runs = {seed: replace(run, measures={**run.measures, **shifts, "gap": 0.0}) for seed, run in pooled.runs.items()}
    runs[2] = replace(runs[2], measures={**runs[2].measures, loss: math.nan})
    view = ResultsView(replace(results, arms={**results.arms, "max-2/2": replace(pooled, runs=runs)}))
    trained = [one for one in view.verdicts() if not one.claim.unit.exact and not one.claim.unit.timed]
    assert {"less-overfitting", "robust-circular-1", "same-accuracy"} <= {one.claim.name for one in trained}
    assert {str(one.verdict) for one in trained} == {"undecided"}
    assert view.lost("max-2/2", "gap") == [2]
    assert view.lost("max-2/2", "seconds_per_epoch") == []


def test_tables_say_when_a_difference_is_in_colour() -> None:
    found = drawn(made(("max-2/2", "none"))).text
    assert "in colour where the interval does not hold 0 and stands on 3 values or more" in found
    assert "in colour where the interval does not hold 1 and stands on 3 values or more" in found
    assert "one after the other" in found
    assert "times for this machine" in found


def test_differences_are_those_of_the_seeds() -> None:
    view = ResultsView(made(("max-2/2", "none"), seeds=4))
    ours = [view.per_seed(arm, "test_accuracy") for arm in ("none", "max-2/2")]
    differences = [100 * (ours[0][seed] - ours[1][seed]) for seed in range(4)]
    mean = sum(differences) / 4
    deviation = math.sqrt(sum((d - mean) ** 2 for d in differences) / 3)
    half = 3.182446305284263 * deviation / 2  # Student's t for 4 values
    text = drawn(view.results).text
    assert re.search(rf"\+{mean:.1f}\d* ± {half:.1f}\d*", text), (mean, half)


def test_a_folder_without_results_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CenoteError, match=r"results\.json is not there"):
        write_report(tmp_path)


# --- maps ---


def _network() -> Any:
    """Two maps, the image and twice the image, then windows of 2 x 2."""
    import keras

    import cenote.keras as ours

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((10, 10, 1)),
            layers.Conv2D(2, 1, use_bias=False, name="twice"),
            ours.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.get_layer("twice").set_weights([np.array([1, 2], np.float32).reshape(1, 1, 1, 2)])
    return model


def _save(store: Store, arm: str) -> None:
    store.save_model(arm, _network().save)


def test_maps_are_those_of_the_network(tmp_path: Path) -> None:
    image = np.random.default_rng(1).random((10, 10, 1), np.float32)
    found = maps.of_network(_network(), image, "pool")
    assert found.first is not None
    assert (found.first.layer, found.first.channel, found.first.channels) == ("twice", 1, 2)
    assert np.array_equal(found.before, 2 * image[..., 0])
    blocks = 2 * image[..., 0].reshape(5, 2, 5, 2).transpose(0, 2, 1, 3).reshape(5, 5, 4)
    assert np.array_equal(found.after, blocks.max(axis=-1))


def test_maps_of_networks_that_do_not_pool() -> None:
    import keras

    image = np.ones((10, 10, 1), np.float32)
    layers = keras.layers

    def net(*inside: Any) -> Any:
        return keras.Sequential([keras.Input((10, 10, 1)), *inside, layers.Flatten(), layers.Dense(2)])

    none = maps.of_network(net(layers.Conv2D(3, 3)), image, "none")
    assert none.before is not None
    assert none.before.shape == (8, 8)
    assert none.after is None
    strided = maps.of_network(net(layers.Conv2D(3, 3), layers.Conv2D(4, 3, strides=2)), image, "strided")
    assert strided.after is not None
    assert strided.after.shape == (3, 3)
    assert "mixes" in strided.note
    assert maps.of_network(net(), image, "dense").before is None


def test_maps_of_a_diverged_network_say_so() -> None:
    place = maps.Place("conv", "Conv2D", 4, 4, 1, 0)
    for value in (math.nan, 0.5):
        cells = np.full((4, 4), value, np.float32)
        seen = maps.Seen(np.zeros((4, 4, 1)), 0, "cat", {"none": maps.Maps("", place, cells)})
        assert ("training diverged" in page(ResultsView(made(("none",))), [], seen)) is math.isnan(value)


def test_maps_stay_in_the_folder(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    x = rng.random((4, 10, 10, 1), np.float32)
    data = Dataset("data", x, np.array([0, 1, 0, 1]), x, np.array([1, 0, 0, 1]), ("cat", "dog"), "a note")
    store = Store(tmp_path)
    results = made(("max-2/2", "dense"), runs=1, seeds=1)
    _save(store, "max-2/2")
    write(results, store, data)
    store.save_results(results.as_dict())
    first = (tmp_path / REPORT).read_text(encoding="utf-8")
    assert "class dog" in first
    shutil.rmtree(tmp_path / "models")
    assert write_report(tmp_path) == tmp_path / REPORT
    pictures = [re.findall(r'src="(data:[^"]+)"', text) for text in (first, (tmp_path / REPORT).read_text("utf-8"))]
    assert len(pictures[0]) == 3
    assert pictures[0] == pictures[1]
    with Image.open(tmp_path / FIGURES / "maps.png") as picture:
        picture.verify()


def test_every_pooling_layer_is_explored_beside_the_report(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    x = rng.random((4, 10, 10, 1), np.float32)
    data = Dataset("data", x, np.array([0, 1, 0, 1]), x, np.array([1, 0, 0, 1]), ("cat", NASTY), "a note")
    store = Store(tmp_path)
    results = made(("max-2/2", "avg-2/2", "dense"), runs=2, seeds=1)
    _save(store, "max-2/2")
    _save(store, "avg-2/2")
    write(results, store, data)
    store.save_results(results.as_dict())
    report = (tmp_path / REPORT).read_text(encoding="utf-8")
    assert 'href="maps.html"' in report
    text = (tmp_path / "maps.html").read_text(encoding="utf-8")
    model = json.loads(re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', text, re.DOTALL)[1])["model"]  # type: ignore[index]
    names = [layer["name"].partition(":")[0] for layer in model["layers"]]
    assert names == ["max-2/2", "avg-2/2"]
    kept = base64.b64decode(model["layers"][0]["channels"][0]["before"]["data"])
    assert np.array_equal(np.frombuffer(kept, "<f4").reshape(10, 10), 2 * x[0, ..., 0])
    shutil.rmtree(tmp_path / "models")
    write_report(tmp_path)  # without the networks: what was explored stays
    assert (tmp_path / "maps.html").read_text(encoding="utf-8") == text
    assert 'href="maps.html"' in (tmp_path / REPORT).read_text(encoding="utf-8")


def _torn() -> bytes:
    """An archive with a whole directory, whose data begins with a block of no type that there is."""
    packed = io.BytesIO()
    np.savez_compressed(packed, about=np.zeros(9, np.uint8))
    content = bytearray(packed.getvalue())
    name, extra = (int.from_bytes(content[i : i + 2], "little") for i in (26, 28))
    content[30 + name + extra] = 0xFF
    return bytes(content)


BROKEN = {"empty": b"", "cut": b"PK\x03\x04 not whole", "other": b"nothing", "torn": _torn()}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_copy_of_the_maps_is_made_anew(content: bytes, tmp_path: Path) -> None:
    x = np.zeros((2, 10, 10, 1), np.float32)
    data = Dataset("data", x, np.array([0, 1]), x, np.array([0, 1]), ("cat", "dog"), "a note")
    store = Store(tmp_path)
    store.write(maps.FILE, content)
    _save(store, "max-2/2")
    write(made(("max-2/2",)), store, data)
    with np.load(io.BytesIO((tmp_path / maps.FILE).read_bytes())) as arrays:
        assert arrays["image"].shape == (10, 10, 1)


def test_a_network_that_cannot_be_read_is_a_note(tmp_path: Path) -> None:
    x = np.zeros((2, 10, 10, 3), np.float32)
    data = Dataset("data", x, np.array([0, 1]), x, np.array([0, 1]), ("cat", "dog"), "a note")
    store = Store(tmp_path)
    store.write("models/max-2_2.keras", b"no network")
    write(made(("max-2/2",)), store, data)
    assert "its maps cannot be drawn" in Page((tmp_path / REPORT).read_text(encoding="utf-8")).text
