"""Text that goes on: a finished contender writes token by token, each drawn from what it holds for possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bakeoff.data.base import Dataset
from bakeoff.data.tokens import decoded
from bakeoff.errors import OptionError
from bakeoff.types import Answer

TASK = "generate"
UNSAID = 2                    # ids of padding and of unknown characters, which are never written


@dataclass(frozen=True)
class Drawing:
    """How tokens are drawn. length: tokens that are written; temperature: 0 takes the likeliest, 1 draws as the contender says,
    above it is bolder; top_k: of so many likeliest alone, 0: of all; top_p: of the fewest that have this share together."""

    length: int = 300
    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, fine, fix in (("length", self.length >= 1, "Give at least 1."), ("temperature", self.temperature >= 0, "Give 0 or more."),
                                ("top_k", self.top_k >= 0, "Give 0 or more."), ("top_p", 0 < self.top_p <= 1, "Give a share of 0 … 1.")):
            if not fine:
                raise OptionError(f"{getattr(self, name)} is no {name}", f"{name}={getattr(self, name)}", fix)


def sample(run: str | Path, prompt: str = "\n", *, contender: str | None = None, length: int = 300, temperature: float = 0.8, top_k: int = 0,
           top_p: float = 1.0, seed: int = 0) -> str:
    """What a finished run's recommended contender, or another, writes behind a prompt; the prompt is not repeated.

    See Drawing for the numbers. Raises RunError for a run that has not finished, OptionError for one of another task.
    """
    from bakeoff.use.predict import Model, final_folder, verdict_of  # which reads this module
    verdict = verdict_of(Path(run))
    model = Model(final_folder(Path(run), contender or verdict["recommended"], verdict))
    if model.config["task"] != TASK:
        raise OptionError(f"this run is about {model.config['task']}, it cannot write", str(run), f"Give a run of {TASK}.")
    _, answers, _ = model.answers([prompt], Drawing(length, temperature, top_k, top_p, seed))
    return "" if answers[0] is None else str(answers[0].value)


def continued(fitted: Any, prompts: Dataset, state: Mapping[str, Any], drawing: Drawing) -> list[Answer]:
    """What comes behind each prompt of a Dataset of windows, whose second halves they are."""
    window = int(state["spec"]["sizes"][0])
    found = []
    for place in range(len(prompts)):
        ids = prompts.take([place]).x.x[0]
        past = ids[len(ids) // 2:]
        own = replace(drawing, seed=drawing.seed + place)                    # the same prompt twice is gone on with in two ways
        found.append(Answer(text_after(fitted, past[past > 0].tolist(), state, window, own), {}))
    return found


def text_after(fitted: Any, past: Sequence[int], state: Mapping[str, Any], window: int, drawing: Drawing) -> str:
    """The text that a contender writes behind these ids. The same numbers write the same."""
    writer = Stepping(fitted.network, window) if hasattr(fitted, "network") else Looking(fitted.fitted)
    chance = torch.Generator().manual_seed(drawing.seed)
    for token in past or [0]:
        writer.read(token)
    written: list[int] = []
    for _ in range(drawing.length):
        written.append(drawn(writer.told(), drawing, chance))
        writer.read(written[-1])
    text = decoded(written, state["tokenizer"], state["tokens"])
    return " " + text if state["tokens"] == "words" else text


class Stepping:
    """A network, stepped. Behind a window's length, which is what it has learnt on, the last half of it is read anew: so what is
    kept never grows beyond a window, whatever the family."""

    def __init__(self, network: Any, window: int) -> None:
        self.network, self.window = network.eval(), window
        self.seen: list[int] = []
        self.begin()

    def begin(self) -> None:
        self.state, self.out = self.network.encoder.start(1), torch.zeros(0)

    def read(self, token: int) -> None:
        self.seen.append(token)
        if len(self.seen) < self.window:
            return self.step(token)
        self.seen = self.seen[-(self.window // 2):]
        self.begin()
        for earlier in self.seen:
            self.step(earlier)
        return None

    def step(self, token: int) -> None:
        device = next(self.network.parameters()).device
        with torch.inference_mode():
            out, self.state = self.network.step(torch.tensor([token], device=device), self.state)
        self.out = out[0].float().cpu()

    def told(self) -> Tensor:
        """(V,) logits of the next token."""
        return self.out


class Looking:
    """A baseline that says from the past what comes next."""

    def __init__(self, baseline: Any) -> None:
        self.baseline = baseline
        self.seen: list[int] = []

    def read(self, token: int) -> None:
        self.seen.append(token)

    def told(self) -> Tensor:
        return torch.from_numpy(self.baseline.next(self.seen[-64:])).log().float()


def drawn(logits: Tensor, drawing: Drawing, chance: torch.Generator) -> int:
    """One id of (V,) logits."""
    logits = logits.clone()
    logits[:UNSAID] = -torch.inf
    if drawing.temperature == 0:
        return int(logits.argmax())
    shares, order = (logits / drawing.temperature).softmax(-1).sort(descending=True, stable=True)
    if drawing.top_k:
        shares[drawing.top_k:] = 0
    shares[shares.cumsum(-1) - shares >= drawing.top_p] = 0                  # the likeliest always stays
    return int(order[torch.multinomial(shares, 1, generator=chance)])


def specimen(run: Path, names: Sequence[str], seeds: Mapping[str, int], test: Dataset) -> dict[str, Any]:
    """What each contender writes behind the beginning of the test split, as the report shows it."""
    from bakeoff.use.predict import Model, final_folder
    drawing = Drawing()
    ids = test.take([0]).x.x[0]
    past, found = ids[ids > 0][:len(ids) // 2].tolist(), {}
    prompt = ""
    for name in names:
        model = Model(final_folder(run, name, {"seed_of": seeds}))
        state = model.config["kind_state"]
        prompt = decoded(past, state["tokenizer"], state["tokens"])
        found[name] = text_after(model.fitted[0], past, state, len(ids), drawing)
    return {"prompt": prompt, "written": found, "drawing": asdict(drawing)}
