"""Arrays of many examples in one file: .npz with x and y, and idx pairs as MNIST has them."""

from __future__ import annotations

import re
import tokenize
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.files import BROKEN, Files
from bakeoff.data.names import SPLITS, ending, file_split, split_order
from bakeoff.errors import DataError

INPUTS, TARGETS = "x|data|images?|features|inputs?", "y|labels?|targets?|classes"
WORDS = "|".join(SPLITS)
ARRAY = re.compile(rf"^(?:(?P<split1>{WORDS})[_.-]?)?(?P<what>{INPUTS}|{TARGETS})(?:[_.-]?(?P<split2>{WORDS}))?$", re.IGNORECASE)
# an array's head is Python that numpy reads by its own parser, and may name a shape that no memory holds
UNREADABLE = (*BROKEN, ValueError, TypeError, KeyError, SyntaxError, tokenize.TokenError, MemoryError)
IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


@dataclass
class Stack:
    """Examples and targets of one split, the example first. name: how keys begin."""

    name: str
    split: str | None
    x: NDArray[Any]
    y: NDArray[Any] | None


def npz_heads(files: Files, name: str) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Array name → shape and type, from the arrays' heads alone; empty where it is no readable .npz."""
    found = {}
    try:
        with files.open_bytes(name) as stream, zipfile.ZipFile(stream) as archive:
            for member in archive.namelist():
                with archive.open(member) as array:
                    found[member.removesuffix(".npy")] = array_head(array)
    except (*UNREADABLE, DataError):
        return {}
    return found


def array_head(stream: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    return shape, dtype


def input_heads(files: Files, name: str) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """The heads of those arrays that hold examples."""
    return {array: head for array, head in npz_heads(files, name).items() if (found := ARRAY.match(array)) and is_input(found["what"])}


def is_input(what: str) -> bool:
    return re.fullmatch(INPUTS, what, re.IGNORECASE) is not None


def read_npz(files: Files, name: str, want_targets: bool) -> list[Stack]:
    """The stacks of a .npz: x and y, or train_images, train_labels, test_images …, x_train, y_train …

    Raises DataError: no such arrays, objects instead of numbers, targets that lack or are of another number.
    """
    try:
        with files.open_bytes(name) as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {array: archive[array] for array in archive.files if ARRAY.match(array)}
            names = archive.files
    except UNREADABLE as error:
        raise DataError(f"the arrays cannot be read: {error}", name,
                        "Save plain numbers and strings with numpy.savez, no objects.") from None
    xs: dict[str | None, tuple[str, NDArray[Any]]] = {}
    ys: dict[str | None, tuple[str, NDArray[Any]]] = {}
    for array, values in arrays.items():
        found = ARRAY.match(array)
        assert found is not None
        split = SPLITS.get((found["split1"] or found["split2"] or "").lower())
        (xs if is_input(found["what"]) else ys)[split] = (array, values)
    if not xs:
        raise DataError(f"there is no array x or images, but {', '.join(names[:8]) or 'nothing'}", name,
                        "Name the arrays x and y, or train_images, train_labels, test_images, test_labels.")
    stacks = []
    for split, (array, x) in xs.items():
        target, y = ys.get(split, ("", None))
        if y is None and want_targets:
            raise DataError(f"there are no targets for {array}", name, f"Add the array {split + '_labels' if split else 'y'}.")
        if y is not None and len(y) != len(x):
            raise DataError(f"{array} has {len(x):,} examples, {target} {len(y):,}", name, "Give one target per example.")
        stacks.append(Stack(split or array, split or files.split(name), x, flat_targets(y, f"{name}, array {target}")))
    return sorted(stacks, key=lambda stack: split_order(stack.split))


def flat_targets(y: NDArray[Any] | None, where: str) -> NDArray[Any] | None:
    """(N,), (N, 1), or one-hot (N, K) → (N,). Raises DataError for other shapes."""
    if y is None:
        return None
    if y.size == len(y):
        return y.reshape(-1)
    if y.ndim == 2 and y.dtype.kind in "iufb" and ((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all():
        return y.argmax(1)
    raise DataError(f"the targets have shape {y.shape}", where, "Give one label or number per example.")


def target_list(y: NDArray[Any]) -> list[Any]:
    """Targets as Python strings, whole numbers or floats."""
    if y.dtype.kind == "S":
        return [value.decode("utf-8", "replace") for value in y.tolist()]
    return [bool(value) for value in y.tolist()] if y.dtype.kind == "b" else y.tolist()


def is_idx(files: Files, name: str) -> bool:
    """Whether the name ('train-images-idx3-ubyte', 'x.idx') and the first bytes are those of an idx file."""
    if "idx" not in name.rpartition("/")[2].lower():
        return False
    head = files.head(name, 4)
    return len(head) == 4 and head[:2] == b"\0\0" and head[2] in IDX_TYPES and 1 <= head[3] <= 4


def read_idx(files: Files, names: Sequence[str], want_targets: bool) -> list[Stack]:
    """Pairs of idx files, images (three axes or more) and labels (one). Raises DataError."""
    xs: dict[tuple[str, str | None], tuple[str, NDArray[Any]]] = {}
    ys: dict[tuple[str, str | None], tuple[str, NDArray[Any]]] = {}
    for name in names:
        with files.open_bytes(name) as stream:
            array = idx_array(stream, name)
        (xs if array.ndim > 1 else ys)[name.rpartition("/")[0], files.split(name)] = (name, array)
    stacks = []
    for (folder, split), (name, x) in xs.items():
        y = ys.get((folder, split), ("", None))[1]
        if y is None and want_targets:
            raise DataError("there are no labels to these images", name, "Give the file of labels (…-labels-idx1-ubyte) beside it.")
        if y is not None and len(y) != len(x):
            raise DataError(f"there are {len(x):,} images and {len(y):,} labels", name, "Fetch both files anew.")
        stacks.append(Stack(file_split(name) or split or name, split, x, y))
    if not stacks:
        raise DataError("there are labels, but no images", names[0], "Give the file of images (…-images-idx3-ubyte) beside it.")
    return sorted(stacks, key=lambda stack: split_order(stack.split))


def idx_array(stream: BinaryIO, name: str) -> NDArray[Any]:
    """One idx file. Raises DataError where it ends too early."""
    try:
        content = stream.read()
    except BROKEN as error:
        raise DataError(f"the file cannot be unpacked: {error}", name, "Fetch it anew.") from None
    axes = content[3] if len(content) > 3 else 0
    shape = tuple(int(size) for size in np.frombuffer(content[4:4 + 4 * axes], ">u4"))
    kind = np.dtype(IDX_TYPES.get(content[2] if axes else 8, ">u1"))
    wanted = 4 + 4 * axes + int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    if not axes or len(shape) != axes or len(content) < wanted:
        raise DataError(f"the file has {len(content):,} bytes, its head asks for {wanted:,}", name, "Fetch it anew.")
    array = np.frombuffer(content, kind, offset=4 + 4 * axes, count=int(np.prod(shape, dtype=np.int64)))
    return array.reshape(shape).astype(kind.newbyteorder("="), copy=False)


def npz_names(files: Files) -> list[str]:
    return [name for name in files.names if ending(name) == ".npz"]
