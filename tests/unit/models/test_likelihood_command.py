"""`glmflow likelihood`: what it writes, and that what a model cannot score is one line and exit status 1."""

import gzip

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.cli import main
from glmflow.models import new_model

CONTEXT = 32
COMPLEMENT = str.maketrans("ACGT", "TGCA")
SEQUENCES = {"first": "ACGTTGCATTAC", "second": "ggcattacgt"}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    size = {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": CONTEXT}
    for name, causal in (("causal", True), ("masked", False)):
        new_model("small", {**size, "causal": causal}, seed=1).save(folder / name)
    return folder


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "sequences.fa.gz"
    with gzip.open(path, "wt") as file:
        file.write("".join(f">{name} of two\n{text[:5]}\n{text[5:]}\n" for name, text in SEQUENCES.items()))
    return path


def likelihood(model, fasta, output, *more):
    return main(["likelihood", "--model", str(model), "--fasta", str(fasta), "--output", str(output), *more])


def test_the_log_likelihood_of_each_sequence_in_nats(models, fasta, tmp_path):
    assert likelihood(models / "causal", fasta, tmp_path / "scores.tsv") == 0
    found = pd.read_csv(tmp_path / "scores.tsv", sep="\t")
    assert list(found["sequence"]) == list(SEQUENCES) and list(found["length_bp"]) == [12, 10]
    model = new_model(
        "small", {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": CONTEXT, "causal": True}, 1
    )
    for text, value in zip(SEQUENCES.values(), found["log_likelihood"]):
        strands = [text.upper(), text.upper().translate(COMPLEMENT)[::-1]]
        sums = []
        for strand in strands:  # the definition: each base but the first, given those before it
            ids = torch.tensor([[2 + "ACGT".index(base) for base in strand]])
            with torch.no_grad():
                logs = model.eval()(ids).logits[0].double().log_softmax(-1)
            sums.append(sum(float(logs[t - 1, ids[0, t]]) for t in range(1, len(strand))))
        assert value == pytest.approx(np.mean(sums), rel=1e-5)


def test_probabilities_of_bases(models, fasta, tmp_path):
    assert likelihood(models / "masked", fasta, tmp_path / "bases.parquet", "--positions", "3", "9") == 0
    found = pd.read_parquet(tmp_path / "bases.parquet")
    assert list(found["sequence"]) == ["first", "first", "second", "second"]
    assert list(found["position"]) == [3, 9, 3, 9]
    np.testing.assert_allclose(found[list("ACGT")].sum(1), 1)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (">a\nACGT\n>long\n" + "A" * 33 + "\n", [], "sequence long: a sequence of 33 bp has 33 tokens, small takes 32"),
        (">a\nACGT\n", ["--positions", "4"], "sequence a: position 4 lies outside a sequence of 4 bp"),
        (">a\nACG!\n", [], "sequence a: character '!' at position 3"),
        ("", [], "no sequence in it"),
    ],
)
def test_what_cannot_be_scored_is_one_line(text, options, message, models, tmp_path, capsys):
    (tmp_path / "given.fa").write_text(text)
    assert likelihood(models / "masked", tmp_path / "given.fa", tmp_path / "scores.tsv", *options) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("glmflow likelihood: ") and message in lines[0]
    assert not (tmp_path / "scores.tsv").exists()


def test_a_model_of_regions_says_why_not(fasta, tmp_path, capsys):
    from family_checks import fixture

    assert likelihood(fixture("get"), fasta, tmp_path / "scores.tsv") == 1
    assert "get does not support log-likelihood: its inputs are regions x motifs" in capsys.readouterr().err
