"""The runs that the report is tested on, by name.

`python tests/report/recipes.py FOLDER` writes them to look at; `--golden` instead of a folder renders the golden page anew.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from make_run import make
from planted import SLATE, Recipe

GOLDEN = Path(__file__).parents[1] / "golden" / "report.html"
LINES = (
    "What a piece of work is a man! how noble in reason! how infinite in faculty! in form and moving how express and admirable!",
    "O, she doth teach the torches to burn bright!\nIt seems she hangs upon the cheek of night\nLike a rich jewel in an Ethiope's ear;",
    "Who is there?",
    "The play's the thing wherein I'll catch the conscience of the king. " * 9,
)
SCRIPT = "<script>alert(1)</script>"
HOSTILE = (
    SCRIPT,
    '"><img src=x onerror=alert(2)>',
    "'; DROP TABLE classes; --",
    "{{ 7*7 }}{% raw %}",
    "&amp;&lt;b&gt;",
    "javascript:alert(3)",
    "]]></svg><script>alert(4)</script>",
    "\u202eevil\u202c.png",
    "الصنف العربي الطويل جدا",
    "שלום עולם",
    "👩‍👩‍👧‍👦 семья 🌹",
    "z" * 180,
    "very long name with spaces " * 9,
    "\x1b[31mred\x07\x00",
    "tab\tand\nnewline",
    "Ⅷ℣ ﷽",
    "a̷̧̛͉̘̞͍b̶̡̛̭͔̮",
    "https://example.org/x.png",
    "</title></style></textarea>",
    "`$(reboot)`",
)


def recipes() -> dict[str, Recipe]:
    words = tuple(HOSTILE) + tuple(f"class {k:03d}" for k in range(180))
    small = ("resnet", "gru", "crnn", "mlp", "rocket", "majority")
    return {
        "digits": Recipe(
            "image",
            "classify",
            "digits/",
            tuple("0123456789"),
            360,
            slate=tuple(name for name in SLATE if name != "rnn" and SLATE[name][0] != "quantum"),
            hard=-0.35,
            untuned=("lstm",),
            notes=["sizes 28 × 28 (--set image.size=32)", "14 identical pictures kept on one side"],
            problems=[
                {"what": "this picture cannot be read", "where": "3/0412.png", "fix": "Save it again."},
                {"what": "two classes share a picture", "where": "8/0003.png and 3/0077.png", "fix": "Remove one."},
            ],
            absent={"boosting": "it reads tables, and these are images", "textcnn": "it reads words"},
        ),
        "vowels": Recipe(
            "series",
            "classify",
            "vowels/",
            tuple(f"speaker {k}" for k in range(1, 10)),
            120,
            {"resnet": 1.7, "gru": 1.7, "lstm": 1.68, "crnn": 1.72, "inception": 1.66, "tcn": 1.69, "fcn": 1.6, "transformer": 1.55},
            keys=[f"JapaneseVowels_TEST.ts:{k}" for k in range(120)],
            seed=3,
        ),
        "plays": Recipe(
            "text",
            "classify",
            "plays.csv",
            ("Hamlet", "Juliet", "Othello"),
            800,
            {"rocket": 2.7, "linear": 2.3},
            hard=1.2,
            text=LINES,
            keys=[f"plays.csv:{k}" for k in range(2, 802)],
            seed=4,
        ),
        "wine": Recipe(
            "table",
            "regress",
            "wine.csv",
            n_test=400,
            slate=("mlp", "gru", "resnet", "linear", "nearest", "rocket", "majority"),
            seed=5,
            absent=dict.fromkeys(("tcn", "inception", "fcn", "lstm"), "columns have no order, and it reads neighbours"),
            keys=[f"wine.csv:{k}" for k in range(2, 402)],
        ),
        "hostile": Recipe(
            "image",
            "classify",
            f"/data/{SCRIPT}",
            words,
            700,
            keys=[f"{word}/file {SCRIPT} \" ' {'long' * 30}.png" for word in HOSTILE],
            seed=6,
            failed={"transformer": f"out of memory in {SCRIPT}", "rnn": "the process was killed (signal 9)"},
            untuned=("lstm", "mingru"),
            slate=tuple(SLATE),
            absent={'<img src=x onerror="alert(5)">': f"because of {SCRIPT} and {'x' * 300}"},
            notes=[SCRIPT],
            cards=8,
            problems=[{"what": SCRIPT, "where": "\u202e" + "y" * 300, "fix": "'\"<b>"}] * 60,
        ),
        "tiny": Recipe("image", "classify", "two/", ("cat", "dog"), 12, slate=("majority",), seeds=1, trials=1, cards=2, seed=7),
        "golden": Recipe(
            "series",
            "classify",
            "motif/",
            ("left", "right", "none"),
            60,
            slate=small,
            seeds=2,
            trials=4,
            cards=2,
            seed=8,
            looks=6,
            hard=1.0,
            failed={"mlp": "the loss became not a number"},
            untuned=("gru",),
            absent={"textcnn": "it reads words"},
            keys=[f"motif.npz:{k}" for k in range(60)],
        ),
    }


def write_golden() -> Path:
    """The golden page, to be looked at before it is committed: from records in a folder that is thrown away."""
    from bakeoff.report.render import render
    before = Path.cwd()
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            page = render(make(Path("runs/golden"), recipes()["golden"]))
        finally:
            os.chdir(before)
    GOLDEN.write_text(page, encoding="utf-8")
    return GOLDEN


if __name__ == "__main__":
    if sys.argv[1] == "--golden":
        print(write_golden())
    else:
        for name, recipe in recipes().items():
            print(make(Path(sys.argv[1]) / name, recipe))
