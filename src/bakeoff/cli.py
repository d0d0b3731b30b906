"""The signatures of run.py and use/ as commands. stdout carries results, stderr everything else.

Exit codes: 0 done, 1 a defect of bakeoff, 2 the user can mend it, 130 stopped by the user.
"""

from __future__ import annotations

import errno
import inspect
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from bakeoff import __version__
from bakeoff.errors import BakeoffError, OptionError, near
from bakeoff.options import names_of, settings_of
from bakeoff.run import BORN
from bakeoff.run import check as check_data
from bakeoff.run import resume as resume_run
from bakeoff.run import run as run_data
from bakeoff.watch import Watch

Command = TypeVar("Command", bound=Callable[..., None])
UsageError: type[Exception] = typer.BadParameter.__mro__[1]       # whatever the parser raises; typer shows its child only
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)

# Every option of `run`: its value in one word, and what it means. Names, types and defaults stand in the signature of run.
MEANINGS = {
    "task": ("NAME", "classify, regress, tag, answer, detect, transcribe, translate, summarise, generate, predict or forecast; guessed"),
    "target": ("COLUMN", "column of the target, or columns of 0 and 1, a,b,c; guessed from label, target, class, y"),
    "inputs": ("COL,…", "columns to be read; all others are left out"),
    "future": ("COL,…", "forecast: columns that are known of the steps to come; all others count as known of the past only"),
    "group": ("COLUMN", "examples of one group never part over the splits"),
    "time": ("COL,…", "columns by whose order to split: the latest are the test"),
    "test": ("PATH", "the test split, in a place of its own"),
    "split": ("SPLIT", "0.7,0.1,0.2 or 800,100,100 or a column, or a file with the columns key and split; given splits are honoured"),
    "folds": ("N|COLUMN", "outer folds: every example is tested once"),
    "horizon": ("N", "forecast: how many steps ahead"),
    "lookback": ("N", "forecast: how many steps are looked back (tuned: 1 to 4 seasons or horizons)"),
    "season": ("N", "forecast: steps after which a pattern comes again (from the time stamps)"),
    "metric": ("NAME", "what is tuned for; the task's first metric"),
    "slate": ("NAMES", "auto (as many as the time feeds), all, quick (the cheapest of each group), or names with commas, "
              "hf:FOLDER among them, alone or behind such a word; baselines always enter"),
    "budget": ("TIME", "waiting time for the whole run: 90s, 10m, 1h (10m, unless counts are given)"),
    "trials": ("N", "tuning trials per contender"),
    "examples": ("N", "training examples per trial"),
    "equal": ("WHAT", "what an equal budget means: seconds, examples or macs"),
    "max_params": ("N", "no contender may have more parameters"),
    "plan": ("FILE", "run a recorded plan again: plan.json of a run's folder"),
    "search": ("HOW", "how settings are searched: tpe, random or grid"),
    "set": ("NAME=VALUES", "fix or narrow a choice, for instance width=32,64 or lr=1e-4..1e-2; may be repeated"),
    "seeds": ("N", "how often the best setting of a contender is refitted"),
    "seed": ("N", "the run's seed"),
    "jobs": ("N", "trainings at once; one per core"),
    "device": ("NAME", "auto, cpu, cuda or mps"),
    "on": ("PLACE", "where trainings run: local"),
    "cost": ("WHAT", "what cheapest means: macs, latency, parameters, memory or seconds"),
    "margin": ("X", "how much worse is still as good (.02 for a metric of 0 to 1, else 5 %)"),
    "max_bad": ("SHARE", "how many bad examples may be set aside"),
    "max_shared": ("SHARE", "how much of a given test split may also stand in train"),
    "encoding": ("NAME", "of text files"),
    "out": ("DIR", "the run's own folder, one that does not exist (runs/DATA-N)"),
}
READING = ("task", "target", "inputs", "future", "group", "time", "test", "split", "folds", "horizon", "lookback", "season",
           "metric", "set", "seed", "max_bad", "max_shared",
           "encoding")        # the options of `run` that decide how data are read

app = typer.Typer(name="bakeoff", add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"]})

Data = Annotated[str, typer.Argument(metavar="DATA", help="a folder, a file, an archive, or sample:NAME")]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="the folder of a run", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="say nothing on the way")]


def with_options(names: Iterable[str]) -> Callable[[Command], Command]:
    """Adds options of `run` to a command that takes them as **options: same names, types and defaults."""
    def add(command: Command) -> Command:
        taken = [one for one in inspect.signature(command, eval_str=True).parameters.values() if one.kind is not one.VAR_KEYWORD]
        known = inspect.signature(run_data).parameters
        offered = [option_of(known[name]) for name in names]
        positional = [one for one in taken if one.kind is one.POSITIONAL_OR_KEYWORD and one.default is one.empty]
        others = [one.replace(kind=one.KEYWORD_ONLY) for one in taken if one not in positional]
        signature = inspect.Signature([*positional, *offered, *others])
        command.__signature__ = signature                                       # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
        return command
    return add


def option_of(parameter: inspect.Parameter) -> inspect.Parameter:
    """A command's option from the parameter of `run`: text, unless it is a number and nothing else."""
    metavar, meaning = MEANINGS[parameter.name]
    words = set(re.findall(r"\w+", str(parameter.annotation)))
    kind: Any = list[str] if parameter.name == "set" else str if "str" in words else int if "int" in words else float
    option = typer.Option(f"--{parameter.name.replace('_', '-')}", metavar=metavar, help=meaning)
    default = None if parameter.default == () else parameter.default
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind | None, option])


def asked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as `run` takes them: where nothing was said, its own default."""
    return {name: value for name, value in options.items() if value is not None and value != []}


@app.callback()
def about(version: Annotated[bool, typer.Option("--version", help="print the version", show_default=False)] = False) -> None:
    """Convolutional, recurrent or something else? The families compete on your data under one equal budget."""


@app.command("run")
@with_options(MEANINGS)
def run_command(data: Data, as_json: Json = False, quiet: Quiet = False, **options: Any) -> None:
    """All contenders compete on DATA: table, verdict, report."""
    with watched(quiet) as watch:
        result = run_data(data, **asked(options), watch=watch, born=BORN)
    show_result(result.folder, as_json)


@app.command("check")
@with_options(READING)
def check_command(data: Data, as_json: Json = False, **options: Any) -> None:
    """The data check alone; trains nothing."""
    from bakeoff.words import check_lines, columns
    given = asked(options)
    for name in ("inputs", "future", "time"):
        given |= {name: names_of(given[name])} if name in given else {}
    record = check_data(data, **given | {"set": settings_of(given.get("set", ()))})
    show(record if as_json else check_lines(record, columns()))


@app.command("resume")
def resume_command(folder: Run, as_json: Json = False, quiet: Quiet = False) -> None:
    """Go on with a run that was stopped, however early."""
    with watched(quiet, folder) as watch:
        result = resume_run(folder, watch=watch, born=BORN)
    show_result(result.folder, as_json)


@app.command("status")
def status_command(folder: Run, as_json: Json = False) -> None:
    """Where a run stands and when it will end."""
    from bakeoff.status import standing_of, told
    from bakeoff.words import result_lines
    found = standing_of(folder)
    show(found if as_json else told(found) + (result_lines(folder) if found["phase"] == "finished" else []))


@app.command("report")
def report_command(folder: Run, as_json: Json = False) -> None:
    """Write report.html anew from a run's records."""
    from bakeoff.report.render import render
    from bakeoff.train.record import write_whole
    path = folder / "report.html"
    write_whole(path, render(folder))
    show({"report": str(path)} if as_json else [f"report   {path}"])


@app.command("predict")
def predict_command(
        folder: Run, data: Data,
        out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE",
                                                 help="a .csv, .jsonl or .parquet file (stdout); of music a .mid, or a folder of them")] = None,
        contender: Annotated[str | None, typer.Option(metavar="NAME", help="another than the recommended contender")] = None,
        encoding: Annotated[str, typer.Option(metavar="NAME", help="of text files")] = "utf-8",
        steps: Annotated[int | None, typer.Option(metavar="N", help="of what is gone on with: by so many steps (32)", show_default=False)] = None,
        seed: Annotated[int, typer.Option(metavar="N", help="another seed, another way to go on")] = 0, as_json: Json = False) -> None:
    """Answers of a run's recommended contender for new data."""
    from bakeoff.use.predict import predict
    table, problems = predict(folder, data, out, contender, encoding, steps, seed)
    for problem in problems:
        note(problem)
    if as_json:
        show({"out": None if out is None else str(out), "rows": len(table), "problems": problems,
              **({} if out is not None else {"answers": table.to_dict("records")})})
    elif out is None:
        table.to_csv(sys.stdout, index=False)
    else:
        show([f"{len(table):,} answers in {out}"])


@app.command("families")
def families_command(
        name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="one contender in full", show_default=False)] = None,
        space: Annotated[bool, typer.Option("--space", help="everything that is tuned, with ranges and meanings")] = False,
        as_json: Json = False) -> None:
    """Every contender: name, group, paper, ranks, tasks."""
    from bakeoff import catalogue
    if space and name is None:
        raise OptionError("the space of which contender?", "bakeoff families --space", "Name one: bakeoff families gru --space")
    if name is None:
        entries = catalogue.entries()
        show({"contenders": [vars(entry) for entry in entries]} if as_json else catalogue.lines(entries, sys.stdout.isatty()))
    else:
        found = catalogue.described(name, space)
        show(found if as_json else catalogue.told(found))


@app.command("samples")
def samples_command(clear_cache: Annotated[bool, typer.Option("--clear-cache", help="empty the cache of prepared data")] = False,
                    as_json: Json = False) -> None:
    """The data sets that come with it; the cache."""
    from bakeoff import catalogue
    from bakeoff.data import cache
    from bakeoff.report.format import size
    if clear_cache:
        freed = cache.clear()
        show({"freed_bytes": freed, "cache": str(cache.root())} if as_json else [f"{size(freed)} freed in {cache.root()}"])
    else:
        show(catalogue.samples() if as_json else catalogue.sample_lines())


@app.command("demo")
def demo_command(seed: Annotated[int, typer.Option(metavar="N", help="another seed, other numbers")] = 0,
                 out: Annotated[Path | None, typer.Option(metavar="DIR", help="where the two runs go (runs/demo-N)")] = None,
                 as_json: Json = False, quiet: Quiet = False) -> None:
    """The two-minute tour: what wins on images, what on sequences."""
    from bakeoff.demo import demo
    with watched(quiet) as watch:
        found = demo(seed, out, watch)
    show(found.record() if as_json else found.lines())


@app.command("claims")
def claims_command(ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="some of them; all", show_default=False)] = None,
                   seed: Annotated[int, typer.Option(metavar="N", help="another seed, other numbers")] = 0,
                   out: Annotated[Path | None, typer.Option(metavar="DIR", help="where pages and numbers go, or already are (runs/claims-N)")] = None,
                   data: Annotated[Path | None, typer.Option(metavar="DIR", help="data sets or finished runs, for claims about real data")] = None,
                   as_json: Json = False, quiet: Quiet = False) -> None:
    """What is said of networks, settled by experiment: a page. All of it takes some ten minutes on two cores."""
    from bakeoff.claims.settle import lines_of, settle
    folder, settled = settle(ids or (), seed, out, data, (lambda words: None) if quiet else note)
    show({"folder": str(folder), "page": str(folder / "claims.html"), "claims": [one.line() for one in settled]} if as_json
         else lines_of(folder, settled))


class watched:
    """A watch that is closed whatever happens; an error that leaves it bears the run's folder, if there is one yet."""

    def __init__(self, quiet: bool, folder: Path | None = None) -> None:
        from bakeoff.live import watcher
        self.watch, self.folder = watcher(quiet), folder

    def __enter__(self) -> Watch:
        return self.watch

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> None:
        self.watch.close()
        if error is not None:
            error.run_folder = self.folder or getattr(self.watch, "folder", None)      # type: ignore[attr-defined]


def show_result(folder: Path, as_json: bool) -> None:
    from bakeoff.words import result_lines, result_record
    show(result_record(folder) if as_json else result_lines(folder))


def show(what: Mapping[str, Any] | list[str]) -> None:
    """Results: lines, or one JSON object."""
    print("\n".join(what) if isinstance(what, list) else json.dumps(what, ensure_ascii=False, indent=1, allow_nan=False))


def note(text: str) -> None:
    print(text, file=sys.stderr)


def main() -> None:
    """The console script."""
    sys.exit(outcome(sys.argv[1:] or ["--help"]))


def outcome(arguments: list[str]) -> int:
    """Runs a command line; its exit code."""
    if "--version" in arguments:
        show([f"bakeoff {__version__}"])
        return 0
    try:
        command = typer.main.get_command(app)
        with command.make_context("bakeoff", arguments) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as done:                # help has been printed
        return done.exit_code
    except BakeoffError as error:
        note(f"bakeoff: {error}")
        return 2
    except UsageError as error:
        note(f"bakeoff: {misused(error)}")
        return 2
    except (KeyboardInterrupt, typer.Abort) as stop:
        folder = getattr(stop, "run_folder", None)
        line = getattr(stop, "go_on", f"bakeoff resume {folder}" if folder else None)
        note(f"\nstopped; go on with\n  {line}" if line else "\nstopped before anything was recorded: run it again")
        return 130
    except BrokenPipeError:                   # whoever reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return failed(error)
    return 0


def misused(error: Any) -> OptionError:
    """A fault of the command line, with the nearest option or command that there is."""
    context = error.ctx
    place = context.command_path if context else "bakeoff"
    if hasattr(error, "possibilities"):
        known = [name for parameter in context.command.params for name in parameter.opts if name.startswith("--")]
        return OptionError(f"there is no option {error.option_name}", place, near(error.option_name, [*known, "--help", "--version"]))
    unknown = re.match(r"No such command '(.*?)'", error.message)
    if unknown:
        return OptionError(f"there is no command {unknown[1]!r}", place, near(unknown[1], context.command.commands))
    return OptionError(error.format_message().rstrip("."), place, f"See {place} --help.")


def failed(error: Exception) -> int:
    """A full or forbidden disk is the user's to mend (2); anything else is a defect (1), its traceback in log.txt."""
    folder = getattr(error, "run_folder", None)
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        again = f"Make room, then: bakeoff resume {folder}" if folder else "Make room, or choose another place."
        note(f"bakeoff: {error.strerror} – {error.filename or folder or 'the disk'} – {again}")
        return 2
    log = None if folder is None else folder / "log.txt"
    if log is None or not log.exists():
        traceback.print_exception(error)
    where = f" – the traceback is in {log}" if log else ""
    note(f"bakeoff: this is a defect of bakeoff, please report it: {type(error).__name__}: {error}{where}")
    return 1
