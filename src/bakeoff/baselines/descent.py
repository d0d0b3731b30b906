"""Multinomial logistic regression, or one per label, and least squares where the matrix is sparse, by L-BFGS on all examples at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

STEPS = 100                   # a tight optimum is not wanted: what is left then is what the penalty would hardly have allowed
Floats = NDArray[np.floating[Any]]


def descend(x: Any, y: NDArray[Any], classes: int, strength: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (D, K) and offsets (K,), K = 1 where classes is 0, that minimise Σ loss + |weights|² / (2 · strength).

    x: (N, D) float32, dense or scipy CSR. y: (N,) labels, (N, K) sets of labels, or (N, 1) numbers. loss: cross-entropy, that of each
    label, or half the squared error.
    The offsets are not penalised; the one of a class without examples is held near its half example.
    """
    from scipy.optimize import minimize
    count, width, outputs = x.shape[0], x.shape[1], max(1, classes)
    turned = x.T if isinstance(x, np.ndarray) else x.T.tocsr()
    apart = classes > 0 and y.ndim == 2
    if apart:
        wanted = y.astype(np.float32)
        share = np.clip(wanted.mean(0), 0.5 / count, 1 - 0.5 / count)
        first, free = np.log(share / (1 - share)), ((wanted.min(0) < 1) & (wanted.max(0) > 0)).astype(np.float32)
    elif classes:
        wanted = np.zeros((count, classes), dtype=np.float32)
        wanted[np.arange(count), y] = 1
        first = np.log(np.maximum(wanted.sum(0), 0.5) / count)
        free = (wanted.sum(0) > 0).astype(np.float32)
    else:
        wanted, first, free = y.astype(np.float32), y.mean(0), np.ones(1, dtype=np.float32)

    def cost(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        table = flat.reshape(width + 1, outputs)
        weights = table[:-1].astype(np.float32)
        scores = np.asarray(x @ weights) + table[-1].astype(np.float32)      # (N, K)
        if apart:
            loss = float((np.logaddexp(0, scores) - scores * wanted).sum(dtype=np.float64))
            error = 1 / (1 + np.exp(-np.clip(scores, -60, 60))) - wanted
        elif classes:
            scores -= scores.max(1, keepdims=True)
            chances = np.exp(scores)
            total = chances.sum(1, keepdims=True)
            loss = float((np.log(total[:, 0]) - (scores * wanted).sum(1)).sum(dtype=np.float64))
            error = chances / total - wanted
        else:
            error = scores - wanted
            loss = float(np.square(error).sum(dtype=np.float64)) / 2
        slope = np.empty_like(table)
        slope[:-1] = np.asarray(turned @ error) + table[:-1] / strength
        slope[-1] = error.sum(0, dtype=np.float64) * free
        return (loss + float(np.square(table[:-1]).sum()) / (2 * strength)) / count, slope.reshape(-1) / count

    start = np.zeros((width + 1, outputs))
    start[-1] = first
    found = minimize(cost, start.reshape(-1), jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "gtol": 1e-5, "ftol": 1e-9})
    table = found.x.reshape(width + 1, outputs).astype(np.float32)
    return table[:-1], table[-1]
