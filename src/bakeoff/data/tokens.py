"""Texts → ids of words, characters or subwords, with a vocabulary learnt from the training split alone. Id 0 is padding, 1 unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bakeoff import subwords
from bakeoff.errors import OptionError, near

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADDING, UNKNOWN = "<pad>", "<unk>"
AT_ONCE = 1_000_000                   # characters encoded in one go: what the tokenizer returns takes hundreds of bytes each
LENGTH = {"words": 512, "characters": 1024, "subwords": 512}
VOCAB = {"subwords": 4000}            # most ids, where that is not the default for all
GIVEN = "given"                       # words as the file has them: given.py
DEFAULTS = {"text.tokens": "words", "text.vocab": 20000, "text.min_count": 2}
NAMES = (*DEFAULTS, "text.length")


def chosen(settings: Mapping[str, Any], given: bool = False) -> dict[str, Any]:
    """tokens, vocab, min_count and length, as --set says or by default. given: the file says what a word is. Raises OptionError."""
    tokens = str(settings.get("text.tokens", DEFAULTS["text.tokens"])).strip().lower()
    if tokens not in LENGTH:
        raise OptionError(f"{tokens!r} is no sort of token", f"--set text.tokens={tokens}", near(tokens, LENGTH))
    if given and tokens != "words":
        raise OptionError(f"these files give words, each with its own answer: they cannot be read as {tokens}", f"--set text.tokens={tokens}",
                          "Leave it out.")
    found: dict[str, Any] = {"tokens": GIVEN if given else tokens}
    for name, least in (("vocab", 3), ("min_count", 1), ("length", 1)):
        default = VOCAB.get(tokens, DEFAULTS["text.vocab"]) if name == "vocab" else DEFAULTS.get(f"text.{name}", LENGTH[tokens])
        value = settings.get(f"text.{name}", default)
        try:
            found[name] = int(str(value))
        except ValueError:
            found[name] = 0
        if found[name] < least:
            raise OptionError(f"{value!r} is no whole number of at least {least}", f"--set text.{name}={value}",
                              "Give one value, not a range.")
    return found


def learnt(texts: Iterable[str], tokens: str, vocab: int, min_count: int, ends: bool = False) -> tuple[str, int]:
    """A tokenizer as JSON, and how many ids it has. Words are lower-cased, signs stand alone; rare ones are unknown. Subwords are
    byte pairs (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909): none is unknown; ends: spaces at the ends of texts count."""
    if tokens == "subwords":
        found = subwords.learnt(texts, vocab, (PADDING, UNKNOWN), ends)
        return found, subwords.size(found)
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.trainers import WordLevelTrainer
    counting = parted(Tokenizer(WordLevel(unk_token=UNKNOWN)), tokens)
    counting.train_from_iterator(texts, WordLevelTrainer(vocab_size=vocab, min_frequency=min_count, special_tokens=[PADDING, UNKNOWN],
                                                         show_progress=False))
    # made anew without special tokens: with them, a text that holds '<pad>' would be given the id of padding
    made = parted(Tokenizer(WordLevel(counting.get_vocab(), unk_token=UNKNOWN)), tokens)
    return made.to_str(), made.get_vocab_size()


def decoded(ids: Sequence[int], tokenizer: str, tokens: str) -> str:
    """The text of these ids; words one space apart."""
    from tokenizers import Tokenizer
    machine = Tokenizer.from_str(tokenizer)
    if tokens == "subwords":
        return str(machine.decode(list(ids)))
    return (" " if tokens == "words" else "").join(str(machine.id_to_token(one)) for one in ids)


def in_words(ids: Sequence[int], tokenizer: str, tokens: str) -> list[tuple[str, int]]:
    """The words of a text of these ids, and how many ids each is made of."""
    if tokens == "subwords":
        return subwords.words(ids, tokenizer)
    from tokenizers import Tokenizer
    machine, found = Tokenizer.from_str(tokenizer), list[tuple[str, int]]()
    for one in ids:
        text = str(machine.id_to_token(one))
        if found and tokens == "characters" and not text.isspace():
            found[-1] = (found[-1][0] + text, found[-1][1] + 1)
        else:
            found.append((text, 1))
    return [(text.strip(), count) for text, count in found]


def counted(texts: Iterable[str]) -> list[int]:
    """How many words each text has, by the rule of `learnt`; at least one, as `encoded` gives."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    rule = parted(Tokenizer(WordLevel(unk_token=UNKNOWN)), "words")
    assert rule.normalizer is not None
    return [max(1, len(rule.pre_tokenizer.pre_tokenize_str(rule.normalizer.normalize_str(text)))) for text in texts]


def parted(tokenizer: Tokenizer, tokens: str) -> Tokenizer:
    """The tokenizer with the rule by which texts fall into tokens."""
    from tokenizers import Regex, normalizers, pre_tokenizers
    if tokens == "words":
        tokenizer.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    return tokenizer


def encoded(texts: Sequence[str], tokenizer: str, length: int) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:
    """Ids of all texts one after another, how many each has (at least one), and how many texts were cut at `length`."""
    from tokenizers import Tokenizer
    machine = Tokenizer.from_str(tokenizer)
    lengths = np.empty(len(texts), np.int64)
    parts: list[NDArray[np.int32]] = []
    done = 0
    for batch in batches(texts):
        rows = [found.ids or [1] for found in machine.encode_batch_fast(batch)]     # [1]: nothing but signs that the rule drops
        lengths[done:done + len(rows)] = [len(row) for row in rows]
        parts.append(np.fromiter((token for row in rows for token in row[:length]), np.int32))
        done += len(rows)
    cut = int((lengths > length).sum())
    return np.concatenate(parts) if parts else np.empty(0, np.int32), np.minimum(lengths, length), cut


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in runs of about AT_ONCE characters."""
    batch: list[str] = []
    count = 0
    for text in texts:
        batch.append(text)
        count += len(text)
        if count >= AT_ONCE:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch
