from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from bakeoff import BakeoffClassifier, BakeoffRegressor

TINY: dict[str, Any] = {"slate": "mlp", "trials": 1, "examples": 200, "seeds": 1, "jobs": 1}


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    """Dozens of data sets of twenty rows do not belong into anybody's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAKEOFF_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@parametrize_with_checks([BakeoffClassifier(**TINY), BakeoffRegressor(**TINY)])
def test_estimators_keep_the_rules_of_scikit_learn(estimator, check):
    check(estimator)
