"""The next steps of series, all at once.

The window is scaled by itself, as Kim et al. 2022 (RevIN, https://openreview.net/forum?id=cGDAkQo1C0p) and Zeng et al. 2023
(NLinear, https://arxiv.org/abs/2205.13504) do; channels may be read one by one with shared weights (Nie et al. 2023, PatchTST,
https://arxiv.org/abs/2211.14730).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bakeoff.metrics.forecast import FORECAST
from bakeoff.nn.encoder import Encoder
from bakeoff.nn.pool import FLAT, WAYS
from bakeoff.registry import task
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Sort
from bakeoff.tasks.head import PooledHead
from bakeoff.types import Ahead, Answer, Batch, Change, Grid, Needs, Params, Spec

SWIFT = 10.0                  # how much quicker the fan learns than a weight: from its beginning it may have far to go in few steps
FLOOR = 1e-5                  # of a window's size: the deviation it counts with at least; a constant window has none


@task("forecast")
class Forecast:
    """Scaled window → encoder → pooled → linear map to the whole horizon → unscaled. out: (B, horizon, A, 1 + Q) in the user's units,
    the point first, then the quantiles.

    y: (B, horizon, 2·A), the values with NaN where missing, and behind them the deviation of the series in training, in which
    the loss is counted: series of all sizes weigh alike.
    """

    sort: ClassVar[Sort] = "whole"
    settles: ClassVar[bool] = False
    bears: ClassVar[frozenset[Change]] = frozenset({"noise"})

    def __init__(self, ahead: Ahead | None = None) -> None:
        self.ahead = ahead or Ahead(8, 1, (16, 32), ("value",), (0,))
        self.metrics = FORECAST

    def fit(self, targets: Iterable[object], spec: Spec) -> Self:
        self.__init__(spec.ahead)             # type: ignore[misc]
        return self

    def state(self) -> dict[str, Any]:
        return asdict(self.ahead)

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in state.items()}
        return cls(Ahead(**fields))

    def why_not(self, spec: Spec) -> str | None:
        return None if spec.ahead is not None else "these examples do not go on: there is nothing to forecast"

    def needs(self) -> Needs:
        return Needs()

    def space(self, spec: Spec) -> Space:
        lookbacks = self.ahead.lookbacks
        start = lookbacks[min(1, len(lookbacks) - 1)]
        space = Space({
            "lookback": Param("lookback", start, "steps of the past that are read", values=lookbacks),
            "window": Param("window", "last", "what a window is counted from: its last value or its mean; its deviation is the unit",
                            values=("last", "mean")),
            "pool": Param("pool", FLAT, "how cells become one vector; flatten: all side by side", values=(*WAYS, FLAT)),
            "objective": Param("objective", "absolute", "how a miss counts in training", values=("absolute", "squared")),
            "scaling": Param("scaling", "none", "the window is scaled by itself", values=("none",)),
        })
        if self.ahead.calendar:
            space["calendar"] = Param("calendar", "unread", "whether hour, weekday and time of the year are read, of the steps to come too",
                                      values=("unread", "read"))
        if len(self.ahead.names) > 1:
            space["channels"] = Param("channels", "apart", "whether channels are read together, or each alone with the same weights",
                                      values=("apart", "together"))
        return space

    def collate(self, targets: Sequence[object]) -> Tensor:
        rows = []
        for target in targets:
            assert isinstance(target, Mapping)
            values = np.atleast_2d(np.asarray(target["values"], np.float64))                 # (A, horizon)
            spread = np.asarray(target["spread"], np.float64).reshape(len(values), -1)       # (A, 1), or per step
            rows.append(np.concatenate([values, np.broadcast_to(spread, values.shape)]).T)
        return torch.from_numpy(np.stack(rows).astype(np.float32))

    def apart(self, params: Params) -> bool:
        return len(self.ahead.names) == 1 or params.get("channels", "apart") == "apart"

    def prepared(self, spec: Spec, params: Params) -> Spec:
        size = (int(params.get("lookback", self.ahead.lookbacks[-1])),)
        channels = (1 if self.apart(params) else len(self.ahead.names)) * (2 if self.ahead.marked else 1)
        columns, longer = self.beside(params)
        size = (size[0] + longer,)
        channels += len(columns) + (longer > 0)
        return replace(spec, sizes=size, longest=size, typical=size, channels=channels)

    def beside(self, params: Params) -> tuple[list[int], int]:
        """Which columns of what is known beside are read, and by how many steps to come the window is longer for them."""
        first = 0 if params.get("calendar", "unread") == "read" else self.ahead.calendar
        columns = list(range(first, len(self.ahead.known)))
        return columns, self.ahead.horizon if first < self.ahead.later else 0

    def prepare(self, batch: Batch, params: Params) -> Batch:
        """The last `lookback` steps in units of their own; where channels are read apart, each is an example: (B·A, T, 1). Where
        something is known ahead, the steps to come stand behind, with a mark, nothing in the place of values, and what is known."""
        ahead, own, length = self.ahead, len(self.ahead.names), int(params.get("lookback", self.ahead.lookbacks[-1]))
        x = batch.x.x[:, -length:]
        values, marks = x[..., :own], x[..., own:]
        middle = values.mean(1, keepdim=True)
        deviation = (values - middle).square().mean(1, keepdim=True).sqrt()
        deviation = deviation + FLOOR * (values.abs().mean(1, keepdim=True) + FLOOR)
        centre = values[:, -1:] if params.get("window", "last") == "last" else middle
        values = (values - centre) / deviation
        given = {**batch.given, "centre": centre[..., list(ahead.aimed)], "deviation": deviation[..., list(ahead.aimed)]}
        if self.apart(params):
            parts = [values, marks] if ahead.marked else [values]
            x = torch.stack([part[..., list(ahead.aimed)] for part in parts], -1)            # (B, T, A, 1 or 2)
            x = x.transpose(1, 2).flatten(0, 1)
        else:
            x = torch.cat([values, marks], -1)
        columns, longer = self.beside(params)
        if columns:
            known = batch.given["known"][:, -length - ahead.horizon:][:, :length + longer, columns]
            known = functional.pad(known, (0, 1 if longer else 0))
            if longer:
                known[:, length:, -1] = 1.0
            x = torch.cat([functional.pad(x, (0, 0, 0, longer)), known.repeat_interleave(len(x) // len(known), 0)], -1)
        return Batch(Grid(x, None), batch.y, batch.keys, given)

    def head(self, encoder: Encoder, make: Callable[..., Encoder], dim: int, params: Params) -> nn.Module:
        return Horizon(encoder, dim, self.ahead, self.apart(params), params)

    def loss(self, out: Tensor, y: Tensor, params: Params) -> Tensor:
        missed, known = apart_from(out, y)
        point = missed[..., 0].square() if params.get("objective") == "squared" else missed[..., 0].abs()
        return (point + self.pinball(missed[..., 1:])).flatten(1).sum(1) / known.flatten(1).sum(1).clamp(min=1)

    def plain_loss(self, out: Tensor, y: Tensor) -> Tensor:
        return self.loss(out, y, {})

    def pinball(self, missed: Tensor) -> Tensor:
        """(…, Q) said minus true → (…): mean over the quantiles, Koenker & Bassett 1978."""
        levels = missed.new_tensor(self.ahead.levels)
        return torch.maximum(-levels * missed, (1 - levels) * missed).mean(-1)

    def decode(self, out: Tensor) -> list[Answer]:
        """value: (horizon,) of one channel, (A, horizon) of several, in the user's units; scores: as many per level."""
        values = out.transpose(1, 2).numpy()                                                 # (N, A, horizon, 1 + Q)
        values = values[:, 0] if values.shape[1] == 1 else values
        names = [f"{level:g}" for level in self.ahead.levels]
        return [Answer(row[..., 0].astype(np.float64), {name: row[..., place] for place, name in enumerate(names, 1)}) for row in values]


class Horizon(nn.Module):
    """Grid (B, S, D), or (B·A, S, D) of channels apart → (B, horizon, A, 1 + Q) in the user's units.

    The middle quantile is counted from the point, the others outward from it, so that none cross and none moves the point. How far,
    in deviations of the window, is learnt per step and channel, and not said of each window anew: a network that may do so remembers
    the training's misses (on the exchange rates, between .1 and .9 lay .45 – .53 of the truths, now .50 – .63 with tuned settings).
    What a network misses by in training is still less than what it misses by later: `coverage` says how much.
    """

    def __init__(self, encoder: Encoder, dim: int, ahead: Ahead, apart: bool, params: Params) -> None:
        super().__init__()
        self.horizon, self.aimed, self.levels = ahead.horizon, len(ahead.aimed), len(ahead.levels)
        self.middle = min(range(self.levels), key=lambda place: abs(ahead.levels[place] - 0.5))
        if params.get("pool") == FLAT and encoder.pools:
            params = {**params, "pool": "mean"}                                              # one cell has nothing beside it
        self.pooled = PooledHead(encoder, dim, self.horizon * (1 if apart else self.aimed), params, exact=True)
        self.fan = nn.Parameter(torch.zeros(self.aimed, self.horizon, self.levels))
        nn.init.zeros_(self.pooled.out.bias)
        with torch.no_grad():
            self.pooled.out.weight.mul_(0.1)                                                 # begins near what the window is counted from

    def forward(self, grid: Grid, batch: Batch) -> Tensor:
        point = self.pooled(grid, batch).view(-1, self.aimed, self.horizon)
        apart = SWIFT * self.fan
        middle = point.detach()[..., None] + apart[..., self.middle:self.middle + 1]
        below = functional.softplus(apart[..., :self.middle]).flip(-1).cumsum(-1).flip(-1)
        above = functional.softplus(apart[..., self.middle + 1:]).cumsum(-1)
        out = torch.cat([point[..., None], middle - below, middle, middle + above], -1).transpose(1, 2)
        return out * batch.given["deviation"][..., None] + batch.given["centre"][..., None]


def apart_from(out: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """(miss in deviations of the series, 0 where the truth is missing, (B, horizon, A, 1 + Q); where it is known, (B, horizon, A))."""
    truth, spread = y[..., :out.shape[-2], None], y[..., out.shape[-2]:, None]
    known = ~truth.isnan()
    return torch.where(known, (out - truth.nan_to_num()) / spread, 0.0), known[..., 0]
