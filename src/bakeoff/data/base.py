"""Files → Source → Dataset: what every kind of data owes, and the arrays that training reads.

A *kind* turns files into a Source (examples as read, in memory, with targets, keys and problems), learns from the
training split what it must (vocabulary, categories, fill values) and encodes the Source into Arrays. A Dataset is
Arrays plus targets and keys, on disk and memory-mapped, so that a worker opens it in milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.packed import Packed, at, joined, mapped
from bakeoff.types import Ahead, Batch, Example, Grid, Spec

if TYPE_CHECKING:
    from torch import Tensor

    from bakeoff.data.panel import Panel

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Problem:
    """Something found in the data. where: 'labels.csv, line 214'. bad: the example was set aside.

    position: where an example that was set aside stood among all that were seen, and key what it would be called: for
    `predict`, which owes an answer line to every input.
    """

    what: str
    where: str
    fix: str = ""
    bad: bool = False
    position: int | None = None
    key: str = ""


class Claim(NamedTuple):
    """How much these files look like a kind's own (0 … 1), the reason shown to the user, and the task they suggest."""

    score: float
    why: str
    task: str | None = None


@dataclass(frozen=True)
class ReadOptions:
    """The options of `run` that reading needs, under the same names."""

    task: str | None = None
    target: str | None = None
    inputs: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    group: str | None = None
    time: tuple[str, ...] = ()
    split: str | None = None                  # may name a column, as may folds
    folds: str | None = None
    encoding: str = "utf-8"
    settings: Mapping[str, Any] = field(default_factory=dict)    # --set: 'image.size', 'text.tokens', …
    want_targets: bool = True                                    # False for predict: a target is neither needed nor read


@dataclass
class Source:
    """Examples as read. All lists have one entry per example, in the order of the files."""

    kind: str
    items: Any                                # image: uint8 (N, H, W, C); series: list of float32 (T, C); audio: list of uint8 (T, mels);
                                              # text: list[str]; table: DataFrame
    keys: list[str]                           # unique: 'roses/0412.jpg', 'train.csv:17'
    targets: list[Any]                        # str or number, as read; empty where there are none
    where: list[str] | None = None            # 'labels.csv, line 214', where that says more than the key
    split: list[str] | None = None            # 'train' | 'val' | 'test' per example where the files give it
    groups: list[str] | None = None
    times: list[Any] | None = None            # sortable
    folds: list[str] | None = None            # a fold column's value
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)      # what was guessed and why, one sentence each
    seen: int = 0                             # examples found, the ones set aside included
    task: str | None = None                   # what the targets look like: 'classify' or 'regress'
    facts: dict[str, Any] = field(default_factory=dict) # sizes, lengths …: for data.json
    reading: dict[str, Any] = field(default_factory=dict)   # ReadOptions by which new data are read alike: {'inputs': ('text',)}
    several: bool = False                     # targets are sets of labels, joined by types.SEPARATOR (sets.py)
    panel: Panel | None = None                # items are whole series that go on: examples are windows of them (rolling.py)
    given: dict[str, NDArray[Any]] = field(default_factory=dict)     # numbers beside each example, (N, …): Arrays.given

    def __len__(self) -> int:
        return len(self.keys)


TEXTS = "texts"               # file in which they lie


@dataclass
class Arrays:
    """cells: fixed (N, *S, C) or ids (N, *S); ragged (all cells, C) or (all cells,) with shapes (N, rank).

    Where only the first axes differ, shapes has these alone and the others stay in cells: clips of many lengths are
    (all frames, H, W, C) with shapes (N, 1). uint8 pixels and levels stay uint8, 16-bit sound int16, ids int32 or int16, the rest
    float32. given: numbers beside each example, (N, …) by name, which a batch has as Batch.given: the size a picture had in its file.
    """

    cells: NDArray[Any]
    shapes: NDArray[np.int64] | None = None
    given: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    texts: Sequence[str] | None = None        # as they were before they became ids, for contenders with a tokenizer of their own

    def __len__(self) -> int:
        return len(self.cells) if self.shapes is None else len(self.shapes)

    def sizes(self, rank: int) -> tuple[int | None, ...]:
        """Per axis what is fixed, None: differs from example to example."""
        if self.shapes is None:
            return self.cells.shape[1:1 + rank]
        differ = self.shapes.shape[1]
        return (None,) * differ + self.cells.shape[1:1 + rank - differ]

    def offsets(self) -> Indices:
        """Ragged: where each example's cells begin, and the end."""
        assert self.shapes is not None
        return np.concatenate([[0], self.shapes.prod(1).cumsum()])

    def example(self, row: int) -> Arrays:
        """One example alone; the cells are shared."""
        given = {name: values[row:row + 1] for name, values in self.given.items()}
        if self.shapes is None:
            return Arrays(self.cells[row:row + 1], None, given)
        start = int(self.shapes[:row].prod(1).sum())
        return Arrays(self.cells[start:start + int(self.shapes[row].prod())], self.shapes[row:row + 1], given)

    def given_of(self, rows: Indices) -> dict[str, NDArray[Any]]:
        """What stands beside the cells of these examples, for Batch.given: sizes of pictures, covariates that are known ahead."""
        return {name: values[rows] for name, values in self.given.items()}

    @property
    def targets(self) -> Sequence[Any] | None:
        """Where the targets lie in the arrays themselves, one per example; None: they do not."""
        return None

    def collated(self, collate: Callable[[Sequence[Any]], Tensor]) -> Tensor | None:
        """The targets that lie in the arrays, one row per example; None: they do not."""
        return None

    def save(self, folder: Path, rows: Indices | None = None) -> tuple[Indices, Indices]:
        """Writes cells.npy (and shapes.npy, and what is given as given-NAME.npy); with rows, of these examples alone.

        Returns which examples were written, and where among them the rows asked for stand.
        """
        rows = np.arange(len(self)) if rows is None else rows
        total = len(rows)
        for name, values in self.given.items():
            np.save(folder / f"given-{name}.npy", values[rows])
        if self.texts is not None:
            Packed("texts", *joined(at(self.texts, rows))).save(folder, TEXTS)
        if self.shapes is not None:
            shapes, offsets = self.shapes[rows], self.offsets()
            np.save(folder / "shapes.npy", shapes)
            total = int(shapes.prod(1).sum())
        with (folder / "cells.npy").open("wb") as out:        # written, not mapped: a full disk is an error, not a crash
            np.lib.format.write_array_header_1_0(out, {"descr": np.lib.format.dtype_to_descr(self.cells.dtype), "fortran_order": False,
                                                       "shape": (total, *self.cells.shape[1:])})
            for start in range(0, len(rows), 4096):
                some = rows[start:start + 4096]
                if self.shapes is None:
                    out.write(np.ascontiguousarray(self.cells[some]).data)
                elif len(some):
                    out.write(np.concatenate([self.cells[a:b] for a, b in zip(
                        offsets[some].tolist(), offsets[some + 1].tolist(), strict=True)]).data)
        return rows, np.arange(len(rows))

    @classmethod
    def open(cls, folder: Path) -> Arrays:
        from bakeoff.data.windows import STEPS, Windows
        if (folder / STEPS).exists():
            return Windows.open(folder)
        shapes = folder / "shapes.npy"
        given = {path.stem.removeprefix("given-"): mapped(path) for path in sorted(folder.glob("given-*.npy"))}
        texts = Packed.open(folder, TEXTS, {"form": "texts", "words": []}) if (folder / f"{TEXTS}.npy").exists() else None
        return cls(mapped(folder / "cells.npy"), mapped(shapes) if shapes.exists() else None, given, texts)


class Kind(Protocol):
    """A kind of data. Stateless: what it learns travels as JSON.

    It may have `settings`, the names that --set can give it ('image.size'), and, where `encode` loses nothing, a method
    `items(arrays)` that gives the items back. Where examples can be gone on with, `told(cells, reading)` gives steps as JSON in the
    user's words, and `write(path, before, after, reading)` an example and how it goes on as a file, whose endings are `written`.
    """

    name: ClassVar[str]
    axes: ClassVar[tuple[str, ...]]

    def claims(self, files: Any) -> Claim | None:
        """files: data.files.Files. None: not mine."""
        ...

    def read(self, files: Any, options: ReadOptions) -> Source:
        """Examples in memory; broken ones set aside as Problems with bad=True. Raises DataError."""
        ...

    def fit(self, source: Source, train: Indices, options: ReadOptions) -> dict[str, Any]:
        """What must be known to read more examples alike, from the training split only, as JSON.

        'notes', where there, are sentences for the user; 'axes' stand for the kind's own; 'step_seconds' is the time
        between cells of the first axis.
        """
        ...

    def encode(self, source: Source, state: Mapping[str, Any]) -> Arrays:
        """Items as cells. state['vocab'] (ids) or state['channels'] is set by `fit`."""
        ...

    def shown(self, source: Source, index: int) -> dict[str, Any]:
        """One example as the report shows it, JSON-able: {'form': 'picture', 'png': base64} | {'form': 'curve',
        'channels': [[…]], 'names': […]} | {'form': 'text', 'text': …} | {'form': 'row', 'cells': {column: value}}.

        'words', where there, stand for it in the terminal: '0.43 s of sound'.
        """
        ...


class Dataset:
    """Examples as arrays: `take` is one gather and one pad per batch. `subset` shares the arrays."""

    def __init__(self, spec: Spec, arrays: Arrays, targets: Sequence[Any], keys: Sequence[str],
                 groups: Sequence[str] | None = None, index: Indices | None = None) -> None:
        self.spec, self.arrays = spec, arrays
        self._targets, self._keys, self._groups = targets, keys, groups
        self.index = np.arange(len(keys)) if index is None else index
        self.y: Any = None                    # tensor over all examples of the arrays, set by `aim`
        self.itself = False                   # y of a batch is its Grid: what is read is what is to be said
        self._cells: Tensor | None = None     # the arrays as torch sees them, made at the first `take`
        self._starts: Tensor | None = None

    def __len__(self) -> int:
        return len(self.index)

    @property
    def targets(self) -> list[Any]:
        return at(self._targets, self.index) if len(self._targets) else []

    @property
    def keys(self) -> list[str]:
        return at(self._keys, self.index)

    @property
    def groups(self) -> list[str] | None:
        return None if self._groups is None else at(self._groups, self.index)

    def aim(self, y: Any) -> Dataset:
        """Sets the collated targets (one row per example of this view), given with every batch from now on."""
        import torch
        self.y = torch.empty((len(self._keys), *y.shape[1:]), dtype=y.dtype)
        self.y[torch.from_numpy(self.index)] = y
        return self

    def collate(self, collate: Callable[[Sequence[Any]], Tensor] | None) -> Dataset:
        """Sets the targets as a task collates them; None: what is read is what is to be said."""
        if collate is None:
            self.itself = True
            return self
        y = self.arrays.collated(collate)
        if y is None:
            return self.aim(collate(self.targets))
        self.y = y
        return self

    @property
    def texts(self) -> list[str] | None:
        """The examples as they were before they became ids; None where they are no texts."""
        return None if self.arrays.texts is None else at(self.arrays.texts, self.index)

    def subset(self, rows: Any) -> Dataset:
        """The examples at these positions of this view."""
        return self.view(self.index[np.asarray(rows)])

    def view(self, index: Indices) -> Dataset:
        """The examples at these positions of the arrays."""
        part = Dataset(self.spec, self.arrays, self._targets, self._keys, self._groups, index)
        part.y, part.itself, part._cells, part._starts = self.y, self.itself, self._cells, self._starts
        return part

    def beside(self, spec: Spec) -> Dataset:
        """This view under a Spec of one axis: the cells of all axes after the first, which must have one size, lie side by side as
        channels. Nothing is copied."""
        cells, shapes, channels = self.arrays.cells, self.arrays.shapes, spec.channels or 1
        arrays = Arrays(cells.reshape(*cells.shape[:2], channels)) if shapes is None else Arrays(cells.reshape(-1, channels), shapes[:, :1])
        part = Dataset(spec, arrays, self._targets, self._keys, self._groups, self.index)
        part.y = self.y
        return part

    def lengths(self) -> Indices:
        """Cells per example of this view."""
        if self.arrays.shapes is None:
            cells = int(np.prod(self.arrays.cells.shape[1:1 + self.spec.rank]))
            return np.full(len(self), cells, dtype=np.int64)
        fixed = [size for size in self.arrays.sizes(self.spec.rank) if size is not None]
        return self.arrays.shapes[self.index].prod(1) * int(np.prod(fixed, dtype=np.int64))

    def take(self, rows: Any) -> Batch:
        """Positions of this view → Batch; x padded to the longest of them, valid=None where nothing is padded."""
        import torch
        index = self.index[np.asarray(rows)]
        where = torch.from_numpy(index)
        if self._cells is None:
            cells = self.arrays.cells
            self._cells = torch.from_numpy(cells if cells.flags.writeable else cells.copy())
        grid = self._ragged(self._cells, where) if self.arrays.shapes is not None else Grid(self._cells.index_select(0, where), None)
        if grid.x.dtype == torch.int32 or (self.spec.vocab is not None and grid.x.dtype == torch.int16):
            grid = Grid(grid.x.long(), grid.valid)
        return Batch(grid, grid if self.itself else None if self.y is None else self.y.index_select(0, where), [],
                     {name: torch.from_numpy(values) for name, values in self.arrays.given_of(index).items()})

    def _ragged(self, cells: Tensor, where: Tensor) -> Grid:
        """where: (B,) → cells of each example row-major in a box of the longest size on every axis, zero behind.

        Axes that are the same in all examples move with the cell before them, so that a clip's frames are copied whole.
        """
        import torch
        assert self.arrays.shapes is not None
        if self._starts is None:
            self._starts = torch.from_numpy(self.arrays.offsets()[:-1])
        shapes = torch.from_numpy(self.arrays.shapes).index_select(0, where)            # (B, axes that differ)
        longest = shapes.amax(0).clamp(min=1).tolist()
        flat, inside = self._starts.index_select(0, where), torch.ones(len(where), dtype=torch.bool)
        for axis, size in enumerate(longest):
            position = torch.arange(size)
            after = shapes[:, axis + 1:].prod(1).view(-1, *(1,) * (axis + 1))           # cells from one position to the next
            own = shapes[:, axis].view(-1, *(1,) * (axis + 1))
            flat, inside = flat[..., None] + position * after, inside[..., None] & (position < own)
        if bool(inside.all()):
            return Grid(cells.index_select(0, flat.flatten()).view(*flat.shape, *cells.shape[1:]), None)
        fixed = tuple(cells.shape[1:1 + self.spec.rank - inside.dim() + 1])
        valid = inside.view(*inside.shape, *(1,) * len(fixed)).expand(*inside.shape, *fixed).contiguous()
        if not len(cells):
            return Grid(cells.new_zeros((*flat.shape, *cells.shape[1:])), valid)
        x = cells.index_select(0, flat.masked_fill_(~inside, 0).flatten()).view(*flat.shape, *cells.shape[1:])
        return Grid(x.masked_fill_(~inside.view(*inside.shape, *(1,) * (cells.dim() - 1)), 0), valid)

    def save(self, folder: Path) -> None:
        """Writes this view's examples, and no others: arrays as .npy for memory-mapping, the rest as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        written, index = self.arrays.save(folder, self.index)
        np.save(folder / "index.npy", index)
        record = {"spec": asdict(self.spec), "keys": Packed.of(at(self._keys, written)).save(folder, "keys"),
                  "targets": None if self.arrays.targets is not None else Packed.of(self.targets).save(folder, "targets"),
                  "groups": None if self._groups is None else Packed.of(at(self._groups, written)).save(folder, "groups")}
        (folder / "dataset.json").write_text(json.dumps(record), encoding="utf-8")

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """What `save` wrote, memory-mapped: it costs milliseconds, whatever the size."""
        record = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        groups = None if record["groups"] is None else Packed.open(folder, "groups", record["groups"])
        arrays = Arrays.open(folder)
        targets = arrays.targets if arrays.targets is not None else Packed.open(folder, "targets", record["targets"])
        return cls(spec_from(record["spec"]), arrays, targets, Packed.open(folder, "keys", record["keys"]), groups,
                   np.load(folder / "index.npy"))

    def raw(self, position: int) -> Example:
        """One example as stored, unpadded."""
        batch = self.take([position])
        one = self.subset([position])
        return Example(batch.x.x[0], one.targets[0] if len(self._targets) else None, one.keys[0])


def spec_from(record: Mapping[str, Any]) -> Spec:
    """A Spec back from JSON, lists as tuples again."""
    fields = tuples(record)
    if fields.get("ahead") is not None:
        fields["ahead"] = Ahead(**tuples(fields["ahead"]))
    return Spec(**fields)


def tuples(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}


@dataclass
class Splits:
    """What a training may see. test is opened once, by the finals; tuning workers are never given it.

    folds: inside train, (train rows, validation rows), where validation would have fewer than 100 examples; then val
    is None and a trial trains once per fold.
    """

    train: Dataset
    val: Dataset | None
    test: Dataset | None = None
    folds: tuple[tuple[Indices, Indices], ...] = ()

    def together(self) -> Dataset:
        """Train and validation as one, for the refit."""
        if self.val is None:
            return self.train
        assert self.val.arrays is self.train.arrays
        return self.train.view(np.concatenate([self.train.index, self.val.index]))

    def save(self, folder: Path) -> None:
        """Train and validation in folder/train, test in folder/test: whoever tunes never opens the latter."""
        self.together().save(folder / "train")
        val = None if self.val is None else list(range(len(self.train), len(self.train) + len(self.val)))
        rows = {"train": list(range(len(self.train))), "val": val, "folds": [[rows.tolist() for rows in fold] for fold in self.folds]}
        (folder / "splits.json").write_text(json.dumps(rows), encoding="utf-8")
        if self.test is not None:
            self.test.save(folder / "test")

    @classmethod
    def open(cls, folder: Path, test: bool = False) -> Splits:
        """What `save` wrote; the test split only where asked for."""
        both = Dataset.open(folder / "train")
        rows = json.loads((folder / "splits.json").read_text(encoding="utf-8"))
        folds = tuple((np.asarray(train, np.int64), np.asarray(val, np.int64)) for train, val in rows["folds"])
        val = None if rows["val"] is None else both.subset(np.asarray(rows["val"], np.int64))
        return cls(both.subset(np.asarray(rows["train"], np.int64)), val, Dataset.open(folder / "test") if test else None, folds)

