"""Ends of sequences: which windows have one, what its label is, and that a model that learned them draws them."""

import numpy as np
import pytest
import torch
from glmflow.config.models import Pretrain
from glmflow.corpus.corpus_build import build
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.corpus_windows import CorpusWindows
from glmflow.models import load_model, new_model
from glmflow.models.byte_text import END, WITH_END
from glmflow.models.drawing import Sampling, draw, end_token
from glmflow.plan.resources import shape_of_made
from glmflow.training.language_loss import IGNORE, language_batch
from glmflow.training.pretrain import pretrain
from glmflow.training.pretraining_source import source
from glmflow.training.weighted_language import weighted_batch
from pydantic import ValidationError

CONFIG = {"causal": True, "hidden_size": 32, "num_layers": 1, "num_heads": 2, "context": 48}
LAST = "GGGG"
"""What every short sequence ends with, and nothing else holds."""


def before_the_end(rng):
    return "".join(rng.choice(list("ACT"), rng.integers(16, 36)))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Short sequences that end with four G, and a long one."""
    folder, rng = tmp_path_factory.mktemp("ends"), np.random.default_rng(1)
    records = [(f"s{n}", before_the_end(rng) + LAST) for n in range(120)] + [("long", "ACT" * 60)]
    (folder / "s.fa").write_text("".join(f">{name}\n{text}\n" for name, text in records))
    split = {"by": "contig", "validation": 0, "test": 0.1, "max_shared": 1}
    build({"sources": [{"path": str(folder / "s.fa")}], "min_length": 16, "split": split}, folder / "corpus")
    return folder / "corpus"


@pytest.mark.parametrize("pack", [False, True])
def test_whole_sequences_have_an_end_and_windows_of_longer_ones_have_none(corpus, pack):
    windows = CorpusWindows(Corpus(corpus), "train", 48, both_strands=False, short=16, pack=pack, whole=True)
    seen = set()
    for number in range(300):
        found = windows(number, None)
        ends = found.get("ends", [len(found["sequence"])])
        records = [found["sequence"][start:end] for start, end in zip([0, *ends[:-1]], ends)]
        assert len(records) == len(found["whole"])
        for record, whole in zip(records, found["whole"]):
            assert whole == record.endswith(LAST)
            seen.add(whole)
    assert seen == {True, False}


def items():
    rng = np.random.default_rng(0)
    rows = [("ACGT", [True], None), ("ACG", [False], None), ("ACGTTA", [True, False], [4, 6]), ("GG", [True], [2])]
    return [
        {"sequence": text, "whole": whole, "lower": np.ones(len(text), bool), "noise": rng.random((2, len(text)))}
        | ({"ends": ends} if ends else {})
        for text, whole, ends in rows
    ]


def test_labels_by_hand():
    model = new_model("small", {**CONFIG, "vocab_size": WITH_END})
    assert language_batch(items()[:2], model, 0.15)["labels"].tolist() == [[3, 4, 5, END], [3, 4, IGNORE, IGNORE]]
    packed = language_batch(items()[2:], model, 0.15)["labels"].tolist()
    assert packed == [[3, 4, 5, END, 2, IGNORE], [4, END, IGNORE, IGNORE, IGNORE, IGNORE]]
    weights = weighted_batch(items()[2:], model, 0.15, softmask_weight=0.5)["weights"].tolist()
    assert weights == [[0.5, 0.5, 0.5, 1, 0.5, 0], [0.5, 1, 0, 0, 0, 0]]  # an end is in no case


def test_what_is_learned_of_ends_is_drawn(corpus, tmp_path):
    torch.set_num_threads(1)
    block = {"family": "small", "config": CONFIG, "corpus": "c", "length": 48, "short": 16, "ends": True}
    block |= {"strand": "forward", "steps": 150, "batch": 16, "learning_rate": 5e-3}
    pretrain(block, source({"corpus": str(corpus / "sequences.parquet")}, block), 1, tmp_path / "t", tmp_path / "model")
    model = load_model(tmp_path / "model")
    assert end_token(model) == END
    drawn = [one.sequence for one in draw(model, ["ACTAACTACTTCAACT"] * 16, 90, Sampling(seed=1))]
    ended = [text for text in drawn if len(text) < 90]
    assert len(ended) > 12 and sum(text.endswith("GGG") for text in ended) > 0.8 * len(ended)
    assert max(text[:-4].count("GGGG") for text in ended) == 0
    assert set("".join(drawn)) <= set("ACGT")


def test_the_end_of_a_vocabulary_of_byte_pairs_is_its_own():
    from glmflow.models.byte_text import end_learned

    class Pairs:
        tokenizer = type("T", (), {"vocab": {"[PAD]": 0, "[EOS]": 3, "A": 5}})

    assert end_learned(Pairs()) == 3


def test_ends_are_of_short_sequences_and_counted_by_the_plan():
    with pytest.raises(ValidationError, match="ends are those of whole sequences"):
        Pretrain(family="small", corpus="c", ends=True)
    plain, ending = (Pretrain(family="small", config=CONFIG, corpus="c", short=16, ends=ends) for ends in (False, True))
    assert shape_of_made(ending).parameters - shape_of_made(plain).parameters == 2 * CONFIG["hidden_size"]
