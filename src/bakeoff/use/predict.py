"""Answers of a finished contender for new data: read as the training data were, one answer per input, in its order."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff import registry, samples
from bakeoff.data.load import New, load_new
from bakeoff.errors import OptionError, RunError, near
from bakeoff.folder import finals_of
from bakeoff.tasks.base import Task
from bakeoff.train.contender import load_fitted
from bakeoff.train.record import listed
from bakeoff.types import Answer
from bakeoff.use.going_on import gone_on
from bakeoff.use.sample import TASK, Drawing, continued

ENDINGS = (".csv", ".jsonl", ".parquet")
STEPS = 32                                    # by which an example is gone on with, where nothing else is asked


class Model:
    """One trained contender, with everything it needs to read new data. Loads weights at the first use."""

    def __init__(self, folder: Path, encoding: str = "utf-8") -> None:
        """folder: finals/CONTENDER/seed-K of a run."""
        self.folder, self.encoding = folder, encoding
        self.config: dict[str, Any] = json.loads((folder / "config.json").read_text())
        self.name: str = self.config["contender"]
        self._fitted: Any = None

    def __repr__(self) -> str:
        return f"<{self.name}, seed {self.config['seed']}, {self.config['task']} from {self.config['kind']}>"

    @property
    def classes(self) -> list[str]:
        """The labels, in the order of predict_proba's columns; empty for a number."""
        return list(self.config["task_state"].get("classes", []))

    @property
    def goes_on(self) -> bool:
        """Whether its answer is how an example goes on."""
        return hasattr(registry.get("task", self.config["task"]), "drawn")

    @property
    def kind(self) -> Any:
        return registry.get("kind", self.config["kind"])()

    @property
    def fitted(self) -> tuple[Any, Task]:
        """What was trained, and its task."""
        if self._fitted is None:
            self._fitted = load_fitted(self.folder)
        return self._fitted

    def read(self, data: Any) -> New:
        """New data as those of the training were read; see `answers`."""
        with tempfile.TemporaryDirectory() as scratch:
            path = located(data) if isinstance(data, str | Path) else written(data, Path(scratch), self.config["kind_state"])
            return load_new(path, self.config["kind"], self.config["kind_state"], self.encoding)

    def answers(self, data: Any, drawing: Drawing | None = None) -> tuple[list[str], list[Answer | None], list[str]]:
        """(keys, answers, problems) for a path or array-like; an input that cannot be read has the answer None.

        data: what `run` reads (a target is not needed); or an array (n, channels, time), (n, height, width[, channels])
        or (n, columns); or a list of texts. drawing: how text is gone on with. Raises DataError where nothing can be read.
        """
        new = self.read(data)
        fitted, task = self.fitted
        answers: list[Answer | None] = [None] * len(new.keys)
        if len(new.dataset):
            said = (continued(fitted, new.dataset, self.config["kind_state"], drawing or Drawing()) if task.name == TASK
                    else task.decode(fitted.outputs(new.dataset)))
            for place, answer in zip(new.rows.tolist(), said, strict=True):
                answers[place] = answer
        return new.keys, answers, problems_of(new)

    def told(self, cells: NDArray[Any]) -> Any:
        """Steps of an example in the user's words, where the kind has some."""
        own = getattr(self.kind, "told", None)
        return cells.tolist() if own is None else own(cells, self.config["kind_state"]["reading"])

    def whole(self, data: Any) -> list[Answer]:
        keys, answers, problems = self.answers(data)
        missing = [key for key, answer in zip(keys, answers, strict=True) if answer is None]
        if missing:
            raise OptionError(f"{len(missing)} of {len(keys)} inputs cannot be read", problems[0] if problems else missing[0], "Mend or remove them.")
        return [answer for answer in answers if answer is not None]

    def predict(self, data: Any) -> NDArray[Any]:
        """(n,) labels, or numbers in the target's unit. Takes what `answers` takes; raises where an input cannot be read."""
        return np.asarray([answer.value for answer in self.whole(data)])

    def predict_proba(self, data: Any) -> NDArray[np.float64]:
        """(n, K) probabilities, columns as in `classes`. Raises OptionError for a model of numbers."""
        if not self.classes:
            raise OptionError("a model of numbers has no probabilities", self.name, "Use predict.")
        return np.asarray([[answer.scores[name] for name in self.classes] for answer in self.whole(data)])


def problems_of(new: New) -> list[str]:
    return [f"{problem.where}: {problem.what}" for problem in new.problems]


def located(data: str | Path) -> Path:
    """A path, or where a sample ('sample:NAME') lies."""
    name = str(data)
    return samples.place(name.removeprefix("sample:")) if name.startswith("sample:") else Path(data)


def written(data: Any, folder: Path, state: Mapping[str, Any]) -> Path:
    """An array or list of texts as a file that the ordinary readers read."""
    if len(data) and isinstance(data[0], str):
        column = next(iter(state.get("reading", {}).get("inputs", ())), "text")
        path = folder / "texts.jsonl"
        path.write_text("".join(json.dumps({column: text}) + "\n" for text in data), encoding="utf-8")
        return path
    path = folder / "arrays.npz"
    np.savez(path, x=np.asarray(data))
    return path


def final_folder(run: Path, contender: str, verdict: dict[str, Any]) -> Path:
    """The final of a contender that predict, export and serve take: the seed that the verdict names, or its only one."""
    folder = finals_of(run, contender)
    if not folder.is_dir():
        there = [path.name for path in (run / "finals").iterdir() if path.is_dir()]
        raise OptionError(f"this run has no model of {contender!r}", f"--contender {contender}", near(contender, there))
    seeds: dict[str, int] = verdict.get("seed_of", {})
    base = next((part for part in sorted(folder.glob("fold-*"))), folder)
    base = folder if any(folder.glob("seed-*")) else base
    chosen = base / f"seed-{seeds.get(contender, 0)}"
    return chosen if chosen.is_dir() else sorted(base.glob("seed-*"))[0]


def verdict_of(run: Path) -> dict[str, Any]:
    """verdict.json of a finished run. Raises RunError."""
    if not (run / "verdict.json").exists():
        raise RunError("this run has no verdict yet", str(run), f"Go on with: bakeoff resume {run}")
    verdict: dict[str, Any] = json.loads((run / "verdict.json").read_text())
    return verdict


def predict(run: str | Path, data: str | Path, out: str | Path | None = None, contender: str | None = None,
            encoding: str = "utf-8", steps: int | None = None, seed: int = 0) -> tuple[Any, list[str]]:
    """(table, problems): key, answer and score columns, one row per input in its order; written to `out` by its ending.

    A forecast's inputs are whole series, and the answer is the list of the next numbers of each, one list per channel where several
    are forecast; in the columns score:0.1, score:0.5 and score:0.9 stand as many of its quantiles. Texts to be gone on with are
    prompts – lines of a file, files of a folder, or a table's column text – and the answer is what is written behind them, `steps`
    tokens. Of examples whose next step was learnt the answer is how they go on: so many steps, each drawn by its chances, the same for
    the same seed; where the kind has files for that (.mid), `out` may be one of them, or a folder of one per input.

    Raises RunError for a run that has not finished, OptionError for a contender it has no model of.
    """
    import pandas as pd
    run = Path(run)
    verdict = verdict_of(run)
    model = Model(final_folder(run, contender or verdict["recommended"], verdict), encoding)
    written = getattr(model.kind, "written", ()) if model.goes_on else ()
    place = None if out is None else Path(out)
    if place is not None and place.suffix not in (*ENDINGS, *written) and not (written and (place.is_dir() or not place.suffix)):
        raise OptionError(f"{place.suffix or 'no ending'!r} is no known ending", f"-o {out}",
                          f"Use one of {', '.join((*ENDINGS, *written))}{', or name a folder' if written else ''}.")
    if not model.goes_on:
        if steps is not None and model.config["task"] != TASK:
            raise OptionError("these answers do not go on step by step", f"--steps {steps}", "Leave it out.")
        keys, answers, problems = model.answers(data, Drawing(seed=seed) if steps is None else Drawing(steps, seed=seed))
        columns: dict[str, Sequence[Any]] = {"key": keys, "answer": [None if answer is None else listed(answer.value) for answer in answers]}
        for label in next((answer.scores for answer in answers if answer is not None), {}):
            columns[f"score:{label}"] = [None if answer is None else listed(answer.scores[label]) for answer in answers]
    else:
        new = model.read(data)
        ways, problems = gone_on(*model.fitted, new.dataset, STEPS if steps is None else steps, seed), problems_of(new)
        said: list[Any] = [None] * len(new.keys)
        for row, way in zip(new.rows.tolist(), ways, strict=True):
            said[row] = model.told(way)
        columns = {"key": new.keys, "answer": said}
        if place is not None and place.suffix not in ENDINGS:
            write_files(place, model, new, ways)
            place = None
    table = pd.DataFrame(columns)
    if place is not None:
        write_table(table, place)
    return table, problems


def write_files(place: Path, model: Model, new: New, ways: Sequence[NDArray[Any]]) -> None:
    """Each example, and how it goes on, as a file of its kind: `place` itself for a single one, else a folder."""
    reading, data = model.config["kind_state"]["reading"], new.dataset
    if place.suffix and not place.is_dir():
        if len(ways) != 1:
            raise OptionError(f"there are {len(ways):,} examples, and one file", f"-o {place}", f"Name a folder: -o {place.with_suffix('')}")
        files = [place]
    else:
        place.mkdir(parents=True, exist_ok=True)
        ending = model.kind.written[0]
        names = [re.sub(r"[^\w.-]+", "-", key.removesuffix(ending)).strip("-.") for key in data.keys]
        files = [place / f"{name if names.count(name) == 1 else f'{name}-{number}'}{ending}" for number, name in enumerate(names, 1)]
    for row, (file, way) in enumerate(zip(files, ways, strict=True)):
        model.kind.write(file, data.raw(row).x.numpy(), way, reading)


def write_table(table: Any, path: Path) -> None:
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        table.to_json(path, orient="records", lines=True, force_ascii=False)
    else:
        table.to_parquet(path, index=False)
