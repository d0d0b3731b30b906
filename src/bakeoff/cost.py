"""What a contender costs: multiply-adds and kernels, counted; latency, step time and memory, measured.

Counting rule: the multiply-adds of products and convolutions (linear maps, attention, recurrent cells, filters made of what is read)
of one forward pass, biases left out. Elementwise work, normalisation, activations, pooling and look-ups count nothing. The number is the same
on every machine; a product that is written as elementwise work (one weight per channel, a recurrence without matrix) is none.
"""

from __future__ import annotations

import copy
import gc
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from math import prod
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from bakeoff.baselines.base import Baseline
from bakeoff.data.base import Dataset
from bakeoff.nn.filtered import HEARING
from bakeoff.types import Batch, Cost, Grid


class Counted(NamedTuple):
    """One forward pass. calls: kernels launched, views left out; convolutions: those of them that convolve. serial: steps inside
    fused recurrent kernels, each of which waits for the one before (time × layers × directions). numbers: what kernels write
    (not bytes), six per score inside attention, two per gate inside a fused LSTM, and what a convolution is given."""

    macs: int = 0
    calls: int = 0
    convolutions: int = 0
    serial: int = 0
    numbers: int = 0


def of_product(out: Tensor, a: Tensor, *_: Any) -> int:
    """(…, M, K) × (…, K, N), or × (K,): every number of `out` is a sum of K products."""
    return out.numel() * a.shape[-1]


def of_sum(out: Tensor, _: Tensor, a: Tensor, *rest: Any) -> int:
    """The same, added to a tensor that stands first; addbmm sums over the batch too."""
    return out.numel() * a.shape[-1] * (a.shape[0] if (a.dim(), out.dim()) == (3, 2) else 1)


def of_convolution(out: Tensor, x: Tensor, weight: Tensor, bias: Any = None, stride: Any = None, padding: Any = None,
                   dilation: Any = None, transposed: bool = False, *_: Any) -> int:
    """weight (O, C / groups, *kernel) is used at every output cell; transposed, (C, O / groups, *kernel) at every input cell."""
    at = x if transposed else out
    return at.shape[0] * prod(at.shape[2:]) * weight.numel()


def of_attention(out: Any, q: Tensor, k: Tensor, v: Tensor, *_: Any) -> int:
    """q (…, T, D), k (…, S, D), v (…, S, E): scores, then the mixture. What a mask leaves out is counted all the same."""
    return prod(q.shape[:-1]) * k.shape[-2] * (q.shape[-1] + v.shape[-1])


def of_fused_layer(out: Any, x: Tensor, inward: Tensor, round_about: Tensor, *_: Any) -> int:
    """One layer and direction of an LSTM on a CPU; x (T, B, C), weights (4·D, C) and (4·D, D)."""
    return x.shape[0] * x.shape[1] * (inward.numel() + round_about.numel())


def of_fused_layers(out: Any, x: Tensor, weights: Sequence[Tensor], *_: Any) -> int:
    """All layers and directions of an RNN, LSTM or GRU on a GPU; x (T, B, C) or packed (cells, C)."""
    return prod(x.shape[:-1]) * sum(weight.numel() for weight in weights if weight.dim() == 2)


FORMULAS: dict[str, Callable[..., int]] = {   # by operator; in-place and out= variants are the same work
    **dict.fromkeys(("mm", "bmm", "mv"), of_product),
    **dict.fromkeys(("addmm", "baddbmm", "addbmm", "addmv", "_addmm_activation"), of_sum),
    **dict.fromkeys(("convolution", "_convolution", "convolution_overrideable"), of_convolution),
    **dict.fromkeys(("_cudnn_rnn", "miopen_rnn"), of_fused_layers),
    "mkldnn_rnn_layer": of_fused_layer,
    "dot": lambda out, a, b: a.numel(),
    "_trilinear": lambda out, a, weight, *_: out.numel() * prod(weight.shape[1:]),
}
ATTENTION = "_scaled_dot_product_"            # how the names of all its kernels begin
# The nominal core: seconds of forward, backward and update together, per weight tensor, weight, and what is counted forward.
# Fitted by least relative squares to 429 settings of 11 families (widths 16 … 128, all folds, batches 16 … 128, six shapes of data;
# torch 2.13, one core of a busy AMD EPYC with AVX2): 93 – 96 % lie within 1.5 times of their family's common factor on that data
# (benchmarks/speed/work.py). A multiply-add takes 1e-10 s, 30 a nanosecond over the three products of a step.
SECONDS = {"tensor": 1.7e-4, "weight": 4.4e-9, "call": 1.2e-5, "convolution": 5e-4, "serial": 1.8e-5, "mac": 9.8e-11, "number": 1.36e-9}


class Formula(NamedTuple):
    """What is known of an operator; looked up once."""

    macs: Callable[..., int] | None
    view: bool
    splits: bool                              # made of other operators, seen whole under torch.inference_mode


class Mode(TorchDispatchMode):
    """A dispatch mode under which nothing is compiled: torch wraps others so that they import torch._dynamo, 1.4 s, and take
    twice as long per kernel."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


class Counter(Mode):
    """Adds up what every kernel launched inside does. Autograd Functions written in Python are seen through."""

    known: dict[Any, Formula] = {}

    def __init__(self) -> None:
        super().__init__()
        self.macs = self.calls = self.convolutions = self.serial = self.numbers = 0

    def add(self, macs: int) -> None:
        """Of a convolution with filters that were made from what is read: products of numbers, as those with weights are."""
        self.macs += macs

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        formula = self.known.get(func)
        if formula is None:
            name = func.overloadpacket.__name__.removesuffix("_") if func.namespace == "aten" else ""
            macs = of_attention if name.startswith(ATTENTION) else FORMULAS.get(name)
            formula = self.known[func] = Formula(macs, func.is_view, macs is None and not func.is_view and func._can_decompose())
        if formula.splits:
            with self:
                return func.decompose(*args, **(kwargs or {}))
        out = func(*args, **(kwargs or {}))
        if not formula.view:
            self.calls += 1
            if isinstance(out, Tensor):
                self.numbers += out.numel()
            elif isinstance(out, tuple | list):
                self.numbers += sum(one.numel() for one in out if isinstance(one, Tensor))
        if formula.macs is not None:
            self.macs += formula.macs(out, *args)
            if formula.macs is of_attention:
                self.numbers += 6 * prod(args[0].shape[:-1]) * args[1].shape[-2]
            elif formula.macs is of_convolution:
                self.convolutions += 1
                self.numbers += args[0].numel()
            elif formula.macs is of_fused_layer:
                self.serial += len(args[0])
                self.numbers += 2 * args[1].shape[0] * prod(args[0].shape[:-1])
            elif formula.macs is of_fused_layers:
                self.serial += len(args[0]) * sum(weight.dim() == 2 for weight in args[1]) // 2
        return out


def count(network: nn.Module, batch: Batch, act: Callable[[Batch], object] | None = None) -> Counted:
    """One forward pass of `network` on `batch`, in eval mode and without gradients, or another act of it. The network, its
    statistics and the random numbers are left as they were. Kernels of other packages and of compiled code are seen as one call without macs."""
    counter, fused = Counter(), torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)            # a whole transformer layer as one kernel
    HEARING.append(counter.add)
    try:
        with undisturbed(network), torch.no_grad(), counter:
            (act or network)(batch)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
        HEARING.remove(counter.add)
    return Counted(counter.macs, counter.calls, counter.convolutions, counter.serial, counter.numbers)


@contextmanager
def undisturbed(network: nn.Module) -> Iterator[None]:
    """Eval mode inside; then every module's mode and the generators' states as before."""
    modes = [(module, module.training) for module in network.modules()]
    cards = sorted({p.device.index for p in network.parameters() if p.device.type == "cuda"})
    network.eval()
    try:
        with torch.random.fork_rng(cards):
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def first(batch: Batch, size: int) -> Batch:
    """The first `size` examples, as long as they are padded in the batch."""
    x, valid = batch.x
    few = Grid(x[:size], None if valid is None else valid[:size])
    return batch._replace(x=few, y=few if batch.y is batch.x else None if batch.y is None else batch.y[:size],
                          keys=batch.keys[:size], given={name: value[:size] for name, value in batch.given.items()})


def work(network: nn.Module, batch: Batch) -> float:
    """Nominal seconds of one training step (forward, backward, clipping, update) on `batch`: the same on every machine.

    Counted on two examples and scaled. Made for ratios: how much dearer is another width, fold, depth or batch?
    """
    size = len(batch.x.x)
    few = first(batch, 2)
    counted = count(network, few)
    scale = size / len(few.x.x)
    weights = [p.numel() for p in network.parameters() if p.requires_grad]
    return (SECONDS["tensor"] * len(weights) + SECONDS["weight"] * sum(weights) + SECONDS["call"] * counted.calls
            + SECONDS["convolution"] * counted.convolutions + SECONDS["serial"] * counted.serial
            + scale * (SECONDS["mac"] * counted.macs + SECONDS["number"] * counted.numbers))


class Storages(Mode):
    """Bytes of tensor storage alive at once, inside: each storage counts from its making to the end of its last user, be it
    the autograd graph. Repeatable to the byte, on every device; scratch memory within one kernel is not seen."""

    def __init__(self, *standing: Any) -> None:
        """standing: what is there already and counts (weights, gradients, optimizer state, the batch), nested at will."""
        super().__init__()
        self.alive: dict[int, tuple[weakref.ref[Any], int]] = {}
        self.now = self.peak = 0
        for tensor in tree_iter(standing):
            if isinstance(tensor, Tensor):
                self.note(tensor.untyped_storage())

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in (out,) if isinstance(out, Tensor) else tree_iter(out):
            if isinstance(tensor, Tensor):
                self.note(tensor.untyped_storage())
        return out

    def note(self, storage: torch.UntypedStorage) -> None:
        key, size = id(storage), storage.nbytes()
        held, before = self.alive.get(key, (None, 0))
        if size != before:
            self.alive[key] = (held or weakref.ref(storage, partial(self.end, key)), size)
            self.now += size - before
            self.peak = max(self.peak, self.now)

    def end(self, key: int, _: object) -> None:
        self.now -= self.alive.pop(key)[1]


@contextmanager
def alone() -> Iterator[None]:
    """One thread, and no garbage collection that would come at another moment each time."""
    threads, collects = torch.get_num_threads(), gc.isenabled()
    torch.set_num_threads(1)
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if collects:
            gc.enable()


def timed(act: Callable[[], object], limit_seconds: float, least: int) -> list[float]:
    """Seconds of each call after one to warm up: as many as fit into the limit, at least `least`, which may take up to four
    times the limit, and three in any case."""
    def once() -> float:
        start = time.perf_counter()
        act()
        if torch.accelerator.is_available():
            torch.accelerator.synchronize()
        return time.perf_counter() - start

    once()
    seconds: list[float] = []
    spent = 0.0
    while spent < limit_seconds or len(seconds) < 3 or (len(seconds) < least and spent < 4 * limit_seconds):
        seconds.append(once())
        spent += seconds[-1]
    return seconds


def latency_ms(predict: Callable[[], object], limit_seconds: float = 0.5) -> tuple[float, float]:
    """Median and 95th percentile of at least 30 calls."""
    middle, late = np.percentile(timed(predict, limit_seconds, 30), [50, 95])
    return 1e3 * float(middle), 1e3 * float(late)


def cost_of_network(network: nn.Module, one: Batch, many: Batch, loss: Callable[[Any, Batch], Tensor], limit_seconds: float = 0.5,
                    optimizer: Callable[[nn.Module], torch.optim.Optimizer] | None = None) -> Cost:
    """one: a batch of one example of the typical size; many: a training batch. loss: of a network on a batch. The network is left
    as it was.

    Latency and multiply-adds: an answer to `one`, a forward pass where nothing else makes it. Step: forward, loss, backward,
    clipping and update (by AdamW where no optimizer is given) on `many`, which lies at hand; a copy learns. Peak bytes: weights,
    buffers, the batch and what the pass makes; for inference on `one`, for training on `many`, with gradients and the optimizer's
    state. One thread; do it while nothing else runs.
    """
    answer = getattr(network, "answer", network)
    counted = count(network, one, answer)
    parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
    with alone(), undisturbed(network):
        with torch.inference_mode():
            middle, late = latency_ms(lambda: answer(one), limit_seconds)
        with torch.no_grad(), Storages(*network.parameters(), *network.buffers(), one) as infer:
            answer(one)
        learner = copy.deepcopy(network).train()
        weights = [p for p in learner.parameters() if p.requires_grad]
        update = torch.optim.AdamW(weights, fused=True) if optimizer is None else optimizer(learner)

        def step() -> None:
            update.zero_grad(set_to_none=True)
            loss(learner, many).mean().backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0, foreach=True)
            update.step()

        steps = timed(step, 0.3 * limit_seconds, 5)
        update.zero_grad(set_to_none=True)
        with Storages(*learner.parameters(), *learner.buffers(), many, *update.state.values()) as train:
            step()
    return Cost(parameters, counted.macs / len(one.x.x), 1e3 * float(np.median(steps)), middle, late, train.peak, infer.peak)


def cost_of_baseline(baseline: Baseline, data: Dataset, limit_seconds: float = 0.5, refit: Callable[[], object] | None = None) -> Cost:
    """Multiply-adds and parameters by the baseline's own formula, latency of one example of the median length.

    Peak bytes: what is kept, and what numpy, Python and torch allocate on top while answering one example; for training what
    they allocate during `refit`, None without one. Memory that compiled code takes for itself is not seen.
    """
    from threadpoolctl import threadpool_limits
    lengths = data.lengths()
    one = data.subset([int(np.argsort(lengths, kind="stable")[len(lengths) // 2])])
    with alone(), threadpool_limits(1):
        middle, late = latency_ms(lambda: baseline.outputs(one), limit_seconds)
        kept = sum(array.nbytes for array in baseline.state()[0].values())
        infer = kept + allocated(lambda: baseline.outputs(one))
        train = None if refit is None else allocated(refit)
    return Cost(baseline.parameters(), baseline.macs(), None, middle, late, train, infer)


def allocated(act: Callable[[], object]) -> int:
    """The most bytes that numpy and Python (by tracemalloc), and torch, hold at once while `act` runs."""
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    try:
        with Storages() as tensors:
            act()
        return tracemalloc.get_traced_memory()[1] - before + tensors.peak
    finally:
        if not was_tracing:
            tracemalloc.stop()
