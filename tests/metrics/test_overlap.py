"""Metrics of written texts: equal to sacrebleu and rouge-score on any set of examples, repeated or left out."""

from __future__ import annotations

import numpy as np
import pytest

from bakeoff.metrics.base import Metric, Summed, whole
from bakeoff.metrics.overlap import BLEU, ChrF, Exact, Rouge2, RougeL, Words, mostly_latin, parting
from bakeoff.types import Answer

sacrebleu = pytest.importorskip("sacrebleu.metrics", reason="sacrebleu is not installed")
RNG = np.random.default_rng(0)
WORDS = ["the", "a", "man", "dog", "runs", "in", "park", "blue", ",", ".", "Hund", "läuft", "über", "die", "Straße", "12"]
TRUE = [" ".join(RNG.choice(WORDS, RNG.integers(0, 14))) for _ in range(60)]
SAID = [" ".join(word if RNG.random() < 0.8 else str(RNG.choice(WORDS)) for word in text.split()) for text in TRUE]
SAID[3], SAID[4] = "", TRUE[4]
ANSWERS = [Answer(text, {}) for text in SAID]
SETS = [np.arange(60), np.arange(5, 9), np.array([3]), np.array([4, 4, 4, 7]), RNG.integers(0, 60, 200)]


def value(metric: Metric, chosen: np.ndarray) -> float:
    """By rows of all, as the bootstrap takes them."""
    rows = metric.rows(ANSWERS, TRUE)
    return metric.value(np.concatenate([rows[rows[:, 0] == one] for one in chosen]))


@pytest.mark.parametrize("chosen", SETS, ids=len)
def test_bleu_and_chrf_are_sacrebleus_on_any_set(chosen: np.ndarray) -> None:
    said, true = [SAID[k] for k in chosen], [TRUE[k] for k in chosen]
    assert value(BLEU(), chosen) == pytest.approx(sacrebleu.BLEU().corpus_score(said, [true]).score, abs=1e-9)
    assert value(ChrF(), chosen) == pytest.approx(sacrebleu.CHRF().corpus_score(said, [true]).score, abs=1e-9)


def test_bleu_of_one_text_counts_as_long_n_grams_as_there_are() -> None:
    library = sacrebleu.BLEU(effective_order=True)
    each = BLEU().each(BLEU().rows(ANSWERS, TRUE))
    expected = [library.sentence_score(said, [true]).score for said, true in zip(SAID, TRUE, strict=True)]
    np.testing.assert_allclose(np.nan_to_num(each), expected, atol=1e-9)


@pytest.mark.parametrize(("tokens", "true", "said"), [("zh", ["我们 去 公园。", "今天天气很好"], ["我们去公园", "今天天气好"]),
                                                      ("char", ["สวัสดีครับ", "ขอบคุณ"], ["สวัสดี", "ขอบคุณ"])])
def test_scripts_without_spaces_are_parted_as_sacrebleu_does(tokens: str, true: list[str], said: list[str]) -> None:
    assert parting(true) == tokens
    metric = BLEU(tokens)
    got = metric.value(metric.rows([Answer(text, {}) for text in said], true))
    assert got == pytest.approx(sacrebleu.BLEU(tokenize=tokens).corpus_score(said, [true]).score, abs=1e-9)
    assert f"tok:{tokens}" in metric.signature


def test_the_script_of_most_letters_decides() -> None:
    assert parting(["Hello world", "你好"]) == "13a"
    assert parting(["Привет мир"]) == "13a"
    assert parting([]) == "13a"
    assert parting(["これはペンです"]) in ("ja-mecab", "char")
    assert mostly_latin(["Straße und Öl"])
    assert not mostly_latin(["Привет"])


def test_rouge_is_the_librarys_mean() -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer", reason="rouge-score is not installed")
    library = scorer.RougeScorer(["rouge2", "rougeL"])
    for metric in (RougeL(), Rouge2()):
        expected = [library.score(true, said)[metric.name].fmeasure for said, true in zip(SAID, TRUE, strict=True)]
        assert value(metric, np.arange(60)) == pytest.approx(np.mean(expected))


def test_rouge_knows_words_of_other_scripts() -> None:
    assert Words().tokenize("Привет, мир: 你好 ok") == ["привет", "мир", "你", "好", "ok"]
    metric = RougeL(latin=False)
    assert metric.value(metric.rows([Answer("привет мир", {})], ["Привет, мир"])) == 1.0
    assert metric.value(metric.rows([Answer("нет", {})], ["Привет, мир"])) == 0.0


def test_exact_counts_whole_texts_without_spaces_at_the_ends() -> None:
    metric = Exact()
    assert metric.value(metric.rows([Answer("a b ", {}), Answer("a", {}), Answer(None, {})], ["a b", "b", "c"])) == pytest.approx(1 / 3)


@pytest.mark.parametrize("metric", [BLEU(), ChrF(), Exact(), RougeL()], ids=lambda metric: metric.name)
def test_sums_give_the_value_and_nothing_gives_nan(metric: Metric) -> None:
    assert isinstance(metric, Summed)
    rows = metric.rows(ANSWERS, TRUE)
    totals = metric.totals(rows, np.repeat([0, 1], 30), 2)
    assert metric.of(totals.sum(0)) == pytest.approx(whole(metric, rows))
    assert np.isnan(whole(metric, rows[:0]))
