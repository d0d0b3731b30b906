"""Planted claims: an experiment that takes no time, a rule that reads one number."""

from __future__ import annotations

from typing import Any

from bakeoff.claims.base import Ask, Claim, Finding, Numbers, Plot, Said
from bakeoff.claims.draw import Bar, Line, bars, lines


def planted(name: str, verdict: Any = "holds", words: str = "recurrent networks are slower", **fields: Any) -> Claim:
    def measure(ask: Ask) -> Numbers:
        ask.say("half way")
        return {"value": 1.5 + ask.seed, "per length": [[8, 1.0], [16, 2.0]], "words": words}

    def judge(numbers: Numbers) -> Finding:
        condition = "sequences are long" if verdict == "holds if" else "more seeds" if verdict == "cannot tell" else ""
        return Finding(verdict, f"It was found that {numbers['words']}.", "times slower, at equal parameters", numbers["value"], 1.25, 2.5, condition)

    def draw(numbers: Numbers) -> list[Plot]:
        points: Any = numbers["per length"]
        rows = [[str(length), f"{value} | {words}"] for length, value in points]
        return [Plot("Time against length", "The line rises.", lines([Line(words, "recurrent", points)], across="length, steps", upward="ms"),
                     ["length", words], rows),
                Plot("Side by side", "The upper bar is longer.", bars([Bar("gru", "recurrent", 2, 1, 3), Bar("tcn", "conv", 1)], across="ms"),
                     ["network", "ms"], [["gru", "2"], ["tcn", "1"]])]

    made = {"asserted": (Said(words, "a textbook"), Said(f"not so: {words}", "a vendor's page")), "experiment": f"Both are timed; {words}.",
            "rule": "Holds where the interval lies above 1.", "limits": "One machine.", "measure": measure, "judge": judge, "draw": draw,
            "changed": f"The mark was another; {words}.", "answers": lambda numbers: ["", f"Found: {numbers['words']}."], **fields}
    return Claim(name, f"It is said that {words}", **made)
