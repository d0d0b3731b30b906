"""Models that were trained before, on other data, as contenders: fine-tuned by the same loop under the same budget, and kept apart.

Howard & Ruder 2018, https://arxiv.org/abs/1801.06146. `hf:NAME-or-folder` is a model of the library transformers (extra
`pretrained`) for images, texts or sound. It reads examples as they came, by a tokenizer or feature extractor of its own. Weights are
loaded from safetensors alone, and no code that comes with a model is run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from bakeoff.cost import cost_of_network, work
from bakeoff.data.base import Arrays, Dataset, Splits
from bakeoff.errors import Defect, OptionError
from bakeoff.space import Param, Space
from bakeoff.tasks.base import Task
from bakeoff.train import augment, loop
from bakeoff.train.contender import Neural, Outcome, common_record, middle_of
from bakeoff.train.optim import optimizer_for
from bakeoff.train.record import write_json
from bakeoff.train.setup import Setup
from bakeoff.types import PRETRAINED_PREFIX, Batch, Cost, Grid, Job, Params, Spec

PIP = "pip install 'bakeoff[pretrained]'"
READS = {"image": "ImageClassification", "text": "SequenceClassification", "audio": "AudioClassification"}
LONGEST = 512                 # tokens of a text
SIDE = 224                    # pixels per axis, where neither the model nor its image processor says
PROCESSOR = "preprocessor_config.json"
READER = "reader"             # folder of a final in which the tokenizer or feature extractor lies
LOUDEST = 32768.0             # of 16-bit sound


class Pretrained(Neural):
    """A pretrained model as a contender. Its classes are those of the task, so the last layer begins anew."""

    def __init__(self, name: str) -> None:
        """name: 'hf:NAME-or-folder'. Raises OptionError where there is no such model, or the extra is missing."""
        self.name, self.group, self.source = name, "pretrained", name.removeprefix(PRETRAINED_PREFIX)
        self.config = config_of(self.source)
        self.kinds = kinds_of(self.config)
        if not self.kinds:
            raise OptionError(f"a model of type {self.config.model_type!r} reads neither images, texts nor sound to classify them", name,
                              "Name one that transformers has for classification.")

    def why_not(self, spec: Spec, task: Task, setup: Setup) -> str | None:
        if (reason := task.why_not(spec)) is not None:
            return reason
        if task.name != "classify" or spec.several:
            return "a pretrained model is fine-tuned here to tell classes, one per example, and this question asks for something else"
        if setup.causal:
            return "it was trained looking at both sides, and this question is read one way only (causal)"
        if spec.kind not in self.kinds:
            return f"it reads {' and '.join(self.kinds)}, and these examples are {spec.kind}"
        if spec.kind == "audio" and spec.rank > 1:
            return "it reads the waveform, and here stand mel bands (--set audio.input=wave)"
        if spec.kind == "image" and None in spec.sizes:
            return "it reads images of one size, and these differ"
        if setup.max_params is not None and (size := self.size(spec, task)) > setup.max_params:
            return f"its {size:,} parameters are more than --max-params {setup.max_params:,}"
        return None

    @property
    def modules(self) -> tuple[str, ...]:
        """Imported once for all workers: by itself each would take seconds for it."""
        module = type(self.config).__module__
        return ("transformers.models.auto.modeling_auto", module.replace(".configuration_", ".modeling_"))

    def size(self, spec: Spec, task: Task) -> int:
        with torch.device("meta"):
            return sum(weight.numel() for weight in built(self.config, spec.kind, classes_of(task)).parameters())

    def space(self, spec: Spec, task: Task, setup: Setup) -> Space:
        """The common choices that are not about an architecture, at rates that do not wipe out what is known."""
        space = Space()

        def offer(name: str, default: object, meaning: str, *values: object, low: float = 0, high: float = 0, log: bool = False) -> None:
            space[name] = Param(name, default, meaning, tuple(values), low, high, log)

        offer("lr", 1e-4, "learning rate; sgd takes 20 times as much", low=1e-5, high=2e-3, log=True)
        offer("trained", "all", "what of the model is trained on: all of it, or its last layer alone", "all", "head")
        offer("batch", 16, "examples per step", 8, 16, 32)
        if len(changes := augment.on_offer(spec, task)) > 1 and spec.kind == "image":
            offer("augment", augment.NONE, "how examples are changed anew each time they are trained on", *changes)
        space.update({name: param for name, param in task.space(spec).items() if name != "pool"})
        offer("weight_decay", 1e-2, "L2, decoupled", low=1e-5, high=1e-1, log=True)
        offer("optimizer", "adamw", "sgd has Nesterov momentum .9", "adamw", "adam", "sgd", "rmsprop")
        offer("schedule", "linear", "how the learning rate ends", "cosine", "linear", "constant")
        offer("warmup", 0.1, "share of the steps in which the rate rises", low=0.0, high=0.3)
        offer("clip", 1.0, "largest gradient norm; 0: not clipped", 0.0, 0.5, 1.0, 5.0)
        offer("l1", 0.0, "L1 penalty on the weights", 0.0)
        own = {name: wanted for name, wanted in setup.settings.items() if name not in ("lr", "batch", "weight_decay")}
        return space.narrowed(own)            # rates and sizes that are set are those of networks that begin from nothing

    def read(self, data: Dataset) -> Dataset:
        return Reader.of(self.source, data.spec.kind, self.config).read(data)

    def units(self, data: Dataset, task: Task, params: Params) -> float:
        size = min(int(params["batch"]), len(data))
        return work(self.adapted(data.spec, task, params), self.read(data.subset(range(size))).take(range(size))) / size

    def build(self, job: Job, spec: Spec, task: Task, setup: Setup, seed: int) -> Any:
        torch.manual_seed(seed)
        return self.adapted(spec, task, job.params).to(setup.device)

    def adapted(self, spec: Spec, task: Task, params: Params) -> Adapted:
        with quiet(self.name):
            model = auto(spec.kind).from_pretrained(
                self.source, config=adjusted(self.config, classes_of(task)), use_safetensors=True, trust_remote_code=False,
                ignore_mismatched_sizes=True, local_files_only=Path(self.source).is_dir(), dtype=torch.float32)
        return Adapted(model, Reader.of(self.source, spec.kind, self.config), task, params)

    def tune(self, job: Job, splits: Splits, task: Task, setup: Setup) -> Outcome:
        return super().tune(job, self.taken(splits), task, setup)

    def final(self, job: Job, splits: Splits, task: Task, setup: Setup) -> tuple[Outcome, FittedPretrained]:
        outcome, fitted = super().final(job, self.taken(splits), task, setup)
        return outcome, replace(fitted, spec=splits.train.spec)              # of what was given, not of what the model makes of it

    def fitted(self, network: Any, spec: Spec, task: Task, params: Params, device: torch.device) -> FittedPretrained:
        return FittedPretrained(network, spec, task, params, device)

    def taken(self, splits: Splits) -> Splits:
        """Train and validation as the model reads them, still two views of the same arrays."""
        both, count = self.read(splits.together()), len(splits.train)
        if splits.val is None:
            return replace(splits, train=both)
        return replace(splits, train=both.subset(range(count)), val=both.subset(range(count, len(both))))


class Adapted(nn.Module):
    """What the loop trains in the place of a Network: Batch → logits (B, K)."""

    def __init__(self, model: nn.Module, reader: Reader, task: Task, params: Params) -> None:
        super().__init__()
        self.model, self.reader, self.task, self.params = model, reader, task, params
        if params.get("trained") == "head":
            base = getattr(model, str(getattr(model, "base_model_prefix", "")), None)
            for weight in () if base is None else base.parameters():
                weight.requires_grad_(False)

    def forward(self, batch: Batch) -> Tensor:
        out: Tensor = self.model(**self.reader.inputs(batch.x)).logits
        return out

    def loss(self, batch: Batch) -> Tensor:
        return self.task.loss(self(batch), batch.y, self.params)

    def answer(self, batch: Batch) -> Tensor:
        out: Tensor = self(batch)
        return out

    def judge(self, batch: Batch) -> tuple[Tensor, Tensor]:
        out = self(batch)
        return out, self.task.plain_loss(out, batch.y)


@dataclass
class Reader:
    """Examples → what a model takes. Texts and sound are read once, images batch by batch as they lie."""

    kind: str
    said: Mapping[str, Any]                   # the image processor's or feature extractor's own settings
    size: tuple[int, int]                     # of the images that the model takes
    tool: Any                                 # tokenizer or feature extractor; None for images

    @classmethod
    def of(cls, source: str, kind: str, config: Any) -> Reader:
        """source: a name, or a folder, where the model's tokenizer or feature extractor lies. Raises OptionError."""
        side = getattr(config, "image_size", SIDE)
        with quiet(source):
            import transformers
            how = {"trust_remote_code": False, "local_files_only": Path(source).is_dir()}
            if kind == "text":
                return cls(kind, {}, (0, 0), transformers.AutoTokenizer.from_pretrained(source, **how))
            if kind == "audio":
                tool = transformers.AutoFeatureExtractor.from_pretrained(source, **how)
                return cls(kind, tool.to_dict(), (0, 0), tool)
            with_processor = transformers.utils.cached_file(source, PROCESSOR, local_files_only=how["local_files_only"],
                                                            _raise_exceptions_for_missing_entries=False)
            said: dict[str, Any] = json.loads(Path(with_processor).read_text(encoding="utf-8")) if with_processor else {}
        side = said.get("size", side)
        if isinstance(side, Mapping):
            side = side.get("shortest_edge", (side.get("height", SIDE), side.get("width", SIDE)))
        height, width = (side, side) if isinstance(side, int) else side
        return cls(kind, said, (int(height), int(width)), None)

    def read(self, data: Dataset) -> Dataset:
        """The examples as the model's own tokenizer or feature extractor has them, with the same targets."""
        if self.kind == "image":
            return data
        arrays = self.tokens(data) if self.kind == "text" else self.sounds(data)
        channels = None if self.kind == "text" else arrays.cells.shape[-1]
        spec = replace(data.spec, axes=("time",), sizes=arrays.sizes(1), channels=channels, vocab=len(self.tool) if channels is None else None)
        made = Dataset(spec, arrays, data.targets, data.keys, data.groups)
        if data.y is not None:
            made.y = data.y[torch.from_numpy(data.index)]
        return made

    def tokens(self, data: Dataset) -> Arrays:
        texts = data.texts
        if texts is None:
            raise Defect("these examples are text, and are not kept as they were before they became ids")
        most = min(LONGEST, self.tool.model_max_length)
        rows = self.tool(texts, truncation=True, max_length=most, return_attention_mask=False)["input_ids"]
        lengths = np.array([len(row) for row in rows], np.int64)
        return Arrays(np.fromiter((one for row in rows for one in row), np.int32, int(lengths.sum())), lengths[:, None])

    def sounds(self, data: Dataset) -> Arrays:
        """Waveforms (T, 1) as long as they are, or the extractor's frames (T, bands), all of one length."""
        from scipy.signal import resample_poly
        have, want = round((data.spec.channels or 1) / (data.spec.step_seconds or 1)), int(self.tool.sampling_rate)
        rows: list[NDArray[np.float32]] = []
        for position in range(len(data)):
            wave = data.raw(position).x.numpy().reshape(-1).astype(np.float32) / LOUDEST
            wave = wave if have == want else resample_poly(wave, want, have).astype(np.float32)
            row = np.asarray(self.tool(wave, sampling_rate=want, return_tensors="np")["input_values"][0], np.float32)
            rows.append(row if row.ndim == 2 else row[:, None])
        lengths = np.array([len(row) for row in rows], np.int64)
        if rows[0].shape[1] > 1:
            return Arrays(np.stack(rows))
        return Arrays(np.concatenate(rows), lengths[:, None])

    def inputs(self, grid: Grid) -> dict[str, Tensor]:
        """A batch of cells → the model's named arguments."""
        x, valid = grid
        if self.kind == "image":
            return {"pixel_values": self.pixels(x)}
        mask = None if valid is None else valid.long()
        if self.kind == "audio":
            wave = x.squeeze(-1) if x.shape[-1] == 1 else x
            return {"input_values": wave} | ({"attention_mask": mask} if mask is not None and self.said.get("return_attention_mask") else {})
        padding = self.tool.pad_token_id or 0
        ids = x if valid is None else x.masked_fill(~valid, padding)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids) if mask is None else mask}

    def pixels(self, x: Tensor) -> Tensor:
        """(B, H, W, C) levels → (B, 3, H', W'), scaled as the model's image processor scales."""
        x = x.movedim(-1, 1).float() * float(self.said.get("rescale_factor", 1 / 255))
        x = x[:, :3] if x.shape[1] >= 3 else x[:, :1].expand(-1, 3, -1, -1)
        if tuple(x.shape[2:]) != self.size:
            x = F.interpolate(x, self.size, mode="bilinear", antialias=True, align_corners=False)
        mean, std = (x.new_tensor(self.said.get(name, [0.5] * 3)).view(1, 3, 1, 1) for name in ("image_mean", "image_std"))
        return (x - mean) / std

    def save(self, folder: Path) -> None:
        folder.mkdir()
        if self.tool is not None:
            self.tool.save_pretrained(folder)
        else:
            write_json(folder / PROCESSOR, {**self.said, "size": {"height": self.size[0], "width": self.size[1]}})


@dataclass
class FittedPretrained:
    network: Adapted
    spec: Spec
    task: Task
    params: Params
    device: torch.device

    @property
    def stepper(self) -> Any:
        return self.network

    def outputs(self, data: Dataset) -> Tensor:
        network: Any = self.network
        if not len(data):
            return torch.zeros(0, classes_of(self.task))
        return loop.outputs(network, self.network.reader.read(data), self.device)

    def save(self, folder: Path) -> None:
        from safetensors.torch import save_file
        model: Any = self.network.model
        save_file({name: value.detach().cpu().clone().contiguous() for name, value in model.state_dict().items()}, folder / "model.safetensors")
        self.network.reader.save(folder / READER)
        said = json.loads(model.config.to_json_string(use_diff=False))
        write_json(folder / "config.json", {**common_record(self.spec, self.task, self.params), "pretrained": said})

    def cost(self, data: Dataset, limit_seconds: float) -> Cost:
        some = self.network.reader.read(data.subset([middle_of(data), *range(min(int(self.params["batch"]), len(data)))]))
        return cost_of_network(self.network, some.take([0]), some.take(range(1, len(some))),
                               lambda network, batch: network.loss(batch).mean(), limit_seconds,
                               optimizer=lambda network: optimizer_for(network, self.params))


def restored(folder: Path, record: Mapping[str, Any], spec: Spec, task: Task) -> FittedPretrained:
    """A final back from its folder; neither the model's first folder nor the hub is asked."""
    from safetensors.torch import load_file
    with quiet(str(folder)):
        import transformers
        said = dict(record["pretrained"])
        config = transformers.AutoConfig.for_model(said.pop("model_type"), **said)
        with torch.random.fork_rng(devices=[]):
            model = built(config, spec.kind, classes_of(task))
        model.load_state_dict(load_file(folder / "model.safetensors"))
    network = Adapted(model, Reader.of(str(folder / READER), spec.kind, config), task, record["params"])
    network.eval()
    return FittedPretrained(network, spec, task, record["params"], torch.device("cpu"))


@cache
def config_of(source: str) -> Any:
    """What a model says of itself. Raises OptionError for a missing extra, a folder that holds no model, or a name that is not found."""
    folder = Path(source)
    with quiet(source):
        import transformers
        if folder.is_dir() and not (folder / "config.json").exists():
            raise OptionError("this folder holds no model: there is no config.json in it", source, "Give one that save_pretrained wrote.")
        if folder.is_dir() and not any(folder.glob("*.safetensors")):
            raise OptionError("this folder holds no weights in safetensors, and others are not loaded, since they can run code", source,
                              "Save the model anew: model.save_pretrained(folder).")
        return transformers.AutoConfig.from_pretrained(source, trust_remote_code=False, local_files_only=folder.is_dir())


def kinds_of(config: Any) -> list[str]:
    """Kinds of data that transformers has a classifier of this type for."""
    return [kind for kind in READS if type(config) in auto(kind)._model_mapping]


def auto(kind: str) -> Any:
    import transformers
    return getattr(transformers, f"AutoModelFor{READS[kind]}")


def adjusted(config: Any, classes: int) -> Any:
    """The model's settings with so many classes; masks of its own are off, for they want longer sounds than there may be."""
    from copy import deepcopy
    config = deepcopy(config)
    config.num_labels = classes
    config.problem_type = None
    if hasattr(config, "apply_spec_augment"):
        config.apply_spec_augment = False
    return config


def built(config: Any, kind: str, classes: int) -> nn.Module:
    model: nn.Module = auto(kind).from_config(adjusted(config, classes), trust_remote_code=False, dtype=torch.float32)
    return model


def classes_of(task: Task) -> int:
    return len(getattr(task, "classes", ()))


@contextmanager
def quiet(what: str) -> Iterator[None]:
    """Without progress bars and advice; whatever transformers cannot read becomes an OptionError."""
    try:
        from transformers.utils import logging
    except ImportError:
        raise OptionError("pretrained models need the extra 'pretrained': transformers is not installed", what, f"Say: {PIP}") from None
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise OptionError(f"this is no model that can be read: {first[:160]}", what,
                          "Give a folder that save_pretrained wrote, or a name of the hub that can be reached from here.") from None
