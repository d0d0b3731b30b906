"""What contenders write behind the same words, where that is the task: read from written.json, never sampled here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from bakeoff.report.format import HARMFUL, plain, significant
from bakeoff.report.palette import mark
from bakeoff.report.view import View

PROMPT, TEXT = 160, 1200                      # most characters


class Passage(NamedTuple):
    """prompt: the end of what was given; mark: of the contender's group."""

    name: str
    mark: str
    prompt: str
    text: str


class Written(NamedTuple):
    how: str
    passages: list[Passage]


def build(view: View) -> Written | None:
    """None where nothing was written."""
    record = view.run.written
    said = {str(name): str(text) for name, text in (record.get("written") or {}).items()}
    if not said:
        return None
    drawing, given = record.get("drawing") or {}, clean(str(record.get("prompt", "")))[-PROMPT:]
    how = (f"Pale: the end of what stands before the first test example. Behind it each wrote {number(drawing, 'length')} tokens at "
           f"temperature {number(drawing, 'temperature')}, drawn with seed {number(drawing, 'seed')}.")
    return Written(how, [Passage(plain(name), mark(view.run.group(name)), given, clean(text)[:TEXT]) for name, text in said.items()])


def number(drawing: Mapping[str, Any], name: str) -> str:
    return significant(float(drawing.get(name, math.nan)))


def clean(text: str) -> str:
    """Line breaks are kept; signs that could harm the page are not."""
    return HARMFUL.sub("\ufffd", text)
