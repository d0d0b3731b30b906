"""Colours can be told apart and read, by numbers."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from bakeoff.registry import GROUPS
from bakeoff.report.palette import DARK, LIGHT, css, mark
from bakeoff.report.palette import GROUPS as COLOURED

READABLE = 4.5
APART = 0.08                                  # in OKLab under simulated colour blindness; several times what is just seen
WORDS = ("ink", "soft", *COLOURED)
# Machado, Oliveira, Fernandes 2009, severity 1, https://doi.org/10.1109/TVCG.2009.113
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}


def linear(colour: str) -> np.ndarray:
    """'#1763d8' → linear red, green, blue."""
    share = np.array([int(colour[k:k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2: (lighter + .05) / (darker + .05)."""
    dark, light = sorted(float(linear(colour) @ (0.2126, 0.7152, 0.0722)) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    """Ottosson 2020, https://bottosson.github.io/posts/oklab"""
    cones = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                      [0.0883024619, 0.2817188376, 0.6299787005]])
    axes = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                     [0.0259040371, 0.7827717662, -0.8086757660]])
    return axes @ np.cbrt(np.clip(cones @ np.clip(rgb, 0, 1), 0, None))


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "band"])
@pytest.mark.parametrize("word", WORDS)
def test_every_colour_of_text_is_readable_on_page_and_shading(colours, ground, word):
    assert contrast(colours[word], colours[ground]) >= READABLE


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_numbers_are_readable_on_the_darkest_tint(colours):
    assert contrast(colours["ink"], colours["tint"]) >= READABLE
    assert contrast(colours["paper"], colours["ink"]) >= READABLE


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("sight", SIGHTS)
def test_groups_stay_apart_for_every_sight(colours, sight):
    seen = {group: oklab(SIGHTS[sight] @ linear(colours[group])) for group in COLOURED}
    near = {pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in combinations(COLOURED, 2)}
    assert {pair: distance for pair, distance in near.items() if distance < APART} == {}


def test_every_group_has_a_colour_and_an_unknown_one_is_drawn_in_ink():
    assert COLOURED == GROUPS
    assert set(GROUPS) <= set(LIGHT) == set(DARK)
    assert mark("conv") == "g-conv"
    assert mark('"><script>') == "g-other"
    assert "--conv:#b8421a" in css(LIGHT)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_baselines_and_pretrained_are_grey(colours):
    for group in ("baseline", "pretrained"):
        assert float(np.linalg.norm(oklab(linear(colours[group]))[1:])) < 0.02
