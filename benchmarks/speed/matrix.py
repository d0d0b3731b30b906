"""The machine's own ceiling on one thread: the rate of matrix products and convolutions, and of copying memory.

Command: python benchmarks/speed/matrix.py        Time: 10 s
Value: nothing of bakeoff is measured; the other benchmarks are read against these. On one core of an AMD EPYC with AVX2
about 45 multiply-adds a nanosecond (90 GFLOP/s) in a large product, and 10 GB/s read and written each. There is no bar.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from outcome import finish
from torch.nn import functional as F


def rate(act: Callable[[], object], amount: float, seconds: float = 1.0) -> float:
    """Amount per second of the quickest call in so many seconds: what the machine can do when it is let."""
    act()
    quickest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        act()
        quickest = min(quickest, time.perf_counter() - start)
    return amount / quickest


def main() -> int:
    began = time.perf_counter()
    torch.set_num_threads(1)
    numbers = {}
    with torch.inference_mode():
        for size in (64, 256, 1024):
            a, b, out = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
            flop = 2e-9 * size ** 3
            numbers[f"product {size} × {size} × {size}, GFLOP/s"] = rate(lambda a=a, b=b, out=out: torch.mm(a, b, out=out), flop)
        x, weight = torch.randn(64, 64, 1, 128).contiguous(memory_format=torch.channels_last), torch.randn(64, 64, 1, 5)
        flop = 2e-9 * 64 * 128 * weight.numel()
        numbers["convolution 64 → 64, 5 cells, batch 64 × 128, GFLOP/s"] = rate(lambda: F.conv2d(x, weight, padding=(0, 2)), flop)
    source, target = np.ones(2 ** 25, np.float32), np.empty(2 ** 25, np.float32)
    numbers["copy of 128 MiB, GB/s read (and as much written)"] = rate(lambda: np.copyto(target, source), 1e-9 * source.nbytes)
    small = torch.ones(8)
    numbers["least time of one torch call, µs"] = 1e6 / rate(lambda: small + small, 1)
    for what, value in numbers.items():
        print(f"{value:10.2f}  {what}")
    return finish("matrix", numbers, [], began)


if __name__ == "__main__":
    sys.exit(main())
