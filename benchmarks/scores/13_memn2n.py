"""Row 13: one memory network for fifteen of the twenty bAbI tasks, a thousand questions of each to learn from; an LSTM beside it.

Paper: Sukhbaatar et al. 2015, https://arxiv.org/abs/1503.08895 (position encoding, linear start, random noise, trained on all tasks jointly)
Command: python benchmarks/scores/13_memn2n.py --data FOLDER      (FOLDER: with the files qa…_train.txt and qa…_test.txt of bAbI v1.2, `en`)
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from typing import Any

import numpy as np
from row import Part, Row, fit, setting

from bakeoff.options import Options
from bakeoff.session import load_data
from bakeoff.train import loop

BAR, SURE = 9.0, 1.0                          # mean error of the tasks, and that of tasks 1 and 15, in %
STARTS = (0, 1, 2)
EXAMPLES = 900_000                            # 60 times all questions, as the paper trains jointly
MEMORIES = 50                                 # sentences that are kept, as in the paper
MEMN2N = {"width": 50, "batch": 32, "memn2n.hops": 3, "memn2n.tying": "adjacent", "memn2n.noise": 0.1}


def errors(network: Any, test: Any, task: Any) -> dict[int, float]:
    """Per task, in % of its questions."""
    wrong = defaultdict(list)
    for answer, target, key in zip(task.decode(loop.outputs(network, test)), test.targets, test.keys, strict=True):
        found = re.search(r"qa(\d+)_", key)
        if found is None:
            raise SystemExit(f"{key} does not say its task: files are to be called qa1_NAME_test.txt, as they come")
        wrong[int(found[1])].append(answer.value != target)
    return {number: 100 * float(np.mean(wrong[number])) for number in sorted(wrong)}
