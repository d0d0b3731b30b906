"""The data sets that come with bakeoff: four small real ones that may be passed on, and others whose answer is known.

A sample is written as ordinary files, which are then read like anybody's. Importing this costs nothing.
"""

from __future__ import annotations

import importlib
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bakeoff.errors import OptionError, near

HERE = Path(__file__).parent
EDITION = 1                           # grows whenever a sample changes, so that no cache keeps the older one


@dataclass(frozen=True)
class Sample:
    """settings: what --set should say unless the user does; generated: made from the seed, the others never change."""

    name: str
    kind: str
    task: str
    sentence: str
    licence: str
    citation: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    generated: bool = False


CC_BY = "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/"
MADE = "made by bakeoff itself: Apache-2.0"
KNOWN = (
    Sample("digits", "image", "classify", "1,797 handwritten digits of 8 × 8 grey pixels.", CC_BY,
           "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998, "
           "https://doi.org/10.24432/C50P49; the test part, as scikit-learn has it, pixels scaled to 0 … 255."),
    Sample("vowels", "series", "classify",
           "Nine men say two Japanese vowels: 640 series of 7 … 29 steps and 12 channels (LPC cepstra); which of them speaks?", CC_BY,
           "M. Kudo, J. Toyama, M. Shimbo: Japanese Vowels, UCI Machine Learning Repository, 1999, https://doi.org/10.24432/C5NS47; "
           "in the form of the UEA archive, A. Bagnall et al., https://arxiv.org/abs/1811.00075."),
    Sample("shakespeare", "text", "classify", "2,481 speeches of 10 … 60 words from six plays of Shakespeare; which play is it?",
           "public domain",
           "William Shakespeare, by way of A. Karpathy: char-rnn, tinyshakespeare, 2015, https://github.com/karpathy/char-rnn."),
    Sample("plays", "text", "generate", "The beginning of Shakespeare's plays, 200,000 characters, to be gone on with.", "public domain",
           "William Shakespeare, by way of A. Karpathy: char-rnn, tinyshakespeare, 2015, https://github.com/karpathy/char-rnn."),
    Sample("adding", "series", "regress",
           "Two of 100 numbers are marked; what is their sum? Read causally at the last step, so that only memory solves it.", MADE,
           "After S. Hochreiter, J. Schmidhuber: Long Short-Term Memory, Neural Computation 9(8), 1997.",
           {"causal": True, "pool": "last"}, generated=True),
    Sample("motif", "series", "classify", "A tooth of 16 steps anywhere in 256 steps of noise: does it rise slowly or fall slowly?",
           MADE, "", generated=True),
    Sample("order", "text", "classify", "Which of two words comes first, with 8 … 12 others between them? The words alone say nothing.",
           MADE, "", generated=True),
    Sample("canon", "music", "predict", "480 pieces of two voices, the second of which repeats the first four steps later: which keys sound next?",
           MADE, "", generated=True),
    Sample("noise", "series", "classify", "600 series of noise whose labels have nothing to do with them: nobody should win.",
           MADE, "", generated=True),
)


def names() -> dict[str, Sample]:
    """Every sample by name."""
    return {sample.name: sample for sample in KNOWN}


def write(name: str, folder: str | Path, seed: int = 0) -> Path:
    """Writes the sample into `folder` as ordinary files and returns the folder. The same seed writes the same bytes.

    Raises OptionError with the nearest name for one that does not exist.
    """
    known = names()
    if name not in known:
        raise OptionError(f"no sample is called {name!r}", f"sample:{name}", near(name, known))
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if known[name].generated:
        getattr(importlib.import_module("bakeoff.samples.generated"), name)(folder, seed)
    elif name == "vowels":
        with zipfile.ZipFile(HERE / "vowels.zip") as archive:
            archive.extractall(folder)
    else:
        file = HERE / {"digits": "digits.npz", "shakespeare": "shakespeare.csv", "plays": "plays.txt"}[name]
        shutil.copyfile(file, folder / file.name)
    return folder


def place(name: str, seed: int = 0) -> Path:
    """Where the sample lies in the cache, written there where it does not yet; the same seed gives the same files."""
    from bakeoff.data import cache
    known = names()
    label = f"{name}-{seed}" if name in known and known[name].generated else name
    return cache.keep(f"sample-{EDITION}-{label}", lambda folder: write_into(name, folder, seed)).folder / name


def write_into(name: str, folder: Path, seed: int) -> None:
    write(name, folder / name, seed)
