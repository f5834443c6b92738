"""Dependency maps: the definition in a loop, toy dependences, brute-force fixtures of nine models (real data)."""

import csv
import gzip
import json
import warnings
from argparse import Namespace

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.apply.dependencies import map_summaries
from glmflow.apply.dependencies.dependencies_run import _of_table, read_sequences, safe_names
from glmflow.apply.dependencies.dependency_maps import MapSettings, _one_strand, dependency_map
from glmflow.apply.dependencies.map_marks import read_marks
from glmflow.apply.sequence_logo import information
from glmflow.cli import main
from glmflow.effects.likelihood_model import LikelihoodModel
from glmflow.errors import InputError
from glmflow.models import load_model
from glmflow.models.adapter import NotSupportedError
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_models import depends_on, kmer_model, known, opposite, random_genome, small

TEXT = random_genome(30, seed=9)


def codes(text=TEXT):
    return np.frombuffer(text.encode(), np.uint8)


def made(model, text=TEXT, **more):
    return dependency_map(LikelihoodModel(model), codes(text), MapSettings(**more))


def literal(model, text, eps=1e-4):
    """The definition, one pass at a time: masked, single bases, all four letters put at each place (4 L + 1 passes)."""

    def odds(one):
        ids = torch.from_numpy(model.tokenizer.pieces(codes(one)).ids)[None]
        with torch.no_grad():
            logits = model(ids).logits[0, :, [model.tokenizer.vocab[base] for base in "ACGT"]].double()
        p = (logits.softmax(-1) + eps) / (1 + 4 * eps)
        return torch.log2(p / (1 - p)).numpy()

    wild = odds(text)
    found = np.zeros((len(text), len(text)))
    for i in range(len(text)):
        for base in "ACGT":
            change = np.abs(odds(text[:i] + base + text[i + 1 :]) - wild).max(1)
            found[i] = np.maximum(found[i], change)
        found[i, i] = 0
    return found


def test_the_definition_with_a_pass_of_the_base_itself_more():
    model = small()
    found = made(model)
    np.testing.assert_allclose(found.values, literal(model, TEXT), atol=1e-5)
    assert found.passes == 3 * len(TEXT) + 1 and found.values.dtype == np.float32


def test_a_known_dependence_lights_its_cells_alone():
    found = made(known(depends_on(3))).values
    i, j = np.nonzero(found > 1e-6)
    assert (j - i == 3).all() and len(i) == len(TEXT) - 3


def test_a_causal_map_is_stitched_from_both_strands_and_its_wrong_triangles_are_zero():
    adapter = small(causal=True)
    model = LikelihoodModel(adapter)
    with torch.inference_mode():
        everything = np.ones(len(TEXT), bool)
        forward, _ = _one_strand(model, codes(), everything, MapSettings())
        turned, _ = _one_strand(model, codes(opposite(TEXT)), everything, MapSettings())
    for one in (forward, turned):
        assert (one[np.tril_indices(len(TEXT))] == 0).all() and (one[np.triu_indices(len(TEXT), 1)] > 0).all()
    stitched = np.triu(forward, 1) + np.tril(turned[::-1, ::-1], -1)
    np.testing.assert_allclose(made(adapter).values, stitched, atol=1e-6)
    model._continues = False
    with torch.inference_mode():
        whole, _ = _one_strand(model, codes(), everything, MapSettings())
    np.testing.assert_allclose(whole, forward, atol=1e-5)
    assert (whole[np.tril_indices(len(TEXT))] == 0).all()


def test_a_model_that_sees_what_is_to_come_is_found_out():
    with pytest.raises(InputError, match="counts as causal, but changing base 15 changes predictions to its left"):
        made(known(depends_on(-4), "causal"))


def test_bases_that_are_not_known_are_left_empty_in_their_place():
    text = TEXT[:10] + "NN" + TEXT[12:]
    for model in (small(), small(causal=True)):
        found = made(model, text).values
        empty = np.isnan(found)
        assert empty[10:12].all() and empty[:, 10:12].all() and empty.sum() == 2 * 2 * len(text) - 4
        assert (np.diag(np.delete(np.delete(found, [10, 11], 0), [10, 11], 1)) == 0).all()


def test_cells_within_a_token_say_nothing_and_all_frames_fill_them():
    model = kmer_model(3)
    found = made(model).values
    same = np.arange(30)[:, None] // 3 == np.arange(30) // 3
    off = ~np.eye(30, dtype=bool)
    assert np.isnan(found[same & off]).all() and np.isfinite(found[~same]).all()
    every = made(model, frames="all")
    inside = slice(4, 26)  # neighbours lie in different tokens in some frame
    assert np.isfinite(every.values[inside, inside]).sum() > np.isfinite(found[inside, inside]).sum()
    frames = [made(model, TEXT[frame:]).values for frame in range(3)]
    assert every.values[9, 21] == pytest.approx(np.mean([one[9 - f, 21 - f] for f, one in enumerate(frames)]), abs=1e-6)


def test_measures_directions_strands_and_context():
    model = small()
    plain = made(model).values
    np.testing.assert_allclose(made(model, symmetric="mean").values, (plain + plain.T) / 2, atol=1e-6)
    np.testing.assert_allclose(made(model, symmetric="max").values, np.maximum(plain, plain.T), atol=1e-6)
    assert (made(model, measure="logp").values < plain + 1e-6).all()
    turned = made(model, opposite(TEXT)).values[::-1, ::-1]
    np.testing.assert_allclose(made(model, strands="both").values, (plain + turned) / 2, atol=1e-6)
    inner = made(model, context=5)
    np.testing.assert_allclose(inner.values, plain[5:25, 5:25], atol=1e-6)
    assert inner.passes == 3 * 20 + 1 and inner.codes.tobytes().decode() == TEXT[5:25]


def test_byte_pair_tokens_and_long_sequences_are_refused(tmp_path):
    with pytest.raises(InputError, match="has 300 tokens, model takes 256"):
        made(small(), random_genome(300))
    model = LikelihoodModel(small())
    model.kind = "bpe"
    with pytest.raises(NotSupportedError, match="a changed base moves the bounds of its tokens"):
        dependency_map(model, codes(), MapSettings())


@given(st.integers(6, 12), st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_summaries_are_their_definitions(length, seed):
    random = np.random.default_rng(seed)
    values = random.random((length, length))
    values[2], values[:, 2] = np.nan, np.nan
    np.fill_diagonal(values, 0)
    off = [(i, j) for i in range(length) for j in range(length) if i != j and 2 not in (i, j)]
    receiver, distances = map_summaries.receivers(values), map_summaries.by_distance(values)
    for j in {j for _, j in off}:
        assert receiver[j] == pytest.approx(np.mean([values[i, k] for i, k in off if k == j]))
        assert map_summaries.senders(values)[j] == pytest.approx(np.mean([values[i, k] for i, k in off if i == j]))
    for d in range(1, length):
        cells = [values[i, j] for i, j in off if abs(i - j) == d]
        assert distances[d] == pytest.approx(np.mean(cells)) if cells else np.isnan(distances[d])
    block = map_summaries.blocks(values)
    cells = [values[i, j] for i, j in off if i < 6 and j < 6]
    assert block[0] == pytest.approx(np.percentile(cells, 25))
    pairs = map_summaries.strongest_pairs(values, np.full(length, 65, np.uint8), 5)
    best = sorted((values[i, j] for i, j in off if abs(i - j) > 5), reverse=True)[:5]
    assert pairs["value"].tolist() == pytest.approx(best)
    means = map_summaries.block_mean(values, 3)
    assert means[0, 1] == pytest.approx(np.nanmean(values[0:3, 3:6]))


def test_an_anti_diagonal_is_a_stem_and_a_block_is_none():
    values = np.zeros((40, 40))
    for step in range(7):
        values[8 + step, 30 - step] = values[30 - step, 8 + step] = 1
    values[20:26, 20:26] = 1
    found = map_summaries.stems(values)
    i, j = np.unravel_index(np.nanargmax(found), found.shape)
    assert i + j == 38 and found[i, j] == pytest.approx(1)
    assert np.isnan(found[np.abs(np.subtract.outer(range(40), range(40))) <= 4]).all()


def test_file_names_are_safe_and_never_the_same():
    assert safe_names(["a|x(1)", "a_x_1", "A_x_1", ">"]) == {
        "a|x(1)": "a_x_1", "a_x_1": "a_x_1_2", "A_x_1": "A_x_1_3", ">": "sequence"
    }  # fmt: skip


def test_the_command_writes_maps_tables_and_pictures(tmp_path, capsys):
    small(context=40).save(tmp_path / "toy")
    (tmp_path / "in.fa").write_text(f">one|x\n{TEXT}\n>two\n{TEXT[:20].lower()}\n>long\n{random_genome(70)}\n")
    (tmp_path / "marks.bed").write_text("one|x\t3\t9\tmotif\n")
    options = [
        "dependencies",
        "--model",
        tmp_path / "toy",
        "--fasta",
        tmp_path / "in.fa",
        "--output",
        tmp_path / "out",
    ]
    run = lambda *more: main([str(word) for word in (*options, *more)])  # noqa: E731
    assert run() == 1
    assert (
        "sequence long of 70 bp has 70 tokens, toy takes 40. Give shorter sequences, or --context"
        in (capsys.readouterr().err.strip().splitlines()[-1])
    )
    assert (
        run("--context", 10) == 1
        and "sequence two of 20 bp has nothing inside a context of 10" in capsys.readouterr().err
    )
    assert not (tmp_path / "out").exists()  # said before any map was computed
    assert run("--context", 5, "--plan") == 0
    # 20 + 10 bases within their context, and 60 in two tiles of 30: 3 changes each, and a pass a map
    assert f"{3 * (20 + 10 + 60) + 4} passes" in capsys.readouterr().out
    more = ("--context", 5, "--marks", tmp_path / "marks.bed", "--zoom", "2-12", "--block-mean", 5, "--keep", 3)
    assert run(*more, "--pictures", 1) == 0
    table = pd.read_parquet(tmp_path / "out" / "maps.parquet")
    assert table["id"].tolist() == ["one|x", "two", "long:5-35", "long:35-65"]
    assert table["start"].tolist() == [5, 5, 5, 35] and table["length_bp"].tolist() == [20, 10, 30, 30]
    assert len(table["receiver"][0]) == 20
    with np.load(tmp_path / "out" / "maps" / "one_x.npz") as file:
        assert file["map"].dtype == np.float16 and file["map"].shape == (20, 20) and file["block_mean"].shape == (4, 4)
    assert len(list((tmp_path / "out" / "maps").iterdir())) == 3
    assert sorted(path.name for path in (tmp_path / "out" / "pictures").iterdir()) == [
        "one_x.html", "one_x.png", "one_x.svg"
    ]  # fmt: skip
    about = json.loads((tmp_path / "out" / "maps.json").read_text())
    assert about["eps"] == 1e-4 and about["precision"] == "float32" and len(about["model_sha256"]) == 64
    assert not (tmp_path / "out" / "parts").exists()
    page = (tmp_path / "out" / "pictures" / "one_x.html").read_text()
    assert "https://cdn" not in page.split("<body")[1] and '"changed"' in page
    (tmp_path / "in.fa").write_text(f">one\n{TEXT}\n>one\n{TEXT}\n")
    assert run() == 1 and "two sequences named one" in capsys.readouterr().err


def test_marks_are_read_of_bed_gff_and_gtf(tmp_path):
    gff = "##gff-version 3\na\tx\tmotif\t4\t9\t.\t+\t.\tID=m1;Name=TATA box\nb\tx\texon\t1\t5\t.\t-\t.\t.\n##FASTA\n>a\nACGT\n"
    (tmp_path / "m.gff3.gz").write_bytes(gzip.compress(gff.encode()))
    (tmp_path / "m.gtf").write_text('a\tx\tgene\t4\t9\t.\t+\t.\tgene_id "G1"; gene_name "TATA box";\n')
    (tmp_path / "m.bed").write_bytes(b"track name=x\r\na\t3\t9\tTATA box\r\ntracks\t0\t5\r\n")
    expected = [(3, 9, "TATA box")]
    assert read_marks(tmp_path / "m.gff3.gz") == {"a": expected, "b": [(0, 5, "exon")]}
    assert read_marks(tmp_path / "m.bed") == {"a": expected, "tracks": [(0, 5, "")]}
    assert read_marks(tmp_path / "m.gtf") == {"a": expected}
    (tmp_path / "m.bed").write_text("a\tx\tmotif\t4\t9\n")
    with pytest.raises(InputError, match="not id, start and end"):
        read_marks(tmp_path / "m.bed")


def test_rna_is_read_as_dna_and_what_is_no_sequence_is_named(tmp_path):
    (tmp_path / "in.fa").write_text(">rna\nacguRN\n")
    given = Namespace(fasta=tmp_path / "in.fa", table=None)
    ((name, found),) = read_sequences(given)
    assert (name, found.tobytes()) == ("rna", b"ACGTNN")
    (tmp_path / "in.fa").write_text(">protein\nMKLE\n")
    with pytest.raises(InputError, match="sequence protein: character 'L' at position 2"):
        read_sequences(given)


def test_sequences_too_short_or_unknown_have_empty_summaries_without_a_warning():
    model = small()
    for text in ("A", "NNNNNNN", "ANNNNNN"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = made(model, text)
            row = map_summaries.summary(found.values, found.codes)
        assert np.isnan(row["mean"]) and row["length_bp"] == len(text)
        assert map_summaries.strongest_pairs(found.values, found.codes).empty


def test_sequences_of_a_table_under_other_headers(tmp_path):
    (tmp_path / "in.csv").write_text("\ufeff# Name,Seq\none,ACGT\n")
    assert _of_table(tmp_path / "in.csv") == [("one", "ACGT")]
    (tmp_path / "in.csv").write_text("id,sequence\n")
    with pytest.raises(InputError, match="no sequence in it"):
        _of_table(tmp_path / "in.csv")


NAMES = ["gpn", "aido-dna", "caduceus-ph", "caduceus-ps", "nt-v1", "nt-v2", "hyenadna", "evo2", "generator"]


@pytest.mark.real
@pytest.mark.parametrize("name", NAMES)
def test_maps_are_those_of_brute_force(name, test_data):
    fixtures = test_data / "variant_effects" / "expected"
    if name == "gpn":
        pytest.importorskip("gpn", reason="the optional package gpn is not installed")
    folder = fixtures / "models" / name
    model = LikelihoodModel(load_model(folder if folder.exists() else test_data / "parity" / name))
    with (fixtures / "depmap_sequences.tsv").open() as file:
        row = next(csv.DictReader(file, delimiter="\t"))
    text = row["sequence_k6" if model.kind == "kmer" else "sequence_k1"]
    found = dependency_map(model, codes(text), MapSettings())
    expected = np.loadtxt(fixtures / "expected" / f"depmap_{name}_a.tsv.gz")
    tolerance = 1e-3 if name == "hyenadna" else 1e-4  # see test_variant_fixtures
    np.testing.assert_allclose(found.values, expected, atol=tolerance, rtol=0)
    original = fixtures / "expected" / f"original_depmap_{name}_logo_ATGC.tsv"
    if original.exists():
        np.testing.assert_allclose(information(found.probabilities)[:, [0, 3, 2, 1]], np.loadtxt(original), atol=1e-5)
