"""Records → report.html: a pure function of a run's folder. Nothing is trained, fetched or written."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bakeoff.report import palette
from bakeoff.report.format import noun, plain
from bakeoff.report.records import read
from bakeoff.report.sections import compared, data, examples, failures, leaderboard, learnt, ledger, looked, settings, verdict, written
from bakeoff.report.view import View

TEMPLATES = Path(__file__).parent
PANELS = 8                                    # most figures in one switch


def render(folder: Path) -> str:
    """The whole page as text. Raises RunError where the folder is no finished run."""
    view = View.of(read(folder))
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    light, dark = (Markup(palette.css(colours)) for colours in (palette.LIGHT, palette.DARK))
    style = environment.get_template("style.html").render(light=light, dark=dark, groups=palette.GROUPS, panels=range(1, PANELS + 1))
    script = (TEMPLATES / "script.html").read_text(encoding="utf-8")
    return environment.get_template("template.html").render(style=Markup(style), script=Markup(script), policy=policy(script), **sections(view))


def sections(view: View) -> dict[str, Any]:
    """What the template sets, in the order of the page."""
    return {
        "title": plain(view.run.folder.name), "subtitle": subtitle(view), "verdict": verdict.build(view),
        "costs": compared.costs(view), "board": leaderboard.build(view), "pairs": compared.pairs(view),
        "curves": learnt.curves(view), "progress": learnt.progress(view),
        "drawn": view.run.drawn,
        "whole": view.run.whole,
        "failures": failures.figures(view), "failure_marks": [palette.mark(view.run.group(name)) for name in failures.asked(view)],
        "examples": examples.build(view), "written": written.build(view),
        "looked": looked.figures(view), "looked_marks": [palette.mark(view.run.group(name)) for name in looked.whose(view)],
        "data": data.build(view), "ledger": ledger.build(view), "settings": settings.build(view), "commands": settings.commands(view),
        "absent": [(plain(name), plain(why)) for name, why in view.absent.items()], "around": settings.surroundings(view),
        "version": plain(view.run.question.get("version", "")), "fingerprint": plain(view.run.question.get("fingerprint", ""))}


def policy(script: str) -> str:
    """The page's own security policy: nothing is fetched, and no script runs but this one."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def subtitle(view: View) -> str:
    """'1,797 images → classify · train 1,078, val 359, test 360'."""
    record = view.run.data
    counts = {name: int(number) for name, number in (record.get("counts") or {}).items() if number}
    kept = int(record.get("kept") or sum(counts.values()))
    parts = ", ".join(f"{name} {number:,}" for name, number in counts.items())
    return f"{noun(str(record.get('kind', '')), kept)} → {plain(record.get('task', ''))} · {parts}"
