"""In-silico mutagenesis: scores are those of single variants, tracks hold them, hot spots and logos are defined."""

import numpy as np
import pandas as pd
import pyBigWig
import pytest
from glmflow.apply.mutagenesis.base_effects import BaseEffects, base_effects, predicted
from glmflow.apply.mutagenesis.mutagenesis_outputs import Region, hot_spots, mean_effect
from glmflow.cli import main
from glmflow.effects.likelihood_model import LikelihoodModel
from glmflow.effects.score_catalogue import Asked
from glmflow.effects.scored_edits import Settings, mean_of_strands, score_edits
from glmflow.genome.edits import Records, edits_of
from toy_models import Sequences, depends_on, kmer_model, known, random_genome, small

TEXT = random_genome(200, seed=4)[:90] + "N" + random_genome(109, seed=5)
GENOME = Sequences(chr1=TEXT)


def single(model, places, name, settings):
    """The scores of changes one by one, `{place: {base: score}}`, and 0 at the base itself."""
    found = {}
    for place in places:
        others = [base for base in "ACGT" if base != TEXT[place]]
        edits = edits_of(Records(["chr1"], [place], [TEXT[place]], [",".join(others)]), GENOME)
        scores = mean_of_strands(score_edits(model, GENOME, edits, Asked((name,), ()), settings))[:, 0]
        found[place] = {**dict(zip(others, scores)), TEXT[place]: 0.0}
    return found


@pytest.mark.parametrize(
    ("make", "name"), [(small, "llr"), (lambda: small(causal=True), "ll"), (kmer_model, "llr"), (small, "l2_mean")]
)
def test_effects_are_those_of_single_variants(make, name):
    model = LikelihoodModel(make())
    settings = Settings(60)
    shared = Settings(60, share=30) if name == "ll" else settings
    found = base_effects(model, GENOME, "chr1", 80, 100, (name,), settings)
    assert np.isnan(found.scores[0, 10]).all()  # the N
    expected = single(model, [place for place in range(80, 100) if place != 90], name, shared)
    for place, row in expected.items():
        for base, value in row.items():
            assert found.scores[0, place - 80, "ACGT".index(base)] == pytest.approx(value, abs=1e-5)


def test_one_masked_pass_a_base_and_strand_tells_all():
    model = LikelihoodModel(small())
    base_effects(model, GENOME, "chr1", 100, 120, ("llr",), Settings(60))
    assert model.passes == 2 * 20
    probabilities = base_effects(model, GENOME, "chr1", 100, 101, ("llr",), Settings(60)).probabilities[0]
    window = TEXT[70:130]
    other = window.translate(str.maketrans("ACGTN", "TGCAN"))[::-1]
    pair = model.adapter.base_probabilities([window, other], [[30], [29]])[:, 0]
    np.testing.assert_allclose(probabilities, (pair[0] + pair[1][::-1]) / 2, atol=1e-6)


def test_neighbours_share_windows_of_a_causal_model():
    model = LikelihoodModel(small(causal=True))
    base_effects(model, GENOME, "chr1", 120, 150, ("ll",), Settings(60))
    bins = 1 + (150 - 1) // 30 - 120 // 30
    predictions = 2 * 2  # of the logo
    assert model.passes <= 2 * (bins + 3 * 30) + predictions
    assert model.tokens < 2 * 60 * (bins + 3 * 30 * 0.8) + predictions * 60


def test_a_prediction_logo_takes_each_base_from_the_window_it_is_most_central_in():
    model = LikelihoodModel(known(depends_on(5), "causal"))
    found = predicted(model, GENOME, "chr1", 100, 140, 40)
    # state t predicts base t + 1 from base t - 5: six before it on its strand, and six behind it on the other
    for place in range(100, 140):
        odds = np.zeros((2, 4))
        odds[0, "ACGT".index(TEXT[place - 6])] = 2
        odds[1, "ACGT".index(TEXT[place + 6])] = 2
        expected = (np.exp(odds) / np.exp(odds).sum(1, keepdims=True)).mean(0)
        np.testing.assert_allclose(found[place - 100], expected, atol=1e-6)


def test_mean_effect_and_hot_spots():
    codes = np.frombuffer(b"ACGTACGTAC" * 4, np.uint8)
    scores = np.zeros((40, 4))
    scores[10:12] = -3
    scores[25] = -2
    scores[np.arange(40), np.array([0, 1, 2, 3, 0, 1, 2, 3, 0, 1] * 4)] = 0
    region = Region("chr1", 100, 140, BaseEffects(codes, scores[None], np.zeros((40, 4))))
    assert mean_effect(scores, codes)[[0, 10, 25]].tolist() == [0, 3, 2]
    found = hot_spots(region, scores, "llr")
    assert found[["start", "end"]].to_numpy().tolist() == [[110, 112]]
    assert found["bases"].tolist() == ["AC"] and found["mean"].tolist() == [3]


def test_the_command_writes_a_table_and_tracks_and_resumes(tmp_path, monkeypatch, capsys):
    small(context=64).save(tmp_path / "model")
    (tmp_path / "genome.fa").write_text(f">chr1\n{TEXT}\n")
    (tmp_path / "in.bed").write_text("chr1\t100\t130\nchr1\t85\t95\nchr1\t120\t140\n")
    (tmp_path / "genes.gtf").write_text('chr1\tx\texon\t91\t125\t.\t-\t.\tgene_id "g"; gene_name "G";\n')
    options = ["--model", tmp_path / "model", "--fasta", tmp_path / "genome.fa", "--bed", tmp_path / "in.bed"]
    options += ["--window", 40, "--genes", tmp_path / "genes.gtf", "--bedgraph", "--output", tmp_path / "out"]
    run = lambda *more: main(["mutagenesis", *map(str, (*options, *more))])  # noqa: E731
    assert run("--plan") == 0
    assert "llr of 50 bases: 100 passes" in capsys.readouterr().out
    assert run() == 0
    table = pd.read_parquet(tmp_path / "out" / "ism.parquet")
    assert list(table) == ["chrom", "pos", "ref", "alt", "llr"] and len(table) == 3 * 49
    assert table["pos"].iloc[[0, -1]].tolist() == [86, 140]
    tracks = {path.stem: pyBigWig.open(str(path)) for path in (tmp_path / "out").glob("*.bw")}
    assert sorted(tracks) == sorted([*(f"{kind}_{base}" for kind in ("llr", "logo") for base in "ACGT"), "llr_mean"])
    row = table[table["pos"] == 111].set_index("alt")["llr"]
    for base in "ACGT":
        value = tracks[f"llr_{base}"].values("chr1", 110, 111)[0]
        assert value == pytest.approx(row.get(base, 0.0), abs=1e-6)
    assert tracks["llr_mean"].values("chr1", 110, 111)[0] == pytest.approx(-row.mean(), abs=1e-6)
    assert np.isnan(tracks["llr_A"].values("chr1", 95, 100)).all() and np.isnan(
        tracks["llr_A"].values("chr1", 90, 91)[0]
    )
    assert len(list((tmp_path / "out" / "pictures").glob("*.svg"))) == 2
    assert (tmp_path / "out" / "llr_A.bedgraph").read_text().startswith("chr1\t85\t86\t")
    before = {
        path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.suffix in (".bw", ".parquet")
    }

    from glmflow.apply.mutagenesis import mutagenesis_run

    monkeypatch.setattr(mutagenesis_run, "part_size", lambda *_: 16)
    compute, done = mutagenesis_run.base_effects, []

    def killed(*given):
        done.append(1)
        if len(done) > 2:
            raise KeyboardInterrupt
        return compute(*given)

    monkeypatch.setattr(mutagenesis_run, "base_effects", killed)
    with pytest.raises(KeyboardInterrupt):
        run()
    monkeypatch.setattr(mutagenesis_run, "base_effects", compute)
    assert run() == 0
    for path in (tmp_path / "out").iterdir():
        if path.suffix == ".parquet":
            pd.testing.assert_frame_equal(pd.read_parquet(path), table, atol=1e-5)
    assert set(before) == {path.name for path in (tmp_path / "out").iterdir() if path.suffix in (".bw", ".parquet")}


def test_intervals_around_the_starts_of_genes(tmp_path, capsys):
    small(context=64).save(tmp_path / "model")
    (tmp_path / "genome.fa").write_text(f">chr1\n{TEXT}\n")
    genes = [f'chr1\tx\texon\t{first}\t{last}\t.\t{strand}\t.\tgene_id "{name}";'
             for first, last, strand, name in ((4, 60, "+", "a"), (91, 125, "-", "b"), (130, 140, "+", "c"))]  # fmt: skip
    (tmp_path / "genes.gtf").write_text("\n".join(genes) + "\n")
    options = ["mutagenesis", "--model", tmp_path / "model", "--fasta", tmp_path / "genome.fa", "--window", 40]
    options = [str(word) for word in (*options, "--output", tmp_path / "out", "--pictures", 0)]
    assert main([*options, "--around", "5"]) == 1
    assert "bases around which genes?" in capsys.readouterr().err
    assert main([*options, "--around", "5", "--genes", str(tmp_path / "genes.gtf")]) == 0
    # Starts are bases 3, 124 (the last of a gene on the minus strand) and 129, from 0; the latter two overlap.
    found = pd.read_parquet(tmp_path / "out" / "ism.parquet")
    assert sorted(found["pos"].unique() - 1) == [*range(9), *range(119, 135)]
