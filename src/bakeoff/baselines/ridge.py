"""Ridge regression whose penalty is chosen by leaving out one example at a time, in closed form.

Golub, Heath & Wahba 1979, "Generalized cross-validation as a method for choosing a good ridge parameter".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Table = NDArray[np.float32]
Exact = NDArray[np.float64]

ALPHAS = 10.0 ** np.arange(-3, 5.5, 0.5)
EXACT = 1500                  # examples on which penalties are compared: an eigenvalue problem of that size takes about a second
STRIP = 2048                  # columns turned into float64 at a time: products in float32 would drown the smallest penalties


class Ridge(NamedTuple):
    """weights (D, K), offsets (K,); left_out: what examples `rows` would have been given by a fit without them, (R, K)."""

    weights: Table
    offsets: Table
    alpha: float
    rows: NDArray[np.int64]
    left_out: Exact


class Reading(NamedTuple):
    """Features (N, D) → log-probabilities (N, K), or a number in the task's units. What was taken off and divided by is part of it."""

    weights: Table
    offsets: Table
    sharpness: float

    @classmethod
    def learnt(cls, x: Table, y: NDArray[Any], classes: int, level: bool = True) -> Reading:
        """x is used up; y as `aims` gives it. level: every feature is brought to a deviation of one; else they are left as they are."""
        mean = x.mean(0, dtype=np.float64).astype(np.float32)
        x -= mean
        scale = np.ones(x.shape[1], dtype=np.float32)
        if level:
            spread = np.sqrt(np.einsum("nd,nd->d", x, x) / max(1, len(x)))
            scale = (1 / np.where(spread > 1e-6, spread, 1.0)).astype(np.float32)
            x *= scale
        found = fit(x, np.where(y[:, None] == np.arange(classes), 1.0, -1.0) if classes else y)
        weights = found.weights * scale[:, None]
        return cls(weights, found.offsets - mean @ weights, sharpness(found.left_out, y[found.rows]) if classes else 1.0)

    def answers(self, parts: Iterable[Table]) -> Tensor:
        """parts: blocks of features."""
        empty = np.zeros((0, self.weights.shape[1]), dtype=np.float32)
        scores = torch.from_numpy(np.concatenate([*(part @ self.weights for part in parts), empty]) + self.offsets)
        return (scores * self.sharpness).log_softmax(-1) if scores.shape[1] > 1 else scores


def fit(x: Table, y: Exact) -> Ridge:
    """x: (N, D) with centred columns of like scale; y: (N, K). Above EXACT examples the penalty is the one that is best on so many
    of them: what it balances, noise against size of weights, does not depend on their number."""
    count = len(x)
    rows = np.arange(count) if count <= EXACT else np.sort(np.random.default_rng(0).permutation(count)[:EXACT])
    middle = y.mean(0)
    if len(rows) == count:
        dual, alpha, left_out = best(x, y - middle)
        return Ridge((x.T @ dual.astype(np.float32)), middle.astype(np.float32), alpha, rows, left_out + middle)
    some = x[rows] - x[rows].mean(0)
    _, alpha, left_out = best(some, y[rows] - y[rows].mean(0))
    weights = solved(x, y - middle, alpha)
    return Ridge(weights, middle.astype(np.float32), alpha, rows, left_out + y[rows].mean(0))


def best(x: Table, y: Exact) -> tuple[Exact, float, Exact]:
    """Dual weights (N, K), the penalty with the smallest squared error on examples left out, and those answers. x, y centred."""
    values, vectors = np.linalg.eigh(gram(x))
    values = np.maximum(values, 0)
    turned = vectors.T @ y
    square, error, found = np.square(vectors), np.inf, (ALPHAS[0], y)
    for alpha in ALPHAS:
        shrink = values / (values + alpha)
        given = vectors @ (shrink[:, None] * turned)
        own = np.minimum(square @ shrink + 1 / len(x), 1 - 1e-9)             # what an example adds to its own answer, offset included
        left_out = y - (y - given) / (1 - own)[:, None]
        now = float(np.square(y - left_out).mean())
        if now < error:
            error, found = now, (alpha, left_out)
    alpha, left_out = found
    return vectors @ (turned / (values + alpha)[:, None]), float(alpha), left_out


def solved(x: Table, y: Exact, alpha: float) -> Table:
    """(D, K) for one penalty, from the smaller of the two products."""
    from scipy.linalg import cho_factor, cho_solve
    if x.shape[0] <= x.shape[1]:
        dual = cho_solve(cho_factor(ridged(gram(x), alpha), overwrite_a=True), y)
        return x.T @ dual.astype(np.float32)
    factor = cho_factor(ridged(gram(x.T), alpha), overwrite_a=True)
    return cho_solve(factor, np.asarray(x.T @ y.astype(np.float32), dtype=np.float64)).astype(np.float32)


def gram(x: Table) -> Exact:
    """x · xᵀ in float64, strip by strip."""
    total = np.zeros((x.shape[0], x.shape[0]))
    for start in range(0, x.shape[1], STRIP):
        strip = x[:, start:start + STRIP].astype(np.float64)
        total += strip @ strip.T
    return total


def ridged(square: Exact, alpha: float) -> Exact:
    square[np.diag_indices_from(square)] += alpha
    return square


def sharpness(scores: Exact, labels: NDArray[Any]) -> float:
    """By what to multiply scores (N, K) so that their softmax is most likely: Guo et al. 2017, https://arxiv.org/abs/1706.04599."""
    from scipy.optimize import minimize_scalar

    def loss(power: float) -> float:
        steep = np.exp(power) * scores
        steep -= steep.max(1, keepdims=True)
        return float((np.log(np.exp(steep).sum(1)) - steep[np.arange(len(steep)), labels]).mean())
    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 5.0), method="bounded").x))
