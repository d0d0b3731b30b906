"""Where contenders looked when they wrote: read from looked.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from bakeoff.report.format import percent, plain, short
from bakeoff.report.plots.looks import looks
from bakeoff.report.view import NARROW, Figure, Table, View

WIDE = 400.0
HOW = ("Rows: words that were read; columns: words that were written, in their order. The stronger a square, the more was the row's word "
       "looked at when the column's was written. A slanting line is a translation word by word, a square off it a word that changed its "
       "place, an even column a word written without looking. A word also stands for what the network had read around it.")


def whose(view: View) -> list[str]:
    """Contenders that looked, in the order of the leaderboard."""
    names = {name for one in view.run.looked.get("examples") or () for name, look in one["looks"].items() if drawable(one, look)}
    return [row.contender for row in view.run.ranked if row.contender in names]


def drawable(one: Mapping[str, Any], look: Mapping[str, Any]) -> bool:
    return bool(one.get("read") and look.get("written") and look.get("shares"))


def figures(view: View) -> list[Figure]:
    """One per contender that looked."""
    return [figure(view, name) for name in whose(view)]


def figure(view: View, name: str) -> Figure:
    shown = [(one, one["looks"][name]) for one in view.run.looked["examples"]
             if name in one["looks"] and drawable(one, one["looks"][name])]
    most = [max(row) for _, look in shown for row in look["shares"]]
    even = [1 / look["of"] for _, look in shown for _ in look["shares"]]
    finding = (f"Of each look, {plain(name)} gives {percent(mean(most))} to the one word that it looks at most; an even look would give "
               f"each {percent(mean(even))}.")
    charts = []
    for width in (WIDE, NARROW):
        drawn = [looks(one["read"], look["written"], look["shares"], view.run.group(name), width, told(one, look)) for one, look in shown]
        charts.append(Markup('<div class="pair">{}</div>').format(Markup("").join(drawn)))
    rows = [[plain(one["key"]), short(word, 40), short(one["read"][row.index(max(row))], 40), percent(max(row))]
            for one, look in shown for word, row in zip(look["written"], look["shares"], strict=True)]
    return Figure(finding, HOW, charts[0], charts[1], Table(["test example", "written", "looked at most", "share"], rows), plain(name))


def told(one: Mapping[str, Any], look: Mapping[str, Any]) -> str:
    """The picture in words."""
    pairs = (f"{word} from {one['read'][row.index(max(row))]}" for word, row in zip(look["written"], look["shares"], strict=True))
    return f"{plain(one['key'])}: {', '.join(map(plain, pairs))}"


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
