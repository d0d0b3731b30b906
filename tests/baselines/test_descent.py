"""Logistic regression and least squares against scikit-learn's."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression, Ridge

from bakeoff.baselines import descent


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 6)).astype(np.float32)
    y = (x @ rng.normal(size=(6, 3)) + rng.gumbel(size=(200, 3))).argmax(1)
    return x, y


@pytest.mark.parametrize("strength", [0.01, 1.0, 30.0])
def test_classes_get_the_chances_of_scikit_learn(table, strength):
    x, y = table
    weights, offsets = descent.descend(x, y, 3, strength)
    reference = LogisticRegression(C=strength, tol=1e-8, max_iter=5000).fit(x, y)
    np.testing.assert_allclose(softmax(x @ weights + offsets, axis=1), reference.predict_proba(x), atol=2e-3)


@pytest.mark.parametrize("strength", [0.01, 1.0, 30.0])
def test_numbers_get_the_weights_of_ridge_regression(table, strength):
    x, y = table
    weights, offsets = descent.descend(x, y[:, None].astype(np.float64), 0, strength)
    reference = Ridge(alpha=1 / strength).fit(x, y)
    np.testing.assert_allclose(weights[:, 0], reference.coef_, atol=2e-3)
    np.testing.assert_allclose(offsets, [reference.intercept_], atol=2e-3)


def test_a_sparse_matrix_gives_the_same(table):
    x, y = table
    x = np.where(np.abs(x) > 0.7, x, np.float32(0))
    for dense, sparse in zip(descent.descend(x, y, 3, 1.0), descent.descend(csr_matrix(x), y, 3, 1.0), strict=True):
        np.testing.assert_allclose(dense, sparse, atol=1e-3)


def test_a_class_without_examples_stays_possible_but_unlikely(table):
    x, y = table
    weights, offsets = descent.descend(x, y, 4, 1.0)
    chances = softmax(x @ weights + offsets, axis=1)[:, 3]
    assert chances.min() > 0
    assert chances.max() < 0.2
