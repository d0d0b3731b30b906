"""How fast every family is: beside its straightforward torch.nn version, beside a loop over time, beside the machine's own ceiling.

Command: python benchmarks/speed/families.py          Time: 4 min
Value: forward and backward of each family's encoder over those of a module that does the same layers with torch.nn and plain autograd
(benchmarks/speed/twins.py), 32 examples of 128 cells (pictures of 16 × 16 for those that are about pictures), width 64: at most 1.10.
Linear recurrences of one layer at 512 steps, forwards only: a plain loop of autograd over theirs at least 10, theirs over nn.LSTM of the
same width at most 1.
GFLOP/s: two per counted multiply-add, three times for forward and backward, over the rate of a 1,024-square product of matrices on the
same core. One thread; both sides in turns in one process, by the thread's own clock.
"""

from __future__ import annotations

import sys
import time

import torch
from outcome import Bar, finish
from torch import Tensor, nn
from turns import in_turns
from twins import LINEAR, PICTURES, TWINS, looped

from bakeoff import registry
from bakeoff.cost import count
from bakeoff.nn.encoder import Encoder
from bakeoff.types import Grid

BATCH, CELLS, SIDE, DIM, LONG = 32, 128, 16, 64, 512
SQUARE = 1024


class Reads(nn.Module):
    """A family's encoder on plain tensors, as `cost.count` and the twin's side want it."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: Tensor) -> Tensor:
        return self.encoder(Grid(x, None)).x


def step(module: nn.Module, x: Tensor) -> None:
    out = module(x)
    (out[0] if isinstance(out, tuple) else out).square().mean().backward()


def encoder_of(name: str, *sizes: int) -> Reads:
    torch.manual_seed(0)
    return Reads(registry.get("family", name)(DIM, rank=len(sizes), sizes=sizes, **{"causal": True, "depth": 1} if sizes == (LONG,) else {}))


def ceiling() -> float:
    """GFLOP/s of a product of square matrices on one core, the best of ten."""
    a, b = torch.randn(SQUARE, SQUARE), torch.randn(SQUARE, SQUARE)
    best = float("inf")
    for _ in range(10):
        start = time.thread_time()
        a @ b
        best = min(best, time.thread_time() - start)
    return 2 * SQUARE ** 3 / best / 1e9


def besides() -> dict[str, dict[str, float]]:
    """Per family: milliseconds of forward and backward, those of its twin, the ratio, GFLOP/s."""
    found = {}
    for name in registry.every("family"):
        sizes = (SIDE, SIDE) if name in PICTURES else (CELLS,)
        ours = encoder_of(name, *sizes)
        x = torch.randn(BATCH, *sizes, DIM * ours.encoder.reads)
        row = {"cells": float(x[0].numel() / x.shape[-1])}
        twin = TWINS[name](DIM) if name in TWINS else None
        if twin is None:
            _, seconds, _ = in_turns(lambda ours=ours, x=x: step(ours, x), lambda ours=ours, x=x: step(ours, x))
        else:
            ratio, seconds, theirs = in_turns(lambda ours=ours, x=x: step(ours, x), lambda twin=twin, x=x: step(twin, x))
            row |= {"ratio": ratio, "twin_ms": 1e3 * theirs, "twin_parameters": float(sum(p.numel() for p in twin.parameters()))}
        macs = count(ours, x).macs
        row |= {"ms": 1e3 * seconds, "parameters": float(sum(p.numel() for p in ours.parameters())), "gflops": 6 * macs / seconds / 1e9}
        found[name] = row
        print(f"{name:16s} {row['ms']:8.2f} ms  twin {row.get('twin_ms', float('nan')):8.2f}  ratio {row.get('ratio', float('nan')):.3f}  "
              f"{row['gflops']:6.1f} GFLOP/s", flush=True)
    return found


def recurrences() -> dict[str, dict[str, float]]:
    """Per linear recurrence at many steps, forwards only: a loop of autograd over it, and it over nn.LSTM."""
    found = {}
    x = torch.randn(16, LONG, DIM)
    lstm = nn.LSTM(DIM, DIM, batch_first=True)
    for name in LINEAR:
        ours = encoder_of(name, LONG)
        plain = looped(ours.encoder)
        slower, _, _ = in_turns(lambda plain=plain: step(plain, x), lambda ours=ours: step(ours, x))
        of_lstm, seconds, _ = in_turns(lambda ours=ours: step(ours, x), lambda: step(lstm, x))
        found[name] = {"loop_over_ours": slower, "ours_over_lstm": of_lstm, "ms": 1e3 * seconds}
        print(f"{name:16s} a loop takes {slower:.1f} times as long, nn.LSTM is to it as 1 to {of_lstm:.2f}", flush=True)
    return found


def main() -> int:
    began = time.perf_counter()
    torch.set_num_threads(1)
    rate = ceiling()
    rows, linear = besides(), recurrences()
    for row in rows.values():
        row["share"] = row["gflops"] / rate
    ratios = {name: row["ratio"] for name, row in rows.items() if "ratio" in row}
    slowest = max(ratios, key=lambda name: ratios[name])
    bars = [Bar(f"a family over its straightforward torch.nn version, the slowest ({slowest})", ratios[slowest], 1.10, "low")]
    for name, row in linear.items():
        bars += [Bar(f"a plain loop over {name}, {LONG} steps", row["loop_over_ours"], 10.0, "high"),
                 Bar(f"{name} over nn.LSTM, {LONG} steps", row["ours_over_lstm"], 1.0, "low")]
    return finish("families", {"ceiling_gflops": rate, "families": rows, "linear": linear}, bars, began)


if __name__ == "__main__":
    sys.exit(main())
