"""The list of measures, and sentences made from numbers: whole, and never at odds with their verdict."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("scipy", reason="SciPy is not installed: the lab has no intervals")

from cenote.lab.claims import CLAIMS, Claim, judge
from cenote.lab.measures import MEASURES, Unit, comparison_in_words, counts_in_words
from cenote.lab.statistics import Interval
from lab_claims import BELOW, NEAR, NOT_FAR_BELOW, results, seeds, whole


def test_the_measures_are_those_of_the_results() -> None:
    singles = [
        *("parameters", "head_parameters", "multiply_adds", "activation_bytes", "kept_bytes", "kept_bytes_int64"),
        *("train_accuracy", "test_accuracy", "gap", "train_loss", "seconds_per_epoch", "latency_1", "latency_32"),
    ]
    shifted = [
        f"consistency_{edge}_{s}{end}"
        for edge in ("circular", "cropped")
        for s in (1, 2, 3, 4)
        for end in ("", "_given_correct")
    ]
    assert sorted(MEASURES) == sorted(singles + shifted)
    assert all(name == measure.name for name, measure in MEASURES.items())


# Differences of mean -1.2 points; five of deviation 0.815 * sqrt(2.5 / 4) = 0.6443, and 2.776 * 0.6443 / sqrt(5) = 0.8.
GAPS = [(-1.2 + 0.815 * step) / 100 for step in (-1, -0.5, 0, 0.5, 1)]


def sentence(claim: Claim, a: Any, b: Any) -> str:
    (found,) = judge(results(claim, a, b), [claim])
    return found.sentence


def named(name: str) -> Claim:
    return next(claim for claim in CLAIMS if claim.name == name)


def test_sentences_in_full() -> None:
    base = seeds(0, 0, 0, 0, 0)
    assert sentence(named("less-overfitting"), seeds(*GAPS), base) == (
        "max 2/2 against none: gap -1.2 points (95 % interval -2.0 to -0.4): supported"
    )
    assert sentence(named("less-overfitting"), base, seeds(*GAPS)) == (
        "max 2/2 against none: gap +1.2 points (95 % interval +0.4 to +2.0): not supported"
    )
    assert sentence(named("same-accuracy"), base, base) == (
        "max 2/2 against none: test accuracy 0.0 points (95 % interval 0.0 to 0.0), margin 1.0 points: supported"
    )
    assert sentence(named("less-overfitting"), base, base) == (
        "max 2/2 against none: gap 0.0 points (95 % interval 0.0 to 0.0): undecided,"
        " because the interval leaves it open"
    )
    assert sentence(named("less-overfitting"), {0: 0.01}, {0: 0.02}) == (
        "max 2/2 against none: gap -1.0 points (one value, no interval): undecided,"
        " because 1 seed cannot decide it, 3 are needed"
    )
    assert sentence(named("max-fits-harder"), seeds(0.02, 0.02, 0.02), seeds(0.0325, 0.0325, 0.0325)) == (
        "max 2/2 against avg 2/2: train loss -0.013 (95 % interval -0.013 to -0.013): supported"
    )
    assert sentence(named("faster-training"), seeds(1, 2, 4), seeds(2, 4, 8)) == (
        "max 2/2 against none: training time per epoch 0.50 x (95 % interval 0.50 to 0.50): supported"
    )
    assert sentence(named("small-global-head"), 650, 103_114) == (
        "global avg against max 2/2: parameters of the head 650 against 103,114 (158.6 x fewer): supported"
    )
    assert sentence(named("fewer-parameters"), 400, 100) == (
        "max 2/2 against none: parameters 400 against 100 (4.0 x as many): not supported"
    )
    assert sentence(named("small-offsets"), 39_200, 313_600) == (
        "max 2/2: memory kept for backward against memory kept for backward with int64 indices:"
        " 39.2 KB against 313.6 KB (8.0 x less): supported"
    )
    assert sentence(named("smaller-maps"), 850, 850) == (
        "max 2/2 against none: memory of the maps 850 bytes against 850 bytes (the same): not supported"
    )
    assert sentence(named("accuracy-is-consistency-circular"), seeds(0.5, 0.5, 0.5), seeds(0.25, 0.25, 0.25)) == (
        "max 2/2: circular consistency at shift 1, given correct against circular consistency at shift 1:"
        " +25.0 points (95 % interval +25.0 to +25.0): supported"
    )


small = st.one_of(st.floats(-0.2, 0.2), st.floats(-2e-3, 2e-3), st.sampled_from([0.0, 0.01, -0.01, 0.00999, 1e-5]))


@given(st.lists(small, min_size=3, max_size=3), st.sampled_from([(BELOW, 0), (NEAR, 1), (NOT_FAR_BELOW, 1)]))
def test_the_digits_of_a_sentence_never_belie_its_verdict(ends: list[float], region: Any) -> None:
    low, mean, high = sorted(ends)
    claimed, _ = region
    found = Interval(mean, low, high, 5)
    words = comparison_in_words(Unit.SHARE, found, claimed)
    shown = [float(text) for text in re.findall(r"(?<![\d.])[+-]?\d+\.\d+", words)]
    assert len(shown) == 3
    assert "-0.0 " not in words
    for value, text in zip((mean, low, high), shown, strict=True):
        assert text == pytest.approx(100 * value, abs=0.0501)
        for end in (*claimed, 0.0):
            if math.isfinite(end) and abs(value - end) > 1e-8:
                assert (text > 100 * end) == (value > end)
                assert text != 100 * end


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_counts_in_words_keep_their_order(a: int, b: int) -> None:
    words = counts_in_words(Unit.NUMBER, a, b)
    assert words.startswith(f"{a:,} against {b:,} (")
    if a == b:
        assert words.endswith("(the same)")
        return
    times, order = re.findall(r"\(([\d,.]+) x (fewer|as many)\)$", words)[0]
    assert order == ("fewer" if a < b else "as many")
    assert float(times.replace(",", "")) == pytest.approx(max(a, b) / min(a, b), abs=0.0501)
    if max(a, b) / min(a, b) > 1 + 1e-6:
        assert float(times.replace(",", "")) > 1


def test_almost_the_margin_is_told_from_the_margin() -> None:
    claim = named("same-accuracy")
    shown = sentence(claim, seeds(0.49004, 0.49004, 0.49004), seeds(0.5, 0.5, 0.5))
    assert shown.endswith(" -0.996 points (95 % interval -0.996 to -0.996), margin 1.0 points: supported")


def test_ten_times_is_told_from_almost_ten_times() -> None:
    claim = named("small-global-head")
    assert sentence(claim, 1001, 10_000).endswith("(9.99 x fewer): not supported")
    assert sentence(claim, 1000, 10_000).endswith("(10.0 x fewer): supported")


def test_all_sentences_are_plain() -> None:
    for found in judge(whole()):
        assert re.fullmatch(r"[a-z0-9 /+]+: .+: (supported|not supported|undecided, because .+)", found.sentence)
        assert not re.search(r"nan|inf\b|_|e[-+]\d|  |None", found.sentence)
