"""States that the explorer's page sends to the compiled core: the contract's numbers, and every word checked."""

from __future__ import annotations

import base64
import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import cenote
import oracle
from cenote.explorer.serve import Server
from explorer_client import PAGE, Client, unpacked


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Server(lambda token: PAGE) as server:
        yield Client(server)


def state(**changes: Any) -> dict[str, Any]:
    words = {
        "form": "slide", "size": [3, 3], "stride": [2, 2], "padding": ["same", "same"], "dilation": [1, 1],
        "ceil": None, "divisor": None,
    }  # fmt: skip
    words |= changes.pop("words", {})
    whole = {"op": "max", "words": words, "p": 2, "integers": False, "shape": [4, 4], "values": list(range(16))}
    return {**whole, "title": "", "upstream": None, **changes}


def test_the_compiled_core_answers_as_the_contract_says(client: Client) -> None:
    found = client.pool(state()).json()
    np.testing.assert_array_equal(unpacked(found["values"]), [[10, 11], [14, 15]])
    np.testing.assert_array_equal(unpacked(found["winners"]), [[10, 11], [14, 15]])
    pad = {"padding": [[1, 1], [1, 1]], "ceil": True}
    values = list(range(1, 17))
    for divisor, wanted in (
        (None, [[3.5, 5, 6], [9.5, 11, 12], [13.5, 15, 16]]),
        ("inside", [[3.5, 5, 6], [9.5, 11, 12], [13.5, 15, 16]]),
        ("padded", [[14 / 9, 10 / 3, 2], [19 / 3, 11, 6], [4.5, 7.5, 4]]),
        (2, [[7, 15, 6], [28.5, 49.5, 18], [13.5, 22.5, 8]]),
    ):
        found = client.pool(state(op="avg", values=values, words={**pad, "divisor": divisor})).json()
        assert found["winners"] is None
        if divisor != 2:
            np.testing.assert_allclose(unpacked(found["values"]), wanted, rtol=1e-15)  # the division's own rounding
    line = {"size": [4], "stride": [2], "padding": [[0, 0]], "dilation": [1]}
    found = client.pool(state(shape=[4], values=["NaN", "-inf", "-0", "inf"], words=line)).json()
    assert np.isnan(unpacked(found["values"]))
    assert unpacked(found["winners"]) == 0
    dilated = {"size": [2], "stride": [1], "padding": [[1, 1]], "dilation": [2]}
    found = client.pool(state(shape=[9], values=[1, 9, 2, 8, 3, 7, 4, 6, 5], words=dilated)).json()
    np.testing.assert_array_equal(unpacked(found["values"]), [9, 2, 9, 3, 8, 4, 7, 5, 6])
    np.testing.assert_array_equal(unpacked(found["winners"]), [1, 2, 1, 4, 3, 6, 5, 8, 7])
    empty = {"size": [2], "stride": [1], "padding": [[1, 1]], "dilation": [2]}
    found = client.pool(state(op="min", shape=[1], values=[3], words=empty)).json()
    assert unpacked(found["values"]) == np.inf
    assert unpacked(found["winners"]) == -1
    adaptive = {"form": "adaptive", "size": [3, 3], "stride": None, "padding": [[0, 0]] * 2}
    found = client.pool(state(shape=[5, 5], values=list(range(25)), words=adaptive)).json()
    np.testing.assert_array_equal(unpacked(found["values"]), [[6, 8, 9], [16, 18, 19], [21, 23, 24]])
    everything = {"form": "global", "size": [1, 1], "stride": None, "padding": [[0, 0]] * 2}
    assert unpacked(client.pool(state(op="sum", words=everything)).json()["values"]) == 120
    halves = {"size": [2], "stride": [2], "padding": [[0, 0]], "dilation": [1]}
    found = client.pool(state(op="avg", integers=True, shape=[6], values=[0, 1, 1, 2, -1, 0], words=halves)).json()
    np.testing.assert_array_equal(unpacked(found["values"]), [0, 2, 0])
    found = client.pool(state(op="lp", p="inf", shape=[2], values=[-3, 2], words=halves)).json()
    assert unpacked(found["values"]) == 3


def test_packed_values_are_read_as_a_list_is(client: Client) -> None:
    for dtype, cells in (("u1", [0, 7, 255, 1]), ("f4", [np.nan, -0.0, 0.5, 3]), ("f8", [0.1, -np.inf, 5e-324, 2])):
        data = base64.b64encode(np.array(cells, "<" + dtype).tobytes()).decode()
        words = {"size": [2], "stride": None, "padding": [[0, 0]], "dilation": [1]}
        packed = {"dtype": dtype, "shape": [4], "data": data}
        found = client.pool(state(shape=[4], values=packed, words=words)).json()
        wanted = cenote.max_pool(np.array(cells, np.float64), 2, axes=0)
        np.testing.assert_array_equal(unpacked(found["values"]), wanted)


BAD_STATES: dict[str, tuple[str, Any]] = {
    "list": ("object", []),
    "null": ("object", None),
    "empty": ("op", {}),
    "op": ("op", state(op="median")),
    "op of a wrong type": ("op", state(op=["max"])),
    "filter": ("filter", state(filter="blur")),
    "shape missing": ("shape", {**state(), "shape": None}),
    "shape of four": ("shape", state(shape=[1, 1, 4, 4])),
    "shape negative": ("shape", state(shape=[-4, -4])),
    "shape of floats": ("shape", state(shape=[4.0, 4.0])),
    "shape of bools": ("shape", state(shape=[True, 16])),
    "shape huge": ("cells", state(shape=[2**20, 2])),
    "too few values": ("values", state(values=[1])),
    "values of text": ("values", state(values=["1"] * 16)),
    "values of bools": ("values", state(values=[True] * 16)),
    "values of null": ("values", state(values=[None] * 16)),
    "value beyond float64": ("float64", state(values=[10**400] + [0] * 15)),
    "packed unknown": ("dtype", state(values={"dtype": "O", "data": ""})),
    "packed no base64": ("base64", state(values={"dtype": "f8", "data": "!!"})),
    "packed no text": ("base64", state(values={"dtype": "f8", "data": 3})),
    "packed cut": ("base64", state(values={"dtype": "f8", "data": "AAAA"})),
    "words": ("words", {**state(), "words": 3}),
    "form": ("form", state(words={"form": "fractional"})),
    "size short": ("size", state(words={"size": [3]})),
    "size 0": ("size", state(words={"size": [0, 3]})),
    "size huge": ("size", state(words={"size": [2**40, 3]})),
    "stride 0": ("stride", state(words={"stride": [0, 1]})),
    "dilation missing": ("dilation", state(words={"dilation": None})),
    "padding negative": ("pad", state(words={"padding": [[-1, 0], [0, 0]]})),
    "padding flat": ("padding", state(words={"padding": [1, 1]})),
    "padding triple": ("padding", state(words={"padding": [[1, 1, 1], [1, 1]]})),
    "padding word": ("padding", state(words={"padding": ["valid", "reflect"]})),
    "padding object": ("padding", state(words={"padding": [{}, {}]})),
    "ceil": ("ceil", state(words={"ceil": 2})),
    "word and ceil": ("ceil", state(words={"ceil": True})),
    "divisor 0": ("divisor", state(op="avg", words={"divisor": 0})),
    "divisor text": ("divisor", state(op="avg", words={"divisor": "mine"})),
    "divisor list": ("divisor", state(op="avg", words={"divisor": [1]})),
    "p": ("p", state(op="lp", p=-1)),
    "p NaN": ("p", state(op="lp", p="NaN")),
    "window too large": ("axis", state(words={"size": [9, 9], "padding": [[0, 0], [0, 0]]})),
    "not whole": ("whole", state(op="avg", integers=True, values=[0.5] * 16)),
    "nan is not whole": ("whole", state(op="avg", integers=True, values=["NaN"] * 16)),
    "results": ("results", state(words={"form": "adaptive", "size": [2**31, 1]})),
    "taps": ("taps", state(shape=[1024, 1024], words={"size": [999, 999], "stride": [1, 1]},
                           values={"dtype": "u1", "data": base64.b64encode(bytes(1 << 20)).decode()})),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_STATES)
def test_a_state_that_breaks_a_rule_gets_the_rule(client: Client, name: str) -> None:
    word, given = BAD_STATES[name]
    client.pool(given).refused(422, word)


def test_what_is_no_json_gets_one_sentence(client: Client) -> None:
    texts = (
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"NaN",
        b"1" * 50_000,
        b"\xef\xbb\xbf{}",
        b"''",
        b"\0",
    )
    for text in texts:
        client.ask("POST", "/pool", text).refused(422)
    client.still_answers()


def test_drawn_states_agree_with_the_oracle(client: Client) -> None:
    rng, compared = random.Random(5), 0
    for _ in range(40):
        rank = rng.choice([1, 2, 2, 3])
        shape = [rng.randint(1, 6) for _ in range(rank)]
        words = {
            "form": "slide", "ceil": None, "divisor": None,
            "size": [rng.randint(1, 3) for _ in shape], "stride": [rng.randint(1, 3) for _ in shape],
            "dilation": [rng.randint(1, 2) for _ in shape],
            "padding": [rng.choice([[1, 0], [0, 2], [2, 2]]) for _ in shape],
        }  # fmt: skip
        spelled = [rng.choice([0, "-0", 1, 1, 2, "NaN", "inf", -3]) for _ in range(math.prod(shape))]
        cells = np.array([float(value) for value in spelled])
        answer = client.pool(state(shape=shape, words=words, values=spelled))
        if answer.status == 422:
            continue
        given = zip(words["size"], words["stride"], words["padding"], words["dilation"], strict=True)
        rules = [oracle.Slide(size, stride, tuple(pad), dilation) for size, stride, pad, dilation in given]
        wanted = oracle.forward("max", cells.reshape(shape), rules, range(rank))
        np.testing.assert_array_equal(unpacked(answer.json()["values"]), wanted.values.astype(float))
        np.testing.assert_array_equal(unpacked(answer.json()["winners"]), wanted.indices)
        compared += 1
    assert compared > 20
