"""The transformer against torch's own encoder layer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bakeoff.models.attention.transformer import Transformer
from bakeoff.nn.position import sinusoids


def torchs(layer: nn.Module, heads: int, activation: str) -> nn.TransformerEncoderLayer:
    """torch's layer with the weights of ours."""
    twin = nn.TransformerEncoderLayer(16, heads, 32, 0.0, activation, batch_first=True, norm_first=True, dtype=torch.double)
    norm, first, _, second = layer.feed
    for theirs, ours in [(twin.self_attn.in_proj_weight, layer.attend.ask.weight), (twin.self_attn.in_proj_bias, layer.attend.ask.bias),
                         (twin.self_attn.out_proj.weight, layer.attend.mix.weight), (twin.self_attn.out_proj.bias, layer.attend.mix.bias),
                         (twin.norm1.weight, layer.attend.norm.weight), (twin.norm1.bias, layer.attend.norm.bias),
                         (twin.norm2.weight, norm.weight), (twin.norm2.bias, norm.bias),
                         (twin.linear1.weight, first.weight), (twin.linear1.bias, first.bias),
                         (twin.linear2.weight, second.weight), (twin.linear2.bias, second.bias)]:
        with torch.no_grad():
            theirs.copy_(ours)
    return twin


@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_its_layers_are_torchs_with_the_norm_first(doubled: Callable, causal: bool, activation: str) -> None:
    encoder = doubled(Transformer(16, rank=1, sizes=(None,), causal=causal, depth=2, heads=2, activation=activation))
    twins = [torchs(layer, 2, activation) for layer in encoder.body.layers]
    mask = nn.Transformer.generate_square_subsequent_mask(9, dtype=torch.double) if causal else None
    x = torch.randn(2, 9, 16, dtype=torch.double, requires_grad=True)
    y = x + sinusoids((9,), 16, x.device)
    for twin in twins:
        y = twin(y, src_mask=mask)
    expected, ours = encoder.body.norm(y), encoder((x, None)).x
    torch.testing.assert_close(ours, expected)
    pull = torch.randn_like(expected)
    mine = torch.autograd.grad((ours * pull).sum(), [x, *(layer.attend.ask.weight for layer in encoder.body.layers)])
    theirs = torch.autograd.grad((expected * pull).sum(), [x, *(twin.self_attn.in_proj_weight for twin in twins)])
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b)


def test_rotary_attention_weighs_by_content_and_distance(doubled: Callable, assert_twins: Callable) -> None:
    encoder = doubled(Transformer(16, rank=1, sizes=(None,), heads=2, position="rotary"))
    (layer,) = encoder.body.layers
    rate = 1e4 ** (-torch.arange(4, dtype=torch.double) / 4)

    def turned(k: Tensor, distance: int) -> Tensor:
        cos, sin = (distance * rate).cos(), (distance * rate).sin()
        return torch.cat([k[..., :4] * cos - k[..., 4:] * sin, k[..., :4] * sin + k[..., 4:] * cos], -1)

    def twin(x: Tensor) -> Tensor:
        q, k, v = layer.attend.ask(layer.attend.norm(x)).unflatten(-1, (3, 2, 8)).unbind(2)                   # (B, L, heads, 8)
        mixed = []
        for i in range(x.shape[1]):
            scores = torch.stack([(q[:, i] * turned(k[:, j], j - i)).sum(-1) / 8 ** 0.5 for j in range(x.shape[1])], -1)
            mixed.append(torch.einsum("bhl,blhd->bhd", scores.softmax(-1), v).flatten(1))
        x = x + layer.attend.mix(torch.stack(mixed, 1))
        return encoder.body.norm(x + layer.feed(x))

    assert_twins(encoder, twin, torch.randn(2, 5, 16, dtype=torch.double))
