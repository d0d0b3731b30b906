"""Row 2: the seasonal naive on the hourly series of the M4 competition, 48 hours ahead.

Paper: Makridakis et al. 2020, https://doi.org/10.1016/j.ijforecast.2019.04.014; the organisers' table of point forecasts,
    https://github.com/Mcompetitions/M4-methods
Command: python benchmarks/scores/02_m4_hourly.py --data FOLDER      (FOLDER: with m4_hourly.zip, the two files Hourly-train and -test)
Expected: sMAPE 13.912 and OWA .627 on the 414 series, the given training and test files. Two minutes.
"""

from __future__ import annotations

import sys

from row import Part, Row, beside, compete, seeds_of

PUBLISHED = {"sMAPE": (13.912, 0.01), "OWA": (0.627, 0.002)}


def main() -> int:
    row = Row(2, "m4_hourly", __doc__ or "")
    result = compete(row.folder(), task="forecast", horizon=48, season=24, slate="seasonal", metric="owa", trials=1, seeds=1)
    for what, value in (("sMAPE", beside(result, "seasonal", "smape")), ("OWA", seeds_of(result, "seasonal")[0])):
        published, equal = PUBLISHED[what]
        row.add(Part(f"seasonal, {what}", str(published), equal, "equal", [value], what, target=published))
    return row.finish()


if __name__ == "__main__":
    sys.exit(main())
