"""Comparisons: with neutral sites of the same 5-mer, with random indels as long, with the other strand."""

import logging

import numpy as np
import pandas as pd
import pytest
from glmflow.apply.variants.variant_sources import VcfSource
from glmflow.cli import main
from glmflow.effects import score_runs
from glmflow.effects.likelihood_model import LikelihoodModel
from glmflow.effects.null_scores import (
    Nulls,
    context_of,
    contexts,
    indel_scores,
    neutral_scores,
    neutral_sites,
    random_indels,
    snvs_at,
)
from glmflow.effects.score_catalogue import Asked, asked
from glmflow.effects.scored_edits import Settings, score_edits
from glmflow.genome.edits import Records, edits_of
from glmflow.genome.first_look import look
from glmflow.models import load_model, new_model
from glmflow.training.parts import Parts
from torch.nn.functional import one_hot
from toy_models import SIZE, Sequences, known, opposite, random_genome, small

TEXT = random_genome(6000, seed=11)
GENOME = Sequences(chr1=TEXT)
NEUTRAL = [("chr1", 200, 5800, "x")]


def test_a_5mer_and_its_reverse_complement_are_one_class():
    text = "ACGTACNACGTGTCA"
    numbers = contexts(np.frombuffer(text.encode(), np.uint8))
    assert (numbers[:2] == -1).all() and (numbers[-2:] == -1).all() and (numbers[4:9] == -1).all()
    turned = contexts(np.frombuffer(opposite(text).encode(), np.uint8))[::-1]
    np.testing.assert_array_equal(numbers, turned)
    assert len(set(contexts(np.frombuffer(random_genome(20_000).encode(), np.uint8)))) == 512 + 1


def neighbours(ids):
    """Logits from the two bases on each side: a model that knows 5-mers and nothing else, on both strands alike."""
    import torch

    letters = one_hot(ids, SIZE).float()[..., 1:5]
    found = torch.zeros(*ids.shape, SIZE)
    weight = torch.tensor([[0.3, -0.2, 0.5, 0.1], [-0.4, 0.7, 0.2, -0.1], [0.2, 0.1, -0.6, 0.4], [0.5, -0.3, 0.1, 0.2]])
    turned = weight.flip(0, 1)  # what the reverse complement tells of the complement
    for step, scale in ((1, 1.0), (2, 0.5)):
        before, behind = torch.zeros_like(letters), torch.zeros_like(letters)
        before[:, step:] = letters[:, :-step]
        behind[:, :-step] = letters[:, step:]
        found[..., 1:5] += scale * (before @ weight + behind @ turned)
    return found


def test_a_model_of_5mers_has_nothing_left_after_calibration(tmp_path):
    model = LikelihoodModel(known(neighbours))
    settings = Settings(40)
    places = neutral_sites(GENOME, NEUTRAL, sites=2, seed=1)
    assert max(map(len, places.values())) == 2 and len(places) > 400
    assert places == neutral_sites(GENOME, NEUTRAL, sites=2, seed=1) != neutral_sites(GENOME, NEUTRAL, sites=2, seed=2)
    table = neutral_scores(model, GENOME, places, ("llr",), settings, Parts(tmp_path / "parts", {}))
    nulls = Nulls(("llr",), table)
    edits = snvs_at(GENOME, [("chr1", place) for place in range(1000, 1100)])
    scored = score_edits(model, GENOME, edits, Asked(("llr",), ()), settings)
    found = nulls.compare(scored, edits, GENOME)
    assert nulls.names == ("llr_calibrated",)
    has = np.isfinite(found[:, 0])
    assert has.mean() > 0.7 and np.abs(scored.values).max() > 0.5
    np.testing.assert_allclose(found[has, 0], 0, atol=1e-5)


def test_calibration_is_the_mean_of_the_same_5mer_and_alternative(tmp_path):
    model = LikelihoodModel(small())
    settings = Settings(30)
    places = neutral_sites(GENOME, NEUTRAL, sites=3)
    some = dict(list(places.items())[:4])
    table = neutral_scores(model, GENOME, some, ("llr",), settings, Parts(tmp_path / "parts", {}))
    number, sites = next(iter(some.items()))
    edits = snvs_at(GENOME, sites)
    values = score_edits(model, GENOME, edits, Asked(("llr",), ()), settings).values.mean(2)[:, 0]
    found, alternative, which = context_of(edits, GENOME)
    assert (found == number).all() and len(which) == 9
    for base in set(alternative.tolist()):
        assert table[number, base, 0] == pytest.approx(values[alternative == base].mean(), abs=1e-5)


def test_random_indels_lie_away_from_n_and_are_the_same_for_a_seed():
    genome = Sequences(chr1=TEXT[:500] + "N" * 500 + TEXT[1000:2000], chr2="ACGT" * 10)
    for removed, inserted in ((3, 0), (0, 4), (2, 5)):
        found = random_indels(genome, removed, inserted, 50, 40, seed=3)
        again = random_indels(genome, removed, inserted, 50, 40, seed=3)
        assert found.start.tolist() == again.start.tolist() and found.bases == again.bases
        assert (found.end - found.start == removed).all() and {len(bases) for bases in found.bases} == {inserted}
        assert (found.contig == 0).all()  # the other contig is shorter than a window
        for start, end in zip(found.start.tolist(), found.end.tolist()):
            assert "N" not in genome.text["chr1"][start : max(end, start + 1)]


def test_indels_get_z_scores_among_those_as_long(tmp_path):
    model = LikelihoodModel(small(causal=True))
    settings = Settings(40)
    parts = Parts(tmp_path / "parts", {})
    found = indel_scores(model, GENOME, [(0, 3), (30, 0)], ("ll", "ll_flank"), settings, 20, parts)
    assert list(found) == [(0, 3)]  # 30 bp are more than half of the window
    sample = random_indels(GENOME, 0, 3, 20, 40)
    values = score_edits(model, GENOME, sample, Asked((), ("ll", "ll_flank")), settings).values.mean(2)
    np.testing.assert_allclose(found[0, 3], [values.mean(0), values.std(0, ddof=1)], atol=1e-5)
    nulls = Nulls((), None, ("ll", "ll_flank"), found)
    edits = edits_of(Records(["chr1"], [999], [TEXT[999]], [TEXT[999] + "GCA," + "ACGT"[TEXT[999] == "A"]]), GENOME)
    scored = score_edits(model, GENOME, edits, Asked(("ll", "ll_flank"), ("ll", "ll_flank")), settings)
    z = nulls.compare(scored, edits, GENOME)
    np.testing.assert_allclose(z[0], (scored.values[0].mean(1) - found[0, 3][0]) / found[0, 3][1])
    assert np.isnan(z[1]).all()


def write_vcf(path, places):
    rows = "".join(f"chr1\t{p + 1}\t.\t{TEXT[p]}\t{'C' if TEXT[p] != 'C' else 'G'}\t.\t.\t.\n" for p in places)
    path.write_text(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{rows}")
    return path


def test_the_command_adds_columns_of_their_own(tmp_path):
    small(context=64).save(tmp_path / "toy")
    (tmp_path / "genome.fa").write_text(f">chr1\n{TEXT}\n")
    (tmp_path / "neutral.bed").write_text("chr1\t200\t500\n")
    path = write_vcf(tmp_path / "in.vcf", range(3000, 3010))
    with path.open("a") as file:
        file.write(f"chr1\t4001\t.\t{TEXT[4000]}\t{TEXT[4000]}GATTA\t.\t.\t.\n")
    options = ["--model", tmp_path / "toy", "--fasta", tmp_path / "genome.fa", "--vcf", path, "--window", 32]
    options += ["--calibrate", tmp_path / "neutral.bed", "--length-matched", 5, "--output", tmp_path / "out.tsv"]
    assert main(["variants", *map(str, options)]) == 0
    found = pd.read_csv(tmp_path / "out.tsv", sep="\t")
    assert {"llr", "flank", "llr_calibrated", "flank_z"} < set(found)
    assert found["llr_calibrated"].notna().sum() > 1 and np.isnan(found["llr_calibrated"][10])
    assert found["flank_z"].notna().tolist() == [False] * 10 + [True]


@pytest.mark.parametrize(
    ("config", "window", "agree"),
    [
        ({"rcps": True, "vocab_size": 8, "residual_in_fp32": True}, 40, True),  # PlantCaduceus
        ({"rcps": False}, 40, False),
    ],
)
def test_one_strand_is_read_where_both_are_measured_to_agree(config, window, agree, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    adapter = new_model("caduceus", {"d_model": 16, "n_layer": 2, "ssm_cfg": {"d_state": 4}, **config}).eval()
    model = LikelihoodModel(adapter)
    source = VcfSource(write_vcf(tmp_path / "in.vcf", [5, *range(3000, 3017)]))
    settings, scores = Settings(window), asked(model, ["llr"])
    found = look(source, GENOME, far=window)
    assert found.sampled == 16
    assert score_runs.same_on_both_strands(model, found, scores, settings) is agree
    before = model.passes
    parts = Parts(tmp_path / "parts", {})
    score_runs.score_parts(model, source, GENOME, scores, settings, parts, found=found)
    assert ("both strands agree to 1e-4 on 16 windows" in caplog.text) is agree
    table = parts.array(0, lambda: None)
    strands = table[:, 6:8]
    whole = score_edits(model, GENOME, edits_of(next(iter(source.parts(100))), GENOME), scores, settings).values[:, 0]
    np.testing.assert_allclose(strands, whole, atol=1e-5)
    if agree:
        np.testing.assert_allclose(strands[:, 0], strands[:, 1], atol=1e-6)
        # 16 windows are measured twice on both strands; then 17 centred ones are read on one, the shifted one on both
        assert model.passes - before - 18 * 2 == 16 * 2 + 17 + 2


@pytest.mark.real
def test_byte_pair_models_say_their_share_of_llr(test_data, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    fixtures = test_data / "variant_effects" / "expected"
    model = LikelihoodModel(load_model(fixtures / "models" / "bpe-bert", "grover"), "bpe")
    source = VcfSource(write_vcf(tmp_path / "in.vcf", range(3000, 3040)))
    scores = asked(model, None)
    counts = score_runs.score_parts(
        model, source, GENOME, scores, Settings(80), Parts(tmp_path / "parts", {}), found=look(source, GENOME)
    )
    table = Parts(tmp_path / "parts", {}).array(0, lambda: None)
    columns = score_runs.Columns(scores.names)
    own = score_runs.ModelScores("bpe", columns, table)
    has = np.isfinite(own.strands("llr")).all(1)
    assert f"bpe: {has.sum()} of 40 alleles (" in caplog.text and 0 < has.sum() < 40
    assert counts == {0: 40} and np.isfinite(own.fields(False)["l2_mean"]).all()
