"""What the records of a run say, in lines for the terminal: the data check, the plan, the table, the verdict."""

from __future__ import annotations

import base64
import csv
import json
import shutil
import struct
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bakeoff.report.again import again
from bakeoff.report.format import NOTHING, OTHER_TASK, Score, boxes_text, count, duration, in_row, listing, milliseconds, noun, plain, quantity, short

if TYPE_CHECKING:
    from bakeoff.plan import Plan

WIDEST = 100                  # columns: longer lines are hard to read


def columns(most: int = WIDEST) -> int:
    return min(most, shutil.get_terminal_size().columns)


def wrapped(text: str, width: int, head: str = "  ", later: str | None = None) -> list[str]:
    """Lines of at most `width` characters, the first behind `head`, the others behind as many spaces."""
    return textwrap.wrap(text, max(40, width), initial_indent=head, subsequent_indent=" " * len(head) if later is None else later,
                         break_long_words=False, break_on_hyphens=False) or [head.rstrip()]


def data_lines(record: Mapping[str, Any], width: int) -> list[str]:
    """The data check in a few lines: what the files are taken for, what was guessed, what was set aside, the splits."""
    classes = record.get("classes")
    inside = f" in {count(len(classes))} classes" if classes else ""
    what = record["task"] if record["task"] == "generate" else record["kind"]
    lines = [f"{plain(record['path'])} · {noun(what, record['kept'])}{inside} → {record['kind']} · {record['task']}"]
    for note in record.get("notes", ()):
        lines += wrapped(plain(note), width)
    aside, shared = record.get("set_aside", ()), record.get("shared") or {}
    if aside:
        first = f"{plain(aside[0]['what'])} ({plain(aside[0]['where'])})"
        lines += wrapped(f"{count(len(aside))} of {count(record['seen'])} set aside, the first: {first}", width)
    if shared.get("count"):
        both = noun(record["kind"], shared["count"])
        lines += wrapped(f"{both} of the test split stand in train too: the value is given with and without them", width)
    counts = record["counts"]
    lines.append("  " + " · ".join(f"{part} {count(counts[part])}" for part in ("train", "val", "test") if counts.get(part)))
    return lines


def check_lines(record: Mapping[str, Any], width: int) -> list[str]:
    """`bakeoff check`: the data check in full."""
    lines = data_lines(record, width)
    for name, facts in (record.get("lengths") or {}).items():
        if facts["min"] != facts["max"]:
            spread = " … ".join(count(facts[part]) for part in ("min", "median", "max"))
            lines.append(f"  {plain(name)}: {spread} (shortest, median, longest)")
    classes, target = record.get("classes"), record.get("target")
    if classes:
        lines += ["", *balance(classes)]
    if target:
        lines += ["", f"  target: {' … '.join(f'{target[part]:g}' for part in ('min', 'median', 'max'))} (least, median, most)"]
    lines += ["", "  the first examples, as they will be read"]
    for item in record.get("first", ()):
        if "boxes" in item["shown"]:
            head = f"    {short(item['key'], 24):<24}  "
            lines += wrapped(f"{shown(item['shown'])}: {boxes_text(item['target'])}", width, head, " " * len(head))
            continue
        if not classes and isinstance(item["target"], str):       # a text of its own
            lines += [f"    {short(item['key'], width - 4)}", f"      {short(shown(item['shown']), width - 6)}",
                      f"      → {short(item['target'], width - 8)}"]
            continue
        seen = short(shown(item["shown"]), max(20, width - 48))
        target = NOTHING if item["target"] is None else short(in_row(item["target"]), 16) or NOTHING
        lines.append(f"    {short(item['key'], 24):<24}  {target:<16}  {seen}")
    problems = record.get("problems", ())
    if problems:
        lines += ["", f"  {several(len(problems), 'problem')}"]
        for problem in problems[:20]:
            lines += wrapped(" – ".join(plain(problem[part]) for part in ("what", "where", "fix") if problem.get(part)), width, "    ")
        lines += [f"    and {count(len(problems) - 20)} more (--json lists all)"] if len(problems) > 20 else []
    return lines


def balance(classes: Mapping[str, Mapping[str, int]], most: int = 12) -> list[str]:
    """Examples per class and split, the largest classes first."""
    parts = [part for part in ("train", "val", "test") if any(row.get(part) for row in classes.values())]
    order = sorted(classes, key=lambda label: -sum(classes[label].get(part, 0) for part in parts))
    table = [["class", *parts], *([short(label, 24), *(count(classes[label].get(part, 0)) for part in parts)] for label in order[:most])]
    return aligned(table, "<" + "r" * len(parts)) + ([f"  and {count(len(order) - most)} more classes"] if len(order) > most else [])


def shown(item: Mapping[str, Any]) -> str:
    """An example in words."""
    if "words" in item:
        return str(item["words"])
    match item.get("form"):
        case "text":
            return str(item["text"])
        case "row":
            return ", ".join(f"{name} {value}" for name, value in item["cells"].items())
        case "curve":
            first = item["channels"][0] if item["channels"] else []
            numbers = " ".join(NOTHING if value is None else f"{value:.3g}" for value in first[:8])
            return f"{count(len(item['channels']))} × {count(len(first))} numbers: {numbers}" + (" …" if len(first) > 8 else "")
        case "picture":
            if "size" in item:
                return "{1:.0f} × {0:.0f} pixels".format(*item["size"])
            width, height = struct.unpack(">II", base64.b64decode(item["png"][:32])[16:24])      # where a PNG has them
            return f"a picture of {height} × {width}"
        case "forecast":
            ends = " ".join(f"{value:.3g}" for value in item["history"][-6:] if value is not None)
            return f"{item['name']}: … {ends} → {count(len(item['future']))} steps"
        case form:
            return f"a {form}"


def plan_line(plan: Plan) -> str:
    """'plan: 10m on 4 cores → 14 contenders, 4…22 trials each, 3 seeds for the finals'."""
    shares = [share for share in plan.contenders.values() if not share.error]
    trials = sorted(share.trials for share in shares if share.group != "baseline") or [0]
    each = f"{trials[0]}…{trials[-1]}" if trials[0] != trials[-1] else f"{trials[0]}"
    budget = "counts" if plan.budget_seconds is None else duration(plan.budget_seconds)
    neural = [share.share_seconds for share in shares if share.group != "baseline"]
    seconds = "" if plan.budget_seconds is None or not neural else f" × ~{duration(sorted(neural)[len(neural) // 2])} of a core"
    return (f"plan: {budget} on {several(plan.jobs, 'worker')} → {several(len(shares), 'contender')}{seconds}, "
            f"{each} trial{'' if each == '1' else 's'} each, {several(plan.seeds, 'seed')} for the finals")


def several(number: int, noun: str) -> str:
    """'1 seed', '3 seeds'."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def absent_lines(absent: Mapping[str, str], width: int) -> list[str]:
    """Who cannot enter, and why: contenders with the same reason in one line, baselines that answer other tasks in another."""
    reasons: dict[str, list[str]] = {}
    for name, why in absent.items():
        reasons.setdefault("they answer other tasks" if why.endswith(OTHER_TASK) else why, []).append(name)
    return [line for why, names in reasons.items() for line in wrapped(f"absent: {listing(names, 20)}: {plain(why)}", width)]


def leaderboard_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "leaderboard.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(cell: str) -> float | None:
    return float(cell) if cell else None


def table_lines(folder: Path, width: int) -> list[str]:
    """The leaderboard in at most 80 columns, one line per contender, failed ones last with their reason."""
    rows, verdict = leaderboard_rows(folder), json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    score = Score.of([number(row["value"]) for row in rows], verdict.get("unit") or "")
    head = ["", "contender", short(verdict["metric"], 9), "95 %", "operations", "latency", ""]
    body = [cells(row, score, verdict) for row in rows if row["value"]]
    failed = [f"{row['contender']} {row['state']}: {plain(row['why'])}" for row in rows if not row["value"]]
    return [*aligned([head, *body], "r<r<rr<"), *(line for text in failed for line in wrapped(text, width))]


def cells(row: Mapping[str, str], score: Score, verdict: Mapping[str, Any]) -> list[str]:
    """A contender's line of the table."""
    value, low, high, macs, latency = (number(row[name]) for name in ("value", "low", "high", "macs", "latency_ms_p50"))
    return [row["rank"], row["contender"], score(value), score.interval(low, high), quantity(macs), milliseconds(latency),
            mark(row["contender"], verdict)]


def mark(name: str, verdict: Mapping[str, Any]) -> str:
    """What the verdict says of a contender, in one or two words; the best stands first."""
    said = {"tied": name in verdict["tied_with"], "recommended": name == verdict["recommended"],
            "with outside knowledge": name in verdict.get("outside", {})}
    return ", ".join(word for word, true in said.items() if true)


def aligned(rows: Sequence[Sequence[str]], sides: str) -> list[str]:
    """Columns two spaces apart; sides: per column 'r' right, '<' left."""
    wide = [max(len(row[column]) for row in rows) for column in range(len(sides))]

    def placed(row: Sequence[str]) -> str:
        return "  ".join(cell.rjust(size) if side == "r" else cell.ljust(size) for cell, size, side in zip(row, wide, sides, strict=True))
    return ["  " + placed(row).rstrip() for row in rows]


def verdict_lines(folder: Path, width: int) -> list[str]:
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    return wrapped(plain(verdict["sentence"]), width, "verdict: ")


def signature_lines(folder: Path) -> list[str]:
    """How the metric was counted, where there are several ways."""
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    return [f"{verdict['metric']:<8} {verdict['signature']}"] if verdict.get("signature") else []


def result_lines(folder: Path, width: int | None = None) -> list[str]:
    """What `bakeoff run` ends with: the table, the verdict, and what can be done next."""
    width = columns() if width is None else width
    question = json.loads((folder / "question.json").read_text(encoding="utf-8"))
    return [*table_lines(folder, width), *verdict_lines(folder, width), *signature_lines(folder),
            f"report   {folder / 'report.html'}",
            f"again    {again(question, folder)}",
            f"use it   bakeoff predict {quoted(folder)} NEW_DATA"]


def quoted(text: object) -> str:
    """As a shell reads it."""
    import shlex
    return shlex.quote(str(text))


def result_record(folder: Path) -> dict[str, Any]:
    """`--json`: the verdict, the leaderboard and where the report is, as one object."""
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    texts = {"contender", "group", "metric", "state", "why"}
    rows = [{name: cell if name in texts else as_json(cell) for name, cell in row.items()} for row in leaderboard_rows(folder)]
    return {"folder": str(folder), "report": str(folder / "report.html"), **verdict, "leaderboard": rows}


def as_json(cell: str) -> Any:
    """A cell of leaderboard.csv as JSON has it."""
    if cell in ("", "True", "False", "true", "false"):
        return None if not cell else cell.lower() == "true"
    value = float(cell)
    return int(value) if value.is_integer() and "." not in cell and "e" not in cell.lower() else value
