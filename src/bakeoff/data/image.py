"""Images: height × width cells of 1 (grey) to 4 channels."""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from bakeoff.data import boxes, media, pictures, stacks
from bakeoff.data.base import Arrays, Claim, Indices, Problem, ReadOptions, Source
from bakeoff.data.files import Files
from bakeoff.data.media import Entry, Media, none_left, summary
from bakeoff.data.names import IMAGES
from bakeoff.errors import DataError
from bakeoff.registry import kind

BOXED_SIDE = 128                      # pixels a side of images with boxes, where they differ in size: small objects stay visible
SHOWN = 160                           # pixels a side of an image that is shown with its boxes
MEDIA = Media("image", IMAGES, "image", "images", ".png, .jpg, .tif, .gif, .bmp or .webp")


@kind("image")
class Image:
    """Folder per class, a table with a path column, .npz with x and y or train_images …, idx pairs, images with boxes; optionally split."""

    name: ClassVar[str] = "image"
    axes: ClassVar[tuple[str, ...]] = ("height", "width")
    settings: ClassVar[tuple[str, ...]] = ("image.size",)

    def claims(self, files: Files) -> Claim | None:
        if (found := array_claim(files)) is not None:
            return found
        return boxes.claim(files) or media.claim(files, MEDIA)

    def read(self, files: Files, options: ReadOptions) -> Source:
        """uint8 (N, H, W, C), or float32 where arrays hold real numbers. Raises DataError where nothing can be read."""
        idx = [name for name in files.names if stacks.is_idx(files, name)]
        if idx:
            return from_stacks(stacks.read_idx(files, idx, options.want_targets), options)
        npz = stacks.npz_names(files)
        if npz:
            return from_stacks([stack for name in npz for stack in stacks.read_npz(files, name, options.want_targets)], options)
        if options.task == boxes.TASK or (options.task is None and options.want_targets and boxes.layout(files) is not None):
            return boxed(files, options)
        entries, source = media.listed(files, options, MEDIA)
        return filled(files, entries, source, options)

    def fit(self, source: Source, train: Indices, options: ReadOptions) -> dict[str, Any]:
        return {"channels": int(source.items.shape[-1]), "size": list(source.items.shape[1:3])}

    def encode(self, source: Source, state: Mapping[str, Any]) -> Arrays:
        """The pictures as they are. Raises DataError for another size or number of channels than in training."""
        own, known = list(source.items.shape[1:]), [*state["size"], state["channels"]]
        if own != known:
            raise DataError(f"the images are {by_sizes(own)}, those of the training {by_sizes(known)} (height, width, channels)", "",
                            "Give images alike.")
        return Arrays(source.items, given=source.given)

    def items(self, arrays: Arrays) -> Any:
        """`encode` loses nothing: prepared arrays are as good as the files."""
        return arrays.cells

    def shown(self, source: Source, index: int) -> dict[str, Any]:
        cells = source.items[index]
        if "size" not in source.given:
            return {"form": "picture", "png": base64.b64encode(pictures.png(cells)).decode("ascii")}
        width, height = source.given["size"][index].tolist()   # as it was in its file, on which its boxes lie
        scale = SHOWN / max(width, height)
        png = pictures.png(cells, SHOWN, (max(1, round(height * scale)), max(1, round(width * scale))))
        found = {"form": "picture", "png": base64.b64encode(png).decode("ascii"), "size": [width, height]}
        return {**found, "boxes": source.targets[index]} if source.targets else found


def array_claim(files: Files) -> Claim | None:
    """idx files, or a .npz whose examples have the shape of images: bytes (N, H, W), (N, H, W, C), or named so."""
    idx = next((name for name in files.names if stacks.is_idx(files, name)), None)
    if idx is not None:
        return Claim(1.0, f"{idx} is an idx file")
    for name in stacks.npz_names(files):
        for array, (shape, dtype) in stacks.input_heads(files, name).items():
            if (len(shape) == 4 or (len(shape) == 3 and (dtype.kind in "ub" or "image" in array.lower()))) and dtype.kind in "iufb":
                return Claim(0.95, f"{name} holds {array} of shape {by_sizes(shape)}")
    return None


def by_sizes(sizes: Sequence[int]) -> str:
    return " × ".join(map(str, sizes))


def from_stacks(found: Sequence[stacks.Stack], options: ReadOptions) -> Source:
    """Arrays of images: as channels-last, joined over the splits. Raises DataError where their shapes differ."""
    cells: list[np.ndarray] = []
    splits: list[str] = []
    keys: list[str] = []
    targets: list[Any] = []
    for stack in found:
        x = channels_last(stack.x, stack.name)
        if cells and x.shape[1:] != cells[0].shape[1:]:
            raise DataError(f"the images of {stack.name} are {x.shape[1:]}, those of {found[0].name} {cells[0].shape[1:]}", stack.name,
                            "Give all splits the same size.")
        cells.append(x)
        keys += [f"{stack.name}:{number}" for number in range(len(x))]
        splits += [stack.split or "train"] * len(x)
        if options.want_targets and stack.y is not None:
            targets += stacks.target_list(stack.y)
    items = np.concatenate(cells) if len(cells) > 1 else cells[0]
    notes = [] if items.dtype == np.uint8 else ["the images are real numbers, kept as they are"]
    given = splits if any(stack.split for stack in found) else None
    return Source(Image.name, items, keys, targets, split=given, notes=notes, seen=len(keys))


def channels_last(x: np.ndarray, name: str) -> np.ndarray:
    """(N, H, W), (N, H, W, C) or (N, C, H, W) → (N, H, W, C), uint8 where all values fit, else float32."""
    if x.ndim not in (3, 4) or x.dtype.kind not in "iufb" or not x.size:
        raise DataError(f"the images have type {x.dtype} and shape {x.shape}", name,
                        "Give numbers of shape (N, height, width[, channels]).")
    if x.ndim == 3:
        x = x[..., None]
    elif x.shape[-1] > 4 and x.shape[1] in (1, 3, 4):
        x = x.transpose(0, 2, 3, 1)
    if x.dtype.kind == "b":
        return x.astype(np.uint8) * np.uint8(255)
    if x.dtype != np.uint8:
        if x.dtype.kind in "iu" and x.min() >= 0 and x.max() <= 255:
            return np.ascontiguousarray(x.astype(np.uint8))
        x = x.astype(np.float32)
        if not np.isfinite(x).all():
            raise DataError("the images hold values that are no finite numbers", name, "Replace NaN and infinite values.")
    return np.ascontiguousarray(x)


def boxed(files: Files, options: ReadOptions) -> Source:
    """Images with boxes on them: targets are [{'label', 'box': [x0, y0, x1, y1]}] in pixels of the file, whose size goes along as given.

    New data need no boxes. Raises DataError where none of the layouts of boxes is there.
    """
    if not options.want_targets and boxes.layout(files) is None:
        entries, source = media.listed(files, options, MEDIA)
        source.reading["task"] = boxes.TASK
        return filled(files, entries, source, options, boxed=True)
    book = boxes.album(files, options.encoding)
    source = Source(Image.name, None, [], [], task=boxes.TASK, seen=len(book.sheets), notes=book.notes, problems=book.problems,
                    reading={"task": boxes.TASK})
    entries = []
    for position, sheet in enumerate(book.sheets):
        if sheet.wrong and (options.want_targets or not sheet.file):
            source.problems.append(Problem(sheet.wrong, sheet.where, boxes.FIX, True, position, sheet.key))
        else:
            entries.append(Entry(sheet.key, sheet.file, (sheet.boxes, book.shares), sheet.where, position, sheet.split))
    source = filled(files, entries, source, options, boxed=True)
    if options.want_targets:
        told, per = boxes.facts(source.targets)
        source.notes.append(told)
        source.facts["boxes"] = per
    return source


def filled(files: Files, entries: Sequence[Entry], source: Source, options: ReadOptions, boxed: bool = False) -> Source:
    """`source` with the pictures of `entries`, decoded; those that cannot be read are set aside.

    boxed: they become large enough for what is on them, targets are boxes as read, and their sizes are kept.
    """
    workers = min(32, os.cpu_count() or 1)
    reads = media.reads(files, entries)
    found = pictures.heads(reads, workers)
    good = [number for number, head in enumerate(found) if not isinstance(head, str)]
    failed = {number: head for number, head in enumerate(found) if isinstance(head, str)}
    known = [head for head in found if not isinstance(head, str)]
    sizes = {number: (head.width, head.height) for number, head in enumerate(found) if not isinstance(head, str)}
    if not good:
        raise none_left(failed, entries, source, MEDIA)
    settings = options.settings
    form = pictures.form_of(known, [reads[number] for number in good], settings.get("image.size"),
                            *((BOXED_SIDE, 2 * BOXED_SIDE) if boxed else ()))
    if "image.channels" in settings:          # as the training had them
        form.channels, form.depth = int(settings["image.channels"]), int(settings["image.depth"])
        form.bands = bool(settings.get("image.bands", form.channels > 4))
    cells, wrong = pictures.decode([reads[number] for number in good], form, workers)
    failed |= {number: what for number, what in zip(good, wrong, strict=True) if what is not None}
    kept = [number for number in good if number not in failed]
    if not kept:
        raise none_left(failed, entries, source, MEDIA)
    if len(kept) < len(good):
        cells = cells[[what is None for what in wrong]]
    if "image.channels" not in settings and not form.bands:
        cells = pictures.without_full_alpha(cells)
    if boxed:
        for number in kept if options.want_targets else ():
            found_boxes, shares = entries[number].target
            entries[number].target = boxes.within(found_boxes, *sizes[number], shares, source.problems)
        source.given["size"] = np.array([sizes[number] for number in kept], np.float32)
    media.fill(source, entries, cells, failed, options)
    source.notes += form.notes
    source.facts |= {"heights": summary([head.height for head in known]), "widths": summary([head.width for head in known]),
                     "modes": dict(Counter(head.mode for head in known))}
    source.reading["settings"] = {"image.size": f"{form.height}x{form.width}", "image.channels": cells.shape[-1],
                                  "image.depth": form.depth, "image.bands": form.bands}
    return source
