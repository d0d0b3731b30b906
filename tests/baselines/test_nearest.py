"""Neighbours against scikit-learn's, and what is made of them."""

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from bakeoff.baselines import stores
from bakeoff.baselines.nearest import Nearest


@pytest.fixture
def table(made):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 1, 4)).astype(np.float32)
    return x, (x[:, 0, 0] > 0) * 1 + (x[:, 0, 1] > 0.5) * 1


@pytest.mark.parametrize("count", [1, 5])
def test_on_numbers_it_answers_as_scikit_learn(made, table, count):
    x, y = table
    data, task = made(x, [f"class {label}" for label in y])
    fitted = Nearest().fit(data.subset(range(100)), task, {"nearest.neighbours": count}, 0)
    flat = ((x - x[:100].mean(0)) / x[:100].std(0))[:, 0]
    reference = KNeighborsClassifier(count, algorithm="brute").fit(flat[:100], y[:100])
    found = fitted.outputs(data.subset(range(100, 150))).argmax(1).numpy()
    votes = reference.predict_proba(flat[100:])
    clear = np.sort(votes, 1)[:, -1] > np.sort(votes, 1)[:, -2]            # equal votes are settled by frequency here
    np.testing.assert_array_equal(found[clear], votes.argmax(1)[clear])


def test_numbers_are_averaged_as_by_scikit_learn(made, table):
    x, _ = table
    y = x[:, 0, 0] + 0.3 * x[:, 0, 2]
    data, task = made(x, [float(value) for value in y])
    fitted = Nearest().fit(data.subset(range(100)), task, {"nearest.neighbours": 5}, 0)
    flat = ((x - x[:100].mean(0)) / x[:100].std(0))[:, 0]
    reference = KNeighborsRegressor(5, algorithm="brute").fit(flat[:100], y[:100]).predict(flat[100:])
    found = [answer.value for answer in task.decode(fitted.outputs(data.subset(range(100, 150))))]
    np.testing.assert_allclose(found, reference, atol=1e-4)


def test_texts_are_compared_by_cosine(made):
    rng = np.random.default_rng(0)
    words = [f"w{number}" for number in range(30)]
    rows = [rng.integers(0, 30, 6).astype(np.int32) for _ in range(60)]
    (data, task), (new, _) = made(rows[:40], ["a", "b"] * 20, words), made(rows[40:], ["a", "b"] * 10, words)
    fitted = Nearest().fit(data, task, {"nearest.neighbours": 3}, 0)
    spelt = [" ".join(words[i] for i in row) for row in rows]
    reader = TfidfVectorizer(ngram_range=(1, 3), sublinear_tf=True).fit(spelt[:40])
    reference = (reader.transform(spelt[40:]) @ reader.transform(spelt[:40]).T).toarray()
    found = fitted.store.nearest(new, 3)
    np.testing.assert_allclose(np.take_along_axis(reference, found, 1), -np.sort(-reference, axis=1)[:, :3], atol=1e-6)


def test_a_shifted_series_is_found_by_warping_only(made):
    rng = np.random.default_rng(0)
    x = 0.05 * rng.normal(size=(60, 40, 1)).astype(np.float32)
    for number in range(60):
        begin = rng.integers(10, 20)
        x[number, begin:begin + 8, 0] += np.hanning(8) if number % 2 else np.repeat([1, -1], 4)
    data, task = made(x, ["hill", "step"] * 30)
    train, test = data.subset(range(40)), data.subset(range(40, 60))
    right = {}
    for band in (0.0, 0.3):
        out = Nearest().fit(train, task, {"nearest.neighbours": 1, "nearest.band": band}, 0).outputs(test)
        right[band] = float((out.argmax(1) == task.collate(test.targets)).float().mean())
    assert right[0.3] == 1.0 > right[0.0]


def test_neighbours_of_noise_are_hardly_believed_and_those_of_clear_classes_are(made):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 1, 3)).astype(np.float32)
    labels = ["a", "b"] * 150
    noise, task = made(x, labels)
    clear, _ = made(x + 20 * (np.arange(300) % 2)[:, None, None].astype(np.float32), labels)
    chance = {name: Nearest().fit(data, task, {"nearest.neighbours": 1}, 0).outputs(data).exp().amax(1).mean()
              for name, data in (("noise", noise), ("clear", clear))}
    assert chance["noise"] < 0.6
    assert chance["clear"] > 0.99


def test_channels_of_small_numbers_count_only_where_they_are_scaled(made):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 12, 2)).astype(np.float32) * np.array([100, 0.1], np.float32)
    labels = ["a", "b"] * 40
    x[::2, :, 1] += 0.3
    data, task = made(x, labels)
    score = {}
    for scaled in (True, False):
        params = {"nearest.neighbours": 1, "nearest.band": 0.0, "nearest.scaled": scaled}
        out = Nearest().fit(data.subset(range(60)), task, params, 0).outputs(data.subset(range(60, 80)))
        score[scaled] = float((out.argmax(1) == task.collate(labels[60:])).float().mean())
    assert score[True] > 0.9 > score[False]


def test_long_series_are_averaged_down(made, monkeypatch):
    monkeypatch.setattr(stores, "LONGEST", 8)
    series = [np.repeat(np.arange(8), 3)[:, None].astype(np.float32), np.arange(5)[:, None].astype(np.float32)]
    data, _ = made(series, ["a", "b"])
    held = stores.stacked(data, scaled=False)
    centre = np.float32(data.spec.mean[0])
    np.testing.assert_allclose(held.x[0, :, 0] + centre, np.arange(8), atol=1e-5)
    np.testing.assert_allclose(held.x[1, :5, 0] + centre, np.arange(5), atol=1e-5)
    assert held.lengths.tolist() == [8, 5]


def test_fewer_examples_than_neighbours_are_all_asked(made):
    data, task = made(np.arange(3, dtype=np.float32)[:, None, None], ["a", "a", "b"])
    out = Nearest().fit(data, task, {"nearest.neighbours": 50}, 0).outputs(data)
    assert torch.isfinite(out).all()
    assert (out.argmax(1) == 0).all()
