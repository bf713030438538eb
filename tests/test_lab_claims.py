"""Verdicts on synthetic results whose truth is known: true and false claims, mirrored data, and wrong judges."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from cenote.errors import CenoteError

pytest.importorskip("scipy", reason="SciPy is not installed: the lab has no intervals")

from cenote.lab.arms import ALL
from cenote.lab.claims import CLAIMS, Claim, Kind, judge, left_out, ruling
from cenote.lab.measures import MEASURES, Unit
from cenote.lab.statistics import Interval
from lab_claims import DATA, INF, NO, OPEN, RULE, YES, A, B, apart, results, row, seeds, verdict, whole
from lab_judges import MISTAKES, WRONG_RULES, Careless, Judge, Rule, ours


def between(low: float, high: float, n: int) -> Interval:
    middle = (low + high) / 2 if max(-low, high) < INF else min(max(low, 0.0), high)
    return Interval(middle, low, high, n)


def fails(judge: Rule) -> list[Any]:
    return [case for case in RULE if judge(between(*case[:3]), case[3], exact=case[4]) is not case[5]]


def test_the_rule() -> None:
    assert fails(ruling) == []


@pytest.mark.parametrize("wrong", WRONG_RULES, ids=lambda rule: rule.__name__)
def test_the_cases_of_the_rule_catch_a_wrong_one(wrong: Rule) -> None:
    assert fails(wrong)


def wrong_cases(judge: Judge) -> list[Any]:
    return [case for case in DATA if judge(*case[:5]) is not case[5]]


def test_verdicts_on_data_of_known_truth() -> None:
    assert wrong_cases(ours) == []


def test_the_careful_twin_agrees() -> None:
    assert wrong_cases(Careless("")) == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_data_catch_a_careless_judge(mistake: str) -> None:
    assert wrong_cases(Careless(mistake))


def worlds(claim: Claim) -> tuple[tuple[Any, Any], list[tuple[Any, Any]]]:
    """Numbers under which the claim is true, and several under which it is false, chosen by its kind by hand."""
    unit = MEASURES[claim.measure].unit
    if claim.kind is Kind.TIMES_LESS:
        return (650, 103_114), [(20_000, 103_114), (103_114, 650), (7, 7)]
    if unit in (Unit.NUMBER, Unit.BYTES):
        return (1_000, 4_000), [(4_000, 1_000), (4_000, 4_000)]
    if unit in (Unit.SECONDS, Unit.LATENCY):
        fast, slow = seeds(0.011, 0.012, 0.010, 0.031), seeds(0.021, 0.025, 0.019, 0.059)
        return (fast, slow), [(slow, fast)]
    if claim.kind is Kind.NOT_WORSE:
        return apart(0.0), [apart(-0.03)]
    if claim.kind is Kind.ALIKE:
        return apart(0.003), [apart(-0.03), apart(0.03)]
    sign = 1 if claim.kind is Kind.MORE else -1
    return apart(0.02 * sign), [apart(-0.02 * sign)]


each_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)


@each_claim
def test_each_claim_is_supported_where_it_is_true(claim: Claim) -> None:
    true, _ = worlds(claim)
    (found,) = judge(results(claim, *true), [claim])
    assert found.verdict == "supported"
    assert found.sentence.endswith(": supported")
    assert found.reason == ""


@each_claim
def test_each_claim_is_not_supported_where_it_is_false(claim: Claim) -> None:
    _, false = worlds(claim)
    for numbers in false:
        (found,) = judge(results(claim, *numbers), [claim])
        assert found.verdict == "not supported"
        assert found.sentence.endswith(": not supported")


@each_claim
def test_trading_the_arms_numbers_flips_a_direction(claim: Claim) -> None:
    (a, b), _ = worlds(claim)
    directional = claim.kind in (Kind.LESS, Kind.MORE, Kind.TIMES_LESS)
    assert verdict(claim, a, b) is YES
    assert verdict(claim, b, a) is (NO if directional else YES)  # a margin forgives either way


@each_claim
def test_noise_leaves_each_claim_undecided(claim: Claim) -> None:
    unit = MEASURES[claim.measure].unit
    if unit in (Unit.NUMBER, Unit.BYTES):
        return  # counts have no noise
    wide = apart(0.0, wobble=0.1)
    (found,) = judge(results(claim, *wide), [claim])
    assert found.verdict == "undecided"
    assert found.sentence.endswith(": undecided, because the interval leaves it open")
    few = tuple({key: side[key] for key in (0, 1)} for side in worlds(claim)[0][:2])
    (found,) = judge(results(claim, *few), [claim])
    assert (found.verdict, found.interval and found.interval.n) == ("undecided", 2)
    assert re.search(r"because 2 (seed|round)s cannot decide it, 3 are needed$", found.sentence)


# Who says that what is smaller (<), larger (>), not worse (>=) or alike (=) where, written from the sources once more.
SAID = {
    ("max-2/2 activation_bytes < none", "tutorials"),
    ("max-2/2 parameters < none", "tutorials"),
    ("max-2/2 multiply_adds < none", "tutorials"),
    ("max-2/2 kept_bytes < none", "tutorials"),
    ("max-2/2 gap < none", "tutorials"),
    ("max-2/2 consistency_circular_1_given_correct > none", "tutorials"),
    ("max-2/2 consistency_circular_2_given_correct > none", "tutorials"),
    ("max-2/2 consistency_cropped_1_given_correct > none", "tutorials"),
    ("max-2/2 consistency_cropped_2_given_correct > none", "tutorials"),
    ("max-2/2 seconds_per_epoch < none", "tutorials"),
    ("max-2/2 latency_1 < none", "tutorials"),
    ("max-2/2 latency_32 < none", "tutorials"),
    ("max-2/2 test_accuracy >= none", "tutorials"),
    ("max-2/2 parameters < dense", "tutorials"),
    ("strided test_accuracy >= max-2/2", "Springenberg et al. 2014"),
    ("strided test_accuracy < max+conv", "the control experiment of Springenberg et al. 2014"),
    ("max-3/2 test_accuracy = max-2/2", "Scherer et al. 2010"),
    ("global-avg head_parameters << max-2/2", "Lin et al. 2013"),
    ("max-2/2 train_loss < avg-2/2", "Zeiler and Fergus 2013"),
    ("max-2/2 consistency_circular_1_given_correct > max-2/2 consistency_circular_1", "this lab"),
    ("max-2/2 consistency_cropped_1_given_correct > max-2/2 consistency_cropped_1", "this lab"),
    ("max-2/2 kept_bytes < max-2/2 kept_bytes_int64", "this lab"),
}
SIGNS = {Kind.LESS: "<", Kind.MORE: ">", Kind.NOT_WORSE: ">=", Kind.ALIKE: "=", Kind.TIMES_LESS: "<<"}


def test_the_rows_say_what_the_sources_say() -> None:
    shown = {(f"{c.arms[0]} {c.measure} {SIGNS[c.kind]} {c.arms[1]} {c.versus}".rstrip(), c.source): c for c in CLAIMS}
    assert shown.keys() == SAID
    assert len(shown) == len(CLAIMS) == len({claim.name for claim in CLAIMS})
    assert {arm for claim in CLAIMS for arm in claim.arms} <= set(ALL)
    assert {claim.margin for claim in CLAIMS if claim.kind in (Kind.NOT_WORSE, Kind.ALIKE)} == {0.01}
    assert all(re.fullmatch(r"[A-Z][^.]+\.", claim.sentence) for claim in CLAIMS)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"measure": "speed"}, "measure is 'speed'"),
        ({"versus": "parameters"}, "SHARE is compared with NUMBER"),
        ({"kind": Kind.ALIKE}, "margin is 0.0 for ALIKE"),
        ({"kind": Kind.NOT_WORSE, "margin": math.nan}, "margin is nan"),
        ({"margin": 0.1}, "margin is 0.1 for LESS"),
        ({"kind": Kind.TIMES_LESS, "margin": 10}, "TIMES_LESS is asked of gap"),
    ],
)
def test_a_row_checks_itself(change: dict[str, Any], words: str) -> None:
    with pytest.raises(CenoteError, match=words):
        replace(row(Kind.LESS, measure="gap"), **change)


def names(claims: Iterable[Any]) -> list[str]:
    return [found.claim.name for found in claims]


def test_whole_results_judge_every_claim_in_order() -> None:
    view = whole()
    assert names(judge(view)) == [claim.name for claim in CLAIMS]
    assert left_out(view) == []


@pytest.mark.parametrize("arm", ALL)
def test_an_absent_arm_leaves_out_its_claims_and_says_why(arm: str) -> None:
    view = whole()
    view.gone[arm] = "its output would be empty"
    missing = left_out(view)
    assert names(missing) == [claim.name for claim in CLAIMS if arm in claim.arms]
    assert sorted(names(missing) + names(judge(view))) == sorted(claim.name for claim in CLAIMS)
    assert {found.reason for found in missing} <= {f"{arm.replace('-', ' ')}: its output would be empty"}


@each_claim
def test_a_missing_measure_leaves_the_claim_out(claim: Claim) -> None:
    (a, b), _ = worlds(claim)
    for view, arm, measure in (
        (results(claim, a, b), claim.arms[0], claim.measure),
        (results(claim, a, b), claim.arms[1], claim.versus or claim.measure),
    ):
        for place in (view.counts, view.seeds, view.rounds):
            place.pop((arm, measure), None)  # type: ignore[attr-defined]
        assert judge(view, [claim]) == []
        (found,) = left_out(view, [claim])
        assert found.reason == f"{arm.replace('-', ' ')}: no {MEASURES[measure].words} in these results"


def test_seeds_that_never_met_leave_the_claim_out() -> None:
    claim = row(Kind.MORE)
    view = results(claim, {1: 0.9, 2: 0.9, 3: 0.9}, {4: 0.5, 5: 0.5, 6: 0.5})
    assert judge(view, [claim]) == []
    assert [found.reason for found in left_out(view, [claim])] == ["max 2/2 and none: no seed in common"]


@pytest.mark.parametrize("measure", ["seconds_per_epoch", "latency_1", "latency_32"])
@pytest.mark.parametrize("arm", [A, B])
def test_times_beside_other_jobs_decide_nothing(measure: str, arm: str) -> None:
    claim = row(Kind.LESS, measure=measure)
    view = results(claim, *worlds(claim)[0])
    view.busy[arm, measure] = "4 jobs at once"
    (found,) = judge(view, [claim])
    assert found.verdict is OPEN
    assert found.reason == f"{arm.replace('-', ' ')} was measured beside other jobs (4 jobs at once)"
    assert re.search(r" 0\.5\d x \(95 % interval .*\): undecided, because ", found.sentence)
    assert found.interval is not None


def test_what_no_clock_measures_other_jobs_cannot_disturb() -> None:
    view = whole()
    untimed = [name for name, measure in MEASURES.items() if not measure.unit.timed]
    before = judge(view)
    view.busy = {(arm, name): "4 jobs at once" for arm in ALL for name in untimed}
    assert judge(view) == before


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_diverged_seed_leaves_the_claim_undecided(value: float) -> None:
    claim = replace(row(Kind.LESS, measure="train_loss"), arms=(A, "avg-2/2"))
    (found,) = judge(results(claim, seeds(0.1, 0.1, 0.1, 0.1), {**seeds(0.2, 0.2, 0.2), 3: value}), [claim])
    assert (found.verdict, found.interval) == (OPEN, None)
    assert found.sentence == (
        "max 2/2 against avg 2/2: train loss: undecided, because seed 3 of avg 2/2 gave no finite number"
    )


def test_a_seed_that_diverged_in_one_arm_alone_but_never_ran_in_the_other_is_no_matter() -> None:
    assert verdict(row(Kind.LESS), {**seeds(0.1, 0.11, 0.12), 7: math.nan}, seeds(0.2, 0.21, 0.22)) is YES


def test_a_stopped_clock_leaves_the_claim_undecided() -> None:
    claim = row(Kind.LESS, measure="latency_32")
    (found,) = judge(results(claim, seeds(0.1, 0.0, 0.1), seeds(0.2, 0.2, 0.2)), [claim])
    assert found.sentence.endswith("latency at batch 32: undecided, because round 1 of max 2/2 gave 0")


@pytest.mark.parametrize("count", [-1, math.nan, math.inf])
def test_what_is_no_count_is_an_error(count: float) -> None:
    with pytest.raises(CenoteError, match="parameters is"):
        verdict(row(Kind.LESS, measure="parameters"), count, 5)
