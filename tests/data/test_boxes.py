"""Images with boxes: four layouts read alike, what is wrong named with file and line, splits as given, nothing that crashes a reader."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bakeoff.data import boxes
from bakeoff.data.annotations import names_in_yaml
from bakeoff.data.base import ReadOptions, Source
from bakeoff.data.image import Image as Kind
from bakeoff.data.load import Loaded, files_of, guess_kind, load_new
from bakeoff.errors import BakeoffError, DataError

Check = Callable[..., Loaded]
WIDE, HIGH = 40, 20
TRUTH = {"a": [("cat", 4, 2, 20, 12)], "b": [("dog", 0, 0, 40, 20), ("cat", 10, 5, 14, 15)], "c": []}
LAYOUTS = ("voc", "coco", "yolo", "table")


def picture(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (HIGH, WIDE, 3), dtype=np.uint8)).save(path)


def xml(name: str, found: list[tuple], extra: str = "") -> str:
    objects = "".join(f"\n<object><name>{label}</name>\n<bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox>"
                      "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part></object>"
                      for label, x0, y0, x1, y1 in found)
    return f"<annotation>\n<filename>{name}.png</filename><size><width>9</width></size>{objects}{extra}</annotation>"


def coco(truth: dict[str, list[tuple]]) -> dict[str, Any]:
    return {"images": [{"id": number, "file_name": f"{name}.png", "width": WIDE, "height": HIGH} for number, name in enumerate(truth)],
            "annotations": [{"id": 10 * number + place, "image_id": number, "category_id": ("cat", "dog").index(label) + 7, "iscrowd": 0,
                             "bbox": [x0, y0, x1 - x0, y1 - y0]} for number, found in enumerate(truth.values())
                            for place, (label, x0, y0, x1, y1) in enumerate(found)],
            "categories": [{"id": 7, "name": "cat"}, {"id": 8, "name": "dog"}]}


def yolo(found: list[tuple]) -> str:
    return "".join(f"{('cat', 'dog').index(label)} {(x0 + x1) / 2 / WIDE} {(y0 + y1) / 2 / HIGH} {(x1 - x0) / WIDE} {(y1 - y0) / HIGH}\n"
                   for label, x0, y0, x1, y1 in found)


def rows(truth: dict[str, list[tuple]]) -> str:
    lines = [f"{name}.png,{WIDE},{HIGH},{label},{x0},{y0},{x1},{y1}" for name, found in truth.items() for label, x0, y0, x1, y1 in found]
    empty = [f"{name}.png,{WIDE},{HIGH},,,,," for name, found in truth.items() if not found]
    return "\n".join(["filename,width,height,class,xmin,ymin,xmax,ymax", *lines, *empty]) + "\n"


def make(folder: Path, layout: str, truth: dict[str, list[tuple]] = TRUTH) -> Path:
    for number, name in enumerate(truth):
        picture(folder / "images" / f"{name}.png", number)
    match layout:
        case "voc":
            (folder / "annotations").mkdir()
            for name, found in truth.items():
                (folder / f"annotations/{name}.xml").write_text(xml(name, found))
        case "coco":
            (folder / "boxes.json").write_text(json.dumps(coco(truth)))
        case "yolo":
            (folder / "labels").mkdir()
            (folder / "data.yaml").write_text("path: .\nnc: 2\nnames: ['cat', 'dog']\n")
            for name, found in truth.items():
                (folder / f"labels/{name}.txt").write_text(yolo(found))
        case "table":
            (folder / "boxes.csv").write_text(rows(truth))
    return folder


def read(path: Path, **options: Any) -> Source:
    return Kind().read(files_of(path), ReadOptions(**options))


def told(source: Source) -> list[str]:
    return [f"{problem.what} – {problem.where}" for problem in source.problems]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_boxes(layout: str, tmp_path: Path) -> None:
    path = make(tmp_path / "zoo", layout)
    assert guess_kind(files_of(path))[1].task == "detect"
    source = read(path)
    assert source.keys == ["images/a.png", "images/b.png", "images/c.png"]
    found = [[(box["label"], *box["box"]) for box in target] for target in source.targets]
    assert found == [[(label, *map(float, sides)) for label, *sides in one] for one in TRUTH.values()]
    assert source.given["size"].tolist() == [[WIDE, HIGH]] * 3
    assert source.items.shape == (3, HIGH, WIDE, 3)
    assert (source.task, source.split, told(source)) == ("detect", None, [])
    assert "3 boxes on 3 images: cat 2, dog 1; 1 image without any" in source.notes
    archive = tmp_path / "zoo.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for file in sorted(path.rglob("*.*")):
            out.write(file, file.relative_to(path))
    assert read(archive).targets == source.targets


@pytest.mark.parametrize("layout", LAYOUTS)
def test_boxes_that_cannot_be_are_told_and_the_image_stays(layout: str, tmp_path: Path) -> None:
    odd = {"a": [("cat", 4, 2, 20, 12), ("cat", 30, 15, 60, 30), ("dog", 5, 5, 5, 9), ("dog", 70, 3, 80, 9)], "b": [("dog", 9, 9, 9, 9)], "c": []}
    source = read(make(tmp_path / "zoo", layout, odd))
    assert [len(target) for target in source.targets] == [2, 0, 0]
    assert source.targets[0][1]["box"] == pytest.approx([30, 15, 40, 20])
    beyond, area, outside, other = told(source)
    place = {"voc": "annotations/a.xml, line 5", "coco": "boxes.json, annotations[1] (id 1)", "yolo": "labels/a.txt, line 2",
             "table": "boxes.csv, line 3"}[layout]
    assert beyond == f"a box of 'cat' reaches beyond the image of 40 × 20 and is cut there – {place}"
    assert "has no area" in area
    assert "has no area" in other
    assert "lies outside the image" in outside
    assert not any(problem.bad for problem in source.problems)


@pytest.mark.parametrize(("layout", "change", "what"), [
    ("voc", ("annotations/a.xml", xml("a", [("", 1, 1, 2, 2)])), r"an object has no name – annotations/a\.xml, line 3"),
    ("voc", ("annotations/a.xml", xml("a", [("cat", 1, "x", 2, 2)])), r"no box of four numbers – annotations/a\.xml, line 3"),
    ("voc", ("annotations/a.xml", "<annotation>\n<filename>a.png</filename>\n<object>"), r"the XML is broken: .* – annotations/a\.xml, line 3"),
    ("voc", ("annotations/a.xml", '<!DOCTYPE a [\n<!ENTITY b "cc">]><annotation/>'), r"declares a document type.*a\.xml, line 1"),
    ("voc", ("annotations/z.xml", xml("zebra", [])), r"there is no image 'zebra\.png' – annotations/z\.xml"),
    ("voc", ("annotations/z.xml", xml("a", [])), r"images/a\.png is described in annotations/a\.xml too – annotations/z\.xml"),
    ("yolo", ("labels/a.txt", "0 .5 .5 .1 .1\n\n9 .5 .5 .1 .1\n"), r"class number 9 is not among the 2 names – labels/a\.txt, line 3"),
    ("yolo", ("labels/a.txt", "0 .5 .5 .1\n"), r"'0 \.5 \.5 \.1' is not a class number and .* – labels/a\.txt, line 1"),
    ("yolo", ("labels/a.txt", "cat .5 .5 .1 .1\n"), r"is not a class number .*labels/a\.txt, line 1"),
    ("yolo", ("labels/zebra.txt", "0 .5 .5 .1 .1\n"), r"there is no image 'zebra' – labels/zebra\.txt"),
    ("table", ("boxes.csv", rows(TRUTH) + "a.png,40,20,cat,1,x,3,4\n"), r"'1, x, 3, 4' is not four numbers – boxes\.csv, line 6"),
    ("table", ("boxes.csv", rows(TRUTH) + "a.png,40,20,,1,2,3,4\n"), r"the class is missing – boxes\.csv, line 6"),
    ("table", ("boxes.csv", rows(TRUTH) + "zebra.png,40,20,cat,1,2,3,4\n"), r"there is no image 'zebra\.png' – boxes\.csv, line 6"),
])
def test_what_is_wrong_with_an_image_sets_it_aside(layout: str, change: tuple[str, str], what: str, tmp_path: Path) -> None:
    path = make(tmp_path / "zoo", layout)
    (path / change[0]).write_text(change[1])
    source = read(path)
    assert len(told(source)) == 1
    assert re.search(what, told(source)[0]), told(source)
    assert source.problems[0].bad
    assert source.seen == len(source) + 1


@pytest.mark.parametrize(("change", "what", "bad"), [
    (lambda known: known["annotations"][0].update(category_id=99),
     r"category id '99' is not among the 2 categories – boxes\.json, annotations\[0\]", True),
    (lambda known: known["annotations"][0].update(bbox=[1, 2, 3]), r"bbox \[1, 2, 3\] is not four numbers", True),
    (lambda known: known["annotations"][0].update(image_id=99),
     r"names an image that is not listed, '99' – boxes\.json, annotations\[0\] \(id 0\)", False),
    (lambda known: known["images"].append({"id": 50, "file_name": "z.png"}), r"there is no image 'z\.png' – boxes\.json, images\[3\]", True),
])
def test_what_is_wrong_in_a_json_is_told_by_its_place(change: Callable[[dict], Any], what: str, bad: bool, tmp_path: Path) -> None:
    path, known = make(tmp_path / "zoo", "coco"), coco(TRUTH)
    change(known)
    (path / "boxes.json").write_text(json.dumps(known))
    source = read(path)
    assert re.search(what, told(source)[0])
    assert source.problems[0].bad == bad


@pytest.mark.parametrize(("text", "what"), [("{\"images\": [\n}", "the JSON is broken.*line 2"), ('{"images": 3}', 'no list "images"'),
                                            ('["images"]', 'no list "images"'), ('{"images": ' + "[" * 100_000, "JSON")])
def test_a_json_that_is_none_is_told(text: str, what: str, tmp_path: Path) -> None:
    path = make(tmp_path / "zoo", "coco")
    (path / "boxes.json").write_text(text)
    with pytest.raises(DataError, match=what):
        read(path)


def test_crowds_are_no_boxes(tmp_path: Path) -> None:
    path, known = make(tmp_path / "zoo", "coco"), coco(TRUTH)
    known["annotations"][0]["iscrowd"] = 1
    (path / "boxes.json").write_text(json.dumps(known))
    source = read(path)
    assert source.targets[0] == []
    assert any("1 regions are marked as crowds" in note for note in source.notes)


def test_an_entity_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = make(tmp_path / "zoo", "voc")
    entities = "".join(f"<!ENTITY a{k} '{f'&a{k - 1};' * 10}'>" for k in range(1, 30))
    bomb = f"<!DOCTYPE a [<!ENTITY a0 'ha'>{entities}]><annotation>&a29;</annotation>"
    for encoding in ("utf-8", "utf-16"):
        (path / "annotations/a.xml").write_bytes(bomb.encode(encoding))
        assert "declares a document type" in told(read(path))[0]


def test_an_image_of_which_nothing_is_said_has_no_objects(tmp_path: Path) -> None:
    path = make(tmp_path / "zoo", "voc")
    picture(path / "images/d.png", 9)
    source = read(path)
    assert source.targets[3] == []
    assert any("1 image with nothing said" in note for note in source.notes)


def test_a_broken_image_is_set_aside_with_its_boxes(tmp_path: Path) -> None:
    path = make(tmp_path / "zoo", "yolo")
    (path / "images/a.png").write_bytes(b"none")
    source = read(path)
    assert source.keys == ["images/b.png", "images/c.png"]
    assert len(source.targets[0]) == 2
    assert len(source.given["size"]) == 2


def test_polygons_become_the_box_around_them(tmp_path: Path) -> None:
    path = make(tmp_path / "zoo", "yolo")
    (path / "labels/a.txt").write_text("1 .1 .1 .5 .1 .5 .5 .2 .9\n")
    assert read(path).targets[0] == [{"label": "dog", "box": pytest.approx([4, 2, 20, 18])}]


@pytest.mark.parametrize(("text", "names"), [
    ("names: [cat, 'big dog', \"c,d\"]", ["cat", "big dog", "c,d"]), ("nc: 2\nnames:\n  - cat\n  - dog # old\nval: x", ["cat", "dog # old"]),
    ("names:\n  0: cat\n  2: hen\n", ["cat", "1", "hen"]), ("names: {0: cat, 1: dog}", ["cat", "dog"]), ("names: [cat,\n  dog]\n", ["cat", "dog"]),
    ("train: a\n", []), ("names:\n", []), ("names: [\n", []),
])
def test_names_of_classes_in_yaml(text: str, names: list[str]) -> None:
    assert names_in_yaml(text) == names


def test_classes_without_names_go_by_number(tmp_path: Path) -> None:
    path = make(tmp_path / "zoo", "yolo")
    (path / "data.yaml").unlink()
    assert {box["label"] for target in read(path).targets for box in target} == {"0", "1"}
    (path / "classes.txt").write_text("lynx\nwolf\n")
    assert {box["label"] for target in read(path).targets for box in target} == {"lynx", "wolf"}


@pytest.mark.parametrize("layout", ["voc", "yolo"])
def test_lists_of_names_are_the_given_splits(layout: str, tmp_path: Path) -> None:
    path = make(tmp_path / "zoo", layout)
    (path / "ImageSets/Main").mkdir(parents=True)
    (path / "ImageSets/Main/trainval.txt").write_text("a\nb\n")
    (path / "ImageSets/Main/val.txt").write_text("b  1\n")
    (path / "ImageSets/Main/test.txt").write_text("\n")
    (path / "ImageSets/Main/cat_train.txt").write_text("c -1\n")
    source = read(path)
    assert (source.keys, source.split) == (["images/a.png", "images/b.png"], ["train", "val"])
    assert any("1 image in none of the given splits are left out" in note for note in source.notes)


def test_tables_of_train_and_test_are_the_given_splits(tmp_path: Path) -> None:
    """With .xml files, as lists of names; alone, with their boxes. A table of all beside them is left out."""
    for layout in ("voc", "none"):
        path = make(tmp_path / layout, layout)
        for part, names in (("train", "ac"), ("test", "b"), ("zoo", "abc")):
            (path / f"{part}_labels.csv").write_text(rows({name: TRUTH[name] for name in names}))
        source = read(path)
        assert source.split == ["train", "test", "train"]
        assert [len(target) for target in source.targets] == [1, 2, 0]


@pytest.mark.parametrize("order", ["images/{part}", "{part}/images"])
def test_folders_of_train_and_val_are_the_given_splits(order: str, tmp_path: Path) -> None:
    for part, name in (("train", "a"), ("val", "b")):
        folder = order.format(part=part)
        picture(tmp_path / "zoo" / folder / f"{name}.png", ord(name))
        labels = tmp_path / "zoo" / folder.replace("images", "labels") / f"{name}.txt"
        labels.parent.mkdir(parents=True)
        labels.write_text(yolo(TRUTH[name]))
    source = read(tmp_path / "zoo")
    assert source.split == ["train", "val"]
    assert [len(target) for target in source.targets] == [1, 2]


def test_several_jsons_are_splits_by_their_names(tmp_path: Path) -> None:
    path = make(tmp_path / "zoo", "coco")
    (path / "boxes.json").unlink()
    for part, names in (("train2017", "ac"), ("val2017", "b")):
        (path / f"instances_{part}.json").write_text(json.dumps(coco({name: TRUTH[name] for name in names})))
    assert read(path).split == ["train", "val", "train"]


def test_folders_per_class_are_still_classes(flowers: Callable[..., Path]) -> None:
    path = flowers()
    (path / "notes.txt").write_text("hello there\n")
    (path / "settings.json").write_text("{}")
    assert boxes.claim(files_of(path)) is None
    assert read(path).task == "classify"
    with pytest.raises(DataError, match="there are no boxes here"):
        read(path, task="detect")


def test_the_check_and_new_images(tmp_path: Path, check: Check) -> None:
    truth = {f"p{number:02}": [("cat", 4, 2, 20, 12)] * (number % 3) for number in range(30)}
    loaded = check(make(tmp_path / "zoo", "voc", truth))
    assert (loaded.kind_name, loaded.task_name) == ("image", "detect")
    assert loaded.record["first"][1]["shown"]["boxes"] == [{"label": "cat", "box": [4, 2, 20, 12]}]
    assert loaded.record["facts"]["boxes"] == {"cat": 30}
    train = loaded.splits.train
    batch = train.take([1, 0])
    assert batch.given["size"].tolist() == [[WIDE, HIGH]] * 2
    part = loaded.splits.test
    assert part is not None
    assert part.subset([0]).take([0]).given["size"].tolist() == [[WIDE, HIGH]]
    Image.fromarray(np.zeros((60, 30, 3), np.uint8)).save(tmp_path / "new.png")
    new = load_new(tmp_path / "new.png", "image", loaded.folds[0].kind_state)
    assert new.dataset.take([0]).given["size"].tolist() == [[30, 60]]
    assert new.dataset.take([0]).x.x.shape == (1, HIGH, WIDE, 3)
    assert len(load_new(tmp_path / "zoo", "image", loaded.folds[0].kind_state).keys) == 30


def test_large_images_are_made_small_and_boxes_stay_in_their_pixels(tmp_path: Path) -> None:
    path = make(tmp_path / "zoo", "voc", {"a": [("cat", 40, 20, 300, 200)]})
    Image.fromarray(np.zeros((400, 600, 3), np.uint8)).save(path / "images/a.png")
    source = read(path)
    assert source.items.shape == (1, 128, 128, 3)
    assert source.targets == [[{"label": "cat", "box": [40, 20, 300, 200]}]]
    shown = Kind().shown(source, 0)
    assert (shown["size"], shown["boxes"]) == ([600, 400], source.targets[0])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_files_damaged_at_random_are_told_and_never_crash(layout: str, tmp_path: Path) -> None:
    path = make(tmp_path / "zoo", layout)
    victim = path / {"voc": "annotations/b.xml", "coco": "boxes.json", "yolo": "labels/b.txt", "table": "boxes.csv"}[layout]
    whole = victim.read_bytes()

    @settings(max_examples=200, deadline=5000, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.integers(0, len(whole) - 1), st.integers(0, 40), st.binary(max_size=12))
    def damage(start: int, length: int, inserted: bytes) -> None:
        victim.write_bytes(whole[:start] + inserted + whole[start + length:])
        try:
            source = read(path)
        except BakeoffError:
            return
        for target in source.targets if source.task == "detect" else ():
            for box in target:
                x0, y0, x1, y1 = box["box"]
                assert 0 <= x0 < x1 <= WIDE
                assert 0 <= y0 < y1 <= HIGH
    damage()


@given(st.lists(st.tuples(st.floats(), st.floats(), st.floats(), st.floats())), st.booleans())
def test_boxes_always_lie_within(sides: list[tuple[float, float, float, float]], shares: bool) -> None:
    problems: list[Any] = []
    kept = boxes.within([boxes.Box("a", one, "here") for one in sides], WIDE, HIGH, shares, problems)
    assert len(kept) + sum("set aside" in problem.what for problem in problems) == len(sides)
    for one in kept:
        x0, y0, x1, y1 = one["box"]
        assert 0 <= x0 <= x1 <= WIDE
        assert 0 <= y0 <= y1 <= HIGH


def test_real_raccoons(shared_data: Path, check: Check) -> None:
    loaded = check(shared_data / "raccoon")
    assert loaded.record["counts"] == {"train": 160, "val": 0, "test": 40}
    assert loaded.record["facts"]["boxes"] == {"raccoon": 217}
    assert sum(map(len, loaded.splits.test.targets)) == 44                          # type: ignore[union-attr]
    assert loaded.record["problems"] == []
