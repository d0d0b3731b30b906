"""Settled claims → claims.html, claims.md and claims.json: pure functions of what was found; nothing is measured or fetched."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bakeoff.claims.base import VERDICTS, Finding, Said
from bakeoff.claims.draw import value_text
from bakeoff.claims.settle import Settled, command, together, write_list
from bakeoff.report import palette
from bakeoff.report.format import count, duration, listing, plain, size
from bakeoff.report.render import TEMPLATES, policy
from bakeoff.train.record import write_whole

WORDS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")
COUNTED = {"holds": ("holds", "hold"), "holds if": ("holds under a condition", "hold under a condition"),
           "does not hold": ("does not hold", "do not hold"), "cannot tell": ("cannot be told yet", "cannot be told yet")}     # one, several
TERMS = (
    ("rnn, lstm, gru", "recurrent networks: they carry a memory from step to step. lstm and gru have gates, which decide what is kept; rnn has none"),
    ("mingru, lru, mamba", "recurrent networks whose memory is linear in the one before it, so that blocks of steps go at once"),
    ("irnn", "a plain recurrent network of ReLUs that begins by passing its memory on as it is"),
    ("tcn, fcn, resnet, textcnn, convnext, inception", "convolutional networks: filters that look at neighbouring cells; a tcn's look far and wide"),
    ("transformer, mlp", "for comparison: attention, where every cell looks at every other; and a dense network, which shares no weights"),
    ("receptive field, or view", "how many steps back a convolutional network sees; lag: how many steps ago what is asked for was shown"),
    ("exponent", "1: twice the size costs twice as much; 2: four times; 0: no more"),
    ("multiply-adds", "what a network must compute, counted; the same on every machine"),
    ("kernel", "a piece of work that is handed to the processor as one; those that need each other's results go one after the other"),
    ("seed", "where chance begins: other seeds, other starting weights and examples"),
    ("95 % interval", "where the value may lie, judged by how much it varies between seeds, repeats or cases"),
)
AFTER = " † stands where a rule or an experiment was changed after a look at numbers ({}); what was changed stands under the rule."
LEADS = {"holds if": "It holds if", "cannot tell": "What would tell:"}      # what stands before a finding's condition


def write_pages(folder: Path, settled: Sequence[Settled]) -> None:
    """All three, each replaced in one step."""
    write_list(folder, settled)
    write_whole(folder / "claims.md", markdown(settled))
    write_whole(folder / "claims.html", html(settled))


def html(settled: Sequence[Settled]) -> str:
    """One file, no network; light and dark; nothing that was measured or named can become markup."""
    environment = Environment(loader=FileSystemLoader([Path(__file__).parent, TEMPLATES]), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)
    light, dark = (Markup(palette.css(colours)) for colours in (palette.LIGHT, palette.DARK))
    style = environment.get_template("style.html").render(light=light, dark=dark, groups=palette.GROUPS, panels=range(1, 2))
    script = (TEMPLATES / "script.html").read_text(encoding="utf-8")
    return environment.get_template("claims.html").render(
        style=Markup(style), script=Markup(script), policy=policy(script), claims=[told(one) for one in settled], title=title(settled),
        summary=summary(settled), changed=changed(settled), command=together(settled), terms=TERMS, around=around(settled), verdicts=VERDICTS,
        seconds=duration(sum(one.seconds for one in settled)))


def title(settled: Sequence[Settled]) -> str:
    return f"{in_words(len(settled))} thing{'s' if len(settled) != 1 else ''} said of convolutional and recurrent networks, put to the test"


def summary(settled: Sequence[Settled]) -> str:
    """'Three hold, four hold under a condition, two do not hold, one cannot be told yet.'"""
    found = Counter(one.finding.verdict for one in settled)
    parts = [f"{in_words(found[verdict])} {COUNTED[verdict][found[verdict] != 1]}" for verdict in VERDICTS if found[verdict]]
    words = ", ".join(part if not place else part[0].lower() + part[1:] for place, part in enumerate(parts))
    return f"{words}." if words else "Nothing has been settled."


def changed(settled: Sequence[Settled]) -> str:
    """'seven of these ten'; '' where nothing was changed."""
    many = sum(bool(one.claim.changed) for one in settled)
    return f"{in_words(many).lower()} of these {in_words(len(settled)).lower()}" if many else ""


def upper(words: str) -> str:
    """With a capital, as a sentence begins."""
    return words[:1].upper() + words[1:]


def in_words(number: int) -> str:
    return WORDS[number] if number < len(WORDS) else count(number)


def told(one: Settled) -> dict[str, Any]:
    """What the template sets of a claim."""
    claim, finding = one.claim, one.finding
    words = {name: plain(getattr(claim, name)) for name in ("id", "statement", "experiment", "rule", "limits", "changed")}
    words["statement"] = words["statement"].rstrip(".")
    plots = [plot._replace(title=plain(plot.title), sentence=plain(plot.sentence), head=[plain(cell) for cell in plot.head],
                           rows=[[plain(cell) for cell in cells] for cells in plot.rows]) for plot in one.plots]
    asserted = [(plain(said.words), plain(said.where), plain(answer)) for said, answer in answered(one)]
    return {**words, "asserted": asserted, "verdict": finding.verdict,
            "sentence": plain(finding.sentence), "condition": condition(finding), "what": plain(upper(finding.what)),
            "value": "" if finding.value is None else value_text(finding.value), "interval": interval(finding),
            "plots": plots, "command": again(one), "spent": spent(one)}


def answered(one: Settled) -> list[tuple[Said, str]]:
    """Each statement as met, and what was found of it ('' where nothing is said)."""
    return [(said, one.answers[place] if place < len(one.answers) else "") for place, said in enumerate(one.claim.asserted)]


def condition(finding: Finding) -> str:
    """'It holds if …', 'What would tell: …', or nothing."""
    return plain(f"{LEADS.get(finding.verdict, '')} {finding.condition.rstrip('.')}.".strip()) if finding.condition else ""


def interval(finding: Finding) -> str:
    if finding.low is None or finding.high is None:
        return ""
    return f"{value_text(finding.low)} – {value_text(finding.high)}"


def again(one: Settled) -> str:
    """The command that settles this claim again; the folder of its data has another name elsewhere."""
    return command([one.claim.id], int(one.record["seed"]), None, "FOLDER" if one.claim.needs_data else None)


def spent(one: Settled) -> str:
    data = f", data from {plain(one.record['data'])}" if one.record["data"] else ""
    return f"{duration(one.seconds)} on {one.record['made']}, seed {one.record['seed']}{data}"


def around(settled: Sequence[Settled]) -> list[tuple[str, str]]:
    """Where and with what it was measured; more than one machine or version where claims were settled apart."""
    def all_of(name: str, write: Any) -> str:
        return "; ".join(dict.fromkeys(plain(write(one.record[name])) for one in settled))

    def where(machine: Any) -> str:
        memory = f", {size(machine['memory_bytes'])} of memory" if machine["memory_bytes"] else ""
        return f"{machine['cpu']}, {machine['cores']} core{'s' if machine['cores'] != 1 else ''}{memory}, {machine['platform']}"

    def releases(versions: Any) -> str:
        return ", ".join(f"{name} {version}" for name, version in versions.items())

    if not settled:
        return []
    return [("machine", all_of("machine", where)), ("versions", all_of("versions", releases)),
            ("measured", all_of("made", str)), ("seed", listing(sorted({one.record["seed"] for one in settled}))),
            ("time in all", duration(sum(one.seconds for one in settled)))]


# ---------------------------------------------------------------------- Markdown

def markdown(settled: Sequence[Settled]) -> str:
    """The same page for reading in a repository: plots as their tables."""
    lines = [f"# {title(settled)}", "", f"{summary(settled)} Each statement was turned into an experiment, with a rule for its verdict that "
             f"is tested on made-up outcomes both ways.{AFTER.format(changed(settled)) if changed(settled) else ''} The same page with pictures: "
             "`claims.html`.", "",
             "| claim | verdict | number | 95 % interval | of what |", "|---|---|---|---|---|"]
    for one in settled:
        finding = one.finding
        lines.append(row([f"[{escaped(one.claim.statement.rstrip('.'))}](#{one.claim.id}){' †' if one.claim.changed else ''}",
                          f"**{finding.verdict}**",
                          "" if finding.value is None else value_text(finding.value), interval(finding), escaped(upper(finding.what))]))
    lines += ["", "## Words and names", "", *(f"- **{escaped(name)}**: {escaped(meaning)}" for name, meaning in TERMS)]
    for one in settled:
        lines += ["", *section(one)]
    lines += ["", "## Where it was measured", "", *(f"- {name}: {escaped(value)}" for name, value in around(settled))]
    return "\n".join(lines) + "\n"


def section(one: Settled) -> list[str]:
    claim, finding = one.claim, one.finding
    number = f" {escaped(upper(finding.what))}: {value_text(finding.value)}" if finding.value is not None else ""
    number += f" (95 % {interval(finding)})" if interval(finding) else ""
    lines = [f"## {claim.id}", "", f"*{escaped(claim.statement)}*", "", f"**{finding.verdict}**. {escaped(finding.sentence)}"
             + (f" {escaped(condition(finding))}" if finding.condition else "") + (f"{number}." if number else ""), "",
             "As it is said, in short:", ""]
    lines += [f"- {escaped(said.words)} – *{escaped(said.where)}*{f' → {escaped(answer)}' if answer else ''}" for said, answer in answered(one)]
    lines += ["", f"**Experiment.** {escaped(claim.experiment)}", "", f"**Rule.** {escaped(claim.rule)}"]
    lines += ["", f"**Changed after a first look.** {escaped(claim.changed)}"] if claim.changed else []
    for plot in one.plots:
        lines += ["", f"**{escaped(plot.title)}.** {escaped(plot.sentence)}", "", row(map(escaped, plot.head)), f"|{'---|' * len(plot.head)}",
                  *(row(map(escaped, cells)) for cells in plot.rows)]
    return [*lines, "", f"**What it cannot show.** {escaped(claim.limits)}", "", f"`{again(one)}` – {escaped(spent(one))}"]


def row(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(words: object) -> str:
    """Text that Markdown sets as it stands."""
    return re.sub(r"([\\`*_\[\]|#])", r"\\\1", plain(words).replace("&", "&amp;").replace("<", "&lt;"))
