"""From a path to prepared data: which kind, what is wrong, who trains and who tests, arrays in the cache, data.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bakeoff import registry
from bakeoff.data import cache, check, rolling, sets, split
from bakeoff.data.base import Arrays, Claim, Dataset, Indices, Kind, Problem, ReadOptions, Source, Splits, spec_from
from bakeoff.data.files import Files
from bakeoff.data.forecasts import TASK as FORECAST
from bakeoff.data.identical import content_hashes
from bakeoff.data.names import TABLES
from bakeoff.data.packed import Packed
from bakeoff.data.roles import first_roles
from bakeoff.data.rows import read_table
from bakeoff.data.split import Parts
from bakeoff.errors import DataError, OptionError, near
from bakeoff.types import Spec

LAYOUT = 5                            # of prepared folders; a change makes older ones unread
FIRST = 5                             # examples shown in the check
RECORD = "loaded.json"


class Asked(rolling.Asked, Protocol):
    """The options of `run` that decide what is loaded."""

    @property
    def task(self) -> str | None: ...
    @property
    def target(self) -> str | None: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def future(self) -> tuple[str, ...]: ...
    @property
    def group(self) -> str | None: ...
    @property
    def time(self) -> tuple[str, ...]: ...
    @property
    def test(self) -> str | None: ...
    @property
    def metric(self) -> str | None: ...
    @property
    def set(self) -> Mapping[str, Any]: ...
    @property
    def seed(self) -> int: ...
    @property
    def max_bad(self) -> str | float: ...
    @property
    def max_shared(self) -> str | float: ...
    @property
    def encoding(self) -> str: ...


@dataclass
class Fold:
    """One way to part train, validation and test, prepared; several of them with --folds. folder: train/, test/, splits.json."""

    folder: Path
    kind_state: dict[str, Any]
    task_name: str

    @cached_property
    def splits(self) -> Splits:
        return Splits.open(self.folder, test=True)

    @cached_property
    def task_state(self) -> dict[str, Any]:
        """What the task learns from the training targets, as JSON."""
        train = self.splits.train
        return registry.get("task", self.task_name)().fit(train.targets, train.spec).state()


@dataclass
class Loaded:
    """Data that have passed the check. record: data.json; shared: keys of given test examples that also stand in train."""

    kind_name: str
    kind_why: str
    task_name: str
    task_why: str
    how_split: str
    folds: tuple[Fold, ...]
    shared: tuple[str, ...]
    record: dict[str, Any]
    fingerprint: str
    folder: Path
    settings: Mapping[str, Any]               # --set, and what the data themselves ask for
    asked_metric: str | None
    reader: Reader

    @property
    def splits(self) -> Splits:
        return self.folds[0].splits

    @property
    def spec(self) -> Spec:
        return self.splits.train.spec

    @property
    def kind_settings(self) -> tuple[str, ...]:
        """Names of --set that the reading of data knows."""
        return ("kind", sets.SETTING, *settings_of(self.reader.kind))

    @property
    def source(self) -> Source:
        """The examples as read; read again where the prepared data came from the cache."""
        return self.reader.source

    def make_task(self) -> Any:
        """The task, fitted on the training targets of the first fold."""
        return registry.get("task", self.task_name).restore(self.folds[0].task_state)

    @property
    def metric(self) -> str:
        """The name of the metric that is tuned for. Raises OptionError for one that the task does not have."""
        names = [metric.name for metric in self.make_task().metrics if getattr(metric, "aim", True)]
        asked = self.asked_metric
        if asked is not None and asked not in names:
            raise OptionError(f"{self.task_name} has no metric {asked!r}", f"--metric {asked}", near(asked, names))
        return asked or names[0]

    def shown(self, key: str) -> dict[str, Any]:
        """The example as the report shows it (forms: see Kind.shown)."""
        kind = self.reader.kind
        if self.spec.ahead is not None:
            return rolling.shown(*self._places[key])
        if not self.reader.at_hand and hasattr(kind, "items"):
            part, row = self._places[key]
            alone = part.arrays.example(row)
            one = Source(self.kind_name, kind.items(alone), [key], [], reading=self.folds[0].kind_state["reading"], given=dict(alone.given))
            return kind.shown(one, 0)
        return kind.shown(self.source, self._rows[key])

    @cached_property
    def _places(self) -> dict[str, tuple[Dataset, int]]:
        others = [fold.splits.test for fold in self.folds[1:]] if self.spec.ahead is not None else []     # origins that the first fold lacks
        parts = [part for part in (self.splits.together(), *others, self.splits.test) if part is not None]
        return {key: (part, row) for part in parts for key, row in zip(part.keys, part.index.tolist(), strict=True)}

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.source.keys)}


@dataclass
class New:
    """New data for a model that stands. keys: of every input, in order; rows: which of them each example of `dataset` is."""

    dataset: Dataset
    keys: list[str]
    rows: Indices
    problems: list[Problem]


class Reader:
    """Files as a checked Source, read when first asked for."""

    def __init__(self, kind: Any, files: Files, options: Asked, settings: Mapping[str, Any]) -> None:
        self.kind, self.files, self.options = kind, files, options
        self.reading = ReadOptions(task_asked(options), options.target, options.inputs, options.future, options.group, options.time,
                                   options.split, options.folds, options.encoding, settings)
        self._read: tuple[Source, check.Guess] | None = None

    @property
    def at_hand(self) -> bool:
        return self._read is not None

    def read(self) -> tuple[Source, check.Guess]:
        """The source, with targets as the task wants them, and the task. Raises DataError with what is wrong."""
        if self._read is None:
            source = self.kind.read(self.files, self.reading)
            task = task_of(source, self.options)
            if (task.task == FORECAST) != (source.panel is not None):
                raise OptionError(f"these data are for {source.task or 'other tasks'}, not for {task.task}", f"--task {task.task}",
                                  "Forecasts are made of series with a row per moment; leave --task and --horizon out for others.")
            if source.panel is not None:
                self._read = source, task
                return self._read
            for name in ("horizon", "lookback", "season", "future"):
                if getattr(self.options, name) not in (None, ()):
                    raise OptionError(f"{task.task} looks at nothing ahead", f"--{name} {getattr(self.options, name)}",
                                      f"Leave it out, or say --task {FORECAST}.")
            sort = sort_of(task.task)
            asked, column = self.reading.settings.get(sets.SETTING), source.reading.get("target")
            if sort == "label" and (why := sets.are_sets(source.targets, asked, column)) is not None:
                source.several = True
                source.notes.append(f"the target is a set of labels: {why} (--set {sets.SETTING}=one reads each cell as one label)")
            self._read = fitting(checked(source, sort, self.options), task.task, self.options), task
        return self._read

    @property
    def source(self) -> Source:
        return self.read()[0]

    def forget(self) -> None:
        """Lets go of examples that can be had from the prepared arrays."""
        if hasattr(self.kind, "items"):
            self._read = None


def load(path: str | Path, options: Asked, settings: Mapping[str, Any] | None = None) -> Loaded:
    """Reads and checks data, or finds them prepared in the cache. settings: what the data ask for where --set does not.

    Raises DataError or OptionError with all that is wrong.
    """
    settings = {**(settings or {}), **options.set}
    files = files_of(path)
    if options.test is not None:
        files = files.with_test(files_of(options.test))
    name, claim = guess_kind(files, settings.get("kind"), task_asked(options))
    kind = registry.get("kind", name)()
    sort = None if options.split is None else split.sort_of_split(options.split)
    if sort == "column" and not files.having(TABLES):
        raise OptionError(f"{options.split!r} is no split: neither shares, counts nor a file, and there is no table with such a column",
                          f"--split {options.split}", "Write 0.7,0.1,0.2, or 700,100,200, or a file of key,split.")
    listed = Files.open(str(options.split)).fingerprint() if sort == "file" else ""
    fingerprint = hashed(files.fingerprint(), listed, options, settings, kind)
    return prepared(Reader(kind, files, options, settings), claim, str(path), fingerprint)


def settings_of(kind: Any) -> tuple[str, ...]:
    """The names of --set that a kind reads."""
    return tuple(getattr(kind, "settings", ()))


def files_of(path: str | Path) -> Files:
    """The files at `path`; with a table of paths given by itself, also the files beside it that it names."""
    files = Files.open(path)
    found = first_roles(files) if len(files) == 1 and files.path.is_file() else None
    if found is not None and found.path is not None:
        whole = read_table(files, ReadOptions(encoding="latin-1"))
        files = files.with_beside(cell.strip() for cell in whole.strings(found.path))
    return files


def task_asked(options: Asked) -> str | None:
    """--task; a horizon is asked for forecasts only."""
    return FORECAST if options.task is None and options.horizon is not None else options.task


def guess_kind(files: Files, asked: Any = None, task: str | None = None) -> tuple[str, Claim]:
    """The kind whose claim is strongest, of those that suggest the task asked for, if there are such. Raises DataError where none
    knows the files."""
    if asked is not None:
        registry.get("kind", str(asked))
        return str(asked), Claim(1.0, "asked for")
    claims = {name: claim for name, kind in registry.every("kind").items() if (claim := kind().claims(files)) is not None}
    if not claims:
        some = ", ".join(f"{count:,} {ending or 'without ending'}" for ending, count in files.endings().most_common(4))
        raise DataError(f"these files are not recognised ({some})", str(files.path), "Give a folder per class of images, clips or texts, a table "
                        f"with a column label, .ts, .npz …; known kinds are {', '.join(registry.every('kind'))}.")
    claims = {name: claim for name, claim in claims.items() if task is not None and claim.task == task} or claims
    best = max(claims, key=lambda name: claims[name].score)
    return best, claims[best]


def hashed(content: str, listed: str, options: Asked, settings: Mapping[str, Any], kind: Any) -> str:
    """32 hex digits for the content and all that decides how it is read and split."""
    read = sorted((key, str(settings[key])) for key in (sets.SETTING, *settings_of(kind)) if key in settings)
    said = [LAYOUT, content, listed, kind.name, options.task, options.target, options.inputs, options.future, options.group, options.time,
            options.split, options.folds, options.horizon, options.lookback, options.season,
            options.seed, str(options.max_bad), str(options.max_shared), options.encoding, read]
    return hashlib.blake2b(json.dumps(said).encode(), digest_size=16).hexdigest()


def prepared(reader: Reader, claim: Claim, path: str, fingerprint: str) -> Loaded:
    """The Loaded of a reader: from the cache, or made now."""
    kept = cache.keep(fingerprint, lambda folder: prepare(reader, folder, fingerprint))
    if kept.fresh:
        reader.forget()
    known = json.loads((kept.folder / RECORD).read_text(encoding="utf-8"))
    folds = tuple(Fold(kept.folder / f"fold-{number}", state, known["task"]) for number, state in enumerate(known["states"]))
    record = {"path": path, "kind_why": claim.why, "task_why": known["task_why"], **known["record"]}
    if kept.note:
        record["notes"] = [*record["notes"], kept.note]
    return Loaded(reader.kind.name, claim.why, known["task"], known["task_why"], known["how"], folds, tuple(known["shared"]), record,
                  fingerprint, kept.folder, reader.reading.settings, reader.options.metric, reader)


def prepare(reader: Reader, folder: Path, fingerprint: str) -> None:
    """Reads, checks, splits, encodes, and writes everything that `prepared` opens."""
    (source, (task, task_why)), options = reader.read(), reader.options
    if source.panel is not None:
        known = {"task": task, "task_why": task_why, **rolling.prepare(source, options, fingerprint, folder)}
        (folder / RECORD).write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
        return
    sort = sort_of(task)
    check.refuse(check.target_faults(source, sort))
    hashes = content_hashes(source.items)
    ways, given = divide(source, sort, options, hashes)
    check.refuse([fault for parts in ways for fault in check.unknown_labels(source, parts)] if sort == "label" else [])
    shared = check.shared_with_train(source.keys, ways[0], hashes, as_share(options.max_shared)) if given else []
    states, notes = [], []
    for number, parts in enumerate(ways):
        state, arrays = encode(reader, source, parts, fingerprint, folder / f"fold-{number}")
        states.append(state)
        notes += state.pop("notes", [])
        if number == 0:
            lengths = check.lengths_of(arrays, axes_of(reader.kind, state))
    problems, remarks = check.remarks(source, sort, ways[0], hashes, given)
    notes = [*source.notes, *dict.fromkeys(notes), *remarks]
    record = record_of(reader, source, task, ways[0], [*source.problems, *problems], notes, lengths, shared)
    known = {"task": task, "task_why": task_why, "how": ways[0].how, "shared": shared, "states": states, "record": record}
    (folder / RECORD).write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")


def sort_of(task: str) -> str:
    """What a task's targets are (tasks/base.py)."""
    return str(registry.get("task", task).sort)


def checked(source: Source, sort: str, options: Asked) -> Source:
    """The source with targets as the task wants them; raises DataError where too much had to be set aside."""
    most = as_share(options.max_bad)
    check.too_many_bad(source, len(source), most)
    if not len(source):
        raise DataError("there are no examples", "the data", "Give some.")
    for option, used in (("target", source.reading.get("target")), ("inputs", source.reading.get("inputs")), ("group", source.groups),
                         ("time", source.times)):
        if getattr(options, option) and used is None:
            raise OptionError(f"these data have no columns, so --{option} has no meaning", f"--{option} {getattr(options, option)}",
                              "Leave it out, or give a table.")
    if sort != "itself" and len(source.targets) != len(source.keys):
        raise DataError("the examples have no targets", "the data", "Give a label or number for each.")
    targets, kept = check.as_asked(source, sort)
    check.too_many_bad(source, len(kept), most)
    return replace(chosen(source, np.asarray(kept, np.int64)), targets=targets)


def fitting(source: Source, task: str, options: Asked) -> Source:
    """The source without examples whose target their cells cannot hold, where the task knows of such (tasks/base.py). Raises DataError
    where these are too many."""
    unfit = getattr(registry.get("task", task), "unfit", None)
    if unfit is None or not all(isinstance(item, np.ndarray) for item in source.items):
        return source
    where = source.where or source.keys
    wrong = {row: what for row, (item, target) in enumerate(zip(source.items, source.targets, strict=True))
             if (what := unfit(target, len(item))) is not None}
    source.problems += [Problem(what, where[row], "Mend it, remove the example, or have it read in finer steps.", bad=True,
                                key=source.keys[row]) for row, what in wrong.items()]
    check.too_many_bad(source, len(source) - len(wrong), as_share(options.max_bad))
    return chosen(source, np.setdiff1d(np.arange(len(source)), list(wrong)).astype(np.int64))


def task_of(source: Source, options: Asked) -> check.Guess:
    """The task: asked for, said by the files, or by what the targets look like."""
    if options.task is not None:
        return check.Guess(options.task, "asked for")
    if source.panel is not None:
        return check.Guess(str(source.task), "a horizon is asked for" if options.horizon is not None else "the series go on in time")
    if source.task is not None and sort_of(source.task) in ("whole", "itself"):
        return check.Guess(source.task, "the files say so")
    guess = check.guess_task(source.targets)
    return guess if source.task in (None, guess.task) else check.Guess(str(source.task), "the files say so")


def chosen(source: Source, rows: Indices) -> Source:
    """The examples at these positions."""
    if len(rows) == len(source):
        return source

    def some(values: Any) -> Any:
        if isinstance(values, np.ndarray):
            return values[rows]
        return values.iloc[rows].reset_index(drop=True) if hasattr(values, "iloc") else [values[row] for row in rows.tolist()]

    lists = {name: getattr(source, name) for name in ("items", "keys", "targets", "where", "split", "groups", "times", "folds")}
    fewer: dict[str, Any] = {name: None if part is None else some(part) for name, part in lists.items()}
    return replace(source, **fewer, given={name: some(values) for name, values in source.given.items()})


def divide(source: Source, sort: str, options: Asked, hashes: np.ndarray) -> tuple[list[Parts], bool]:
    """Who trains, validates and tests – one way, or one per outer fold – and whether the splits were given."""
    who = split.cast(sets.strata(source), sort, hashes, source.groups, source.times, options.seed)
    asked = options.split
    if options.folds is not None:
        return split.outer_folds(who, options.folds, source.folds), not options.folds.isdigit()
    if asked is not None:
        match split.sort_of_split(asked):
            case "shares":
                return [split.own_splits(who, split.shares_of(asked))], False
            case "counts":
                return [split.given_splits(who, split.by_counts(len(source), asked), "as many as asked from the start")], True
            case "file":
                return [split.given_splits(who, split.by_file(source.keys, split.listed(asked, options.encoding), asked), f"by {asked}")], True
            case _:
                if source.split is None:
                    raise OptionError(f"there is no column {asked!r}", f"--split {asked}", "Name a column, or write 0.7,0.1,0.2.")
                return [split.given_splits(who, source.split, f"by column {asked!r}")], True
    if source.split is not None and len({word for word in source.split if word}) > 1:
        return [split.given_splits(who, source.split, "as given")], True
    if source.folds is not None and len(names := sorted(set(source.folds))) > 1:
        given = ["test" if fold == names[-1] else "train" for fold in source.folds]
        return [split.given_splits(who, given, f"fold {names[-1]} is the test (--folds fold tests every one)")], True
    return [split.own_splits(who)], False


def encode(reader: Reader, source: Source, parts: Parts, fingerprint: str, folder: Path) -> tuple[dict[str, Any], Arrays]:
    """Learns from the training rows, encodes all, writes the splits into `folder`; returns the kind's state and the arrays."""
    kind: Kind = reader.kind
    state = kind.fit(source, parts.train, reader.reading)
    arrays = kind.encode(source, state)
    spec = replace(spec_of(kind, arrays, parts, state, fingerprint), several=source.several)
    whole = Dataset(spec, arrays, Packed.of(source.targets), source.keys, source.groups)
    Splits(whole.view(parts.train), whole.view(parts.val) if len(parts.val) else None, whole.view(parts.test), parts.inner).save(folder)
    return {**state, "reading": source.reading, "spec": asdict(spec)}, arrays


def spec_of(kind: Kind, arrays: Arrays, parts: Parts, state: Mapping[str, Any], fingerprint: str) -> Spec:
    """What is known of the training split."""
    axes, train = axes_of(kind, state), parts.train
    rank, ids = len(axes), state.get("vocab")
    mean, std = ((), ()) if ids is not None else mean_and_std(arrays, train)
    sizes = arrays.sizes(rank)
    fixed = tuple(size for size in sizes if size is not None)
    longest = typical = fixed
    if arrays.shapes is not None:
        shapes = arrays.shapes[train]
        longest = (*(int(size) for size in shapes.max(0)), *fixed)
        typical = (*(max(1, int(size)) for size in np.median(shapes, axis=0)), *fixed)
    return Spec(kind.name, axes, sizes, None if ids is not None else int(arrays.cells.shape[-1]), ids, state.get("step_seconds"),
                {"train": len(train), "val": len(parts.val), "test": len(parts.test)}, fingerprint, mean, std, longest, typical,
                writing=state.get("writing", ""))


def axes_of(kind: Kind, state: Mapping[str, Any]) -> tuple[str, ...]:
    """The axes of encoded examples: the kind's, unless what it learnt says otherwise."""
    return tuple(state.get("axes", kind.axes))


def mean_and_std(arrays: Arrays, rows: Indices) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation per channel over all cells of these examples."""
    channels = arrays.cells.shape[-1]
    values = np.arange(256, dtype=np.float64)
    count, total, power = 0, np.zeros(channels), np.zeros(channels)
    shift: Any = None                         # near the mean, so that squares do not cancel
    for cells in blocks(arrays, np.sort(rows)):
        flat = cells.reshape(-1, channels)
        if not len(flat):
            continue
        shift = flat[:65536].mean(0, dtype=np.float64) if shift is None else shift
        count += len(flat)
        if flat.dtype == np.uint8:            # counted per value: many times as fast as adding
            for channel in range(channels):
                often = np.bincount(flat[:, channel], minlength=256)
                total[channel] += often @ (values - shift[channel])
                power[channel] += often @ (values - shift[channel])**2
        else:
            apart = flat.astype(np.float64) - shift
            total, power = total + apart.sum(0), power + np.einsum("ij,ij->j", apart, apart)
    if not count:
        return (0.0,) * channels, (1.0,) * channels
    mean = total / count
    return tuple((mean + shift).tolist()), tuple(np.sqrt(np.maximum(power / count - mean * mean, 0)).tolist())


def blocks(arrays: Arrays, rows: Indices, size: int = 256) -> Iterator[np.ndarray]:
    """The cells of these examples, a few hundred examples at a time."""
    offsets = None if arrays.shapes is None else arrays.offsets()
    for start in range(0, len(rows), size):
        some = rows[start:start + size]
        if offsets is None:
            yield arrays.cells[some]
        else:
            yield np.concatenate([arrays.cells[a:b] for a, b in zip(offsets[some].tolist(), offsets[some + 1].tolist(), strict=True)])


def record_of(reader: Reader, source: Source, task: str, parts: Parts, problems: Sequence[Problem], notes: Sequence[str],
              lengths: Mapping[str, Any], shared: Sequence[str]) -> dict[str, Any]:
    """data.json, but for the path."""
    bad = [problem for problem in problems if problem.bad]
    sort, target = sort_of(task), None
    classes = check.classes_of(source, parts) if sort == "label" else None
    if sort == "number":
        numbers = np.asarray(source.targets, np.float64)
        target = {"min": float(numbers.min()), "median": float(np.median(numbers)), "max": float(numbers.max())}
    first = [{"key": source.keys[row], "target": source.targets[row], "split": check.split_name(parts, row),
              "shown": reader.kind.shown(source, row)} for row in range(min(FIRST, len(source)))]
    return {"kind": reader.kind.name, "task": task, "seen": max(source.seen, len(source) + len(bad)), "kept": len(source),
            "set_aside": [check.told(problem) for problem in bad],
            "problems": [check.told(problem) for problem in problems if not problem.bad], "notes": list(notes),
            "counts": {"train": len(parts.train), "val": len(parts.val), "test": len(parts.test)}, "how": parts.how, "classes": classes,
            "several": source.several, "target": target, "lengths": dict(lengths), "facts": source.facts,
            "shared": {"count": len(shared), "keys": list(shared)}, "first": first}


def as_share(value: str | float) -> float:
    """'5%' or .05 → .05."""
    text = str(value).strip()
    return float(text.rstrip("%")) / (100 if text.endswith("%") else 1)


def load_new(path: str | Path, kind_name: str, state: Mapping[str, Any], encoding: str = "utf-8") -> New:
    """New data, read as those of the training were; no targets are needed. What cannot be read is told, not raised.

    state: the kind's, as a Fold has it. Raises DataError where nothing can be read at all.
    """
    kind = registry.get("kind", kind_name)()
    reading = dict(state.get("reading", {}))
    for name in ("inputs", "future", "time"):
        if name in reading:
            reading[name] = tuple(reading[name])
    return new_from(kind.read(files_of(path), ReadOptions(encoding=encoding, want_targets=False, **reading)), state)


def new_from(source: Source, state: Mapping[str, Any]) -> New:
    """Examples read without targets → New."""
    kind = registry.get("kind", source.kind)()
    bad = [problem for problem in source.problems if problem.bad]
    total = max(source.seen, len(source) + len(bad))
    lost = {problem.position: problem for problem in bad if problem.position is not None}
    rows = np.setdiff1d(np.arange(total), list(lost))[:len(source)].astype(np.int64)
    keys = [""] * total
    for row, key in zip(rows.tolist(), source.keys, strict=True):
        keys[row] = key
    for position, problem in lost.items():
        keys[position] = problem.key or problem.where
    spec = spec_from(state["spec"])
    return New(Dataset(spec, kind.encode(source, state), [], source.keys), keys, rows, bad)
