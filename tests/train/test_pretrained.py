"""Pretrained models as contenders, with tiny ones that are made and saved here: what they read, how they are kept, that they stand apart."""

from __future__ import annotations

import csv
import json
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import torch

import bakeoff
from bakeoff.data.load import load
from bakeoff.errors import OptionError
from bakeoff.options import Options
from bakeoff.train import pretrained
from bakeoff.train.contender import contender, load_fitted
from bakeoff.train.pretrained import Pretrained, config_of
from bakeoff.train.setup import Setup
from bakeoff.types import Job
from bakeoff.use.predict import predict

transformers = pytest.importorskip("transformers")
transformers.logging.set_verbosity_error()
WORDS = ["good", "fine", "lovely", "bad", "awful", "dull", "film", "plot", "a", "the", "Ünïque"]
SETUP = Setup((), "classify", (), "accuracy", "text", ())
FEW = {"trials": 1, "examples": 160, "seeds": 1, "jobs": 1}


@pytest.fixture(scope="module")
def bert(tmp_path_factory) -> str:
    """Two layers of 32 units, and a tokenizer of whole words that keeps capitals."""
    folder = tmp_path_factory.mktemp("models") / "bert"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]), encoding="utf-8")
    transformers.BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=False).save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.BertConfig(vocab_size=16, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
                                     max_position_embeddings=64)
    transformers.BertModel(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def vit(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("models") / "vit"
    torch.manual_seed(0)
    config = transformers.ViTConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=16, patch_size=4)
    transformers.ViTModel(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"height": 16, "width": 16}, "image_mean": [0.4, 0.5, 0.6],
                                                                 "image_std": [0.2, 0.25, 0.5], "rescale_factor": 1 / 255}))
    return str(folder)


@pytest.fixture(scope="module")
def listener(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("models") / "wav2vec2"
    torch.manual_seed(0)
    config = transformers.Wav2Vec2Config(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, conv_dim=(16, 16),
                                         conv_kernel=(10, 4), conv_stride=(5, 4), num_feat_extract_layers=2, num_conv_pos_embeddings=8,
                                         num_conv_pos_embedding_groups=2, classifier_proj_size=16)
    transformers.Wav2Vec2Model(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=8000, return_attention_mask=True).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["text", "label"])
        for number in range(120):
            said = WORDS[:3] if number % 2 else WORDS[3:6]
            text = " ".join([*rng.choice(WORDS[6:], rng.integers(1, 6)), str(rng.choice(said)), f"Nr{number}"])
            table.writerow([text, "up" if number % 2 else "down"])
    return path


@pytest.fixture(scope="module")
def tones(tmp_path_factory) -> Path:
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("data") / "tones"
    for number in range(40):
        place = folder / ("high" if number % 2 else "low")
        place.mkdir(parents=True, exist_ok=True)
        samples = np.sin(2 * np.pi * (900 if number % 2 else 300) * np.arange(rng.integers(1500, 3000)) / 4000) * 12000
        with wave.open(str(place / f"{number}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(4000)
            file.writeframes(samples.astype("<i2").tobytes())
    return folder


def rows_of(result) -> dict[str, dict[str, str]]:
    with (result.folder / "leaderboard.csv").open(newline="") as file:
        return {row["contender"]: row for row in csv.DictReader(file)}


def test_texts_are_read_as_they_were_by_the_models_own_tokenizer(bert, reviews):
    train = load(reviews, Options()).splits.train
    texts, read = train.texts, Pretrained(f"hf:{bert}").read(train)
    assert any("Ünïque" in text for text in texts)           # our own ids know no capitals
    tool = transformers.AutoTokenizer.from_pretrained(bert)
    assert [read.raw(row).x.tolist() for row in range(5)] == [tool(text)["input_ids"] for text in texts[:5]]
    batch = read.take(range(8))
    given = pretrained.Reader.of(bert, "text", config_of(bert)).inputs(batch.x)
    expected = tool(texts[:8], padding=True, return_tensors="pt")
    torch.testing.assert_close(given["input_ids"], expected["input_ids"])
    torch.testing.assert_close(given["attention_mask"], expected["attention_mask"])


def test_images_are_scaled_as_the_models_own_processor_says(vit):
    train = load(bakeoff.samples.place("digits"), Options()).splits.train
    given = pretrained.Reader.of(vit, "image", config_of(vit)).inputs(train.take([0, 1]).x)["pixel_values"]
    assert given.shape == (2, 3, 16, 16)
    level = train.take([0]).x.x.float().mean() / 255
    torch.testing.assert_close(given[0, 1].mean(), (level - 0.5) / 0.25, atol=0.05, rtol=0)


def test_sound_is_resampled_to_what_the_model_was_trained_on(listener, tones):
    train = load(tones, Options(set={"audio.input": "wave"})).splits.train
    entrant = Pretrained(f"hf:{listener}")
    read = entrant.read(train)
    assert abs(read.lengths()[0] - 2 * train.raw(0).x.numel()) <= 2
    assert set(pretrained.Reader.of(listener, "audio", entrant.config).inputs(read.take(range(4)).x)) == {"input_values", "attention_mask"}
    mel = load(tones, Options()).splits.train.spec
    assert "audio.input=wave" in entrant.why_not(mel, load(tones, Options()).make_task(), SETUP)


@pytest.mark.parametrize("trained", ["all", "head"])
def test_what_is_saved_answers_the_same_without_the_first_folder(bert, reviews, tmp_path, trained):
    loaded = load(reviews, Options())
    entrant, task, splits = Pretrained(f"hf:{bert}"), loaded.make_task(), loaded.splits
    for part in (splits.train, splits.val, splits.test):
        if part is not None:
            part.collate(task.collate)
    params = {**entrant.space(splits.train.spec, task, SETUP).defaults(), "trained": trained}
    outcome, fitted = entrant.final(Job(entrant.name, 0, "final", 3, params, 64), splits, task, SETUP)
    assert outcome.spent.examples >= 64
    fitted.save(tmp_path)
    back, _ = load_fitted(tmp_path)
    torch.testing.assert_close(back.outputs(splits.test), fitted.outputs(splits.test))
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} <= {".json", ".safetensors", ".txt", ".jinja"}
    assert fitted.cost(splits.train, 0.01).parameters == (66 if trained == "head" else sum(p.numel() for p in fitted.network.parameters()))


def test_a_run_keeps_it_apart_in_table_and_verdict(bert, reviews, tmp_path):
    name = f"hf:{bert}"
    result = bakeoff.run(str(reviews), slate=f"{name},textcnn", out=str(tmp_path / "run"), set={"warmup": 0.1}, **FEW)
    row, verdict = rows_of(result)[name], json.loads((result.folder / "verdict.json").read_text())
    assert (row["rank"], row["group"], row["state"], row["why"][:22]) == ("", "pretrained", "done", "with outside knowledge")
    assert 0 <= float(row["value"]) <= 1
    assert float(row["p_vs_best"]) <= 1
    assert float(row["macs"]) > 0
    assert list(verdict["outside"]) == [name]
    assert "with outside knowledge" in verdict["sentence"]
    assert name not in (verdict["best"], verdict["recommended"], verdict["best_baseline"], *verdict["tied_with"])
    assert "with outside knowledge" in (result.folder / "report.html").read_text()
    table, problems = predict(result.folder, reviews, contender=name)
    assert problems == []
    assert set(table["answer"]) <= {"up", "down"}
    assert len(table) == 120
    assert bakeoff.resume(str(result.folder)).folder == result.folder


@pytest.mark.parametrize("which", ["image", "audio"])
def test_images_and_sound_run_too(which, vit, listener, tones, tmp_path):
    data, name, settings = ("sample:digits", f"hf:{vit}", {}) if which == "image" else (str(tones), f"hf:{listener}", {"audio.input": "wave"})
    result = bakeoff.run(data, slate=name, out=str(tmp_path / "run"), set=settings, **FEW)
    assert rows_of(result)[name]["state"] == "done"


def test_what_it_cannot_read_is_said(bert, vit, reviews):
    loaded = load(reviews, Options())
    spec, task = loaded.spec, loaded.make_task()
    assert Pretrained(f"hf:{bert}").why_not(spec, task, SETUP) is None
    assert "reads image" in Pretrained(f"hf:{vit}").why_not(spec, task, SETUP)
    assert "causal" in Pretrained(f"hf:{bert}").why_not(spec, task, Setup((), "", (), "", "", (), causal=True))
    assert "more than --max-params 10" in Pretrained(f"hf:{bert}").why_not(spec, task, Setup((), "", (), "", "", (), max_params=10))


def test_a_folder_that_is_no_model_is_one_message(tmp_path, bert):
    with pytest.raises(OptionError, match=r"no config\.json"):
        contender(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text((Path(bert) / "config.json").read_text())
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80")
    with pytest.raises(OptionError, match="safetensors"):
        contender(f"hf:{tmp_path}")
    config_of.cache_clear()
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "config.json").write_text('{"model_type": "no such thing"}')
    with pytest.raises(OptionError, match="no model that can be read"):
        contender(f"hf:{tmp_path}")


def test_a_missing_extra_is_named_with_its_line(monkeypatch):
    config_of.cache_clear()
    monkeypatch.setitem(sys.modules, "transformers.utils", None)
    with pytest.raises(OptionError, match=r"pip install 'bakeoff\[pretrained\]'"):
        contender("hf:anything")
