"""A hash of every example's content, by which identical ones are found."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]


@singledispatch
def content_hashes(items: Any) -> Hashes:
    """(N,) uint64 for a Source's items; any sequence whose entries print alike only where they are alike."""
    return digests([repr(item).encode() for item in items])


@content_hashes.register
def _(items: np.ndarray) -> Hashes:
    return np.fromiter((digest(np.ascontiguousarray(item).data) for item in items), np.uint64, len(items))


@content_hashes.register
def _(items: pd.DataFrame) -> Hashes:
    return np.asarray(pd.util.hash_pandas_object(items, index=False), np.uint64)


@content_hashes.register
def _(items: list) -> Hashes:
    if items and isinstance(items[0], str):
        return digests([item.encode("utf-8", "surrogatepass") for item in items])
    if items and isinstance(items[0], np.ndarray):
        return np.fromiter((digest(repr(item.shape).encode() + item.tobytes()) for item in items), np.uint64, len(items))
    return digests([repr(item).encode() for item in items])


def digests(contents: Sequence[bytes]) -> Hashes:
    return np.fromiter(map(digest, contents), np.uint64, len(contents))


def digest(content: Any) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little")
