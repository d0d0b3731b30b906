"""Row 24: German captions from English ones: a transformer, an LSTM with attention, and dynamic convolutions.

Paper: Wu et al. 2021, https://aclanthology.org/2021.acl-long.480 (transformer of 2.6 M parameters: 40.8 ± 1.7 over replications); data:
Elliott et al. 2016, https://aclanthology.org/W16-3210
Command: python benchmarks/scores/24_multi30k.py --data FOLDER      (FOLDER: with train, val and test_2016_flickr .en.gz and .de.gz)
Expected: on a GPU, or with --full, BLEU ≥ 38.0 (transformer) and 33 (LSTM) on test 2016 in some fifteen minutes. On a CPU narrower and
with one pass over the pairs, three minutes each on a quiet core: reported, no bar. In full it has not been run.

What a CPU runs says that the script works, not how good the three are: 5.6 BLEU of a transformer after one pass is no contradiction to
30.2 (28.6 – 31.7), and 29.4 (27.8 – 30.9) of a GRU, which `bakeoff run` with a budget of 26 minutes had on the same test sentences
(docs/results.md). There four settings each were tried and one trained to the end, on 787,712 (transformer) and 1,283,968 (GRU) pairs in
all, with capitals kept; here one setting, not searched for, sees 29,000 once, and who learns fastest is ahead.

All files are lower-cased, as in print, and not tokenised further: what is judged is text, by sacreBLEU, whose signature each part's setting
holds. All three have the same 2,000 subwords a side, the same pairs in the same order, as many steps, label smoothing .1, dropout, and
equal width; every one is the encoder and, twice over, the decoder, between whose halves four heads of attention look at what was read.
The 29,000 training pairs are learnt, validation is not touched: settings were taken over from the papers, not searched for.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
from pathlib import Path
from typing import Any

from row import Part, Row, fit, setting

from bakeoff.data.load import load
from bakeoff.options import Options
from bakeoff.train import loop

ALIKE = {"optimizer": "adamw", "weight_decay": 1e-2, "schedule": "cosine", "warmup": 0.1, "clip": 1.0, "label_smoothing": 0.1, "batch": 64}
SMALL = {"width": 128, "dropout": 0.1, "lr": 3e-3}
LARGE = {"width": 256, "dropout": 0.3, "lr": 1e-3, "beam": 4, "batch": 128}
CONTENDERS: dict[str, tuple[dict[str, Any], dict[str, Any], str, float | None]] = {      # on a CPU, in full, published, bar
    "transformer": ({"transformer.depth": 2}, {"transformer.depth": 3, "transformer.expand": 4}, "40.8 ± 1.7", 38.0),
    "lstm": ({"lstm.depth": 1}, {"lstm.depth": 2}, "", 33.0),
    "dynamicconv": ({"dynamicconv.depth": 2}, {"dynamicconv.depth": 3, "dynamicconv.expand": 4}, "", None),
}
PASSES = 40                   # over the pairs, in full


def lowered(folder: Path, into: Path) -> None:
    """The pairs of the row in lower case, uncompressed."""
    for stem in ("train", "val", "test_2016_flickr"):
        for side in ("en", "de"):
            packed = folder / f"{stem}.{side}.gz"
            text = gzip.decompress(packed.read_bytes()).decode("utf-8") if packed.exists() else (folder / f"{stem}.{side}").read_text("utf-8")
            (into / f"{stem}.{side}").write_text(text.lower(), encoding="utf-8")


def main() -> int:
    row = Row(24, "multi30k", __doc__ or "")
    with tempfile.TemporaryDirectory() as folder:
        lowered(row.folder(), Path(folder))
        loaded = load(folder, Options(task="translate", inputs=("en",), target="de", test=f"{folder}/test_2016_flickr", max_shared="100%"))
    task, splits = loaded.make_task(), loaded.splits
    assert splits.test is not None
    train, test = splits.train.collate(task.collate), splits.test.collate(task.collate)
    for name, (small, large, published, bar) in CONTENDERS.items():
        if not row.wants(name):
            continue
        params = setting(name, train, task, **ALIKE | (LARGE | large if row.full else SMALL | small))
        steps = (PASSES if row.full else 1) * len(train) // params["batch"]
        networks = [fit(name, train, task, params, steps=steps, seed=seed, device=row.device) for seed in ((0, 1, 2) if row.full else (0,))]
        values = [loop.evaluate(network, test, task, row.device)[0] for network in networks]
        row.add(Part(name, published, bar if row.full else None, "high", values, "BLEU",
                     reduced=None if row.full else "width 128, one pass over the pairs, one seed, no beam", counts=row.full,
                     setting=f"{networks[0].parameter_count():,} parameters, width {params['width']}, {len(train):,} pairs, {steps:,} steps of "
                             f"{params['batch']}, beam {params.get('beam', 1)}; {task.metrics[0].signature}"))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
