"""Counting against closed forms, memory against known sizes, and nothing of the network disturbed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff import registry
from bakeoff.cost import Counted, Storages, allocated, cost_of_baseline, cost_of_network, count, latency_ms, work
from bakeoff.data.base import Arrays, Dataset
from bakeoff.nn.filtered import filtered
from bakeoff.nn.network import Network
from bakeoff.train.choices import space_of
from bakeoff.types import Batch, Grid, Spec

B, T, C, D = 2, 7, 5, 6


class On(nn.Module):
    """A layer that reads the batch's vectors."""

    def __init__(self, act: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.act = act

    def forward(self, batch: Batch) -> Any:
        return self.act(batch.x.x)


class Decay(torch.autograd.Function):
    """h[t] = h[t−1] / 2 + x[t], the last one mixed by a matrix."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        h = x[0]
        for new in x.unbind(0):
            h = h / 2 + new
        return h @ weight


def counted(layer: Callable[[Tensor], Any], *shape: int) -> Counted:
    """What a layer, or a function, does on random numbers of this shape."""
    return count(On(layer), Batch(Grid(torch.randn(shape)), None, [], {}))


def test_a_linear_map_costs_inputs_times_outputs_per_row() -> None:
    assert counted(nn.Linear(C, D), B, T, C).macs == B * T * C * D
    assert counted(nn.Linear(C, D, bias=False), B, C).macs == B * C * D


def test_products_of_all_kinds_cost_the_same_for_the_same_work() -> None:
    w = torch.randn(C, D)
    assert counted(lambda x: x @ w, B, T, C).macs == B * T * C * D
    assert counted(lambda x: torch.einsum("btc,cd->btd", x, w), B, T, C).macs == B * T * C * D
    assert counted(lambda x: torch.bmm(x, x.mT), B, T, C).macs == B * T * T * C
    assert counted(lambda x: torch.baddbmm(torch.zeros(B, T, T), x, x.mT), B, T, C).macs == B * T * T * C
    assert counted(lambda x: torch.addbmm(torch.zeros(T, T), x, x.mT), B, T, C).macs == B * T * T * C
    assert counted(lambda x: x @ w[:, 0], T, C).macs == T * C
    assert counted(lambda x: torch.addmv(torch.zeros(T), x, w[:, 0]), T, C).macs == T * C
    assert counted(lambda x: x @ x, C).macs == C
    assert counted(lambda x: torch.zeros(B, T, T).baddbmm_(x, x.mT), B, T, C).macs == B * T * T * C
    assert counted(lambda x: torch.mm(x, w, out=torch.empty(T, D)), T, C).macs == T * C * D
    bilinear = nn.Bilinear(C, C, D)
    assert counted(lambda x: bilinear(x, x), B, C).macs == B * D * C * C


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_convolution_uses_its_weights_at_every_output_cell(rank: int, groups: int, stride: int) -> None:
    layer = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[rank - 1](4, 8, 3, stride=stride, groups=groups, dilation=2, padding=2)
    cells = (8 // stride + 1) ** rank                     # the dilated kernel spans 5 of 9 + 2·2 cells
    assert counted(layer, B, 4, *(9,) * rank).macs == B * cells * 8 * (4 // groups) * 3 ** rank


def test_a_transposed_convolution_uses_its_weights_at_every_input_cell() -> None:
    assert counted(nn.ConvTranspose1d(4, 8, 3, stride=2), B, 4, 9).macs == B * 9 * 4 * 8 * 3


@pytest.mark.parametrize("both", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize(("cell", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_a_recurrent_layer_costs_gates_times_width_times_inputs_and_state_per_step(cell: Any, gates: int, both: bool) -> None:
    ways = 2 if both else 1
    layer = cell(C, D, num_layers=2, batch_first=True, bidirectional=both)
    assert counted(layer, B, T, C).macs == B * T * ways * gates * D * ((C + D) + (ways * D + D))


@pytest.mark.parametrize(("cell", "gates"), [(nn.RNNCell, 1), (nn.GRUCell, 3), (nn.LSTMCell, 4)])
def test_a_cell_costs_the_same_as_one_step_of_its_layer(cell: Any, gates: int) -> None:
    assert counted(cell(C, D), B, C).macs == B * gates * D * (C + D)


@pytest.mark.parametrize(("cell", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_a_packed_sequence_costs_only_its_own_steps(cell: Any, gates: int) -> None:
    layer = cell(C, D, batch_first=True)
    found = counted(lambda x: layer(nn.utils.rnn.pack_padded_sequence(x, torch.tensor([7, 4]), batch_first=True)), B, T, C)
    assert found.macs == (7 + 4) * gates * D * (C + D)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")        # it says that it will be slow
def test_a_recurrent_layer_with_a_projection_costs_the_projection_too() -> None:
    found = counted(nn.LSTM(C, D, proj_size=3, batch_first=True), B, T, C)
    assert found.macs == B * T * (4 * D * (C + 3) + 3 * D)


def test_fused_steps_are_serial_and_other_kernels_are_calls() -> None:
    lstm, gru = counted(nn.LSTM(C, D, 2, batch_first=True), B, T, C), counted(nn.GRU(C, D, 2, batch_first=True), B, T, C)
    if torch.backends.mkldnn.is_available():              # otherwise an LSTM runs step by step as well
        assert lstm.serial == 2 * T
        assert lstm.calls < 2 * T
    assert gru.serial == 0
    assert gru.calls > 2 * T


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_attention_costs_scores_and_mixture_whatever_kernel_runs(masked: bool, dropout: float) -> None:
    mask = torch.ones(T, T, dtype=torch.bool).tril() if masked else None
    found = counted(lambda x: F.scaled_dot_product_attention(x, x, x, mask, dropout_p=dropout), B, 2, T, D)
    assert found.macs == B * 2 * (2 * T * T * D)
    assert counted(lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True), B, 2, T, D).macs == found.macs


def test_a_transformer_layer_costs_4td2_2t2d_and_its_mlp() -> None:
    width, hidden = 8, 16
    layer = nn.TransformerEncoderLayer(width, 2, hidden, batch_first=True)
    expected = 4 * T * width ** 2 + 2 * T ** 2 * width + 2 * T * width * hidden
    assert counted(layer, B, T, width).macs == B * expected
    with torch.inference_mode():
        assert counted(layer, B, T, width).macs == B * expected


def test_elementwise_work_look_ups_and_norms_are_no_multiply_adds() -> None:
    table = nn.Embedding(11, D)
    found = count(On(lambda x: table(x).tanh() * 2), Batch(Grid(torch.randint(11, (B, T))), None, [], {}))
    assert found.macs == 0
    assert found.calls == 3
    assert counted(nn.LayerNorm(C), B, T, C).macs == 0
    assert counted(lambda x: x.transpose(1, 2).unsqueeze(0)[:, 1:].expand(3, -1, -1, -1), B, T, C).calls == 0


@pytest.mark.parametrize("groups", [1, 6])
def test_filters_made_of_what_is_read_cost_what_those_of_weights_do(groups: int) -> None:
    x, own = torch.randn(2, 10, 6), torch.randn(2, 10, groups, 3)
    made = count(nn.Identity(), Batch(Grid(x), None, [], {}), lambda batch: filtered(batch.x.x, own, 3))
    assert made.macs == 2 * 10 * 6 * 3
    conv = nn.Conv1d(6, 6, 3, padding=1, groups=6, bias=False)
    assert count(conv, Batch(Grid(x), None, [], {}), lambda batch: conv(batch.x.x.transpose(1, 2))).macs == made.macs


def test_a_linear_recurrence_in_a_function_of_its_own_is_seen_through() -> None:
    weight = torch.eye(D)
    found = counted(lambda x: Decay.apply(x, weight), T, B, D)
    assert found.macs == B * D * D                        # its one product, and nothing for T steps of elementwise work
    assert found.calls == 1 + 2 * T


def test_counting_sees_through_inference_mode() -> None:
    layer = nn.Sequential(nn.Linear(C, D), nn.Linear(D, D))

    def inside(x: Tensor) -> Tensor:
        with torch.inference_mode():
            return layer(x)
    assert counted(inside, B, T, C).macs == B * T * (C * D + D * D)


# ---------------------------------------------------------------------------------------------------- whole networks


def series(count: int = 96, length: int = 40, ragged: bool = False) -> tuple[Dataset, Any]:
    """Noise in two classes and the task that tells them apart."""
    rng = np.random.default_rng(0)
    shapes = rng.integers(length // 2, length + 1, (count, 1)) if ragged else None
    cells = rng.standard_normal((int(shapes.sum()), 3) if shapes is not None else (count, length, 3)).astype(np.float32)
    size = None if ragged else length
    spec = Spec("series", ("time",), (size,), 3, None, None, {"train": count}, "", (0.0,) * 3, (1.0,) * 3, (length,), (length,))
    task = registry.get("task", "classify")(["a", "b"])
    targets = ["a", "b"] * (count // 2)
    data = Dataset(spec, Arrays(cells, shapes), targets, [str(i) for i in range(count)])
    return data.aim(task.collate(targets)), task


def network_of(name: str, data: Dataset, task: Any, **params: Any) -> tuple[Network, dict[str, Any]]:
    family = registry.get("family", name)
    setting = {**space_of(family, data.spec, task).defaults(), **params}
    torch.manual_seed(0)
    return Network(family, data.spec, task, setting), setting


FAMILIES = sorted(registry.every("family"))


@pytest.mark.parametrize("name", FAMILIES)
def test_counting_changes_nothing_and_gives_the_same_twice(name: str) -> None:
    data, task = series(ragged=True)
    network, _ = network_of(name, data, task)
    network.train()
    network.head.eval()
    batch = data.take(range(8))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    modes, state = [module.training for module in network.modules()], torch.get_rng_state()
    once, nominal = count(network, batch), work(network, batch)
    assert (once, nominal) == (count(network, batch), work(network, batch))
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in network.modules()] == modes
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key])


@pytest.mark.parametrize("name", FAMILIES)
def test_a_whole_network_costs_in_proportion_to_its_batch_and_is_counted_at_once(name: str) -> None:
    data, task = series()
    network, _ = network_of(name, data, task)
    one, two, eight = (count(network, data.take(range(size))) for size in (1, 2, 8))
    assert one.macs > 0
    assert (two.macs, eight.macs) == (2 * one.macs, 8 * one.macs)
    work(network, data.take(range(64)))
    start = time.thread_time()
    work(network, data.take(range(64)))
    assert time.thread_time() - start < 0.05 + 5e-5 * eight.calls * (name == "ntm"), "which is a loop of many kernels"


@pytest.mark.parametrize("name", FAMILIES)
def test_nominal_work_grows_with_width_and_batch(name: str) -> None:
    data, task = series()
    narrow, wide = (network_of(name, data, task, width=width)[0] for width in (16, 128))
    assert work(narrow, data.take(range(16))) < work(wide, data.take(range(16)))
    few, many = (work(narrow, data.take(range(size))) / size for size in (8, 64))
    assert many < few                                     # what every step costs is shared by more examples


# ---------------------------------------------------------------------------------------------------- memory and time


def test_memory_is_counted_from_making_to_last_use() -> None:
    n = 4 * 1000
    with Storages() as memory:
        a = torch.ones(1000)
        b = a + a
        del a
        view = b.view(10, 100).t()
        del b
        assert memory.now == n
        c = view.exp()
        assert memory.now == memory.peak == 2 * n
        del c, view
    assert (memory.now, memory.peak) == (0, 2 * n)


def test_memory_that_only_the_graph_holds_is_counted() -> None:
    weight = torch.ones(1000, requires_grad=True)
    with Storages(weight) as memory:
        y = (weight.exp().sin() * 2).sum()                # the graph keeps exp's result for sin, and for exp itself
        assert memory.now == 4 * 1000 * 2 + y.nbytes
        y.backward()
    assert weight.grad is not None
    assert memory.now == 4 * 1000 * 2 + y.nbytes          # the weight and its gradient remain


def test_training_memory_of_a_linear_layer_is_weights_gradients_and_both_moments() -> None:
    wide = 512
    network = On(nn.Linear(wide, wide, bias=False))
    one, many = (Batch(Grid(torch.randn(size, wide)), None, [], {}) for size in (1, 4))
    found = cost_of_network(network, one, many, lambda network, batch: network(batch).square().sum(), 0.01)
    weight = 4 * wide * wide
    assert found.parameters == found.macs == wide * wide
    assert found.peak_infer_bytes == weight + 2 * 4 * wide
    assert found.peak_train_bytes is not None
    assert 4 * weight <= found.peak_train_bytes <= 5.1 * weight       # clipping holds one more for a moment


@pytest.mark.parametrize("name", ["gru", "resnet", "transformer"])
def test_the_cost_of_a_network_is_repeatable_and_leaves_it_alone(name: str) -> None:
    data, task = series()
    network, _params = network_of(name, data, task)
    before = {key: value.clone() for key, value in network.state_dict().items()}

    def measured() -> Any:
        return cost_of_network(network, data.take([0]), data.take(range(16)), lambda network, batch: network.loss(batch), 0.02)
    once, again = measured(), measured()
    assert (once.macs, once.parameters, once.peak_train_bytes, once.peak_infer_bytes) == (
        again.macs, again.parameters, again.peak_train_bytes, again.peak_infer_bytes)
    assert once.parameters == network.parameter_count()
    assert 0 < once.latency_ms_p50 <= once.latency_ms_p95
    assert once.step_ms > once.latency_ms_p50
    assert once.peak_train_bytes > 3 * once.peak_infer_bytes - 4 * 40 * 3
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key])


class Clock:
    """Stands still but for what is done."""

    def __init__(self) -> None:
        self.now, self.calls = 0.0, 0

    def perf_counter(self) -> float:
        return self.now

    def act(self, seconds: float) -> None:
        self.now += seconds
        self.calls += 1


@pytest.mark.parametrize(("seconds", "calls"), [(0.01, 50), (0.02, 30), (0.1, 20), (3.0, 3)])
def test_latency_is_taken_over_thirty_calls_unless_they_take_four_times_the_limit(
        seconds: float, calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("bakeoff.cost.time", clock)
    middle, late = latency_ms(lambda: clock.act(seconds), limit_seconds=0.5)
    assert abs(clock.calls - 1 - calls) <= 1              # one to warm up
    assert middle == pytest.approx(1e3 * seconds)
    assert late == pytest.approx(1e3 * seconds)


class Nearest:
    """A baseline that holds its examples and compares all of them."""

    def __init__(self, held: np.ndarray) -> None:
        self.held = held

    def outputs(self, data: Dataset) -> Tensor:
        rows = data.take(range(len(data))).x.x.flatten(1).double().numpy()
        return torch.from_numpy(-np.square(self.held[None] - rows[:, None]).sum(-1))

    def macs(self) -> float:
        return float(self.held.size)

    def parameters(self) -> int:
        return self.held.size

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {"held": self.held}, {}


def test_a_baseline_costs_by_its_own_formula_and_what_numpy_allocates() -> None:
    data, _ = series()
    held = np.random.default_rng(0).standard_normal((2000, 120))
    found = cost_of_baseline(Nearest(held), data, 0.02)               # type: ignore[arg-type]
    assert (found.parameters, found.macs, found.step_ms, found.peak_train_bytes) == (held.size, held.size, None, None)
    assert 2 * held.nbytes <= found.peak_infer_bytes <= 3.2 * held.nbytes
    refitted = cost_of_baseline(Nearest(held), data, 0.02, refit=lambda: np.ones(10 ** 6).sum())     # type: ignore[arg-type]
    assert 8e6 <= refitted.peak_train_bytes <= 8.1e6


def test_allocation_is_measured_beside_a_tracer_that_runs_already() -> None:
    import tracemalloc
    tracemalloc.start()
    try:
        assert 8e6 <= allocated(lambda: np.ones(10 ** 6).sum()) <= 8.1e6
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
