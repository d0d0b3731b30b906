"""A finished run, from its records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from bakeoff.use.predict import Model


class Result:
    """What a run came to. Everything is read from the run's folder when it is asked for."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def __repr__(self) -> str:
        return f"{self.verdict['sentence']}\n{self.leaderboard.to_string()}\nreport: {self.report}"

    def _repr_html_(self) -> str:
        from html import escape
        columns = ["rank", "contender", "group", "value", "low", "high", "tied", "parameters", "macs"]
        return f"<p>{escape(self.verdict['sentence'])}</p>{self.leaderboard[columns].to_html(index=False)}"

    def read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())

    @property
    def verdict(self) -> dict[str, Any]:
        """verdict.json: best, recommended, tied_with, value, low, high, beats_baseline, sentence, ledger …"""
        verdict: dict[str, Any] = self.read("verdict.json")
        return verdict

    @property
    def leaderboard(self) -> pd.DataFrame:
        """One row per contender that entered; columns as in leaderboard.csv."""
        import pandas as pd
        return pd.read_csv(self.folder / "leaderboard.csv")

    @property
    def report(self) -> Path:
        return self.folder / "report.html"

    def model(self, contender: str) -> Model:
        """The trained model of a contender. Raises OptionError with the nearest name."""
        from bakeoff.use.predict import Model, final_folder
        encoding = self.read("question.json")["options"].get("encoding", "utf-8")
        return Model(final_folder(self.folder, contender, self.verdict), encoding)

    @property
    def recommended(self) -> Model:
        """The cheapest contender that is at most the margin worse than the best."""
        return self.model(self.verdict["recommended"])

    @property
    def best(self) -> Model:
        """The contender with the highest value on the test split: a maximum of noisy values, so somewhat optimistic."""
        return self.model(self.verdict["best"])
