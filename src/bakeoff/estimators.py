"""bakeoff inside scikit-learn: `fit` is an ordinary run on arrays, `predict` asks its recommended contender."""

from __future__ import annotations

import inspect
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from bakeoff.errors import BakeoffError
from bakeoff.options import settings_of
from bakeoff.run import run
from bakeoff.use.predict import Model

KINDS = {2: "table", 3: "series", 4: "image"}             # by the number of axes, the examples' own included
LEFT_OUT = ("data", "watch", "born")                      # of run's parameters: given by `fit`, or of no use here
FILES = ("config.json", "model.safetensors")              # all that a model needs
OPTIONS = [one for one in inspect.signature(run).parameters.values() if one.name not in LEFT_OUT]


class Scratch:
    """A temporary folder that goes with whoever holds it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bakeoff-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)


class Estimator(BaseEstimator):
    """What classifier and regressor share. Parameters are the options of `bakeoff.run`, with its names and defaults.

    X: (n, columns) a table, (n, channels, time) series, (n, height, width[, channels]) images; three axes of uint8 are
    grey images. `set={"kind": "series"}` (or another kind) says it where this is not meant. NaN is a missing value.

    Attributes: `result_`, the Result of the run; its folder is `out`, or a temporary one that goes with the estimator.
    A pickled estimator carries its model, not the run's folder.
    """

    TASK: ClassVar[str]

    def __init__(self, **options: Any) -> None:
        for one in OPTIONS:
            setattr(self, one.name, options.pop(one.name, one.default))
        if options:
            raise TypeError(f"{type(self).__name__} has no parameter {', '.join(options)}")

    __init__.__signature__ = inspect.Signature([                                # type: ignore[attr-defined]
        inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY), *(one.replace(kind=one.KEYWORD_ONLY) for one in OPTIONS)])

    def run(self, x: NDArray[Any], y: NDArray[Any]) -> Self:
        """An ordinary run on the arrays, written as .npz into a temporary folder. Raises ValueError where they cannot be used."""
        options = {**self.get_params(deep=False), "task": self.TASK}
        if self.task not in (None, self.TASK):
            raise ValueError(f"{type(self).__name__} is for --task {self.TASK}, not {self.task}")
        kind = "image" if x.ndim == 3 and x.dtype == np.uint8 else KINDS.get(x.ndim)
        if kind is None:
            raise ValueError(f"Found array with dim {x.ndim}. {type(self).__name__} expects 2, 3 or 4 axes, the examples' own first")
        options["set"] = {"kind": kind, "labels": "one", **settings_of(options["set"])}
        scratch = Scratch()
        np.savez(scratch.folder / "arrays.npz", x=x, y=y)
        options["out"] = options["out"] or scratch.folder / "run"
        try:
            self.result_ = run(scratch.folder / "arrays.npz", **options)
        except BakeoffError as error:
            raise ValueError(str(error)) from error
        self._scratch, self._model = scratch, self.result_.recommended
        return self

    def checked(self, x: Any) -> NDArray[Any]:
        """New examples, of the same number of features."""
        check_is_fitted(self, "_model")
        found: NDArray[Any] = validate_data(self, x, reset=False, allow_nd=True, ensure_all_finite="allow-nan")
        return found

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in super().__getstate__().items() if name not in ("_model", "_scratch", "result_")}
        if hasattr(self, "_model"):
            state["_files"] = {name: (self._model.folder / name).read_bytes() for name in FILES}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        files = state.pop("_files", None)
        super().__setstate__(state)
        if files is not None:
            self._scratch = Scratch()
            for name, content in files.items():
                (self._scratch.folder / name).write_bytes(content)
            self._model = Model(self._scratch.folder)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags


class BakeoffClassifier(ClassifierMixin, Estimator):
    """All contenders compete for the labels of arrays; the recommended one answers.

    >>> BakeoffClassifier(budget="2m").fit(X, y).predict(X_new)
    """

    TASK = "classify"

    def fit(self, X: Any, y: Any) -> Self:
        """X: see the class; y: (n,) labels of any sort. A test split is taken from them, as `split` says."""
        X, y = validate_data(self, X, y, allow_nd=True, ensure_all_finite="allow-nan", ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"{type(self).__name__} needs at least two classes, and there is one class only: {self.classes_[0]!r}")
        names = [str(label).strip() for label in self.classes_.tolist()]
        if len(set(names)) < len(names) or "" in names:
            names = [str(number) for number in range(len(names))]
        self._numbers = {name: number for number, name in enumerate(names)}
        return self.run(X, np.asarray(names)[numbers])

    def predict(self, X: Any) -> NDArray[Any]:
        """(n,) labels."""
        X = self.checked(X)
        numbers = [self._numbers[str(label)] for label in self._model.predict(X)]
        labels: NDArray[Any] = self.classes_[numbers]
        return labels

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """(n, K) probabilities, columns as in `classes_`."""
        X = self.checked(X)
        order = np.argsort([self._numbers[name] for name in self._model.classes])
        return self._model.predict_proba(X)[:, order]


class BakeoffRegressor(RegressorMixin, Estimator):
    """All contenders compete for the numbers of arrays; the recommended one answers.

    >>> BakeoffRegressor(budget="2m").fit(X, y).predict(X_new)
    """

    TASK = "regress"

    def fit(self, X: Any, y: Any) -> Self:
        """X: see the class; y: (n,) numbers. A test split is taken from them, as `split` says."""
        X, y = validate_data(self, X, y, allow_nd=True, ensure_all_finite="allow-nan", ensure_min_samples=2, y_numeric=True)
        return self.run(X, np.asarray(y, dtype=np.float64))

    def predict(self, X: Any) -> NDArray[np.float64]:
        """(n,) numbers in the unit of y."""
        X = self.checked(X)
        return np.asarray(self._model.predict(X), dtype=np.float64)
