"""Daily prices of 88 US stocks → series of the last days of a stock, and whether it goes up or down on the next one.

    python benchmarks/prepare/stocknet.py stocknet_prices.zip movement.npz

The archive holds price/raw/SYMBOL.csv (Date, Open, High, Low, Close, Adj Close, Volume), as github.com/yumoxu/stocknet-dataset has
them. As Xu & Cohen 2018 (https://aclanthology.org/P18-1183) have it: a day is 'up' where the adjusted close is .55 % or more above that
of the day before, 'down' where it is .5 % or more below, and left out between; days of 2014-01-01 to 2015-07-31 train, to 2015-09-30
validate, to 2015-12-31 test. What is read are the `--days` days before (10), in percent: open, high and low against the close, the
adjusted close against that of the day before, and the volume's logarithm against its mean over these days, ×100.

All stocks of a day move together: array `group` names the day of each case. Then `bakeoff run movement.npz`. Seconds.
"""

from __future__ import annotations

import argparse
import csv
import io
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

UP, DOWN = 0.0055, -0.005
PARTS = (("train", "2014-01-01", "2015-07-31"), ("val", "2015-08-01", "2015-09-30"), ("test", "2015-10-01", "2015-12-31"))
COLUMNS = ("Open", "High", "Low", "Close", "Adj Close", "Volume")

Case = tuple[NDArray[np.float32], str, str]


def cases(dates: list[str], prices: NDArray[np.float64], days: int) -> list[tuple[str, Case]]:
    """prices: (T, 6) as COLUMNS → (part, (x (5, days), label, day)) of each day that counts."""
    close, adjusted = prices[:, 3:4], prices[:, 4]
    moved = adjusted[1:] / adjusted[:-1] - 1                                 # of day t + 1
    beside = 100 * (prices[1:, :3] / close[1:] - 1)
    volume = np.log(np.maximum(prices[1:, 5], 1))
    found = []
    for day in range(days + 1, len(dates)):
        part = next((name for name, first, last in PARTS if first <= dates[day] <= last), None)
        change = moved[day - 1]
        if part is None or DOWN < change < UP:
            continue
        past = slice(day - 1 - days, day - 1)
        x = np.column_stack([beside[past], 100 * moved[past], 100 * (volume[past] - volume[past].mean())]).T.astype(np.float32)
        found.append((part, (x, "up" if change >= UP else "down", dates[day])))
    return found


def read(archive: Path, days: int) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {name: [] for name, _, _ in PARTS}
    with zipfile.ZipFile(archive) as packed:
        for name in sorted(packed.namelist()):
            if PurePosixPath(name).parent.name != "raw" or not name.endswith(".csv"):
                continue
            rows = list(csv.DictReader(io.TextIOWrapper(packed.open(name), "utf-8")))
            rows.sort(key=lambda row: row["Date"])
            rows = [row for row in rows if "null" not in row.values()]         # a day without trade
            prices = np.array([[float(row[column]) for column in COLUMNS] for row in rows])
            for part, case in cases([row["Date"] for row in rows], prices, days):
                found[part].append(case)
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("out", type=Path, help="the .npz to write")
    parser.add_argument("--days", type=int, default=10, help="days that are read")
    asked = parser.parse_args(arguments)
    found = read(asked.archive, asked.days)
    if not found["train"] or not found["test"]:
        raise SystemExit(f"{asked.archive} has no prices of 2014 and 2015 below price/raw")
    arrays: dict[str, NDArray[np.generic]] = {}
    for part, some in found.items():
        if some:
            x, y, day = zip(*some, strict=True)
            arrays |= {f"x_{part}": np.stack(x), f"y_{part}": np.array(y), f"group_{part}": np.array(day)}
    np.savez_compressed(asked.out, allow_pickle=False, **arrays)
    print(f"{asked.out}: {', '.join(f'{len(some):,} {part}' for part, some in found.items())}; "
          f"up {np.mean([case[1] == 'up' for case in found['test']]):.3f} of the test days")


if __name__ == "__main__":
    main()
