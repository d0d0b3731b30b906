"""Writes docs/reference/cli.md from the commands themselves. Run it by scripts/docs; a test holds that the page is current."""

from __future__ import annotations

from pathlib import Path

import typer

from bakeoff.cli import app

PAGE = Path(__file__).parent / "reference" / "cli.md"
HEAD = """# Commands

Written by `scripts/docs` from the commands themselves. Every option of `bakeoff run` is a parameter of `bakeoff.run` with the
same name. Exit codes: 0 done, 1 a defect of bakeoff, 2 something you can mend (one message: what – where – how), 130 stopped
by you (the line that goes on is printed). Results go to stdout, everything else to stderr; `-h` and `--version` work everywhere.
"""
WIDTH = 100


def page() -> str:
    """The whole page."""
    group = typer.main.get_command(app)
    with group.make_context("bakeoff", [], resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH) as context:
        parts = [HEAD]
        for name, command in group.commands.items():      # type: ignore[attr-defined]
            with command.make_context(f"bakeoff {name}", [], parent=context, resilient_parsing=True) as inner:
                parts.append(f"## bakeoff {name}\n\n```\n{command.get_help(inner).replace('bakeoff bakeoff', 'bakeoff').strip()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
