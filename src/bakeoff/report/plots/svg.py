"""Elements, scales, ticks and the width of a text: what every chart is made of.

Colours come from the page (classes and custom properties), so that a chart follows the light or dark scheme. Whatever
is not Markup is escaped.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup, escape

from bakeoff.report.format import plain, short

SMALL, TEXT = 12, 13                          # px: nothing is smaller than 12
NARROW_LETTERS, WIDE_LETTERS = frozenset("fijlrtI.,:;|!()[]{}'/ -–"), frozenset("mwMW@%…—")


class Box(NamedTuple):
    """A rectangle in px."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box, gap: float = 0.0) -> bool:
        return (self.left < other.right + gap and other.left < self.right + gap
                and self.top < other.bottom + gap and other.top < self.bottom + gap)

    def inside(self, other: Box) -> bool:
        return self.left >= other.left and self.right <= other.right and self.top >= other.top and self.bottom <= other.bottom


def el(name: str, *inside: object, **attributes: object) -> Markup:
    """`<name …>inside</name>`; class_ → class, stroke_width → stroke-width; None is left out; numbers to a tenth of a px."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(number(value))}"' for key, value in attributes.items() if value is not None
    )
    body = Markup("").join(child if isinstance(child, Markup) else escape(child) for child in inside)
    return Markup(f"<{name}{written}>{body}</{name}>" if body else f"<{name}{written}/>")


def number(value: object) -> object:
    """A float to a tenth of a px, which is as fine as a screen shows; anything else as it is."""
    if not isinstance(value, float):
        return value
    written = f"{value:.1f}".removesuffix(".0")
    return "0" if written == "-0" else written


def chart(width: float, height: float, *inside: object, label: str, kind: str = "") -> Markup:
    """A whole picture. label: what a screen reader says for it; the table behind it has the numbers."""
    return el("svg", *inside, class_=f"chart {kind}".strip(), viewBox=f"0 0 {width:g} {height:g}", width=width, height=height, role="img",
              aria_label=plain(label))


def text(
    x: float, y: float, words: object, *, anchor: str | None = None, kind: str = "", most: int | None = None, **attributes: object
) -> Markup:
    """y is the line's middle."""
    said = plain(words) if most is None else short(words, most)
    return el("text", said, x=float(x), y=float(y), text_anchor=anchor, class_=kind or None, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, kind: str, **attributes: object) -> Markup:
    return el("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=kind, **attributes)


def path(points: Iterable[tuple[float, float]], kind: str, **attributes: object) -> Markup:
    """A line through the points."""
    return el("path", d="M" + "L".join(f"{number(float(x))},{number(float(y))}" for x, y in points), class_=kind, **attributes)


def steps(points: Sequence[tuple[float, float]], kind: str, **attributes: object) -> Markup:
    """A staircase: level until the next point's x."""
    if not points:
        return Markup("")
    d = f"M{number(float(points[0][0]))},{number(float(points[0][1]))}"
    for x, y in points[1:]:
        d += f"H{number(float(x))}V{number(float(y))}"
    return el("path", d=d, class_=kind, **attributes)


def measured(words: str, size: float = TEXT) -> float:
    """About how wide a text is set, in px; on the safe side for common sans-serif fonts."""
    units = 0.0
    for letter in words:
        if unicodedata.combining(letter):
            continue
        if unicodedata.east_asian_width(letter) in "WF" or ord(letter) > 0x2fff:
            units += 1.25
        else:
            units += 0.34 if letter in NARROW_LETTERS else 0.92 if letter in WIDE_LETTERS else 0.72 if letter.isupper() else 0.585
    return units * size


def fitting(words: object, width: float, size: float = TEXT) -> str:
    """As much of a text as fits the width."""
    whole = plain(words)
    if measured(whole, size) <= width:
        return whole
    most = len(whole)
    while most > 2 and measured(short(whole, most), size) > width:
        most -= 1
    return short(whole, most)


@dataclass(frozen=True)
class Scale:
    """Values → px, linear or logarithmic; outside [low, high] they stay at the nearer end."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        value = min(max(value, self.low), self.high)
        if self.high == self.low:
            return (self.start + self.end) / 2
        share = math.log(value / self.low) / math.log(self.high / self.low) if self.log else (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def holds(self, value: float) -> bool:
        slack = 1e-9 * (self.high - self.low)
        return self.low - slack <= value <= self.high + slack

    def ticks(self, about: int = 5) -> list[float]:
        return log_ticks(self.low, self.high, about) if self.log else ticks(self.low, self.high, about)


def step_of(low: float, high: float, about: int = 5) -> float:
    """1, 2 or 5 times a power of ten: the one nearest to a step that gives `about` ticks."""
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return min((factor * power for factor in (1, 2, 5, 10)), key=lambda step: abs(math.log(step / raw)))


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers within [low, high]."""
    if not high > low:
        return [low]
    step = step_of(low, high, about)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Powers of ten, every second where there are many, 2 and 5 times them where there are few."""
    decades = math.log10(high / low)
    factors = (1, 2, 5) if decades < 1.2 else (1, 3) if decades < 2.2 else (1,)
    every = max(1, math.ceil(decades / max(about, 1)))
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [factor * 10.0 ** power for power in powers if power % every == 0 for factor in factors
            if low * (1 - 1e-9) <= factor * 10.0 ** power <= high * (1 + 1e-9)]


def tick_text(values: Sequence[float], bare: bool) -> Callable[[float], str]:
    """All ticks of an axis with the same decimals; bare: '.8' instead of '0.8'."""
    decimals = 0
    while decimals < 9 and any(abs(round(value, decimals) - value) > 1e-9 * max(1.0, abs(value)) for value in values):
        decimals += 1

    def write(value: float) -> str:
        if value == 0:
            return "0"
        words = f"{abs(value):,.{decimals}f}"
        words = words[1:] if bare and words.startswith("0.") else words
        return f"−{words}" if value < 0 else words
    return write
