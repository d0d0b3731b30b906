"""Writes the pages that are made: docs/reference/cli.md from the commands themselves, docs/reference/entries.md from the tiny data
sets of tests/contracts, docs/families.md from the contenders, docs/performance.md and docs/reproduction.md from the results of
benchmarks/speed and benchmarks/scores (tests hold that all are current); and with --run the excerpt and the picture in README.md, from a
real run of five minutes: scripts/docs --run [--budget 2m]."""

from __future__ import annotations

import ast
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from bakeoff.cli import app

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "cli.md"
ENTRIES = ROOT / "docs" / "reference" / "entries.md"
PERFORMANCE = ROOT / "docs" / "performance.md"
SPEED = ROOT / "benchmarks" / "speed" / "results"
FAMILIES = ROOT / "docs" / "families.md"
SCORES = ROOT / "benchmarks" / "scores"
REPRODUCTION = ROOT / "docs" / "reproduction.md"
PICTURE = ROOT / "docs" / "report.png"
HEAD = """# Commands

Written by `scripts/docs` from the commands themselves. Every option of `bakeoff run` is a parameter of `bakeoff.run` with the
same name. Exit codes: 0 done, 1 a defect of bakeoff, 2 something you can mend (one message: what – where – how), 130 stopped
by you (the line that goes on is printed). Results go to stdout, everything else to stderr; `-h` and `--version` work everywhere.
"""
WIDTH = 100
ENTRIES_HEAD = """# Who enters what

Written by `scripts/docs` from tiny data of every kind and task, on each of which the tests train a step of every contender that
enters. A number stands for the reason below the table.
"""

FAMILIES_HEAD = """# Families

Written by `scripts/docs` from the contenders themselves. What each can tune: `bakeoff families NAME --space`.

- **ranks**: numbers of axes that it reads as they are; others reach it through a fold.
- **causal**: it can read one way only, as what is written or foretold step by step wants. Its **step** then costs the same
  however much was read before ("constant"), or what it keeps grows ("grows"), or the past is read again ("again").
- **waits**: with what the number of steps grows that wait for one another, "nothing" where all cells go at once.
- **multiply-adds** of one forward pass on T cells at width D with the settings it starts from, embedding and head left out:
  counted at {lengths} cells and widths of {widths}, and fitted. For baselines, what is counted.
- **shown by**: the row of the published experiments that it was measured on (`benchmarks/scores/`), its value, and the bar.
"""


def page() -> str:
    """docs/reference/cli.md."""
    group = typer.main.get_command(app)
    with group.make_context("bakeoff", [], resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH) as context:
        parts = [HEAD]
        for name, command in group.commands.items():
            with command.make_context(f"bakeoff {name}", [], parent=context, resilient_parsing=True) as inner:
                parts.append(f"## bakeoff {name}\n\n```\n{command.get_help(inner).replace('bakeoff bakeoff', 'bakeoff').strip()}\n```\n")
    return "\n".join(parts)


def entries() -> str:
    """docs/reference/entries.md: contender × kind and task, with the reasons of those that do not enter."""
    sys.path.insert(0, str(ROOT / "tests"))
    from bakeoff.data.load import load
    from bakeoff.options import Options
    from bakeoff.registry import GROUPS
    from bakeoff.train.contender import contenders
    from bakeoff.train.setup import Setup
    from contracts.tiny import CELLS
    found = contenders()
    reasons: dict[str, int] = {}
    rows: dict[str, list[str]] = {name: [] for name in sorted(found, key=lambda name: (GROUPS.index(found[name].group), name))}
    with tempfile.TemporaryDirectory() as scratch:
        for cell in CELLS:
            (folder := Path(scratch) / str(cell)).mkdir()
            loaded = load(cell.make(folder), Options(**cell.options))
            for name, row in rows.items():
                why = found[name].why_not(loaded.spec, loaded.make_task(), Setup((), "", (), "", "", ()))
                why = None if why is None else why.replace(f"and {cell.task} asks", "and this task asks")
                row.append("✓" if why is None else str(reasons.setdefault(why, len(reasons) + 1)))
    kinds = [str(cell).replace("-", " ") for cell in CELLS]
    lines = [ENTRIES_HEAD, f"| contender | group | {' | '.join(kinds)} |", f"|---|---|{'---|' * len(kinds)}"]
    lines += [f"| `{name}` | {found[name].group} | {' | '.join(row)} |" for name, row in rows.items()]
    return "\n".join([*lines, "", *(f"{number}. {why}" for why, number in reasons.items())]) + "\n"


PERFORMANCE_HEAD = """# How fast it is

Written by `scripts/docs` from the result files of [`benchmarks/speed`](../benchmarks/speed), each of which says at its head what it does.
A number is good for one machine and one day; what can be compared are ratios, whose two sides were timed in turns in one process.
"""


def performance() -> str:
    """docs/performance.md: every bar of the speed benchmarks, and the families beside their plain versions and the machine's ceiling."""
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(SPEED.glob("*.json"))]
    families = next(one for one in records if one["benchmark"] == "families")
    lines = [PERFORMANCE_HEAD, "| benchmark | what | value | bar | |", "|---|---|---|---|---|"]
    for record in records:
        for bar in record["bars"]:
            sign = "≥" if bar["best"] == "high" else "≤"
            missed = "" if bar["met"] else "**missed**"
            lines.append(f"| `{record['benchmark']}` | {bar['what']} | {bar['value']:.3g} | {sign} {bar['limit']:g} | {missed} |")
    numbers, machine = families["numbers"], families["machine"]
    lines += ["", "## Families", "",
              "Forward and backward of an encoder at its starting setting, 32 examples of 128 cells (or 16 × 16), width 64, one thread, beside the "
              "straightforward module of torch.nn with the same layers; and operations a second, beside what a product of square matrices reaches "
              f"on the same core ({numbers['ceiling_gflops']:.0f} GFLOP/s). {machine['processor']}, {machine['cores']} cores, torch "
              f"{families['versions']['torch']}; other processes on it: {families['load'][0]:.1f}.", "",
              "| family | ms | plain torch.nn, ms | ratio | GFLOP/s | of the ceiling |", "|---|---|---|---|---|---|"]
    for name, row in numbers["families"].items():
        twin = f"{row['twin_ms']:.1f} | {row['ratio']:.2f}" if "ratio" in row else "| "
        lines.append(f"| `{name}` | {row['ms']:.1f} | {twin} | {row['gflops']:.1f} | {row['share']:.0%} |")
    lines += ["", "A low share is no waste where there are few multiply-adds to do: a recurrence waits for the step before, a convolution of each "
              "channel by itself moves more numbers than it multiplies.", "", "## Recurrences that are linear", "",
              "One layer, forwards, 512 steps, 16 examples, width 64.", "",
              "| family | ms | a loop of autograd over it | it over nn.LSTM |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {row['ms']:.1f} | {row['loop_over_ours']:.1f} | {row['ours_over_lstm']:.2f} |"
              for name, row in numbers["linear"].items()]
    return "\n".join(lines) + "\n"


def families() -> str:
    """docs/families.md: every contender in the table of its group."""
    from bakeoff import catalogue, growth
    from bakeoff.registry import every
    found, known = catalogue.entries(), {**every("family"), **every("baseline")}
    shown = reproduced()
    parts = [FAMILIES_HEAD.format(lengths=told(growth.LENGTHS), widths=told(growth.WIDTHS))]
    for group in dict.fromkeys(entry.group for entry in found):
        own = [entry for entry in found if entry.group == group]
        parts += ["", f"## {group}", ""]
        parts += [f"- **`{entry.name}`**{variant(known[entry.name])} – {entry.what.removesuffix('.')}. {linked(entry.paper)}" for entry in own]
        baseline = group == "baseline"
        heads = ["contender", "multiply-adds", "tasks", "shown by"] if baseline else [
            "family", "ranks", "causal", "step", "waits", "multiply-adds", "tasks", "shown by"]
        parts += ["", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        for entry in own:
            tasks, row = ", ".join(entry.tasks), shown.get(entry.name, "not yet")
            cells = [formula(known[entry.name]), tasks, row] if baseline else [*grown(known[entry.name]), tasks, row]
            parts.append(f"| `{entry.name}` | {' | '.join(cells)} |")
    parts += ["", "## pretrained", "", "- **`hf:NAME-or-folder`** – Any model of the library transformers that classifies images, texts or "
              "sound, fine-tuned under the same budget ([how](howto/pretrained.md)). It has outside knowledge and stands apart: it counts in no "
              "comparison of the others."]
    return "\n".join(parts) + "\n"


def grown(family: Any) -> list[str]:
    """ranks, causal, step, waits, multiply-adds of a family."""
    from bakeoff.growth import growth
    found = growth(family)
    step = (found.state or "again") if family.can_be_causal else "–"
    return [", ".join(map(str, sorted(family.ranks))), "yes" if family.can_be_causal else "–", step, found.serial, found.macs]


def formula(baseline: Any) -> str:
    """What a baseline says of its own count."""
    said = " ".join((baseline.macs.__doc__ or "none").split())
    return said.removesuffix(".").replace("|", "\\|")


def variant(cls: Any) -> str:
    of = getattr(cls, "variant_of", None)
    return f" (a variant of `{of}`)" if of else ""


def linked(paper: str) -> str:
    """'authors year, link' with the link behind the words."""
    who, _, link = paper.rpartition(", ")
    return f"[{who}]({link})" if who else paper


def reproduced() -> dict[str, str]:
    """Contender → 'row 3: 5.3e-05 (≤ 0.001, reached)' of every published experiment that it was measured on against a bar."""
    found: dict[str, dict[int, list[str]]] = {}
    for record in records().values():
        for part in record["parts"]:
            if part["bar"] is not None:
                said = f"{part['value']:.3g} ({barred(part)}, {state(part).strip('*')})"
                found.setdefault(str(part["name"]).split()[0].strip(",:"), {}).setdefault(record["row"], []).append(said)
    return {name: "; ".join(f"row {row}: {', '.join(said)}" for row, said in rows.items()) for name, rows in found.items()}


REPRODUCTION_HEAD = """# Published results, and ours

Written by `scripts/docs` from the heads of the scripts in [`benchmarks/scores`](../benchmarks/scores) and their result files. Every script
says which paper it follows, trains through `bakeoff`'s own contenders, tasks and loop, and ends with exit code 1 below its bar. The bars
were set before anything was measured.

- **ours**: mean over seeds with its 95 % t interval, or the best of them where the published value is the best of several, then the values
  themselves where there are at most five; one number where there is one seed, or nothing is drawn. An interval ends where the quantity
  does: no share below 0 or above 1, no count or error below 0. With three seeds it is wide.
- **reached**, **missed**: the bar. **reported**: there is no bar.
- **reached, reduced**, **missed, reduced**, **reported, reduced**: what was run is smaller than the experiment in print, and what was reduced
  is told beside it. The first two count: the row names this reduction, and its bar is for what was run.
- **reduced** alone: smaller than what its bar is for, so that neither reached nor missed can be said; it does not count.
- Behind a title stands how many of the parts that count are at their bars. How a row was run, what of it was not run, and what was tried
  where a bar was missed stands below its table, in the words of the script's head.
"""
CEILINGS = {"accuracy": 1, "share": 1, "error": 1, "map50": 1, "p": 1, "%": 100, "BLEU": 100}      # unit → the most that it can be


def reproduction() -> str:
    """docs/reproduction.md: per row what was published, what came of ours, and whether the bar was reached."""
    found, scripts = records(), sorted(SCORES.glob("[0-9][0-9]_*.py"))
    rows = [(script, head_of(script), found.get(script.stem)) for script in scripts]
    standings = [standing(record) for _, _, record in rows]
    counts = [f"{what}: {standings.count(word)}" for word, what in STANDINGS.items()]
    lines = [REPRODUCTION_HEAD, f"Of {len(rows)} experiments:", "", *(f"- {one}" for one in counts), "",
             f"Those that were run took {spell(sum(record['seconds'] for record in found.values()))} together.", "",
             "| row | experiment | | reached | missed | reduced alone | time |", "|---|---|---|---|---|---|---|"]
    for (script, head, record), word in zip(rows, standings, strict=True):
        states = [state(part).replace("*", "") for part in record["parts"]] if record else []
        cells = [str(int(script.stem[:2])), f"[{title(head, record)}](../benchmarks/scores/{script.name})",
                 f"**{word}**" if word == "missed" else word, tally(states, "reached"), tally(states, "missed"),
                 str(states.count("reduced") or ""), spell(record["seconds"]) if record else ""]
        lines.append(f"| {' | '.join(cells)} |")
    for script, head, record in rows:
        lines += row_of(int(script.stem[:2]), head, record)
    return "\n".join(lines) + "\n"


STANDINGS = {"reached": "**reached**, every bar that counts", "missed": "**missed**, at least one bar that counts",
             "reported": "**reported**, without a bar that counts", "not run": "**not run**"}


def standing(record: dict[str, Any] | None) -> str:
    """The word of STANDINGS for a whole row."""
    if record is None:
        return "not run"
    judged = judgements(record)
    return "reported" if not judged else "reached" if all(judged) else "missed"


def judgements(record: dict[str, Any]) -> list[bool]:
    """Of every part that counts whether it is at its bar."""
    return [part["reached"] for part in record["parts"] if part["bar"] is not None and part["counts"]]


def verdict(record: dict[str, Any] | None) -> str:
    """What stands behind a row's title: '2 of 4 at their bars, reduced'."""
    if record is None or not (judged := judgements(record)):
        return standing(record)
    reduced = sum(bool(part["reduced"]) for part in record["parts"] if part["bar"] is not None and part["counts"])
    said = "" if not reduced else ", reduced" if reduced == len(judged) else f", {reduced} of them reduced"
    return f"{sum(judged)} of {len(judged)} at {'its bar' if len(judged) == 1 else 'their bars'}{said}"


def title(head: dict[str, str], record: dict[str, Any] | None) -> str:
    """The head's first line; without what it says behind a colon, where that may not be so."""
    return head["what"] if standing(record) in ("reached", "reported") else head["what"].partition(": ")[0]


def tally(states: Sequence[str], verb: str) -> str:
    """'5, 4 of them reduced'."""
    reduced = states.count(f"{verb}, reduced")
    every = states.count(verb) + reduced
    return f"{every}, {reduced} of them reduced" if 0 < reduced < every else f"{every} reduced" if reduced else str(every or "")


def row_of(number: int, head: dict[str, str], record: dict[str, Any] | None) -> list[str]:
    """A row's own part of the page: its table where it was run, and what the head of its script says."""
    lines = ["", f"## {number}. {title(head, record)} – {verdict(record)}", "", plain(head["paper"]), "", plain(head["command"]), ""]
    if record is not None:
        machine = record["machine"]
        cores, threads = (f"{count} {what}{'s' * (count > 1)}" for count, what in ((machine["cores"], "core"), (record["threads"], "thread")))
        where = machine.get("gpu") or f"{machine['cpu']}, {cores}, {threads}"
        where += f"; torch {record['versions']['torch']}; load {record['load'][0]:.1f}; commit {record['revision']}"
        lines += [f"{spell(record['seconds'])} on {where}.", "", "| part | published | ours | bar | | seconds | |", "|---|---|---|---|---|---|---|"]
        for part in record["parts"]:
            remarks = "; ".join(filter(None, (f"reduced: {part['reduced']}" if part["reduced"] else "", part["setting"])))
            cells = [part["name"], part["published"], measured(part), barred(part), state(part), f"{part['seconds']:.0f}", remarks]
            lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
        lines.append("")
    lines.append(f"**Expected**: {plain(head['expected'])}")
    return [*lines, "", "**How, and what was tried**", "", plain(head["tried"])] if "tried" in head else lines


def plain(text: str) -> str:
    """Stars outside of code are stars, not the beginning of something leaning."""
    return "`".join(piece if number % 2 else piece.replace("*", "\\*") for number, piece in enumerate(text.split("`")))


def records() -> dict[str, dict[str, Any]]:
    """Script's stem → its result file."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((SCORES / "results").glob("*.json"))}


def head_of(script: Path) -> dict[str, str]:
    """what (the first line without 'Row N:'), paper, or else data, command, expected; and tried, which is all else that a docstring says."""
    text = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    first, _, rest = text.partition("\n\n")
    pattern = re.compile(r"^(Papers?|Data|Command|Expected): (.*?)(?=\n[A-Z][\w ]{0,30}: |\n\n|\Z)", re.MULTILINE | re.DOTALL)
    found = {word.lower().removesuffix("s"): " ".join(words.split()) for word, words in pattern.findall(rest)}
    if "command" in found:
        command, opened, remark = found["command"].partition(" (")
        found["command"] = f"`{command}`{opened}{remark}"
    if tried := [" ".join(paragraph.split()) for paragraph in pattern.sub("\n\n", rest).split("\n\n") if paragraph.strip()]:
        found["tried"] = "\n\n".join(tried)
    what = " ".join(first.partition(":")[2].split()).rstrip(".")
    return {"paper": found.get("data", ""), **found, "what": what[:1].upper() + what[1:]}


def state(part: dict[str, Any]) -> str:
    """reached, missed or reported, with ', reduced' where what was run is smaller and counts all the same; reduced where it does not count."""
    if part["bar"] is not None and not part["counts"]:
        return "reduced"
    said = "reported" if part["bar"] is None else "reached" if part["reached"] else "missed"
    said += ", reduced" if part["reduced"] else ""
    return f"**{said}**" if said.startswith("missed") else said


def barred(part: dict[str, Any]) -> str:
    if part["bar"] is None:
        return ""
    return f"{part['target']:g} ± {part['bar']:g}" if part["best"] == "equal" else f"{'≥' if part['best'] == 'high' else '≤'} {part['bar']:g}"


def measured(part: dict[str, Any]) -> str:
    """'.370 [.365, .375] MSE (.368, .371, .371)' of several seeds; 'best of 3: …' with the extremes."""
    values = part["values"]
    if len(values) == 1:
        return f"{part['value']:.4g} {part['unit']}"
    of = f"best of {len(values)}: " if part["how"] == "best" else ""
    each = f" ({', '.join(f'{value:.4g}' for value in values)})" if len(values) <= 5 else ""
    return f"{of}{part['value']:.4g} {interval(part)} {part['unit']}{each}"


def interval(part: dict[str, Any]) -> str:
    """'[.365, .375]', which ends where the quantity does; a difference ('senet − resnet') may be below 0."""
    least, most = (-math.inf, math.inf) if " − " in part["name"] else (0.0, CEILINGS.get(part["unit"], math.inf))
    return f"[{max(part['low'], least):.4g}, {min(part['high'], most):.4g}]"


def spell(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def told(numbers: Sequence[int]) -> str:
    return f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def excerpt(budget: str, folder: Path) -> str:
    """What `bakeoff run sample:digits` prints: the data, the plan, the table and the verdict."""
    line = ["bakeoff", "run", "sample:digits", "--budget", budget]
    done = subprocess.run([sys.executable, "-m", *line], cwd=folder, env={**os.environ, "COLUMNS": "90"}, capture_output=True, text=True, check=True)
    told = [text for text in done.stderr.splitlines() if text != "timing every contender …"]
    plan = next(number for number, text in enumerate(told) if text.startswith("plan:"))
    return "\n".join([f"$ {' '.join(line)}", *told[:plan + 1], "", done.stdout.rstrip()])


def photograph(report: Path) -> None:
    """The report's first screen as docs/report.png."""
    browser = next(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))
    subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-color-profile=srgb",
                    "--window-size=1280,900", f"--screenshot={PICTURE}", report.resolve().as_uri()], capture_output=True, check=True)


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    ENTRIES.write_text(entries(), encoding="utf-8")
    PERFORMANCE.write_text(performance(), encoding="utf-8")
    FAMILIES.write_text(families(), encoding="utf-8")
    REPRODUCTION.write_text(reproduction(), encoding="utf-8")
    if "--run" in sys.argv:
        budget = sys.argv[sys.argv.index("--budget") + 1] if "--budget" in sys.argv else "5m"
        readme = ROOT / "README.md"
        with tempfile.TemporaryDirectory() as scratch:
            shown = excerpt(budget, Path(scratch))
            photograph(Path(scratch) / "runs" / "digits-1" / "report.html")
        block = f"<!-- excerpt, written by scripts/docs -->\n```text\n{shown}\n```\n<!-- /excerpt -->"
        text = re.sub(r"<!-- excerpt.*?<!-- /excerpt -->", lambda _: block, readme.read_text(encoding="utf-8"), count=1, flags=re.DOTALL)
        readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
