"""A whole sequence as one stream: its bits are those of the whole, its memory that of a stretch."""

import gzip

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.apply import stream_bits as streams
from glmflow.apply.stream_bits import bin_of, stream_bits, stretches
from glmflow.cli import main
from glmflow.models import new_model

FAMILIES = {
    "rwkv7": {"hidden_size": 16, "num_layers": 2, "head_size": 8, "chunk": 8},
    "mamba": {"hidden_size": 16, "num_layers": 2, "state_size": 4},
}
torch.set_num_threads(1)


def made(family):
    model = new_model(family, FAMILIES[family], seed=2)
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():  # what begins at zero would hide what a layer reads
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


def text(length, seed=3):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def nats_of_the_whole(model, sequence):
    """The definition: each base but the first, given all before it; NaN for the first."""
    ids = model.tokenize([sequence]).input_ids
    with torch.no_grad():
        logs = model(ids).logits.double().log_softmax(-1)
    return np.array([np.nan, *-logs[0, :-1].gather(-1, ids[0, 1:, None])[:, 0].numpy()])


@pytest.mark.parametrize("family", FAMILIES)
def test_bits_by_distance_are_those_of_the_whole(family, monkeypatch):
    monkeypatch.setattr(streams, "SLICE", 64)
    monkeypatch.setattr(streams, "FIRST", 50)
    model, sequence = made(family), text(330)
    sequence = sequence[:140] + "N" + sequence[141:]
    pieces = [sequence[:37].encode(), sequence[37:39].encode(), sequence[39:].encode()]
    found = stream_bits(model, pieces)
    whole = nats_of_the_whole(model, sequence)
    whole[140] = np.nan
    assert [(one.start, one.end) for one in found] == [(0, 50), (50, 100), (100, 200), (200, 330), (0, 330)]
    for one in found:
        own = whole[one.start : one.end]
        assert one.bases == np.isfinite(own).sum() and one.restarted is None
        assert one.carried == pytest.approx(np.nanmean(own) / np.log(2), rel=1e-5)


@pytest.mark.parametrize("restart", [24, 100])
def test_the_control_is_the_same_bases_by_a_state_that_starts_again(restart, monkeypatch):
    monkeypatch.setattr(streams, "SLICE", 64)
    model, sequence = made("rwkv7"), text(330)
    total = stream_bits(model, [sequence.encode()], restart)[-1]
    parts = [nats_of_the_whole(model, sequence[at : at + restart]) for at in range(0, 330, restart)]
    alone = np.concatenate(parts)
    assert total.bases == np.isfinite(alone).sum() == 330 - len(parts)
    assert total.restarted == pytest.approx(np.nanmean(alone) / np.log(2), rel=1e-5)
    carried = nats_of_the_whole(model, sequence)[np.isfinite(alone)]
    assert total.carried == pytest.approx(carried.mean() / np.log(2), rel=1e-5)


def test_no_more_than_a_stretch_is_read_at_a_time(monkeypatch):
    monkeypatch.setattr(streams, "SLICE", 64)
    model, longest = made("rwkv7"), []
    carry = model.network.carry
    monkeypatch.setattr(model.network, "carry", lambda ids, state: longest.append(ids.shape) or carry(ids, state))
    stream_bits(model, (text(100, seed).encode() for seed in range(5)))
    assert longest == [(1, 64)] * 7 + [(1, 52)]


def test_stretches_are_the_sequence_whatever_its_pieces():
    found = list(stretches([b"AC", b"", b"GTACG", b"T"], 3))
    assert [part.tobytes() for part in found] == [b"ACG", b"TAC", b"GT"]


def test_bins_double():
    places = np.array([0, 1023, 1024, 2047, 2048, 4095, 4096, 2**26 - 1, 2**26])
    assert bin_of(places).tolist() == [0, 0, 1, 1, 2, 2, 3, 16, 17]


def stream(folder, fasta, *more):
    return main(["stream", "--model", str(folder), "--fasta", str(fasta), "--output", f"{folder}.tsv", *more])


def test_the_command_scores_each_record_and_restarts_where_the_model_was_trained_to(tmp_path, capsys):
    model, records = made("rwkv7"), {"one": text(90), "two": text(60, 4)}
    model.origin["trained_through_bp"] = 20
    model.save(tmp_path / "model")
    with gzip.open(tmp_path / "a.fa.gz", "wt") as file:
        file.write("".join(f">{name} x\n{own[:33]}\n{own[33:].lower()}\n" for name, own in records.items()))
    assert stream(tmp_path / "model", tmp_path / "a.fa.gz") == 0
    found = pd.read_csv(tmp_path / "model.tsv", sep="\t")
    whole = found[found["what"] == "whole"].set_index("sequence")
    assert whole["bases"].to_dict() == {"one": 85, "two": 57}
    for name, own in records.items():
        parts = np.concatenate([nats_of_the_whole(model, own[at : at + 20]) for at in range(0, len(own), 20)])
        assert whole.loc[name, "bits_per_base_restarted"] == pytest.approx(np.nanmean(parts) / np.log(2), rel=1e-5)
    assert "restarted every 20" in capsys.readouterr().out
    assert stream(tmp_path / "model", tmp_path / "a.fa.gz", "--restart", "0") == 0
    alone = pd.read_csv(tmp_path / "model.tsv", sep="\t")
    expected = np.nanmean(nats_of_the_whole(model, records["two"])) / np.log(2)
    assert alone["bits_per_base"].iloc[-1] == pytest.approx(expected, rel=1e-5)
    assert alone["bits_per_base_restarted"].isna().all()


@pytest.mark.parametrize(
    ("family", "content", "more", "said"),
    [
        ("wavelet", ">a\nACGT\n", (), "family wavelet has no state that a stream could be read with"),
        ("rwkv7", ">a\nACQT\n", (), "holds 'Q', which is no nucleotide"),
        ("rwkv7", ">a\nA\n", (), "sequence a has no known base behind another"),
        ("rwkv7", ">a\nACGT\n", ("--restart", "1"), "--restart 1: nothing is before any base"),
    ],
)
def test_what_cannot_be_scored_is_one_line(family, content, more, said, tmp_path, capsys):
    sizes = FAMILIES.get(family, {"hidden_size": 16, "num_layers": 1})
    new_model(family, sizes).save(tmp_path / "model")
    (tmp_path / "a.fa").write_text(content)
    assert stream(tmp_path / "model", tmp_path / "a.fa", *more) == 1
    assert said in (line := capsys.readouterr().err) and len(line.splitlines()) == 1
