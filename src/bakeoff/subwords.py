"""Texts ↔ ids of subwords: byte pairs that often stand side by side become one piece. Sennrich et al. 2016, https://arxiv.org/abs/1508.07909

Bytes, so that no text is unknown and what is written back is what was read, but for spaces at its ends. A digit is a piece of its
own, and a space belongs to what follows it.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Sequence

SPACE = "\u0120"              # how the alphabet of bytes writes a space
SIGNS = frozenset(string.punctuation + string.digits)
PIECES = r" ?\d| ?[\p{L}\p{M}]+| ?[^\s\p{L}\p{M}\d]+|\s+(?!\S)|\s+"


def learnt(texts: Iterable[str], vocab: int, reserved: Sequence[str], ends: bool = False) -> str:
    """A tokenizer as JSON, of at most so many ids (256 bytes always have one); the first stand for `reserved` and are never read.
    ends: spaces at the ends of texts are read too, as pieces of a longer text want it."""
    from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer
    machine = Tokenizer(BPE())
    if not ends:
        machine.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.Prepend(" ")])
    machine.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(PIECES), "isolated"),
                                                     pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    machine.decoder = decoders.ByteLevel()
    machine.train_from_iterator(texts, BpeTrainer(vocab_size=vocab, min_frequency=2, special_tokens=list(reserved), show_progress=False,
                                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    record = json.loads(machine.to_str())
    record["added_tokens"] = []               # else a text that holds a reserved word would be given its id
    return json.dumps(record, ensure_ascii=False)


def size(tokenizer: str) -> int:
    """How many ids there are."""
    return len(json.loads(tokenizer)["model"]["vocab"])


def encoded(texts: Sequence[str], tokenizer: str) -> list[list[int]]:
    """The ids of each text; none for one of spaces alone."""
    from tokenizers import Tokenizer
    return [found.ids for found in Tokenizer.from_str(tokenizer).encode_batch_fast(list(texts))]


def decoded(rows: Sequence[Sequence[int]], tokenizer: str) -> list[str]:
    """The texts of rows of ids, spaces at their ends taken off. Bytes that make no character become '�'."""
    from tokenizers import Tokenizer
    return [text.strip() for text in Tokenizer.from_str(tokenizer).decode_batch([list(row) for row in rows], skip_special_tokens=False)]


def words(ids: Sequence[int], tokenizer: str) -> list[tuple[str, int]]:
    """The words and signs of a text of these ids, and of how many ids each is made: one begins where a space stands before it, or a
    sign beside a letter."""
    from tokenizers import Tokenizer
    machine, found = Tokenizer.from_str(tokenizer), list[list[int]]()
    sign = False
    for one in ids:
        piece = str(machine.id_to_token(one))
        before, sign = sign, piece.lstrip(SPACE)[:1] in SIGNS
        if not found or piece.startswith(SPACE) or sign != before:
            found.append([])
        found[-1].append(one)
    return [(text.strip(), len(word)) for word, text in zip(found, machine.decode_batch(found, skip_special_tokens=False), strict=True)]
