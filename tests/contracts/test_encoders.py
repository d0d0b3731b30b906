"""What every encoder owes, tested over the whole registry: each family at each rank, both ways of causal and full."""

from __future__ import annotations

import copy
import inspect
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._pytree import tree_leaves

from bakeoff.data.base import Arrays, Dataset
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.fold import Fold, on_offer
from bakeoff.nn.masked import lengths, zeroed
from bakeoff.nn.network import Network
from bakeoff.nn.pool import Pool
from bakeoff.registry import GROUPS, every
from bakeoff.space import from_signature
from bakeoff.tasks.classify import Classify
from bakeoff.train.choices import space_of
from bakeoff.types import Grid, Spec

DIM = 16
SHAPES = {1: ((9,), (4,), (0,), (7,)), 2: ((5, 6), (3, 2), (0, 0), (1, 6)), 3: ((3, 4, 3), (2, 1, 3), (0, 0, 0), (3, 2, 2))}
FAMILIES = every("family")
WIDE = {name: DIM * cls(DIM, rank=1, sizes=(None,)).reads for name, cls in FAMILIES.items()}     # numbers per cell of what each is given


@dataclass(frozen=True)
class Case:
    family: str
    rank: int
    causal: bool = False
    full: bool = False

    def __str__(self) -> str:
        return f"{self.family}-{self.rank}" + "-causal" * self.causal + "-full" * self.full

    def build(self, sizes: tuple[int | None, ...] | None = None, **own: object) -> Encoder:
        torch.manual_seed(0)
        if "noise" in taken(FAMILIES[self.family]):
            own = {"noise": 0.0, **own}                      # what is drawn while training is drawn for padding too
        return FAMILIES[self.family](DIM, rank=self.rank, sizes=sizes or (None,) * self.rank, causal=self.causal, full=self.full, **own)

    def ragged(self, more: int = 0) -> Grid:
        return ragged(SHAPES[self.rank], more, WIDE[self.family])


CASES = [Case(name, rank, causal, full) for name, cls in FAMILIES.items() for rank in sorted(cls.ranks)
         for causal in ((False, True) if cls.can_be_causal else (False,)) for full in (False, True)]
LEAN = [case for case in CASES if not case.full]             # `full` changes strides only
CAUSAL = [case for case in LEAN if case.causal]
KEEPING = [case for case in CASES if not FAMILIES[case.family].pools]

each = pytest.mark.parametrize("case", CASES, ids=str)
each_lean = pytest.mark.parametrize("case", LEAN, ids=str)


def taken(cls: type[Encoder]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(cls.__init__).parameters


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def ragged(shapes: tuple[tuple[int, ...], ...], more: int = 0, channels: int = DIM, seed: int = 1) -> Grid:
    """Random cells of these shapes in one padded grid, `more` cells of padding on each axis beyond the longest."""
    sizes = [max(shape[axis] for shape in shapes) + more for axis in range(len(shapes[0]))]
    x, valid = torch.zeros(len(shapes), *sizes, channels), torch.zeros(len(shapes), *sizes, dtype=torch.bool)
    for number, shape in enumerate(shapes):
        place = (number, *(slice(0, size) for size in shape))
        x[place] = torch.randn(*shape, channels, generator=torch.Generator().manual_seed(seed + number))
        valid[place] = True
    return Grid(x, valid)


def shaken(encoder: Encoder) -> Encoder:
    """Weights and running statistics away from their tidy start, so that no path is silent."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, tensor in encoder.state_dict().items():
            if tensor.is_floating_point() and "batches" not in name:
                tensor += 0.1 * torch.rand(tensor.shape, generator=generator)
    return encoder


def assert_same_cells(one: Grid, other: Grid, close: float = 2e-5) -> None:
    """Valid cells are equal, and everything that is not valid is zero, whatever the padding."""
    for grid in (one, other):
        assert grid.valid is not None
        assert not grid.x[~grid.valid].any(), "padding was left with numbers in it"
    common = tuple(slice(0, min(a, b)) for a, b in zip(one.x.shape[:-1], other.x.shape[:-1], strict=True))
    assert torch.equal(one.valid[common], other.valid[common])               # type: ignore[index]
    assert one.valid.sum() == other.valid.sum()                              # type: ignore[union-attr]
    torch.testing.assert_close(one.x[common], other.x[common], atol=close, rtol=close)


@each
@pytest.mark.parametrize("size", [1, 5, 24])
def test_rank_is_kept_and_every_axis_divided_by_the_stride(case: Case, size: int) -> None:
    sizes = tuple(size + axis for axis in range(case.rank)) if case.rank < 3 else (min(size, 6),) * 3
    for known in (sizes, (None,) * case.rank):
        encoder = case.build(known)
        out = encoder(Grid(torch.randn(2, *sizes, WIDE[case.family]), None))
        expected = tuple(-(-length // stride) for length, stride in zip(sizes, encoder.stride, strict=True))
        assert tuple(out.x.shape) == (2, *((1,) * case.rank if encoder.pools else expected), DIM)
        assert out.valid is None


@pytest.mark.parametrize("case", [case for case in KEEPING if case.full or case.causal], ids=str)
def test_full_and_causal_keep_every_cell(case: Case) -> None:
    encoder = case.build((64,) * case.rank)
    assert encoder.stride == (1,) * case.rank


@each_lean
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_more_padding_changes_nothing(case: Case, training: bool) -> None:
    encoder = shaken(case.build()).train(training)
    twin = copy.deepcopy(encoder)
    assert_same_cells(encoder(case.ragged()), twin(case.ragged(more=3)))
    for (name, one), other in zip(encoder.named_buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(one, other, msg=f"running statistics {name} see the padding")


@each_lean
def test_an_example_alone_gives_what_it_gives_in_a_batch(case: Case) -> None:
    encoder = shaken(case.build()).eval()
    together = encoder(case.ragged())
    for number, shape in enumerate(SHAPES[case.rank]):
        if min(shape) == 0:
            continue
        alone = encoder(Grid(ragged((shape,), channels=WIDE[case.family], seed=1 + number).x, None))
        place = (slice(number, number + 1), *(slice(0, size) for size in alone.x.shape[1:-1]))
        torch.testing.assert_close(together.x[place], alone.x, atol=2e-5, rtol=2e-5)


@each_lean
def test_a_mask_without_padding_is_no_mask(case: Case) -> None:
    x = torch.randn(2, *(6,) * case.rank, WIDE[case.family])
    masked, plain = case.build()(Grid(x, torch.ones(x.shape[:-1], dtype=torch.bool))), case.build()(Grid(x, None))
    torch.testing.assert_close(masked.x, plain.x, atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("case", CAUSAL, ids=str)
def test_causal_means_causal(case: Case) -> None:
    encoder = shaken(case.build()).eval()
    x = torch.randn(2, *(7, 4, 3)[:case.rank], WIDE[case.family], requires_grad=True)
    out = encoder(Grid(x, None)).x
    for step in (0, 3, 6):
        (grad,) = torch.autograd.grad(out[:, step].square().sum(), x, retain_graph=True)
        assert not grad[:, step + 1:].any(), f"output {step} sees what comes after it"
        assert grad[:, step].any()
    if case.rank == 1:
        assert grad[:, 5].any(), "nothing is remembered"


@each_lean
def test_every_weight_gets_a_gradient(case: Case) -> None:
    encoder = shaken(case.build()).train()
    out = encoder(case.ragged()).x
    (out * torch.randn(out.shape, generator=torch.Generator().manual_seed(5))).sum().backward()
    for name, weight in encoder.named_parameters():
        assert weight.grad is not None, f"{name} is not used"
        assert weight.grad.isfinite().all(), name
        assert weight.grad.abs().sum() > 1e-7, f"{name} gets no gradient"


@each_lean
def test_eight_examples_can_be_learnt(case: Case) -> None:
    shapes = {1: ((8,), (6,), (9,), (5,)), 2: ((4, 4), (3, 5), (4, 2), (5, 5)), 3: ((3, 3, 3), (2, 3, 3), (3, 2, 3), (3, 3, 2))}[case.rank]
    grid, target = ragged(shapes * 2, channels=WIDE[case.family]), torch.arange(8) % 3
    encoder = case.build()
    pool, head = Pool(DIM), nn.Linear(DIM, 3)
    weights = [*encoder.parameters(), *pool.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(weights, lr=1e-2)
    for _step in range(80):
        loss = F.cross_entropy(head(pool(encoder(grid))), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 0.1:
            return
    pytest.fail(f"after 80 steps the loss is still {loss.item():.3f}")


@each_lean
def test_saved_equals_loaded(case: Case) -> None:
    encoder, grid = shaken(case.build()), case.ragged()
    encoder.train()(grid)                                                    # running statistics move
    torch.manual_seed(99)
    other = FAMILIES[case.family](DIM, rank=case.rank, sizes=(None,) * case.rank, causal=case.causal)
    other.load_state_dict(load(save({name: tensor.contiguous() for name, tensor in encoder.state_dict().items()})))
    assert torch.equal(encoder.eval()(grid).x, other.eval()(grid).x)


@each_lean
def test_the_same_seed_gives_the_same_bits(case: Case) -> None:
    def gradients() -> list[Tensor]:
        encoder = case.build(**({"dropout": 0.3} if "dropout" in taken(FAMILIES[case.family]) else {}))
        out = encoder.train()(case.ragged()).x
        return [out, *torch.autograd.grad(out.square().sum(), list(encoder.parameters()))]

    for one, other in zip(gradients(), gradients(), strict=True):
        assert torch.equal(one, other)


@each_lean
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_any_lengths_give_numbers(case: Case, training: bool) -> None:
    generator = torch.Generator().manual_seed(11)
    encoder = shaken(case.build()).train(training)
    alone = ((1,) * case.rank,)
    batches = [tuple(tuple(torch.randint(0, 7, (case.rank,), generator=generator).tolist()) for _ in range(4)) for _ in range(4)]
    for shapes in [*batches, alone, ((0,) * case.rank, (1,) * case.rank), ((0,) * case.rank,) * 2]:
        shapes = tuple(shape if min(shape) else (0,) * case.rank for shape in shapes)
        grid = ragged(shapes, more=1, channels=WIDE[case.family])
        grid = Grid(grid.x.requires_grad_(), grid.valid)
        encoder.zero_grad()
        out = encoder(grid)
        out.x.square().sum().backward()
        assert out.x.isfinite().all()
        assert grid.x.grad is not None
        assert grid.x.grad.isfinite().all()
        assert all(weight.grad is None or weight.grad.isfinite().all() for weight in encoder.parameters())


@pytest.mark.parametrize(("name", "causal"), sorted({(case.family, case.causal) for case in CASES}))
def test_pictures_of_different_sizes_are_read_through_every_fold(name: str, causal: bool) -> None:
    """Padding rows and columns moves nothing, through whatever fold is on offer, and every cell comes back to its place."""
    cls = FAMILIES[name]
    spec = Spec("image", ("height", "width"), (None, None), 3, None, None, {"train": 4}, "", longest=(13, 12), typical=(12, 12))
    folds = on_offer(spec, cls.ranks, causal)
    assert folds, f"{name} cannot read a picture"
    shapes = ((9, 12), (13, 5), (8, 8), (0, 0))
    for fold in folds:
        torch.manual_seed(0)
        encoder = cls(DIM, rank=fold.rank, sizes=fold.sizes(spec.sizes), causal=causal, full=True)
        embed = nn.Linear(fold.channels(spec), WIDE[name])
        encoder = shaken(encoder).eval()

        def read(grid: Grid, fold: Fold = fold, embed: nn.Module = embed, encoder: Encoder = encoder) -> Grid:
            folded, cells = fold(grid)
            out = encoder(Grid(zeroed(embed(folded.x), folded.valid), folded.valid))
            return out if encoder.pools else fold.back(out, cells)

        tight, loose = read(ragged(shapes, channels=3)), read(ragged(shapes, more=5, channels=3))
        assert_same_cells(tight, loose)


CLIPS = Spec("video", ("time", "height", "width"), (None, 8, 12), 3, None, None, {"train": 8}, "", (0.0,) * 3, (1.0,) * 3, (9, 8, 12), (8, 8, 12))


def clip_folds(name: str, causal: bool) -> list[Fold]:
    """Every fold through which a family may read short clips."""
    return on_offer(CLIPS, FAMILIES[name].ranks, causal, longest=10_000)


@pytest.mark.parametrize(("name", "causal"), sorted({(case.family, case.causal) for case in CASES}))
def test_clips_of_different_lengths_are_read_through_every_fold(name: str, causal: bool) -> None:
    """Padding frames moves nothing, whatever the patch, and an empty clip gives no numbers."""
    cls = FAMILIES[name]
    folds = clip_folds(name, causal)
    assert folds, f"{name} cannot read a clip"
    frames = (9, 4, 0, 1)
    for fold in folds:
        torch.manual_seed(0)
        encoder = shaken(cls(DIM, rank=fold.rank, sizes=fold.sizes(CLIPS.sizes), causal=causal)).eval()
        embed = nn.Linear(fold.channels(CLIPS), WIDE[name])
        pool = Pool(DIM, "mean" if encoder.pools else "grid", encoder.sizes).eval()

        def read(more: int, fold: Fold = fold, embed: nn.Module = embed, encoder: Encoder = encoder, pool: Pool = pool) -> Tensor:
            grid = ragged(tuple((count, 8, 12) for count in frames), channels=3)
            after = [0, 0] * 3 + [0, more]
            grid = Grid(F.pad(grid.x, after), F.pad(grid.valid, after[2:]))          # type: ignore[arg-type]
            folded, _cells = fold(grid)
            return pool(encoder(Grid(zeroed(embed(folded.x), folded.valid), folded.valid)))

        torch.testing.assert_close(read(0), read(5), atol=2e-5, rtol=2e-5, msg=f"{name} through {fold} sees the padding")


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_trains_a_step_on_clips_of_different_lengths(name: str) -> None:
    frames = [9, 4, 7, 8, 1, 6, 9, 5]
    chance = np.random.default_rng(0)
    cells = chance.integers(0, 256, (sum(frames), 8, 12, 3), dtype=np.uint8)
    task = Classify().fit(["a", "b"] * 4, CLIPS)
    data = Dataset(CLIPS, Arrays(cells, np.array(frames)[:, None]), ["a", "b"] * 4, [str(k) for k in range(8)])
    data.aim(task.collate(data.targets))
    for fold in clip_folds(name, False):
        torch.manual_seed(0)
        params = {**space_of(FAMILIES[name], CLIPS, task).defaults(), "fold": str(fold), "width": DIM}
        network = Network(FAMILIES[name], CLIPS, task, params)
        batch = data.take(range(8))
        assert batch.x.valid is not None
        loss = network.loss(batch).mean()
        loss.backward()
        assert loss.isfinite()
        assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters()), f"{name} through {fold}"


def test_a_leading_fold_reads_rows_as_steps() -> None:
    spec = Spec("image", ("height", "width"), (None, 6), 3, None, None, {"train": 4}, "", longest=(13, 6), typical=(12, 6))
    for name, cls in FAMILIES.items():
        if 2 in cls.ranks:
            continue
        fold = next(fold for fold in on_offer(spec, cls.ranks, False) if fold.order == "leading")
        folded, _cells = fold(ragged(((9, 6), (4, 6)), channels=3))
        assert folded.x.shape == (2, 9, 18)
        assert lengths(folded.valid).tolist() == [9, 4]                      # type: ignore[arg-type]
        assert fold.channels(spec) == 18, name


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_says_what_it_is_in_one_sentence_with_its_source(name: str) -> None:
    cls = FAMILIES[name]
    first = (sys.modules[cls.__module__].__doc__ or "").splitlines()[0]
    assert re.fullmatch(r"[^:]+: .+\. .+ \d{4}, https://\S+", first), first
    assert cls.group in GROUPS
    assert cls.ranks <= {1, 2, 3}
    assert 1 in cls.ranks, "texts and series could not be read"


@pytest.mark.parametrize("name", FAMILIES)
def test_every_choice_of_a_family_is_met_by_its_default_and_can_be_built(name: str) -> None:
    cls = FAMILIES[name]
    for param in from_signature(cls.__init__, name).values():
        assert param.default in param, param
        assert param.meaning, f"{param.name} does not say what it means"
        own = param.name.partition(".")[2]
        for value in param.values or (param.low, param.high):
            wanted = int(value) if param.whole and not isinstance(value, bool) else value
            encoder = cls(DIM, rank=1, sizes=(None,), **{own: wanted})
            assert encoder(Grid(torch.randn(2, 9, DIM * encoder.reads), None)).x.isfinite().all()


@pytest.mark.parametrize("name", [name for name, cls in FAMILIES.items() if "activation" in taken(cls)])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "gelu", "silu", "tanh"])
def test_every_activation_can_be_had_where_one_is_taken(name: str, activation: str) -> None:
    cls = FAMILIES[name]
    encoder = shaken(cls(DIM, rank=1, sizes=(None,), activation=activation))
    assert_same_cells(*(encoder(ragged(SHAPES[1], more, WIDE[name])) for more in (0, 2)))


@pytest.mark.parametrize("name", [name for name, cls in FAMILIES.items() if cls.orderless])
def test_an_orderless_family_reads_a_single_cell(name: str) -> None:
    encoder = FAMILIES[name](DIM, rank=1, sizes=(1,))
    assert encoder(Grid(torch.randn(4, 1, WIDE[name]), None)).x.shape == (4, 1, DIM)


@pytest.mark.parametrize("case", [case for case in CASES if case.causal and case.full and case.rank == 1], ids=str)
def test_step_equals_forward(case: Case) -> None:
    encoder = case.build().eval()
    x = torch.randn(3, 11, WIDE[case.family])
    whole = encoder(Grid(x, None)).x
    state, steps = encoder.start(3), []
    for cell in x.unbind(1):
        y, state = encoder.step(cell, state)
        steps.append(y)
    torch.testing.assert_close(torch.stack(steps, 1), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("family", "own"), [
    ("rnn", {"depth": 2}), ("lstm", {"depth": 3}), ("lstm", {"peepholes": True}), ("mgu", {"depth": 2}), ("mingru", {"depth": 3}),
    ("lru", {"depth": 3}), ("mamba", {"expand": 2, "memory": 8, "kernel": 2}), ("renet", {"depth": 2, "unit": "lstm"}),
    ("tcn", {"depth": 2, "kernel": 5, "separable": False}), ("crnn", {"convs": 2, "separable": False}),
    ("convnext", {"depth": 3, "kernel": 5}), ("wavenet", {"depth": 3, "kernel": 2}), ("lstmfcn", {"depth": 2, "kernel": 5}),
    ("convlstm", {"depth": 2}), ("transformer", {"depth": 2, "position": "rotary"})], ids=str)
def test_steps_keep_no_more_than_they_need_whatever_the_options(family: str, own: dict[str, object]) -> None:
    encoder = shaken(Case(family, 1, causal=True, full=True).build(**own)).eval()
    x = torch.randn(2, 40, DIM)
    state, steps, kept = encoder.start(2), [], []
    with torch.no_grad():
        for cell in x.unbind(1):
            y, state = encoder.step(cell, state)
            steps.append(y)
            kept.append(sum(one.numel() for one in tree_leaves(state)))
        torch.testing.assert_close(torch.stack(steps, 1), encoder(Grid(x, None)).x, rtol=1e-4, atol=1e-4)
    assert family == "transformer" or len(set(kept)) == 1
