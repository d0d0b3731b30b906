"""How fast batches come out of a Dataset, and what a million examples hold in memory beyond their own arrays.

Command: python benchmarks/speed/load.py          Time: 80 s
Value: `take` of 256 random 28 × 28 uint8 images, one thread ≥ 1,000,000 images/s; beside it the bare gather of torch on the
same array, and the machine's copy rate. 1,000,000 texts (20 ids in the middle), and as many series (32 cells in the middle), are
opened as a worker opens them, shuffled, batched and looked at with < 2 GB resident beyond the bare process, what is touched of
their arrays included, each in a process of its own. So are they read from a user's files, checked and prepared (bakeoff.data.load:
an .npz of 1,000,000 series, and 200,000 lines of a CSV, whose bar is a fifth).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from outcome import Bar, finish

from bakeoff.data.base import Arrays, Dataset
from bakeoff.train.feed import batches
from bakeoff.types import Spec

MILLION = 1_000_000
IN_FILES = {"text": 200_000, "series": MILLION}       # a million texts take minutes to read; what they hold grows with their number
BATCH = 256


def spec_of(kind: str, axes: tuple[str, ...], sizes: tuple[int | None, ...], channels: int | None, vocab: int | None, count: int) -> Spec:
    return Spec(kind, axes, sizes, channels, vocab, None, {"train": count}, "benchmark")


def per_second(take: Callable[[np.ndarray], object], orders: list[np.ndarray]) -> float:
    """Examples per second: the middle of five rounds over these batches."""
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for rows in orders:
            take(rows)
        rounds.append(sum(map(len, orders)) / (time.perf_counter() - start))
    return float(np.median(rounds))


def images() -> dict[str, float]:
    """Fashion-MNIST's shape, 60,000 of them, from a mapped file as workers read it."""
    rng, count = np.random.default_rng(0), 60_000
    spec = spec_of("image", ("height", "width"), (28, 28), 1, None, count)
    with tempfile.TemporaryDirectory() as folder:
        pixels = Arrays(rng.integers(0, 256, (count, 28, 28, 1), dtype=np.uint8))
        Dataset(spec, pixels, ["0"] * count, [str(i) for i in range(count)]).save(Path(folder))
        data = Dataset.open(Path(folder))
        data.aim(torch.zeros(count, dtype=torch.int64))
        orders = list(rng.permutation(count)[:count // BATCH * BATCH].reshape(-1, BATCH))
        cells = torch.from_numpy(np.array(data.arrays.cells))
        numbers = {"take, images/s": per_second(data.take, orders),
                   "bare index_select, images/s": per_second(lambda rows: cells.index_select(0, torch.from_numpy(rows)), orders)}
    source = np.ones((count, 784), np.uint8)
    target = source.copy()
    numbers["plain copy of all, images/s"] = per_second(lambda _: np.copyto(target, source), [np.arange(count)])
    return numbers


def resident() -> int:
    """The most bytes this process has held so far. On Linux ru_maxrss would begin with what the parent held at the fork."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def million(kind: str, folder: Path) -> None:
    """Makes the files of a million examples of unequal length, as a run's cache holds them."""
    rng = np.random.default_rng(0)
    if kind == "text":
        shapes, spec = rng.integers(1, 40, (MILLION, 1)), spec_of(kind, ("time",), (None,), None, 8000, MILLION)
        cells = rng.integers(0, 8000, int(shapes.sum()), dtype=np.int32)
    else:
        shapes, spec = rng.integers(1, 64, (MILLION, 1)), spec_of(kind, ("time",), (None,), 3, None, MILLION)
        cells = rng.standard_normal((int(shapes.sum()), 3), dtype=np.float32)
    keys = [f"train.csv:{number}" for number in range(2, MILLION + 2)]
    Dataset(spec, Arrays(cells, shapes), rng.choice(["negative", "neutral", "positive"], MILLION).tolist(), keys).save(folder)


def use(folder: Path) -> None:
    """Opens, aims, shuffles, takes 400 batches as training does, names keys and targets of a part; prints bytes and rates."""
    torch.set_num_threads(1)
    bare = resident()
    start = time.perf_counter()
    data = Dataset.open(folder)
    targets = data.targets
    numbers = {label: number for number, label in enumerate(sorted(set(targets)))}
    data.aim(torch.tensor([numbers[target] for target in targets]))
    opened = time.perf_counter() - start
    part = data.subset(np.random.default_rng(0).permutation(len(data))[:len(data) * 4 // 5])
    feed = batches(part, BATCH, 0)
    rows = [next(feed) for _ in range(400)]
    start = time.perf_counter()
    for one in rows:
        part.take(one)
    rate = len(rows) * BATCH / (time.perf_counter() - start)
    assert len(part.keys) == len(part)
    arrays = data.arrays.cells.nbytes + (0 if data.arrays.shapes is None else data.arrays.shapes.nbytes)
    print(resident() - bare, arrays, opened, rate)


def files(kind: str, folder: Path) -> None:
    """What a user has: a CSV of texts, or an .npz of series."""
    rng, count = np.random.default_rng(0), IN_FILES[kind]
    labels = np.array(["negative", "neutral", "positive"])[np.arange(count) % 3]
    if kind == "series":
        np.savez(folder / "data.npz", x=rng.standard_normal((count, 1, 32), dtype=np.float32), y=labels)
        return
    words = np.array([f"word{number}" for number in range(8000)])
    with (folder / "data.csv").open("w") as file:
        file.write("text,label\n")
        for label, length in zip(labels, rng.integers(3, 30, count), strict=True):
            file.write(f"{' '.join(words[rng.integers(0, len(words), length)])},{label}\n")


def read(folder: Path) -> None:
    """Reads, checks and prepares the one file of a folder; prints bytes and seconds."""
    from bakeoff.data.load import load
    from bakeoff.options import Options
    os.environ["BAKEOFF_CACHE"] = str(folder / "cache")
    bare, start = resident(), time.perf_counter()
    loaded = load(str(next(folder.glob("data.*"))), Options())
    assert len(loaded.splits.train)
    print(resident() - bare, time.perf_counter() - start)


def in_own_processes(make: str, act: str, kind: str) -> list[float]:
    """What `act` prints about what `make` wrote, each in a fresh process: what made the files is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, make, kind, folder], check=True)
        out = subprocess.run([sys.executable, __file__, act, kind, folder], check=True, capture_output=True, text=True).stdout
    return list(map(float, out.split()))


def main() -> int:
    began = time.perf_counter()
    torch.set_num_threads(1)
    numbers = images()
    bars = [Bar("take on 28 × 28 uint8 images, images/s", numbers["take, images/s"], 1e6, "high")]
    for kind in ("text", "series"):
        most, arrays, opened, rate = in_own_processes("million", "use", kind)
        read_most, read_seconds = in_own_processes("files", "read", kind)
        numbers |= {f"{kind}, 1 M opened: GB resident": most / 1e9, f"{kind}, 1 M opened: GB in arrays": arrays / 1e9,
                    f"{kind}, 1 M opened: seconds": opened, f"{kind}: take, examples/s": rate,
                    f"{kind}, {IN_FILES[kind]:,} read from a file: GB resident": read_most / 1e9,
                    f"{kind}, {IN_FILES[kind]:,} read from a file: seconds": read_seconds}
        bars += [Bar(f"1,000,000 {kind} opened, GB resident", most / 1e9, 2.0, "low"),
                 Bar(f"{IN_FILES[kind]:,} {kind} read, GB resident", read_most / 1e9, 2.0 * IN_FILES[kind] / MILLION, "low")]
    for what, value in numbers.items():
        print(f"{value:16,.3f}  {what}")
    return finish("load", numbers, bars, began)


PARTS = {"million": lambda: million(sys.argv[2], Path(sys.argv[3])), "use": lambda: use(Path(sys.argv[3])),
         "files": lambda: files(sys.argv[2], Path(sys.argv[3])), "read": lambda: read(Path(sys.argv[3]))}

if __name__ == "__main__":
    sys.exit(PARTS[sys.argv[1]]() if len(sys.argv) > 1 else main())
