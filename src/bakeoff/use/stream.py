"""A causal contender that writes while it listens: steps in, text so far out, at the cost of one step each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from bakeoff.errors import OptionError
from bakeoff.nn.network import Network, empty_batch
from bakeoff.tasks.transcribe import NOTHING, Steps, Transcribe, heard, likeliest
from bakeoff.train.contender import FittedNetwork, load_fitted
from bakeoff.types import Grid


class Stream:
    """One recording that is still going on. What `text` holds after its last step is the answer for the whole of it."""

    def __init__(self, network: Network) -> None:
        """Raises OptionError for one that must hear the end before it can write the beginning."""
        task, encoder, params = network.task, network.encoder, network.params
        how = "Run with --task transcribe --set causal=true --set scaling=train."
        if not isinstance(task, Transcribe):
            raise OptionError(f"what {task.name} asks for is not written step by step", encoder.name, how)
        if not params.get("causal") or len(encoder.stride) != 1 or params.get("scaling") == "example":
            raise OptionError("this contender hears the whole recording before it writes", encoder.name, how)
        self.network, self.task = network.eval(), task
        self.state: Any = encoder.start(1)
        self.beams = NOTHING                  # with decoding=beam
        self.units: list[int] = []            # numbers of what was written, else
        self.last = 0                         # what the last step said; 0: nothing

    @classmethod
    def of(cls, folder: Path) -> Stream:
        """folder: finals/CONTENDER/seed-K of a run."""
        fitted, _ = load_fitted(folder)
        if not isinstance(fitted, FittedNetwork):
            raise OptionError("this contender does not write step by step", str(folder), "Take a network of this run.")
        return cls(fitted.network)

    @torch.inference_mode()
    def feed(self, cells: Any) -> str:
        """The text so far. cells: (n, *S, C), the next steps as the kind of data has them: mel levels (n, mels, 1)."""
        network = self.network
        for step in torch.as_tensor(cells).unsqueeze(1).unsqueeze(1).unbind(0):              # (1, 1, *S, C)
            batch = empty_batch(Grid(step, None))
            grid, folded = network.fold(network.scale(batch.x))
            x, self.state = network.encoder.step(network.embed(grid).x[:, 0], self.state)
            self.write(network.head(network.fold.back(Grid(x[:, None], None), folded), batch))
        return self.text

    def write(self, out: Steps) -> None:
        """Takes what one step says into what is written."""
        chances = out.chances[0, 0]
        if self.network.head.beam:
            self.beams = heard(self.beams, chances.exp().tolist())
            return
        best = int(chances.argmax())
        if best not in (0, self.last):
            self.units.append(best - 1)
        self.last = best

    @property
    def text(self) -> str:
        first: int = self.network.head.first  # type: ignore[assignment]
        return self.task.written([first + unit for unit in (likeliest(self.beams) if self.network.head.beam else self.units)])
