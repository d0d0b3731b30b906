"""Which words that were read a word was written from: a shaded square for each two of them."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from bakeoff.report.format import percent, plain
from bakeoff.report.palette import mark
from bakeoff.report.plots.svg import SMALL, chart, el, fitting, measured, text

HIGH, MOST_WIDE = 17.0, 26.0                  # px of a square
LABELS = 92.0                                 # px of a word at most
SEEN, TOLD = 0.02, 0.1                        # shares below are not drawn, and have no words of their own


def looks(read: Sequence[str], written: Sequence[str], shares: Sequence[Sequence[float]], group: str, width: float, label: str) -> Markup:
    """Rows: words that were read; columns: words that were written; shares[column][row] of the column's look, 1: all of it."""
    left = min(max(measured(plain(word), SMALL) for word in read) + 10, LABELS)
    room = min(max(measured(plain(word), SMALL) for word in written), LABELS)
    slant = 12 + room * 0.72
    wide = min(MOST_WIDE, (width - left - slant) / len(written))
    top = 26 + slant
    parts = [text(0, 8, "read ↓   written →", kind="soft small"),
             el("rect", x=left, y=top, width=wide * len(written), height=HIGH * len(read), class_="band")]
    for k, word in enumerate(read):
        parts.append(text(left - 6, top + HIGH * (k + 0.5), fitting(word, left - 8, SMALL), anchor="end", kind="small"))
    for k, word in enumerate(written):
        x = left + wide * (k + 0.5)
        parts.append(text(x, top - 7, fitting(word, room, SMALL), kind="small", transform=f"rotate(-45 {x:.1f} {top - 7:.1f})"))
        for other, share in enumerate(shares[k]):
            if share < SEEN:
                continue
            tip = f"{plain(word)} ← {plain(read[other])}: {percent(share)}" if share >= TOLD else None
            parts.append(el("rect", x=left + wide * k + 0.5, y=top + HIGH * other + 0.5, width=wide - 1, height=HIGH - 1,
                            class_=f"one fill {mark(group)}", fill_opacity=f"{min(share, 1):.2f}", data_tip=tip))
    return chart(width, top + HIGH * len(read) + 4, *parts, label=label, kind="looks")
