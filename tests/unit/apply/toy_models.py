"""Models whose probabilities are known, as adapters."""

import numpy as np
import torch
from glmflow.models import new_model
from glmflow.models.adapter import Adapter, ModelCard, Network
from glmflow.models.tokenizers import CharacterTokenizer, KmerTokenizer, kmers
from torch.nn.functional import one_hot

VOCABULARY = {"[MASK]": 0, "A": 1, "C": 2, "G": 3, "T": 4, "N": 5}
SIZE = 6


class Known(Network):
    """Logits are a function of the ids; states are the ids themselves, so that distances are known too."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.nothing = torch.nn.Parameter(torch.zeros(1))
        self.seen = []

    def states(self, input_ids, attention_mask=None):
        self.seen.append(input_ids.clone())
        return torch.cat([one_hot(input_ids, SIZE).float(), self.function(input_ids)], -1)

    def logits(self, states):
        return states[..., SIZE:]


def known(function, objective="masked", context=None):
    """Return an adapter of single bases with logits `function(ids[B, T]) -> [B, T, 6]`."""
    card = ModelCard(
        family="known", objective=objective, context_bp=context, context_tokens=context, bases_per_token=1.0,
        position_embedding="none", padding=False, strand="", licence="", hidden_size=2 * SIZE, vocab_size=SIZE,
        lora_targets=(),
    )  # fmt: skip
    tokenizer = CharacterTokenizer(VOCABULARY, mask_id=0)
    return Adapter(Known(function), card, {}, tokenizer)


def constant(probabilities):
    """Return logits that give every token the same probabilities of A, C, G, T."""
    row = torch.full((SIZE,), -30.0)
    row[1:5] = torch.tensor(probabilities).log()
    return lambda ids: row.expand(*ids.shape, SIZE)


def depends_on(offset, strength=2.0):
    """Return logits that favour, at each token, the base that stands `offset` tokens before it."""

    def function(ids):
        logits = torch.zeros(*ids.shape, SIZE)
        before = torch.zeros_like(ids)
        if offset > 0:
            before[:, offset:] = ids[:, :-offset]
        else:
            before[:, :offset] = ids[:, -offset:]
        return logits + strength * one_hot(before, SIZE).float() * ((before >= 1) & (before <= 4))[..., None]

    return function


def small(causal=False, seed=1, context=256, **more):
    """Return a small transformer with random weights."""
    size = {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": context}
    return new_model("small", {**size, "causal": causal, **more}, seed=seed).eval()


def kmer_model(k=3, causal=False, seed=2):
    """Return a random network over k-mers with single bases (masked) or without (causal)."""
    names = [*(("<cls>", "<mask>", "<unk>") if not causal else ("<s>", "<mask>", "<unk>")), *kmers(k, "ACGT"), *"ACGTN"]
    vocab = {name: index for index, name in enumerate(names)}
    size = len(vocab)
    base = new_model("small", {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "causal": causal, "vocab_size": size,
                               "context": 256, "convolution": 0}, seed=seed)  # fmt: skip
    card = base.card
    tokenizer = KmerTokenizer(vocab, k, single_bases=not causal, prefix=[0], mask_id=1, unknown_id=2)
    return Adapter(base.network, card, {}, tokenizer).eval()


class Sequences:
    """A genome in memory."""

    def __init__(self, **contigs):
        self.text = contigs
        self.contigs = {name: len(text) for name, text in contigs.items()}

    def fetch(self, chrom, start, end):
        text = self.text[chrom]
        inside = text[max(start, 0) : max(min(end, len(text)), 0)]
        before, behind = max(-start, 0), max(end - max(start, len(text)), 0) if end > len(text) else 0
        row = "N" * min(before, end - start) + inside + "N" * behind
        assert len(row) == end - start
        return np.frombuffer(row.encode(), np.uint8)


def random_genome(length, seed=0, letters="ACGT"):
    """Return random bases."""
    return "".join(np.array(list(letters))[np.random.default_rng(seed).integers(0, len(letters), length)])


def opposite(text):
    """Return the reverse complement."""
    return text.translate(str.maketrans("ACGT", "TGCA"))[::-1]
