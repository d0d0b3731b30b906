"""Row 1: repeating the last value on the exchange rates, which published networks lose to.

Paper: Lai et al. 2018 (data), https://arxiv.org/abs/1703.07015; Zeng et al. 2023 (repeat-last), https://arxiv.org/abs/2205.13504
Command: python benchmarks/scores/01_repeat_last.py --data FOLDER      (FOLDER: with exchange_rate.txt.gz or exchange_rate.csv)
Expected: MSE/MAE .081/.196 at horizon 96 and .167/.289 at 192, 7:1:2 in time order, each channel standardised by training. A minute.
"""

from __future__ import annotations

import sys

from row import Part, Row, beside, compete, seeds_of

PUBLISHED = {96: (0.081, 0.196), 192: (0.167, 0.289)}
EQUAL = 0.001


def main() -> int:
    row = Row(1, "repeat_last", __doc__ or "")
    for horizon, (mse, mae) in PUBLISHED.items():
        result = compete(row.folder(), task="forecast", horizon=horizon, split="0.7,0.1,0.2", slate="last", metric="mse_scaled", trials=1, seeds=1)
        for what, value, published in (("MSE", seeds_of(result, "last")[0], mse), ("MAE", beside(result, "last", "mae_scaled"), mae)):
            row.add(Part(f"last horizon {horizon}, {what}", str(published), EQUAL, "equal", [value], what, target=published))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
