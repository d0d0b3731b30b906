"""F1 of spans equals seqeval's, and words count for themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.metrics.accuracy import Accuracy
from bakeoff.metrics.base import Metric
from bakeoff.metrics.spans import SpanF1, has_spans, spans
from bakeoff.types import Answer

seqeval = pytest.importorskip("seqeval.metrics", reason="seqeval is not installed")
TAGS = st.sampled_from(["O", "O", "B-a", "I-a", "E-a", "S-a", "B-b", "I-b", "B-c-d", "I-c-d"])
PAIRS = st.lists(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=9), min_size=1, max_size=6)


def told(said: list[list[str]]) -> list[Answer]:
    return [Answer(tags, {}) for tags in said]


@settings(max_examples=100, deadline=None)
@given(pairs=PAIRS)
def test_spans_and_their_f1_are_those_of_seqeval(pairs: list[list[tuple[str, str]]]) -> None:
    from seqeval.metrics.sequence_labeling import get_entities
    said, true = ([[pair[side] for pair in sentence] for sentence in pairs] for side in (0, 1))
    for tags in (*said, *true):
        assert spans(tags) == get_entities(tags)
    metric = SpanF1()
    value = metric.value(metric.rows(told(said), true))
    if any(spans(tags) for tags in (*said, *true)):
        assert value == pytest.approx(seqeval.f1_score(true, said, zero_division=0))
    else:
        assert np.isnan(value)
    assert Accuracy().value(Accuracy().rows(told(said), true)) == pytest.approx(seqeval.accuracy_score(true, said))


@pytest.mark.parametrize("metric", [SpanF1(), Accuracy()], ids=lambda metric: metric.name)
def test_sums_of_any_sentences_give_the_value_of_these_sentences(metric: Metric) -> None:
    true = [["B-a", "I-a", "O"], ["O", "B-b"], ["B-a"]]
    rows = metric.rows(told([["B-a", "O", "O"], ["O", "B-b"], ["O"]]), [np.array(tags, dtype=object) for tags in true])
    again = np.concatenate([rows[1], rows[1], rows[0]]).reshape(3, -1)
    direct = metric.rows(told([["O", "B-b"], ["O", "B-b"], ["B-a", "O", "O"]]), [true[1], true[1], true[0]])
    assert metric.value(again) == metric.value(direct)


def test_words_without_an_answer_are_missed() -> None:
    answers, targets = told([["B-a"]]), [["B-a", "O", "B-a"]]
    assert SpanF1().rows(answers, targets).tolist() == [[0, 1, 1, 2]]
    assert Accuracy().value(Accuracy().rows(answers, targets)) == pytest.approx(1 / 3)


def test_parts_of_speech_are_no_spans() -> None:
    assert not has_spans(["O", "NN", "B", "X-Y"])
    assert has_spans(["O", "I-LOC"])
