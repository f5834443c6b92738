"""`glmflow embed`: states of any layer and pool, in batches, resumable, equal to those of single sequences."""

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.apply import embed as module
from glmflow.cli import main
from glmflow.models import load_model, new_model
from glmflow.models.layer_states import pool_bases

CONTEXT = 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "small"
    settings = {"hidden_size": 16, "num_heads": 2, "num_layers": 3, "context": CONTEXT, "causal": False}
    new_model("small", settings, seed=1).save(path)
    return path


@pytest.fixture
def sequences():
    generator = np.random.default_rng(0)
    return ["".join(generator.choice(list("ACGT"), int(length))) for length in generator.integers(5, 60, 30)] + [
        "ACGT" * 40
    ]


@pytest.fixture
def fasta(tmp_path, sequences):
    path = tmp_path / "some.fa"
    path.write_text("".join(f">s{i} x\n{sequence}\n" for i, sequence in enumerate(sequences)))
    return path


def run(folder, fasta, output, *more):
    return main(["embed", "--model", str(folder), "--fasta", str(fasta), "--output", str(output), *map(str, more)])


def states(table):
    return table.filter(like="state_").to_numpy()


def alone(model, sequence):
    """States of the bases of one sequence that fits into the context."""
    with torch.no_grad():
        return model.states_per_base(model.tokenize([sequence]))[0]


@pytest.mark.parametrize("pool", ["mean", "max", "meanmax", "first", "last"])
def test_states_in_batches_are_those_of_single_sequences(folder, fasta, sequences, tmp_path, pool):
    assert run(folder, fasta, tmp_path / "x.parquet", "--pool", pool) == 0
    found = pd.read_parquet(tmp_path / "x.parquet")
    assert found["sequence"].tolist() == [f"s{i}" for i in range(31)]
    assert found["length_bp"].tolist() == list(map(len, sequences))
    model = load_model(folder)
    for row, sequence in enumerate(sequences[:30]):
        assert states(found)[row] == pytest.approx(pool_bases(alone(model, sequence), pool).numpy(), abs=1e-5)
    assert not (tmp_path / ".x.parquet.parts").exists()


def test_a_layer_is_what_its_block_returns(folder, fasta, sequences, tmp_path):
    assert run(folder, fasta, tmp_path / "one.npy", "--layer", 1) == 0
    assert run(folder, fasta, tmp_path / "last.npy", "--layer", -1) == 0
    assert run(folder, fasta, tmp_path / "own.npy") == 0
    one, last, own = (np.load(tmp_path / f"{name}.npy") for name in ("one", "last", "own"))
    assert one.shape == last.shape == own.shape == (31, 16)
    assert not np.allclose(one, last) and not np.allclose(last, own)
    model, seen = load_model(folder), []
    model.network.blocks[0].register_forward_hook(lambda _, __, output: seen.append(output))
    alone(model, sequences[3])
    output = seen[0][0] if isinstance(seen[0], tuple) else seen[0]
    assert one[3] == pytest.approx(output[0].mean(0).numpy(), abs=1e-5)
    assert pd.read_csv(tmp_path / "one.names.tsv", sep="\t")["sequence"].tolist()[:2] == ["s0", "s1"]


def test_states_of_every_base(folder, fasta, sequences, tmp_path):
    assert run(folder, fasta, tmp_path / "x.h5", "--pool", "none") == 0
    model = load_model(folder)
    with h5py.File(tmp_path / "x.h5") as file:
        assert [name.decode() for name in file["names"]] == [f"s{i}" for i in range(31)]
        for row in (0, 7, 29):
            assert file[f"states/{row}"][:] == pytest.approx(alone(model, sequences[row]).numpy(), abs=1e-5)
        assert file["states/30"].shape == (160, 16)


def test_both_strands_do_not_depend_on_the_strand_given(folder, tmp_path):
    turned = str.maketrans("ACGT", "TGCA")
    sequence = "ACGTTGCATTACGGATCA"
    for name, text in (("a", sequence), ("b", sequence.translate(turned)[::-1])):
        (tmp_path / f"{name}.fa").write_text(f">x\n{text}\n")
        assert run(folder, tmp_path / f"{name}.fa", tmp_path / f"{name}.npy", "--both-strands") == 0
    assert np.load(tmp_path / "a.npy") == pytest.approx(np.load(tmp_path / "b.npy"), abs=1e-6)


def test_regions_are_read_from_the_genome_along_their_strand(folder, tmp_path):
    generator = np.random.default_rng(1)
    genome = "".join(generator.choice(list("ACGT"), 300))
    (tmp_path / "g.fa").write_text(f">chr1\n{genome}\n")
    (tmp_path / "r.bed").write_text("chr1\t10\t50\tx\t0\t+\nchr1\t100\t140\ty\t0\t-\n")
    assert run(folder, tmp_path / "g.fa", tmp_path / "x.parquet", "--bed", tmp_path / "r.bed") == 0
    found = pd.read_parquet(tmp_path / "x.parquet")
    assert found["sequence"].tolist() == ["chr1:10-50", "chr1:100-140(-)"]
    assert found[["start", "end", "length_bp"]].to_numpy().tolist() == [[10, 50, 40], [100, 140, 40]]
    model = load_model(folder)
    other = genome[100:140].translate(str.maketrans("ACGT", "TGCA"))[::-1]
    for row, sequence in enumerate((genome[10:50], other)):
        assert states(found)[row] == pytest.approx(alone(model, sequence).mean(0).numpy(), abs=1e-5)


def test_a_run_that_was_stopped_goes_on(folder, fasta, sequences, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PART", 8)
    assert run(folder, fasta, tmp_path / "whole.npy") == 0
    calls = []
    computed = module.states_of

    def dies(model, own, request):
        calls.append(len(own))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return computed(model, own, request)

    monkeypatch.setattr(module, "states_of", dies)
    with pytest.raises(KeyboardInterrupt):
        run(folder, fasta, tmp_path / "x.npy")
    assert not (tmp_path / "x.npy").exists()
    assert run(folder, fasta, tmp_path / "x.npy") == 0
    assert calls == [8, 8, 8, 8, 7]  # two parts were kept; of four, the third is made again
    assert (np.load(tmp_path / "x.npy") == np.load(tmp_path / "whole.npy")).all()


def test_parts_of_other_settings_are_not_used(folder, fasta, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(folder, fasta, tmp_path / "x.npy")
    monkeypatch.undo()
    assert run(folder, fasta, tmp_path / "x.npy", "--pool", "max") == 0
    assert run(folder, fasta, tmp_path / "y.npy", "--pool", "max") == 0
    assert (np.load(tmp_path / "x.npy") == np.load(tmp_path / "y.npy")).all()


def test_parts_in_other_numbers_are_not_used(folder, fasta, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(folder, fasta, tmp_path / "x.npy", "--dtype", "bf16")
    monkeypatch.undo()
    assert run(folder, fasta, tmp_path / "x.npy") == 0
    assert run(folder, fasta, tmp_path / "y.npy") == 0
    assert run(folder, fasta, tmp_path / "z.npy", "--dtype", "bf16") == 0
    x, y, z = (np.load(tmp_path / f"{name}.npy") for name in "xyz")
    assert (x == y).all() and (x != z).any() and x == pytest.approx(z, abs=0.1)


def test_states_that_16_bits_do_not_hold_are_refused(folder, fasta, tmp_path, monkeypatch, capsys):
    pooled = module.pooled_states
    monkeypatch.setattr(module, "pooled_states", lambda *own: [state * 1e6 for state in pooled(*own)])
    assert run(folder, fasta, tmp_path / "x.npy") == 0
    assert "Leave --half out" in refused(capsys, folder, fasta, tmp_path / "y.npy", "--half")
    monkeypatch.setattr(module, "pooled_states", lambda *own: [state * np.inf for state in pooled(*own)])
    assert "Say --dtype bf16" in refused(capsys, folder, fasta, tmp_path / "y.npy", "--dtype", "fp16")
    assert not (tmp_path / "y.npy").exists()


def test_a_family_that_cannot_pad_gets_batches_of_one_length(tmp_path, fasta, sequences):
    settings = {"d_model": 16, "n_layer": 2, "max_seq_len": 256}
    new_model("hyenadna", settings, seed=1).save(tmp_path / "hyena")
    model = load_model(tmp_path / "hyena")
    assert not model.card.padding
    assert run(tmp_path / "hyena", fasta, tmp_path / "x.npy", "--batch", 16) == 0
    found = np.load(tmp_path / "x.npy")
    for row in (0, 5, 30):
        assert found[row] == pytest.approx(alone(model, sequences[row]).mean(0).numpy(), abs=1e-4)


def refused(capsys, *arguments):
    assert run(*arguments) == 1
    return capsys.readouterr().err


def test_a_wrong_letter_is_found_before_anything_is_computed(folder, fasta, tmp_path, capsys, monkeypatch):
    (tmp_path / "x.fa").write_text(fasta.read_text() + ">last\nACGU\nAC*\n")
    monkeypatch.setattr(module, "states_of", None)
    said = refused(capsys, folder, tmp_path / "x.fa", tmp_path / "x.npy")
    assert f"{tmp_path / 'x.fa'}: record last: '*' at base 7 is no nucleotide code" in said
    (tmp_path / "x.fa").write_text(">a\nAC\u00e9\n", encoding="utf-8")
    assert "'\u00e9' at base 3 is no nucleotide" in refused(capsys, folder, tmp_path / "x.fa", tmp_path / "x.npy")
    (tmp_path / "x.fa").write_text(">a\nACG\n>none\n>b\nACG\n")
    assert "record none is empty" in refused(capsys, folder, tmp_path / "x.fa", tmp_path / "x.npy")


def test_what_cannot_be_done_is_one_line(folder, fasta, tmp_path, capsys):
    assert "Choose one of float32" in refused(capsys, folder, fasta, tmp_path / "x.npy", "--dtype", "int8")
    assert "no known ending" in refused(capsys, folder, fasta, tmp_path / "x.txt")
    assert "no layer 9: the model has 3" in refused(capsys, folder, fasta, tmp_path / "x.npy", "--layer", 9)
    assert "Write NAME.h5" in refused(capsys, folder, fasta, tmp_path / "x.npy", "--pool", "none")
    assert "puts no special token before" in refused(capsys, folder, fasta, tmp_path / "x.npy", "--pool", "cls")
    bad = tmp_path / "bad.fa"
    bad.write_text(">a\nACGT\n>b\nAC*T\n")
    assert "record b: '*' at base 3" in refused(capsys, folder, bad, tmp_path / "x.npy")
    (tmp_path / "empty.fa").write_text("")
    assert "no sequence in it" in refused(capsys, folder, tmp_path / "empty.fa", tmp_path / "x.npy")
    assert list(tmp_path.glob("x.npy")) == []
