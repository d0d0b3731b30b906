"""Recurrences as one loop over time forwards and one backwards, time first, for CPUs.

nn.GRU on a CPU records some ten nodes of autograd per step; here a backward step is three operations, all else being
done for all steps at once. Both directions share the loop as a group of matrices. Forward and backward at T = 64,
D = 2 × 32, batch 16, one core: GRU 5 ms against 23 of two nn.GRU; minimal GRU .5 ms. nn.LSTM has a fused kernel and
needs none of this. Linear recurrences need no step to wait for the one before: blocks of time are read side by side.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 16                    # steps of a linear recurrence that are read one after the other
SMALL = 4096                  # numbers of a step from which on blocks gain nothing on a CPU: there memory is the limit
LARGEST = 1e3                 # a ReLU memory beyond is held here: it grows exponentially once training has left the identity


def mixing_scan(z: Tensor, new: Tensor, truncate: int = 0) -> Tensor:
    """h[t] = (1 − z[t]) ⊙ h[t−1] + z[t] ⊙ new[t] with h[−1] = 0; all (T, …). truncate = n: no gradient flows from step n·k to n·k − 1."""
    return _Mixing.apply(z, new, truncate)


def complex_scan(turn: Tensor, x: Tensor, truncate: int = 0) -> Tensor:
    """h[t] = λ ⊙ h[t−1] + x[t] for complex numbers in real arithmetic: real parts first, imaginary parts after them.

    turn (…, 2·N) is λ, the same at all steps, |λ| ≤ 1; x (T, …, 2·N) → h (T, …, 2·N).
    """
    return _Complex.apply(turn, x, truncate)


def tanh_scan(x: Tensor, weight: Tensor, truncate: int = 0) -> Tensor:
    """h[t] = tanh(x[t] + h[t−1] W). x (T, G, B, U), weight (G, U, U): G independent groups → (T, G, B, U)."""
    return _Elman.apply(x, weight, truncate, None)


def relu_scan(x: Tensor, weight: Tensor, truncate: int = 0, slope: float = 0.0) -> Tensor:
    """h[t] = relu(x[t] + h[t−1] W), held within ±LARGEST; below zero `slope` times the sum, not 0. Shapes as in tanh_scan."""
    return _Elman.apply(x, weight, truncate, slope)


def mgu_scan(x: Tensor, weight: Tensor, truncate: int = 0) -> Tensor:
    """f = σ(x_f + h W_f); n = tanh(x_n + (f ⊙ h) W_n); h ← (1 − f) ⊙ h + f ⊙ n.

    x (T, G, B, 2·U) in the order f, n; weight (G, U, 2·U) → h (T, G, B, U).
    """
    return _Mgu.apply(x, weight, truncate)


def peephole_scan(x: Tensor, weight: Tensor, peep: Tensor, truncate: int = 0) -> Tensor:
    """i, f = σ(x + h W + p ⊙ c); n = tanh(x_n + h W_n); c ← f ⊙ c + i ⊙ n; o = σ(x_o + h W_o + p_o ⊙ c); h = o ⊙ tanh(c).

    x (T, G, B, 4·U) in the order i, f, n, o; weight (G, U, 4·U); peep (G, 3, U) of i, f, o → h (T, G, B, U).
    """
    return _Peephole.apply(x, weight, peep, truncate)


def gru_scan(x: Tensor, weight: Tensor, bias: Tensor, truncate: int = 0) -> Tensor:
    """r, z = σ(x_r + h W_r), σ(x_z + h W_z); n = tanh(x_n + r ⊙ (h W_n + bias)); h ← (1 − z) ⊙ n + z ⊙ h.

    x (T, G, B, 3·U) in the order r, z, n; weight (G, U, 3·U); bias (G, U) → h (T, G, B, U).
    """
    return _Gru.apply(x, weight, bias, truncate)


class _Mixing(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, new: Tensor, truncate: int) -> Tensor:
        h = z * new
        through((1 - z)[1:], h[1:], h[0], h[1:])
        ctx.save_for_backward(z, new, h)
        ctx.truncate = truncate
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        z, new, h = ctx.saved_tensors
        keep = 1 - z
        if ctx.truncate:
            keep[::ctx.truncate] = 0
        dh = torch.empty_like(h)
        dh[-1] = grad[-1]
        through(keep[1:], grad[:-1], dh[-1], dh[:-1], -1)                    # ∂/∂h[t] = grad[t] + (1 − z[t+1]) ⊙ ∂/∂h[t+1]
        dz = torch.mul(new, dh, out=keep)
        dz[1:].addcmul_(dh[1:], h[:-1], value=-1)                            # (new − h[t−1]) ⊙ ∂/∂h[t]
        return dz, dh.mul_(z), None


def through(a: Tensor, b: Tensor, state: Tensor, out: Tensor, way: int = 1) -> None:
    """out[t] = a[t] ⊙ out[t−1] + b[t] from the state before; way −1: from the last step to the first.

    Where a step is small, what it costs is the call. So blocks of steps are read side by side: once for what each block adds
    and keeps, then, its start being known, for what it gives: 512 steps are some 80 calls. T = 512, B = 16, D = 64, forward and
    backward: 1.5 ms against 15 – 25 of a loop under autograd, on one core.
    """
    blocks = len(b) // BLOCK
    if blocks > 2 and (torch.compiler.is_exporting() or b.device.type != "cpu" or b[0].numel() < SMALL):
        body = blocks * BLOCK
        own, rest = (slice(0, body), slice(body, None)) if way > 0 else (slice(len(b) - body, None), slice(0, len(b) - body))
        steps = list(zip(*(part[own].unflatten(0, (blocks, BLOCK)).unbind(1) for part in (a, b, out)), strict=True))[::way]
        kept, end = steps[0][0].clone(), steps[0][1].clone()
        for gate, new, _ in steps[1:]:
            torch.addcmul(new, gate, end, out=end)
            kept.mul_(gate)
        starts = end.new_empty(blocks + 1, *end.shape[1:])
        border = starts.unbind(0)[::way]
        border[0].copy_(state)
        for before, after, gate, new in zip(border, border[1:], kept.unbind(0)[::way], end.unbind(0)[::way], strict=False):
            torch.addcmul(new, gate, before, out=after)
        within = starts[:-1] if way > 0 else starts[1:]
        for gate, new, now in steps:
            within = torch.addcmul(new, gate, within, out=now)
        a, b, out, state = a[rest], b[rest], out[rest], border[-1]
    for gate, new, now in list(zip(a.unbind(0), b.unbind(0), out.unbind(0), strict=True))[::way]:
        state = torch.addcmul(new, gate, state, out=now)


class _Complex(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, turn: Tensor, x: Tensor, truncate: int) -> Tensor:
        h = turned_through(turn, x, BLOCK, True, 1)
        ctx.save_for_backward(turn, h)
        ctx.truncate = truncate
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        turn, h = ctx.saved_tensors
        re, im = turn.chunk(2, -1)
        back = torch.cat([re, -im], -1)                                       # times the conjugate of λ
        dx = turned_through(back, grad, ctx.truncate or BLOCK, not ctx.truncate, -1)
        (gr, gi), (hr, hi) = (part.chunk(2, -1) for part in (dx[1:], h[:-1]))
        dturn = torch.cat([(gr * hr).add_(gi * hi), (gi * hr).sub_(gr * hi)], -1).sum(tuple(range(h.dim() - turn.dim())))
        return dturn, dx, None


def turned_through(turn: Tensor, x: Tensor, block: int, joined: bool, way: int) -> Tensor:
    """The complex recurrence in blocks of steps side by side, each joined to the end of the one before, or each by itself."""
    size = turn.shape[-1] // 2
    blocks = -(-len(x) // block)
    h = x.new_empty(blocks * block, *x.shape[1:])
    h[:len(x)] = x
    h[len(x):] = 0                                                           # nothing comes of what is after the end
    cut = h.unflatten(0, (blocks, block))
    re, im = turn.split(size, -1)

    def pull(now: tuple[Tensor, Tensor], before: tuple[Tensor, Tensor], by: tuple[Tensor, Tensor]) -> None:
        now[0].addcmul_(by[0], before[0]).addcmul_(by[1], before[1], value=-1)
        now[1].addcmul_(by[0], before[1]).addcmul_(by[1], before[0])

    steps = [step.split(size, -1) for step in cut.unbind(1)][::way]
    for before, now in pairwise(steps):
        pull(now, before, (re, im))
    if joined and blocks > 1:
        powers = [(re, im)]                                                  # λ, λ² … λ^block
        for _ in range(block - 1):
            r, i = powers[-1]
            powers.append((re * r - im * i, re * i + im * r))
        last = cut[:, -1 if way > 0 else 0]
        ends = [end.split(size, -1) for end in last.unbind(0)][::way]
        for before, now in pairwise(ends):
            pull(now, before, powers[-1])
        later = slice(1, None) if way > 0 else slice(None, -1)
        starts = (last[:-1] if way > 0 else last[1:]).split(size, -1)
        for step, power in zip(steps[:-1], powers, strict=False):
            pull((step[0][later], step[1][later]), starts, power)
    return h[:len(x)]


class _Elman(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, truncate: int, slope: float | None) -> Tensor:
        """slope: of a ReLU below zero; None: tanh."""
        h = x.clone(memory_format=torch.contiguous_format)
        state = torch.zeros_like(h[0])
        for step in h.unbind(0):
            step.baddbmm_(state, weight)
            state = step.tanh_() if slope is None else step.clamp_(0, LARGEST) if not slope else bent(step, slope)
        ctx.save_for_backward(h, weight)
        ctx.truncate, ctx.slope = truncate, slope
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        h, weight = ctx.saved_tensors
        dx = 1 - h * h if ctx.slope is None else torch.where(h > 0, 1.0, ctx.slope).to(h.dtype) * (h.abs() < LARGEST)
        dh = grad.clone()
        back, slopes, grads = weight.transpose(1, 2).contiguous(), dx.unbind(0), dh.unbind(0)
        for t in range(len(h) - 1, -1, -1):
            slopes[t].mul_(grads[t])                                         # dx is times ∂/∂h from here on
            if t and not (ctx.truncate and t % ctx.truncate == 0):
                grads[t - 1].baddbmm_(slopes[t], back)
        return dx, per_group(before(h), dx), None, None


def bent(x: Tensor, slope: float) -> Tensor:
    """A leaky ReLU in place."""
    return torch.nn.functional.leaky_relu_(x, slope).clamp_(-LARGEST, LARGEST)


class _Mgu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, truncate: int) -> Tensor:
        f, n = (part.clone(memory_format=torch.contiguous_format) for part in x.chunk(2, -1))
        forget, renew = (part.contiguous() for part in weight.chunk(2, -1))
        h = torch.empty_like(f)
        state = torch.zeros_like(h[0])
        for gate, new, out in zip(f.unbind(0), n.unbind(0), h.unbind(0), strict=True):
            gate.baddbmm_(state, forget).sigmoid_()
            new.baddbmm_(gate * state, renew).tanh_()
            state = torch.lerp(state, new, gate, out=out)
        ctx.save_for_backward(f, n, h, weight)
        ctx.truncate = truncate
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        f, n, h, weight = ctx.saved_tensors
        earlier, steep = before(h), f * (1 - f)
        dn, df = (1 - n * n).mul_(f), (n - earlier).mul_(steep)              # slopes, then times ∂/∂h
        steep.mul_(earlier)                                                  # … of f as what f ⊙ h holds
        forget, renew = (part.transpose(1, 2).contiguous() for part in weight.chunk(2, -1))
        dh, keep = grad.clone(), 1 - f
        rows = [part.unbind(0) for part in (dn, df, steep, f, keep, dh)]
        for t in range(len(h) - 1, -1, -1):
            new, gate, by, share, kept, now = (row[t] for row in rows)
            held = new.mul_(now).bmm(renew)                                  # ∂/∂(f ⊙ h)
            gate.mul_(now).addcmul_(held, by)
            if t and not (ctx.truncate and t % ctx.truncate == 0):
                rows[-1][t - 1].addcmul_(now, kept).addcmul_(held, share).baddbmm_(gate, forget)
        dweight = torch.cat([per_group(earlier, df), per_group(earlier * f, dn)], -1)
        return torch.cat([df, dn], -1), dweight, None


class _Peephole(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, peep: Tensor, truncate: int) -> Tensor:
        gates = x.clone(memory_format=torch.contiguous_format).unflatten(-1, (4, -1))     # (T, G, B, 4, U): becomes i, f, n, o
        h, c = torch.empty_like(gates[..., 0, :]), torch.empty_like(gates[..., 0, :])
        state, cell = torch.zeros_like(h[0]), torch.zeros_like(h[0])
        guard, show = peep[:, None, :2], peep[:, None, 2]
        parts = (gates.flatten(-2), gates[..., :2, :], *gates.unbind(-2), c, h)
        for all_four, both, i, f, n, o, memory, out in zip(*(part.unbind(0) for part in parts), strict=True):
            all_four.baddbmm_(state, weight)
            both.addcmul_(guard, cell.unsqueeze(-2)).sigmoid_()
            cell = torch.mul(f, cell, out=memory).addcmul_(i, n.tanh_())
            o.addcmul_(show, cell).sigmoid_()
            state = torch.mul(o, cell.tanh(), out=out)
        ctx.save_for_backward(gates, c, weight, peep)
        ctx.truncate = truncate
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        gates, c, weight, peep = ctx.saved_tensors
        i, f, n, o = gates.unbind(-2)
        earlier, shown = before(c), c.tanh()
        slope = (1 - shown * shown).mul_(o)                                  # of h by c
        dgates = torch.empty_like(gates)                                     # each gate's slope, then times ∂/∂h or ∂/∂c
        dgates[..., 0, :] = n * i * (1 - i)
        dgates[..., 1, :] = earlier * f * (1 - f)
        dgates[..., 2, :] = i * (1 - n * n)
        dgates[..., 3, :] = shown * o * (1 - o)
        dh, dc, flat = grad.clone(), torch.zeros_like(c[0]), dgates.flatten(-2)
        back = weight.transpose(1, 2).contiguous()
        p_i, p_f, p_o = peep[:, None].unbind(2)
        rows = [part.unbind(0) for part in (dgates[..., :3, :], *dgates.unbind(-2), flat, slope, f, dh)]
        for t in range(len(c) - 1, -1, -1):
            three, di, df, _, do, row, by, keep, now = (part[t] for part in rows)
            do.mul_(now)
            dc = dc.addcmul_(now, by).addcmul_(do, p_o)
            three.mul_(dc.unsqueeze(-2))
            if t and not (ctx.truncate and t % ctx.truncate == 0):
                rows[-1][t - 1].baddbmm_(row, back)
                dc = dc.mul_(keep).addcmul_(di, p_i).addcmul_(df, p_f)
            else:
                dc = torch.zeros_like(dc)
        seen = torch.stack([earlier, earlier, c], -2)
        dpeep = (dgates[..., (0, 1, 3), :] * seen).sum((0, 2))
        return flat, per_group(before(o * shown), flat), dpeep, None


class _Gru(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, truncate: int) -> Tensor:
        units = x.shape[-1] // 3
        gates = x.clone(memory_format=torch.contiguous_format)               # becomes r, z and h W_n + bias
        new = gates[..., 2 * units:].clone()                                 # becomes n
        gates[..., 2 * units:] = bias[:, None]
        h = torch.empty_like(new)
        state = torch.zeros_like(h[0])
        parts = (gates, gates[..., :2 * units], *gates.split(units, -1), new, h)
        for all_three, both, r, z, recalled, n, out in zip(*(part.unbind(0) for part in parts), strict=True):
            all_three.baddbmm_(state, weight)
            both.sigmoid_()
            n.addcmul_(r, recalled).tanh_()
            state = torch.lerp(n, state, z, out=out)
        ctx.save_for_backward(gates, new, h, weight)
        ctx.truncate = truncate
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        gates, n, h, weight = ctx.saved_tensors
        units = h.shape[-1]
        r, z, recalled = gates.split(units, -1)
        earlier = before(h)
        slope = (1 - n * n).mul_(1 - z)                                      # ∂h/∂(what is under tanh)
        dgates = gates.new_empty(*h.shape[:-1], 3, units)                    # each gate's slope, then times ∂/∂h
        torch.mul(slope, r, out=dgates[..., 2, :])
        torch.mul(dgates[..., 2, :] * recalled, 1 - r, out=dgates[..., 0, :])
        torch.mul((earlier - n).mul_(z), 1 - z, out=dgates[..., 1, :])
        dh = grad.clone()
        flat = dgates.flatten(-2)
        back = weight.transpose(1, 2).contiguous()
        slopes, rows, keeps, grads, spread = (part.unbind(0) for part in (dgates, flat, z, dh, dh.unsqueeze(-2)))
        for t in range(len(h) - 1, -1, -1):
            slopes[t].mul_(spread[t])
            if t and not (ctx.truncate and t % ctx.truncate == 0):
                grads[t - 1].addcmul_(grads[t], keeps[t]).baddbmm_(rows[t], back)
        dweight, dbias = per_group(earlier, flat), dgates[..., 2, :].sum((0, 2))
        dgates[..., 2, :] = dh * slope
        return flat, dweight, dbias, None


def before(h: Tensor) -> Tensor:
    """h one step earlier, zero at the first."""
    return torch.cat([torch.zeros_like(h[:1]), h[:-1]])


def per_group(left: Tensor, right: Tensor) -> Tensor:
    """Σ over T and B of left (T, G, B, U) ⊗ right (T, G, B, V) → (G, U, V)."""
    left, right = (part.transpose(0, 1).flatten(1, 2) for part in (left, right))
    return left.transpose(1, 2) @ right
