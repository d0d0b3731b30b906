"""Values, intervals, ties and recommendations: what they promise is simulated, what they compute is compared with known tests."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from bakeoff.compare import ALPHA, Comparison, Entrant, Noise, chance, compare, holm, limit_of, measure, step_down, units_of
from bakeoff.errors import DataError, OptionError
from bakeoff.metrics.accuracy import AUC, CLASSIFY, ECE, Accuracy, MacroF1
from bakeoff.metrics.base import Metric, Rows, Summed
from bakeoff.metrics.error import MAE, REGRESS, RMSE
from bakeoff.types import Answer

Generator = np.random.Generator
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(80)


# Simulated contenders: some examples are hard for all, some for one family; seeds differ in every example and as a whole.

def right_or_wrong(generator: Generator, n: int, seeds: int, skills: Sequence[float], *, hard: float = 2.0, own: float = 0.7,
                   between: float = 0.1) -> list[tuple[Rows, ...]]:
    """Accuracy rows per contender and seed; skills, spreads: in logits."""
    example = hard * generator.normal(size=n)
    found = []
    for skill in skills:
        mine = skill + example + own * generator.normal(size=n)
        found.append(tuple(numbered(generator.random(n) < 1 / (1 + np.exp(-(mine + between * generator.normal())))) for _ in range(seeds)))
    return found


def accuracy_of(skill: float, *, hard: float = 2.0, own: float = 0.7, between: float = 0.1) -> float:
    spread = math.sqrt(hard ** 2 + own ** 2 + between ** 2)
    return float((WEIGHTS / (1 + np.exp(-(skill + spread * NODES)))).sum() / WEIGHTS.sum())


def errors(generator: Generator, n: int, seeds: int, sizes: Sequence[float], *, shared: float = 0.6, between: float = 0.03,
           tails: float = 100.0) -> list[tuple[Rows, ...]]:
    """RMSE rows; sizes: of the errors; tails: degrees of freedom of their t distribution, 5 is heavy."""
    def noise(share: float) -> NDArray[np.float64]:
        return generator.standard_t(tails, size=n) * math.sqrt(share * (tails - 2) / tails)

    common = noise(shared)
    found = []
    for size in sizes:
        mine = common + noise((1 - shared) / 2)
        found.append(tuple(numbered(size * math.exp(between * generator.normal()) * (mine + noise((1 - shared) / 2))) for _ in range(seeds)))
    return found


def numbered(column: NDArray[np.generic]) -> Rows:
    return np.column_stack([np.arange(len(column)), column]).astype(np.float64)


def entrants(rows: Sequence[tuple[Rows, ...]], groups: str | Sequence[str] = "conv") -> list[Entrant]:
    """Named c0, c1 …; the first is the cheapest."""
    groups = [groups] * len(rows) if isinstance(groups, str) else groups
    return [Entrant(f"c{k}", groups[k], one, cost={"macs": 10.0 * (k + 1), "parameters": 1}) for k, one in enumerate(rows)]


def found_different(comparison: Comparison) -> bool:
    return len(comparison.tied_with) < len(comparison.contenders) - 1


# What is promised

@pytest.mark.parametrize(("n", "seeds", "between"), [(150, 3, 0.1), (600, 3, 0.3), (600, 1, 0.0), (40, 3, 0.3)])
def test_identical_contenders_with_other_seeds_are_rarely_declared_different_in_accuracy(n: int, seeds: int, between: float) -> None:
    generator = np.random.default_rng(0)
    wrong = sum(found_different(compare(entrants(right_or_wrong(generator, n, seeds, [1.5, 1.5], between=between)), Accuracy(), n, seeds=seeds))
                for _ in range(400))
    assert wrong <= 28                                       # 7 %


@pytest.mark.parametrize(("n", "seeds", "tails"), [(150, 3, 100), (150, 3, 5), (600, 1, 5)])
def test_identical_contenders_with_other_seeds_are_rarely_declared_different_in_rmse(n: int, seeds: int, tails: float) -> None:
    generator = np.random.default_rng(1)
    wrong = sum(found_different(compare(entrants(errors(generator, n, seeds, [1, 1], tails=tails, between=0.03 * (seeds > 1))), RMSE(), n,
                                        seeds=seeds)) for _ in range(400))
    assert wrong <= 28


@pytest.mark.parametrize("seeds", [1, 3])
def test_of_twelve_identical_contenders_none_is_declared_different_from_the_luckiest(seeds: int) -> None:
    generator = np.random.default_rng(2)
    runs = [compare(entrants(right_or_wrong(generator, 300, seeds, [1.5] * 12, between=0.1 * (seeds > 1))), Accuracy(), 300, seeds=seeds)
            for _ in range(75)]
    assert sum(map(found_different, runs)) <= 5              # 7 %
    assert sum(any(pair.p < ALPHA for pair in one.pairs) for one in runs) <= 5


def test_groups_of_alike_examples_do_not_make_identical_contenders_different() -> None:
    """Ten examples of a patient are no ten patients: without groups two equal contenders differ in a third of the cases."""
    generator = np.random.default_rng(3)

    def simulated() -> list[tuple[Rows, ...]]:
        return [tuple(numbered(np.repeat(one[:, 1], 10)) for one in seeds) for seeds in right_or_wrong(generator, 40, 1, [1, 1])]

    groups = np.repeat(np.arange(40), 10).tolist()
    runs = [simulated() for _ in range(300)]
    assert sum(found_different(compare(entrants(rows), Accuracy(), 400, seeds=1, groups=groups)) for rows in runs) <= 21
    assert sum(found_different(compare(entrants(rows), Accuracy(), 400, seeds=1)) for rows in runs) > 90


@pytest.mark.parametrize(("n", "seeds", "skill", "between"), [
    (28, 1, 6.0, 0.0), (28, 3, 4.0, 0.3), (28, 1, 1.5, 0.0), (100, 3, 3.0, 0.3), (100, 5, 0.0, 0.1), (400, 3, 4.0, 0.1), (400, 1, 2.0, 0.0)])
def test_the_interval_of_accuracy_covers_the_true_value(n: int, seeds: int, skill: float, between: float) -> None:
    generator, truth = np.random.default_rng(4), accuracy_of(skill, between=between)
    covered = 0
    for _ in range(400):
        value = compare(entrants(right_or_wrong(generator, n, seeds, [skill], between=between)), Accuracy(), n, seeds=seeds).values["c0"]
        assert value.low is not None
        assert value.high is not None
        covered += value.low <= truth <= value.high
    assert covered / 400 >= 0.93


@pytest.mark.parametrize(("n", "seeds", "tails", "between"), [(28, 1, 100, 0.0), (60, 3, 100, 0.1), (150, 3, 5, 0.05), (400, 1, 5, 0.0)])
def test_the_interval_of_rmse_covers_the_true_value(n: int, seeds: int, tails: float, between: float) -> None:
    generator, truth = np.random.default_rng(5), math.exp(between ** 2 / 2)
    covered = 0
    for _ in range(400):
        value = compare(entrants(errors(generator, n, seeds, [1], tails=tails, between=between)), RMSE(), n, seeds=seeds).values["c0"]
        assert value.low is not None
        assert value.high is not None
        covered += value.low <= truth <= value.high
    assert covered / 400 >= 0.93


def test_a_true_difference_is_found() -> None:
    generator = np.random.default_rng(6)
    two = [compare(entrants(right_or_wrong(generator, 600, 3, [1.0, 2.0])), Accuracy(), 600, seeds=3) for _ in range(100)]
    assert accuracy_of(2.0) - accuracy_of(1.0) == pytest.approx(0.13, abs=0.02)
    assert sum(one.best == "c1" and not one.tied_with for one in two) >= 95
    many = [compare(entrants(right_or_wrong(generator, 600, 3, [0.5, *[2.0] * 11])), Accuracy(), 600, seeds=3) for _ in range(40)]
    assert sum("c0" not in one.tied_with and one.best != "c0" for one in many) >= 36
    numbers = [compare(entrants(errors(generator, 300, 3, [1.0, 1.25])), RMSE(), 300, seeds=3) for _ in range(100)]
    assert sum(one.best == "c0" and not one.tied_with for one in numbers) >= 80


def test_one_unstable_contender_does_not_hide_the_differences_of_the_others() -> None:
    generator = np.random.default_rng(7)

    def simulated() -> list[tuple[Rows, ...]]:
        stable = right_or_wrong(generator, 500, 3, [4, 4, 0.5, 0.5])
        unstable = tuple(numbered(generator.random(500) < share) for share in (0.9, 0.5, 0.5))
        return [*stable, unstable]

    runs = [compare(entrants(simulated()), Accuracy(), 500, seeds=3) for _ in range(50)]
    assert sum({"c2", "c3"}.isdisjoint(one.tied_with) for one in runs) >= 45


def test_the_lower_end_of_a_difference_is_rarely_above_the_truth() -> None:
    """What `recommended` rests on: a contender .02 worse is seldom sure to be at most .02 worse."""
    generator = np.random.default_rng(8)
    truth = accuracy_of(1.5) - accuracy_of(1.7)
    wrong = 0
    for _ in range(200):
        one = compare(entrants(right_or_wrong(generator, 1500, 3, [1.5, 1.7, 1.7], between=0.05)), Accuracy(), 1500, seeds=3)
        low = one.against_best["c0"].low if one.best != "c0" else None
        wrong += low is not None and low > truth
    assert wrong <= 10


def test_networks_that_learnt_nothing_do_not_beat_baselines_that_learnt_nothing() -> None:
    generator = np.random.default_rng(9)
    groups = ["baseline"] * 3 + ["conv"] * 7
    runs = [compare(entrants(right_or_wrong(generator, 200, 3, [0.0] * 10, hard=0.1, own=0.1), groups), Accuracy(), 200, seeds=3)
            for _ in range(60)]
    assert sum(one.beats_baseline for one in runs) <= 3


# Few examples

def test_all_of_28_right_is_no_certainty() -> None:
    """Exactly: with 28 of 28 the true share may be .877 (Clopper and Pearson)."""
    for seeds in (1, 3):
        value = compare(entrants([(numbered(np.ones(28)),) * seeds]), Accuracy(), 28, seeds=seeds).values["c0"]
        assert value.high == 1
        assert value.low == pytest.approx(0.877, abs=0.04)


def test_no_difference_seen_on_few_examples_does_not_make_a_cheap_contender_as_good() -> None:
    def recommended(n: int) -> str:
        both = (numbered(np.arange(n) % 10 > 0),)
        better = (numbered((np.arange(n) % 10 > 0) | (np.arange(n) == 0)),)
        return compare(entrants([both, better]), Accuracy(), n, seeds=1).recommended

    assert recommended(100) == "c1"
    assert recommended(1000) == "c0"


@pytest.mark.parametrize(("only_a", "only_b"), [(6, 0), (9, 1), (12, 3), (30, 14), (5, 4)])
def test_with_one_seed_p_is_near_the_exact_test_of_mcnemar(only_a: int, only_b: int) -> None:
    n = 400
    a, b = np.ones(n), np.ones(n)
    a[:only_b], b[only_b:only_b + only_a] = 0, 0
    one = compare(entrants([(numbered(a),), (numbered(b),)]), Accuracy(), n, seeds=1)
    exact = stats.binomtest(min(only_a, only_b), only_a + only_b).pvalue
    assert one.against_best["c1"].p == pytest.approx(exact, rel=0.9, abs=0.04)


def test_a_single_example_has_a_value_and_no_certainty() -> None:
    one = compare(entrants([(numbered(np.array([1.0])),), (numbered(np.array([3.0])),)]), RMSE(), 1, seeds=1)
    assert one.values["c0"].low is None
    assert one.tied_with == ("c1",)
    assert one.recommended == "c0"
    assert json.dumps(one.record(), allow_nan=False)


# What is computed

@pytest.mark.parametrize("metric", [metric for metric in (*CLASSIFY, *REGRESS) if metric.name != "ece"], ids=lambda metric: metric.name)
def test_standard_errors_and_covariances_are_those_of_a_paired_bootstrap(metric: Metric) -> None:
    generator, n = np.random.default_rng(10), 300
    rows = [metric.rows(*answered(generator, metric, n, skill)) for skill in (1.0, 1.5)]
    noise = noise_of(metric, rows, n)
    draws = [generator.integers(0, n, n) for _ in range(500)]
    values = np.array([[metric.value(one[draw]) for one in rows] for draw in draws])
    expected = np.cov(values.T)
    assert np.sqrt(np.diag(noise.examples)) == pytest.approx(np.sqrt(np.diag(expected)), rel=0.15)
    apart = noise.parts[0] - noise.parts[1]
    assert apart.std() / math.sqrt(noise.units) == pytest.approx((values[:, 0] - values[:, 1]).std(), rel=0.15)


def test_the_standard_error_of_a_metric_with_kinks_is_not_too_small() -> None:
    """Calibration error is a sum of absolute values: the jackknife takes it for wider than a bootstrap does."""
    generator, n = np.random.default_rng(10), 300
    rows = ECE().rows(*answered(generator, ECE(), n, 1.0))
    expected = np.std([ECE().value(rows[generator.integers(0, n, n)]) for _ in range(300)])
    assert 1 <= math.sqrt(noise_of(ECE(), [rows], n).examples[0, 0]) / expected < 1.6


def answered(generator: Generator, metric: Metric, n: int, skill: float) -> tuple[list[Answer], list[object]]:
    """The same targets whatever the skill; three classes, or numbers."""
    targets = np.random.default_rng(0).integers(0, 3, n)
    if metric in REGRESS:
        return [Answer(float(target + noise), {}) for target, noise in zip(targets, generator.normal(size=n) / skill, strict=True)], targets.tolist()
    scores = generator.normal(size=(n, 3)) + skill * np.eye(3)[targets]
    chances = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    return [Answer(str(row.argmax()), {str(k): float(p) for k, p in enumerate(row)}) for row in chances], targets.tolist()


def noise_of(metric: Metric, rows: Sequence[Rows], n: int) -> Noise:
    unit, units = units_of(None, n, [])
    ranked, _ = measure(entrants([(one,) for one in rows]), metric, unit, units, n, [])
    return Noise(ranked, units, n, metric.unit == "", 1)


def test_a_metric_without_sums_is_compared_by_blocks_of_examples() -> None:
    generator, n = np.random.default_rng(11), 2000
    rows = [AUC().rows(*answered(generator, AUC(), n, skill)) for skill in (1.0, 1.5, 1.5)]
    assert not isinstance(AUC(), Summed)
    one = compare(entrants([(row,) for row in rows]), AUC(), n, seeds=1)
    assert one.best in ("c1", "c2")
    assert "c0" not in one.tied_with
    assert len(one.tied_with) == 1
    assert any("blocks" in note for note in one.notes)


def test_values_are_means_over_seeds_and_ranks_follow_the_better_side() -> None:
    generator = np.random.default_rng(12)
    rows = errors(generator, 50, 3, [2, 1, 3])
    one = compare(entrants(rows), RMSE(), 50, seeds=3)
    assert one.contenders == ("c1", "c0", "c2")
    assert one.values["c0"].value == pytest.approx(np.mean([RMSE().value(row) for row in rows[0]]))
    assert len(one.values["c0"].seeds) == 3
    assert one.against_best["c0"].difference > 0             # contender − best: more error
    assert one.against_best["c0"].high > one.against_best["c0"].difference > one.against_best["c0"].low


def test_of_equal_values_the_cheaper_one_ranks_first() -> None:
    same = (numbered(np.arange(40) % 2),)
    costly, cheap = Entrant("a", "conv", same, cost={"macs": 9.0, "parameters": 1}), Entrant("b", "conv", same, cost={"macs": 3.0, "parameters": 1})
    assert compare([costly, cheap], Accuracy(), 40, seeds=1).contenders == ("b", "a")


def test_p_against_the_best_is_that_of_the_largest_difference_of_any_two() -> None:
    """With independent contenders of equal noise: Tukey's studentized range, then that of fewer (step-down)."""
    draws, scores = np.random.default_rng(13).standard_normal((9_999, 5)), [0.0, 4.5, 2.6, 1.0, 0.3]
    _, p = step_down(draws, scores)
    assert p[1] == pytest.approx(stats.studentized_range.sf(4.5 * math.sqrt(2), 5, np.inf), abs=0.001)
    assert p[2] == pytest.approx(stats.studentized_range.sf(2.6 * math.sqrt(2), 4, np.inf), abs=0.01)
    assert p[3] == pytest.approx(stats.studentized_range.sf(1.0 * math.sqrt(2), 3, np.inf), abs=0.02)
    assert p[4] == pytest.approx(2 * stats.norm.sf(0.3))


def test_a_critical_value_is_where_its_chance_is_five_percent() -> None:
    top = np.abs(np.random.default_rng(14).standard_normal((9_999, 6))).max(1)
    limit = limit_of(top, ALPHA, 6, 2)
    assert chance(top, limit + 1e-9, 6, 2) < ALPHA <= chance(top, limit - 1e-9, 6, 2)


@pytest.mark.parametrize("seed", range(5))
def test_who_is_tied_is_who_has_an_interval_that_reaches_the_best(seed: int) -> None:
    generator = np.random.default_rng(seed)
    one = compare(entrants(right_or_wrong(generator, 300, 3, [0, 0.5, 1.0, 1.5, 1.6])), Accuracy(), 300, seeds=3)
    for name, against in one.against_best.items():
        assert against.high is not None
        assert (name in one.tied_with) == (against.p >= ALPHA) == (against.high >= 0)


def test_holm_multiplies_by_what_is_left_and_never_falls() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_all_pairs_are_listed_better_one_first() -> None:
    one = compare(entrants(right_or_wrong(np.random.default_rng(15), 200, 3, [0, 1, 2, 3])), Accuracy(), 200, seeds=3)
    assert [(pair.a, pair.b) for pair in one.pairs] == [(a, b) for k, a in enumerate(one.contenders) for b in one.contenders[k + 1:]]
    assert all(pair.difference >= 0 and pair.low <= pair.difference <= pair.high for pair in one.pairs)
    assert all((pair.p < 0.04) <= (pair.low > 0) for pair in one.pairs)


def test_seed_variance_widens_intervals() -> None:
    calm = tuple(numbered(np.arange(300) % 10 < 7) for _ in range(3))
    apart = tuple(numbered(np.arange(300) % 10 < share) for share in (6, 7, 8))
    one = compare(entrants([calm, apart]), Accuracy(), 300, seeds=3)
    narrow, wide = one.values["c0"], one.values["c1"]
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_no_interval_leaves_the_values_that_a_metric_can_have() -> None:
    class Percent(RMSE):
        name, unit, best, span = "percent", "%", "high", (0.0, 100.0)

    high = tuple(np.column_stack([np.arange(6), np.full(6, 99.0) ** 2 * (1 + 0.05 * seed * np.arange(6))]) for seed in (-0.3, 0.0, 0.1))
    free, held = (compare(entrants([high]), metric, 6, seeds=3).values["c0"] for metric in (RMSE(), Percent()))
    assert free.high > 100.0
    assert (held.low >= 0.0, held.high) == (True, 100.0)


def test_a_contender_of_which_one_seed_came_through_borrows_the_others_seed_variance() -> None:
    apart = tuple(numbered(np.arange(300) % 10 < share) for share in (6, 7, 8))
    alone = (numbered(np.arange(300) % 10 < 7),)
    shaky = [Entrant("a", "conv", apart), Entrant("b", "conv", apart), Entrant("c", "conv", alone)]
    fixed = [*shaky[:2], Entrant("c", "baseline", alone, deterministic=True)]
    unsure, sure = (compare(some, Accuracy(), 300, seeds=3) for some in (shaky, fixed))
    assert unsure.values["c"].high - unsure.values["c"].low > 3 * (sure.values["c"].high - sure.values["c"].low)
    assert any(note.startswith("c: not all of the 3 seeds") for note in unsure.notes)


# What is recommended, beaten, still needed

def test_the_cheapest_within_the_margin_is_recommended() -> None:
    generator = np.random.default_rng(16)
    rows = right_or_wrong(generator, 8000, 3, [0.0, 2.0, 2.0, 2.0], own=0.1, between=0.01)
    one = compare(entrants(rows), Accuracy(), 8000, seeds=3)
    assert one.recommended == "c1"                           # c0 is cheaper and much worse
    assert one.margin == 0.02
    assert compare(entrants(rows), Accuracy(), 8000, seeds=3, margin=0.0).recommended == one.best
    assert compare(entrants(rows), Accuracy(), 8000, seeds=3, margin=0.9).recommended == "c0"


def test_a_baseline_may_be_recommended_and_an_unknown_cost_is_never_cheap() -> None:
    rows = right_or_wrong(np.random.default_rng(17), 8000, 1, [2.0, 2.0, 2.0], own=0.0, between=0.0, hard=6)
    some = [Entrant("first", "baseline", rows[0], cost={"macs": 5.0, "parameters": 5}), Entrant("second", "conv", rows[1], cost={"macs": None}),
            Entrant("third", "conv", rows[2], cost={"macs": 5.0, "parameters": 6})]
    assert compare(some, Accuracy(), 8000, seeds=1).recommended == "first"          # macs are equal, parameters decide
    nothing_known = [Entrant(one.name, one.group, one.rows) for one in some]
    unknown = compare(nothing_known, Accuracy(), 8000, seeds=1)
    assert unknown.recommended == unknown.best


@pytest.mark.parametrize(("cost", "name"), [("macs", "c0"), ("latency", "c1"), ("memory", "c2"), ("seconds", "c1"), ("parameters", "c2")])
def test_cheap_means_what_cost_says(cost: str, name: str) -> None:
    same = (numbered(np.arange(5000) % 10 > 0),)
    prices = [{"macs": 1, "parameters": 3, "latency_ms_p50": 3, "peak_infer_bytes": 3, "train_seconds": 3},
              {"macs": 2, "parameters": 2, "latency_ms_p50": 1, "peak_infer_bytes": 2, "train_seconds": 1},
              {"macs": 3, "parameters": 1, "latency_ms_p50": 2, "peak_infer_bytes": 1, "train_seconds": 2}]
    some = [Entrant(f"c{k}", "conv", same, cost=price) for k, price in enumerate(prices)]
    assert compare(some, Accuracy(), 5000, seeds=1, cost=cost).recommended == name


def test_an_unknown_cost_is_answered_with_the_nearest() -> None:
    with pytest.raises(OptionError, match="macs"):
        compare(entrants([(numbered(np.ones(5)),)]), Accuracy(), 5, seeds=1, cost="mac")


def test_the_margin_of_an_unbounded_metric_is_five_percent_of_the_best() -> None:
    one = compare(entrants(errors(np.random.default_rng(18), 50, 1, [10, 20])), RMSE(), 50, seeds=1)
    assert one.margin == pytest.approx(0.05 * one.values[one.best].value)


def test_a_clear_network_beats_the_baselines_and_a_pretrained_one_counts_in_neither() -> None:
    rows = right_or_wrong(np.random.default_rng(19), 800, 3, [0.5, 0.4, 2.5, 1.0, 6.0])
    one = compare(entrants(rows, ["baseline", "baseline", "conv", "recurrent", "pretrained"]), Accuracy(), 800, seeds=3)
    assert one.best == "c2"                                  # c4 is better, and stands apart
    assert "c4" not in one.contenders
    value, told = one.outside["c4"]
    assert value.value > one.values["c2"].value
    assert told.difference == pytest.approx(value.value - one.values["c2"].value)
    assert told.low is not None
    assert told.high is not None
    assert 0 < told.low < told.difference < told.high
    assert told.p < 0.05
    assert one.best_network == "c2"
    assert one.best_baseline in ("c0", "c1")
    assert one.beats_baseline
    assert one.p_baseline < 0.001


def test_a_network_behind_a_baseline_does_not_beat_it_and_without_baselines_nothing_is_beaten() -> None:
    rows = right_or_wrong(np.random.default_rng(20), 300, 3, [2.5, 0.0])
    behind = compare(entrants(rows, ["baseline", "conv"]), Accuracy(), 300, seeds=3)
    assert behind.best == behind.best_baseline == "c0"
    assert behind.p_baseline == 1
    assert not behind.beats_baseline
    alone = compare(entrants(rows, ["recurrent", "conv"]), Accuracy(), 300, seeds=3)
    assert alone.best_baseline is alone.p_baseline is None
    assert not alone.beats_baseline


def test_so_many_more_examples_do_separate_the_first_two() -> None:
    """Where the difference seen is the true one: 80 % of fresh comparisons with so many find it."""
    generator, n = np.random.default_rng(21), 200
    a, b = np.ones(n), np.ones(n)
    a[:16], b[16:44] = 0, 0                                  # 8 % and 14 % wrong
    one = compare(entrants([(numbered(a),), (numbered(b),)]), Accuracy(), n, seeds=1)
    assert one.tied_with == ("c1",)
    assert one.more_examples_to_separate is not None
    many = n + one.more_examples_to_separate
    picks = [generator.integers(0, n, many) for _ in range(300)]
    apart = sum(found_different(compare(entrants([(numbered(a[pick]),), (numbered(b[pick]),)]), Accuracy(), many, seeds=1)) for pick in picks)
    assert 0.7 <= apart / 300 <= 0.9


def test_no_number_of_examples_is_given_where_it_is_not_needed_or_would_not_help() -> None:
    same = (numbered(np.arange(100) % 3 > 0),)
    assert compare(entrants([same, same]), Accuracy(), 100, seeds=1).more_examples_to_separate is None
    clear = right_or_wrong(np.random.default_rng(22), 500, 3, [0, 3])
    assert compare(entrants(clear), Accuracy(), 500, seeds=3).more_examples_to_separate is None
    by_seeds = [tuple(numbered(np.arange(1000) % 100 < share) for share in shares) for shares in ((50, 60, 70), (55, 64, 72))]
    assert compare(entrants(by_seeds), Accuracy(), 1000, seeds=3).more_examples_to_separate is None


# Who has no value, and what is written down

def test_failed_contenders_are_left_out_and_answers_without_a_value_are_told() -> None:
    good = (numbered(np.arange(20) - 9.5),)
    bad, huge = (numbered(np.full(20, np.nan)),), (numbered(np.full(20, 1e200)),)
    some = [Entrant("good", "conv", good), Entrant("failed", "conv", ()), Entrant("bad", "conv", bad), Entrant("huge", "conv", huge)]
    one = compare(some, RMSE(), 20, seeds=1)
    assert one.contenders == ("good",)
    assert set(one.without_value) == {"bad", "huge"}
    assert one.against_best == {}
    with pytest.raises(DataError, match="no value"):
        compare(some[1:], RMSE(), 20, seeds=1)


def test_what_is_estimated_is_said() -> None:
    rows = right_or_wrong(np.random.default_rng(23), 100, 1, [1, 1])
    assert any("these trained models" in note for note in compare(entrants(rows), Accuracy(), 100, seeds=1).notes)
    mixed = [*entrants(right_or_wrong(np.random.default_rng(24), 100, 3, [1, 1])), Entrant("fixed", "baseline", rows[0], deterministic=True)]
    notes = " ".join(compare(mixed, Accuracy(), 100, seeds=3, groups=[k // 5 for k in range(100)]).notes)
    for words in ("mean over 3 training seeds", "The same with every seed: fixed", "20 of them", "highest of 3 noisy values", "2 comparisons"):
        assert words in notes
    assert any("Two seeds" in note for note in compare(mixed[:2], Accuracy(), 100, seeds=2).notes)
    one_group = compare(mixed, Accuracy(), 100, seeds=3, groups=["a"] * 100)
    assert any("that group only" in note for note in one_group.notes)


def test_the_record_is_json_and_the_same_to_the_byte() -> None:
    rows = right_or_wrong(np.random.default_rng(25), 150, 3, [0, 1, 2, 2])
    first, second = (json.dumps(compare(entrants(rows), Accuracy(), 150, seeds=3).record(), allow_nan=False) for _ in range(2))
    assert first == second
    record = json.loads(first)
    assert list(record) == ["metric", "unit", "best", "level", "contenders", "values", "against_best", "pairs", "notes"]
    assert record["best"] == "high"
    assert set(record["values"]["c0"]) == {"value", "low", "high", "seeds"}
    assert set(record["against_best"]) == set(record["contenders"][1:])
    assert set(record["pairs"][0]) == {"a", "b", "difference", "low", "high", "p"}


@pytest.mark.parametrize(("n", "limit"), [(150, 0.5), (10_000, 3.0)])
@pytest.mark.parametrize("metric", [Accuracy(), MacroF1(), RMSE(), MAE()], ids=lambda metric: metric.name)
def test_seventeen_contenders_are_compared_quickly(metric: Metric, n: int, limit: float) -> None:
    generator = np.random.default_rng(26)
    if isinstance(metric, MacroF1):
        target = generator.integers(0, 10, n)
        rows = [tuple(np.column_stack([np.arange(n), target, np.where(generator.random(n) < 0.8, target, generator.integers(0, 10, n))]).astype(
            np.float64) for _ in range(3)) for _ in range(17)]
    else:
        rows = (errors if metric in REGRESS or isinstance(metric, RMSE | MAE) else right_or_wrong)(generator, n, 3, [1.0] * 17)
    times = []
    for _ in range(3):
        began = time.process_time()
        compare(entrants(rows), metric, n, seeds=3)
        times.append(time.process_time() - began)
    assert min(times) < limit
