"""Numbers, times, bytes and names as people read them: the same in the terminal and in the report."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

NOTHING = "–"
MINUS = "−"
# Control characters, and those that turn the reading direction of what follows: in a name they could hide or move other text.
HARMFUL = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")
NOUNS = {"image": ("image", "images"), "series": ("series", "series"), "text": ("text", "texts"), "audio": ("recording", "recordings"),
         "video": ("clip", "clips"), "table": ("row", "rows"), "story": ("question", "questions"), "music": ("piece", "pieces"),
         "forecast": ("window", "windows"), "generate": ("window", "windows")}     # by kind; a task stands here where its examples are something else

NO_TIME = "so many networks could not be tuned"      # what the reason says of those who stay out because time is short
OTHER_TASK = "asks for something else"        # how a baseline's reason ends that answers other tasks than this one


def plain(text: object) -> str:
    """A name from the user's data, safe to print: what would act on the terminal or on the reading direction becomes �."""
    return HARMFUL.sub("�", str(text).replace("\t", " ").replace("\n", " "))


def short(text: object, most: int) -> str:
    """`plain` text of at most `most` characters, the rest as an ellipsis; combining marks stay with their letter."""
    whole = plain(text)
    if len(whole) <= most:
        return whole
    cut = max(1, most - 1)
    while cut > 1 and unicodedata.combining(whole[cut]):
        cut -= 1
    return whole[:cut].rstrip() + "…"


def in_row(value: object) -> object:
    """A list of words with blanks between; anything else as it is."""
    return " ".join(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else value


def listing(names: Iterable[object], most: int = 6) -> str:
    """'a', 'a and b', 'a, b and c', 'a, b and 4 more'."""
    words = [plain(name) for name in names]
    if len(words) > most + 1:
        words = [*words[:most], f"{count(len(words) - most)} more"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def boxes_text(boxes: Sequence[Mapping[str, Any]], most: int = 6) -> str:
    """Boxes on an image in a line: 'cat .83 at 10 20 90 75, dog at 0 4 33 60', corners in pixels; 'no box' where there is none."""
    words = []
    for one in boxes[:most]:
        sides = " ".join(f"{float(side):.0f}" for side in one["box"])
        score = f" {one['score']:.2f}".replace(" 0.", " .") if "score" in one else ""
        words.append(f"{plain(one['label'])}{score} at {sides}")
    return ", ".join(words) + (f" and {count(len(boxes) - most)} more" if len(boxes) > most else "") or "no box"


def thing(kind: str, task: str) -> str:
    """By which word of NOUNS the examples are called: a forecast's are windows of series."""
    return task if task in NOUNS else kind


def noun(kind: str, number: int) -> str:
    """'1 image', '734 images'; 'examples' for a kind without a word of its own."""
    one, many = NOUNS.get(kind, ("example", "examples"))
    return f"{count(number)} {one if number == 1 else many}"


def count(number: float) -> str:
    """3670 → '3,670'."""
    return f"{number:,.0f}".replace("-", MINUS)


def quantity(number: float | None, digits: int = 3) -> str:
    """A large number in short: 1240000 → '1.24 M'."""
    if number is None or not math.isfinite(number):
        return NOTHING
    return _scaled(number, 1000.0, ("", "k", "M", "G", "T", "P", "E"), digits)


def size(number: float | None, digits: int = 3) -> str:
    """Bytes: 1240000 → '1.24 MB'."""
    if number is None or not math.isfinite(number):
        return NOTHING
    return _scaled(number, 1000.0, ("B", "kB", "MB", "GB", "TB", "PB", "EB"), digits)


def _scaled(number: float, base: float, units: Sequence[str], digits: int) -> str:
    step = 0
    while abs(number) >= base and step + 1 < len(units):
        number, step = number / base, step + 1
    text = significant(number, digits)
    if text.replace(",", "") == f"{base:.0f}" and step + 1 < len(units):      # 999.9 k is written 1 M
        text, step = "1", step + 1
    return f"{text} {units[step]}".rstrip()


def significant(number: float, digits: int = 3) -> str:
    """So many digits, no trailing zeros after the point, separators before it: 0.012345 → '0.0123', 12345 → '12,345'."""
    if not math.isfinite(number):
        return NOTHING
    if number == 0:
        return "0"
    decimals = min(12, max(0, digits - 1 - math.floor(math.log10(abs(number)))))
    text = f"{number:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS)


def duration(seconds: float | None) -> str:
    """Waiting time: .0004 → '0.4 ms', 12.3 → '12 s', 370 → '6m 10s', 3900 → '1h 05m'."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 0:
        return MINUS + duration(-seconds)
    if seconds == 0:
        return "0 s"
    if seconds < 1:
        return f"{significant(seconds * 1000, 2 if seconds < 0.1 else 3)} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m" + (f" {rest:02d}s" if rest else "")
    hours, minutes = divmod(minutes + (rest >= 30), 60)
    return f"{count(hours)}h" + (f" {minutes:02d}m" if minutes else "")


def milliseconds(number: float | None) -> str:
    return duration(None if number is None else number / 1000)


def percent(share: float | None, digits: int = 0) -> str:
    """.125 → '12 %'; what is not quite nothing or all is never rounded to it."""
    if share is None or not math.isfinite(share):
        return NOTHING
    text = f"{share * 100:.{digits}f}"
    if share > 0 and float(text) == 0:
        return f"< {10 ** -digits:.{digits}f} %"
    if share < 1 and float(text) == 100:
        return f"> {100 - 10 ** -digits:.{digits}f} %"
    return f"{text} %".replace("-", MINUS)


def probability(p: float | None) -> str:
    """'p < .001', 'p = .031'; '–' where there is none."""
    if p is None or not math.isfinite(p):
        return NOTHING
    return "p < .001" if p < 0.001 else f"p = {p_digits(p)}"


def p_digits(p: float | None) -> str:
    """'< .001', '.031', '.42'."""
    if p is None or not math.isfinite(p):
        return NOTHING
    if p < 0.001:
        return "< .001"
    text = f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"
    return text if p >= 0.995 else text.removeprefix("0")


def ratio(number: float) -> str:
    """How many times: .16 → '1/6', 3.04 → '3 ×', 1.37 → '1.4 ×'."""
    if not math.isfinite(number) or number <= 0:
        return NOTHING
    if number < 0.67:
        return f"1/{count(round(1 / number))}"
    if number >= 10:
        return f"{count(float(f'{number:.2g}'))} ×"
    return f"{significant(number, 2)} ×"


class Cell(NamedTuple):
    """A number cut for alignment on the decimal point. pad: set invisibly behind it, as wide as the missing decimals."""

    text: str
    pad: str = ""


def column(texts: Sequence[str]) -> list[Cell]:
    """Texts of one column, right-aligned on the decimal point with the same unit: '1.24', '12', '–'."""
    def tail(text: str) -> int:
        return len(text) - text.rindex(".") - 1 if "." in text and text[-1].isdigit() else 0

    longest = max(map(tail, texts), default=0)
    cells = []
    for text in texts:
        missing = longest - tail(text)
        point = "." if missing == longest and longest else ""
        cells.append(Cell(text, point + "0" * missing if text[-1:].isdigit() else ""))
    return cells


@dataclass(frozen=True)
class Score:
    """How values of one metric are written, all with the same decimals. bare: a share of 0 … 1, without the leading zero."""

    decimals: int = 3
    bare: bool = True

    @classmethod
    def of(cls, values: Iterable[float | None], unit: str = "") -> Score:
        """Three digits, by the largest of `values` that is not far from the middle."""
        known = sorted(abs(value) for value in values if value is not None and math.isfinite(value) and value)
        if unit == "" and all(value <= 10 for value in known):
            return cls()
        middle = known[len(known) // 2] if known else 1.0
        decimals = max(0, 2 - math.floor(math.log10(middle)))
        return cls(min(decimals, 8), False)

    def __call__(self, value: float | None) -> str:
        if value is None or not math.isfinite(value):
            return NOTHING
        text = f"{abs(value):,.{self.decimals}f}"
        if self.bare and text.startswith("0."):
            text = text[1:]
        return (MINUS if value < 0 and float(text.replace(",", "")) else "") + text

    def signed(self, value: float | None) -> str:
        """With its sign; '.000' where it rounds to nothing."""
        text = self(value)
        return text if value is None or not math.isfinite(value) or text[0] == MINUS or not text.strip("0.,") else f"+{text}"

    def interval(self, low: float | None, high: float | None) -> str:
        """'.842 – .891'; '' where one end is not known."""
        return f"{self(low)} – {self(high)}" if low is not None and high is not None else ""

    def signed_interval(self, low: float | None, high: float | None) -> str:
        return f"{self.signed(low)} … {self.signed(high)}" if low is not None and high is not None else ""


class Unit(NamedTuple):
    """One unit for a whole column: numbers are divided by `size`."""

    size: float
    name: str

    def __call__(self, number: float | None) -> str:
        """Three digits, at most two decimals, so that a column can be aligned on the point."""
        if number is None or not math.isfinite(number):
            return NOTHING
        value = number / self.size
        if value and abs(value) < 0.005:
            return "< 0.01"
        decimals = 0 if value == 0 or abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
        return f"{value:,.{decimals}f}".replace("-", MINUS)

    @classmethod
    def fitting(cls, numbers: Iterable[float | None], units: Sequence[tuple[float, str]]) -> Unit:
        """The largest unit of which half of the numbers have at least one. units: from the smallest on."""
        known = sorted(number for number in numbers if number is not None and math.isfinite(number) and number > 0)
        middle = known[len(known) // 2] if known else 0.0
        return cls(*next((unit for unit in reversed(units) if middle >= unit[0]), units[0]))


COUNTS = ((1.0, ""), (1e3, "thousand"), (1e6, "million"), (1e9, "billion"), (1e12, "trillion"))
BYTES = ((1e3, "kB"), (1e6, "MB"), (1e9, "GB"))
TIMES = ((1e-3, "ms"), (1.0, "s"), (60.0, "min"), (3600.0, "h"))
