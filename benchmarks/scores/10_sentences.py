"""Row 10: sentences – what is asked, what is thought of a film, of a product – by a text CNN whose word vectors start at random.

Paper: Kim 2014, https://arxiv.org/abs/1408.5882 (TREC 91.2, MR 76.1, CR 79.8 % with a random start; a replication,
https://github.com/harvardnlp/sent-conv-torch: 88.2, 75.9, 78.3)
Command: python benchmarks/scores/10_sentences.py --data FOLDER      (FOLDER: with TREC.train.all, TREC.test.all, rt-polarity.all, custrev.all)
Expected: textcnn at least .880 on TREC, .750 on MR, .775 on CR. Half an hour on two idle cores.

The bars are the text CNN's. On MR and CR, at the one setting for all, it is not above the recurrent networks: GRU .779 and LSTM .773 beside
its .772 on MR, LSTM .809 and GRU .799 beside its .795 on CR, intervals of three folds wider than what is between them; the transformer has
.717 and .780.

On TREC the linear baseline, on n-grams of words and characters, has .902 and is above every network, the text CNN (.895) included; in `bakeoff
run` it is first on MR and CR, too (docs/results.md). The bars here are those of print, which hold the network against itself.

TREC is `bakeoff run`: all networks have the same word vectors' width, batch, examples and number of settings tried; learning rate,
dropout, pooling and what is a family's own are searched on validation, alike for all. MR and CR: one setting for all networks, stated
in the results, on the same three of ten folds.

Against the paper: windows of 3, 4 and 5 words and dropout .5 as there (on TREC .3 is tried too), but on the word vectors as well; 128
detectors of each size on word vectors of 128 where it has 100 and 300; AdamW with a cosine and a gradient clipped at 1 where it has Adadelta
and rows of the last layer clipped at 3; what training has once only is unknown.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from files import opened
from row import Part, Row, compete, fit, seeds_of, setting

from bakeoff.data.base import Splits
from bakeoff.tasks.base import Task
from bakeoff.train import loop

NETWORKS = ("textcnn", "lstm", "gru", "transformer")
FILES = {"trec": ("--train", "TREC.train.all", "--test", "TREC.test.all"), "mr": ("--all", "rt-polarity.all"), "cr": ("--all", "custrev.all")}
PUBLISHED = {"trec": ".912 (replication .882)", "mr": ".761 (replication .759)", "cr": ".798 (replication .783)"}
BARS = {"trec": 0.880, "mr": 0.750, "cr": 0.775}
FOLDS = 3
ALIKE: dict[str, Any] = {"width": 128, "batch": 64, "textcnn.smallest": 3, "textcnn.detectors": 1}
SEARCHED: dict[str, Any] = {"lr": "1e-3..2e-2", "dropout": "0.5,0.3", "weight_decay": 1e-3, "activation": "relu", "optimizer": "adamw",
                            "schedule": "cosine", "warmup": 0.1, "clip": 1.0, "l1": 0.0, "truncate": 0, "label_smoothing": 0.0,
                            "weights": "none", "augment": "none"}
FREE = ("lr", "dropout", "pool")
TRIALS, TREC_EPOCHS, TREC_TRAIN = 4, 10, 4362
FIXED: dict[str, Any] = {"lr": 1e-2, "dropout": 0.5}
EPOCHS = {"mr": 5, "cr": 8}                  # where the validation part of the first fold no longer improves


def table(row: Row, name: str, folder: Path) -> Path:
    """The sentences as a table: benchmarks/prepare/trec.py says how."""
    words = [str(row.folder() / word) if not word.startswith("--") else word for word in FILES[name]]
    subprocess.run([sys.executable, str(Path(__file__).parent.parent / "prepare/trec.py"), str(folder / f"{name}.csv"), *words], check=True)
    return folder / f"{name}.csv"


def trec(row: Row, path: Path) -> None:
    examples = TREC_EPOCHS * TREC_TRAIN
    result = compete(path, slate=",".join(NETWORKS), set={**ALIKE, **SEARCHED}, trials=TRIALS, examples=examples, seeds=3,
                     jobs=torch.get_num_threads())
    seconds = result.leaderboard.set_index("contender")["seconds"]
    for name in filter(lambda name: row.wants(f"{name} TREC, tuned"), (*NETWORKS, "linear")):
        said = "a baseline, beside the networks"
        if name in NETWORKS:
            chosen = json.loads((result.folder / "finals" / name / "seed-0/config.json").read_text())["params"]
            found = ", ".join(f"{key} {chosen[key]:.3g}" if isinstance(chosen[key], float) else f"{key} {chosen[key]}" for key in chosen
                              if key in FREE or key.startswith(name))
            said = f"width 128, batch 64; of {TRIALS} settings, {examples:,} examples each, validation took: {found}"
        mine = name == "textcnn"
        row.add(Part(f"{name} TREC, tuned", PUBLISHED["trec"] if mine else "", BARS["trec"] if mine else None, "high", seeds_of(result, name),
                     "accuracy", setting=said, seconds=float(seconds[name])))


def in_folds(row: Row, name: str, data: str, parts: list[tuple[Splits, Task]]) -> None:
    """One setting on the same folds, a training each."""
    values = []
    for splits, task in parts:
        train = splits.together()
        params = setting(name, train, task, **{key: value for key, value in {**ALIKE, **FIXED}.items() if "." not in key or key.startswith(name)})
        network = fit(name, train, task, params, steps=EPOCHS[data] * len(train) // int(params["batch"]), seed=0, device=row.device)
        assert splits.test is not None
        values.append(loop.evaluate(network, splits.test, task, row.device)[0])
    mine = name == "textcnn"
    row.add(Part(f"{name} {data.upper()}, {FOLDS} of 10 folds", PUBLISHED[data] if mine else "", BARS[data] if mine else None, "high", values,
                 "accuracy", setting=f"width 128, batch 64, learning rate .01, dropout .5, {EPOCHS[data]} epochs; a value for each fold"))


def main() -> int:
    row = Row(10, "sentences", __doc__ or "")
    with tempfile.TemporaryDirectory() as folder:
        for data in ("mr", "cr"):
            names = [name for name in NETWORKS if row.wants(f"{name} {data.upper()}, {FOLDS} of 10 folds")]
            if names:
                path = table(row, data, Path(folder))
                parts = [opened(path, fold, folds="fold") for fold in range(FOLDS)]
                for name in names:
                    in_folds(row, name, data, parts)
        if any(row.wants(f"{name} TREC, tuned") for name in (*NETWORKS, "linear")):
            trec(row, table(row, "trec", Path(folder)))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
