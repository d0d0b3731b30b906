"""Keys and targets of a million examples in a few arrays instead of a million objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

FEW = 65536                           # so many different strings, or fewer, are kept once each


class Packed(Sequence[Any]):
    """A sequence that reads like the list it was made from, held in numpy arrays that can be memory-mapped.

    form 'numbers': one array of int64 or float64. 'texts': UTF-8 bytes and offsets. 'words': numbers of entries in a short
    list. 'json': texts that are JSON, for anything else.
    """

    def __init__(self, form: str, values: NDArray[Any], offsets: NDArray[np.int64] | None = None, words: Sequence[str] = ()) -> None:
        self.form, self.values, self.offsets, self.words = form, values, offsets, list(words)

    @classmethod
    def of(cls, values: Iterable[Any]) -> Packed:
        """Packs strings, whole numbers, floats, or whatever JSON can hold."""
        if isinstance(values, Packed):
            return values
        values = values if isinstance(values, Sequence) else list(values)
        types = set(map(type, values))
        if types == {int} and all(-2**63 <= value < 2**63 for value in values):
            return cls("numbers", np.asarray(values, np.int64))
        if types == {float}:
            return cls("numbers", np.asarray(values, np.float64))
        if types == {str}:
            words = set(values) if len(values) > 64 else set()
            if 0 < len(words) <= min(FEW, len(values) // 4):
                order = {word: number for number, word in enumerate(sorted(words))}
                return cls("words", np.fromiter((order[value] for value in values), np.int32, len(values)), None, list(order))
            return cls("texts", *joined(values))
        return cls("json", *joined([json.dumps(value, ensure_ascii=False) for value in values]))

    def __len__(self) -> int:
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    @overload
    def __getitem__(self, where: int) -> Any: ...
    @overload
    def __getitem__(self, where: slice) -> list[Any]: ...

    def __getitem__(self, where: int | slice) -> Any:
        if isinstance(where, slice):
            return self.take(np.arange(len(self))[where])
        return self.take(np.asarray([range(len(self))[where]]))[0]

    def take(self, rows: NDArray[np.int64]) -> list[Any]:
        """The entries at these positions as Python objects."""
        if self.form == "numbers":
            return self.values[rows].tolist()
        if self.form == "words":
            words = self.words
            return [words[number] for number in self.values[rows].tolist()]
        assert self.offsets is not None
        data = np.ascontiguousarray(self.values).data
        texts = [str(data[start:end], "utf-8", "surrogatepass") for start, end in
                 zip(self.offsets[rows].tolist(), self.offsets[rows + 1].tolist(), strict=True)]
        return texts if self.form == "texts" else [json.loads(text) for text in texts]

    def save(self, folder: Path, name: str) -> dict[str, Any]:
        """Writes NAME.npy (and NAME.offsets.npy); what else is needed to open it comes back, JSON-able."""
        np.save(folder / f"{name}.npy", self.values)
        if self.offsets is not None:
            np.save(folder / f"{name}.offsets.npy", self.offsets)
        return {"form": self.form, "words": self.words}

    @classmethod
    def open(cls, folder: Path, name: str, record: dict[str, Any]) -> Packed:
        offsets = folder / f"{name}.offsets.npy"
        return cls(record["form"], mapped(folder / f"{name}.npy"), mapped(offsets) if offsets.exists() else None, record["words"])


def at(values: Sequence[Any], rows: NDArray[np.int64]) -> list[Any]:
    """The entries of a list or Packed at these positions."""
    return values.take(rows) if isinstance(values, Packed) else [values[row] for row in rows.tolist()]


def joined(values: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """All strings as one run of UTF-8 bytes, and where each begins (one more entry than strings)."""
    encoded = [value.encode("utf-8", "surrogatepass") for value in values]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=offsets[1:])
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def mapped(path: Path) -> NDArray[Any]:
    """An array file mapped into memory, private to this process: torch takes it without a copy or a warning."""
    array = np.load(path, mmap_mode="c")
    return array if array.size else np.zeros(array.shape, array.dtype)
