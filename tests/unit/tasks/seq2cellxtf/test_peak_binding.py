"""Binding from a user's own files: peaks, motifs, expression, accessibility; each mistake in one line."""

import re

import numpy as np
import pandas as pd
import pytest
from glmflow.bigwig.track_file import write_bigwig
from glmflow.binding.motif_files import Motif, write_meme
from glmflow.config.tasks import task_block
from glmflow.errors import InputError
from glmflow.tasks.seq2cellxtf import examples
from glmflow.tasks.tables import Division

CONTIGS = {"chr1": 60_000, "chr2": 30_000, "chr3": 30_000}
CELLS, TFS = ["K562", "neural cell", "HepG2"], ["MAX", "REST", "EP300"]


@pytest.fixture
def own(tmp_path):
    """A genome, peaks of nine keys, motifs of two TFs, expression of three cells, and accessibility of one."""
    rng = np.random.default_rng(0)
    lines = [f">{name}\n{''.join(rng.choice(list('ACGT'), size))}\n" for name, size in CONTIGS.items()]
    (tmp_path / "genome.fa").write_text("".join(lines))
    rows = []
    for cell in CELLS:
        for tf in TFS:
            name = f"{cell.replace(' ', '')}_{tf}.narrowPeak"
            peaks = [
                f"{chrom}\t{at}\t{at + rng.integers(200, 900)}\t.\t0\t.\t9\t-1\t3\t150\n"
                for chrom, size in CONTIGS.items()
                for at in np.sort(rng.choice(np.arange(1000, size - 2000, 1500), 8, replace=False))
            ]
            (tmp_path / name).write_text("".join(peaks))
            rows.append((name, cell, tf))
    pd.DataFrame(rows, columns=["file", "cell", "tf"]).to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
    motifs = [Motif(f"M{n}.1", tf, rng.dirichlet([0.2] * 4, 8) * 100) for n, tf in enumerate(("MAX", "REST", "OTHER"))]
    write_meme(motifs, tmp_path / "motifs.meme")
    (tmp_path / "names.tsv").write_text("tf\tmotif\nEP300\tOTHER\n")
    table = pd.DataFrame(rng.random((5, 3)) * 20, columns=CELLS, index=["MAX", "REST", "A", "B", "C"])
    table.rename_axis("gene").reset_index().to_csv(tmp_path / "expression.tsv", sep="\t", index=False)
    blocks = [(name, np.array([0]), np.array([size]), np.array([2.0], np.float32)) for name, size in CONTIGS.items()]
    write_bigwig(tmp_path / "k562.bw", CONTIGS, blocks)
    return tmp_path


def task_of(own, **changed):
    settings = {
        "kind": "seq2cellxtf",
        "samples": str(own / "samples.tsv"),
        "motifs": str(own / "motifs.meme"),
        "tf_names": str(own / "names.tsv"),
        "expression": str(own / "expression.tsv"),
        "accessibility": {"K562": [str(own / "k562.bw")]},
        "universe": {"width": 400},
        "splits": {"by": "contig", "train": ["chr1"], "validation": ["chr2"], "test": ["chr3"]},
        "keys": {"cells": ["HepG2"], "validation": 0.2},
        "components": 1,
        "bootstrap": 10,
    }
    return task_block({key: value for key, value in (settings | changed).items() if value is not None})


def made(own, **changed):
    return examples(task_of(own, **changed), {"genome": str(own / "genome.fa")}, Division())


def test_own_files_become_regions_of_one_width(own):
    found = made(own)
    table, keys = found.table, found.facts["keys.tsv"]
    assert set(table["end"] - table["start"]) == {400} and (table["sequence"].str.len() == 400).all()
    assert dict(table.groupby("chrom")["split"].first()) == {"chr1": "train", "chr2": "validation", "chr3": "test"}
    assert len(keys) == 9 and set(keys.loc[keys["cell"] == "HepG2", "split"]) == {"test"}
    assert (keys.loc[keys["split"] == "test", "kind"] == "a").all()
    width = found.checks[found.checks["check"].str.contains("width of regions alone")].iloc[0]
    assert width["leak"] == "no" and "AUROC of the width alone 0.500" in width["detail"]
    open_ = found.facts["accessibility.parquet"]
    assert open_["K562"].to_numpy() == pytest.approx(np.log1p(2)) and open_["HepG2"].isna().all()
    tfs = found.facts["tfs.tsv"].set_index("tf")["motifs"]
    assert tfs["EP300"] == "M2.1"
    assert found.table["bound_keys"].min() > 0
    samples = found.facts["samples.tsv"]
    assert (samples["peaks"] == 24).all() and (samples["lost"] == 0).all() and samples["replicates"].isna().all()
    assert samples["regions"].tolist() == keys.set_index("key")["bound"].reindex(samples["key"]).tolist()


def test_one_block_of_held_out_regions_is_said_and_short_blocks_are_many(own):
    assert made(own).counts["item"].str.contains("one block of the genome").sum() == 1
    short = {"by": "block", "block": 5_000, "gap": 500, "validation": 0.2, "test": 0.4, "seed": 1}
    found = made(own, splits=short)
    assert not found.counts["item"].str.contains("one block").any()
    assert found.table.loc[found.table["split"] == "test", "group"].nunique() > 3


def test_merged_regions_and_given_ones(own):
    merged = made(own, universe={"regions": "merged"}).table
    assert (merged["end"] - merged["start"]).nunique() > 1
    (own / "regions.bed").write_text("chr1\t100\t900\nchr2\t1000\t1500\nchr3\t1000\t12000\n")
    given = made(own, universe={"bed": str(own / "regions.bed")}).table
    assert given["example"].tolist() == ["chr1:100-900", "chr2:1000-1500", "chr3:1000-12000"]


def test_regions_of_training_keys_alone(own):
    whole, part = made(own).table, made(own, universe={"width": 400, "made_from": "train"})
    assert 0 < len(part.table) < len(whole)
    labels, keys = part.facts["labels.parquet"], part.facts["keys.tsv"]
    training = np.flatnonzero(keys["split"] == "train")
    held_out = labels[~labels["key"].isin(training)]
    assert len(held_out) and held_out["region"].max() < len(part.table)


def test_bins_that_a_peak_only_touches_are_ambiguous_and_counted(own):
    """By hand, for each key: bound where a peak covers half of a bin, ambiguous where a relaxed peak or a peak touches it."""
    samples = pd.read_csv(own / "samples.tsv", sep="\t")
    lax = own / "lax.bed"
    lax.write_text("chr1\t100\t450\nchr3\t200\t900\n")
    samples["relaxed"] = ["lax.bed" if name == "K562_MAX.narrowPeak" else "" for name in samples["file"]]
    samples.to_csv(own / "lax.tsv", sep="\t", index=False)
    found = made(own, samples=str(own / "lax.tsv"), universe={"regions": "bins", "bin": 200, "step": 100})
    table, keys, labels = found.table, found.facts["keys.tsv"], np.zeros((9, len(found.table)), int)
    for name, value in (("labels", 1), ("ambiguous", 2)):
        rows = found.facts[f"{name}.parquet"]
        assert not labels[rows["key"], rows["region"]].any()
        labels[rows["key"], rows["region"]] = value
    for key in keys.itertuples():
        path = own / f"{key.cell.replace(' ', '')}_{key.tf}.narrowPeak"
        peaks = pd.read_csv(path, sep="\t", header=None)[[0, 1, 2]].to_numpy().tolist()
        also = [["chr1", 100, 450], ["chr3", 200, 900]] if key.key == "K562_MAX" else []
        for number, row in enumerate(table.itertuples()):
            shared = [min(row.end, end) - max(row.start, start) for chrom, start, end in peaks if chrom == row.chrom]
            near = [min(row.end, end) - max(row.start, start) for chrom, start, end in also if chrom == row.chrom]
            expected = 1 if max(shared) >= 100 else 2 if max([*shared, *near]) > 0 else 0
            assert labels[key.Index, number] == expected
    counts = found.counts.set_index("item")["count"]
    assert counts["ambiguous labels, neither learned nor scored"] == (labels == 2).sum() > 0
    part = labels[np.ix_(keys["split"] == "test", table["split"] == "test")]
    assert counts["ambiguous labels of test keys in test regions"] == (part == 2).sum() > 0
    with pytest.raises(InputError, match="relaxed peaks are read for bins alone"):
        made(own, samples=str(own / "lax.tsv"))


def test_regions_on_the_blacklist_leave(own):
    (own / "black.bed").write_text("chr1\t0\t60000\n")
    with pytest.raises(InputError, match="no window is left for the train split"):
        made(own, blacklist=str(own / "black.bed"))


def test_each_mistake_is_named(own):
    with pytest.raises(InputError, match="1 TFs without a motif: EP300"):
        made(own, tf_names=None)
    kept = made(own, tf_names=None, without_motif="keep")
    assert set(kept.facts["keys.tsv"]["tf"]) == set(TFS)
    assert kept.facts["scores.parquet"]["EP300"].nunique() == 1
    table = pd.read_csv(own / "expression.tsv", sep="\t").drop(columns="neural cell")
    table.to_csv(own / "few.tsv", sep="\t", index=False)
    with pytest.raises(InputError, match="1 cells without RNA: neural cell"):
        made(own, expression=str(own / "few.tsv"))
    with pytest.raises(InputError, match="2 samples of training cells, and 4 components"):
        made(own, components=4)
    other = {"chr1": 50_000, "chr2": 30_000, "chr3": 30_000}
    write_bigwig(own / "other.bw", other, [("chr1", np.array([0]), np.array([9]), np.array([1.0], np.float32))])
    with pytest.raises(InputError, match="another genome build"):
        made(own, accessibility={"K562": [str(own / "other.bw")]})
    with pytest.raises(InputError, match="no key has cell A549"):
        made(own, accessibility={"A549": [str(own / "k562.bw")]})


def test_a_folder_of_peak_files_stands_for_a_table(own):
    folder = own / "peaks"
    folder.mkdir()
    for path in own.glob("*.narrowPeak"):
        (folder / path.name).write_bytes(path.read_bytes())
    found = made(own, samples=str(folder), expression=None, accessibility=None)
    assert set(found.facts["keys.tsv"]["cell"]) == {"K562", "neuralcell", "HepG2"}


def test_settings_that_do_not_fit_are_refused(own):
    with pytest.raises(ValueError, match="give one of hackathon, simulated and samples"):
        task_block({"kind": "seq2cellxtf"})
    with pytest.raises(ValueError, match="motifs: name the motifs"):
        task_of(own, motifs=None)


def test_real_peaks_of_a_window_are_wide_where_many_bind(test_data):
    """The width of 327 merged regions orders bound ones with an AUROC of about .81, of windows of one width with .5."""
    folder = test_data / "seq2cellxtf/window_chr20w/peaks"
    settings = {
        "kind": "seq2cellxtf",
        "samples": str(folder),
        "motifs": str(test_data / "seq2cellxtf/expected/hackathon_mini/jaspar_meme.txt"),
        "without_motif": "keep",
        "cells": str(test_data / "seq2cellxtf/dream_chr20_chr22/cells.tsv"),
        "splits": {"by": "block", "block": 100_000, "gap": 7_000, "validation": 0.15, "test": 0.3},
        "keys": {"pairs": 0.2, "validation": 0.1},
    }
    files = {"genome": str(test_data / "human_chr20/genome.fa")}
    merged = examples(task_block(settings | {"universe": {"regions": "merged"}}), files, Division())
    counts = merged.counts.set_index("item")["count"]
    kept = len(merged.table) + counts["regions left out: between splits"]
    assert kept == 327
    width = merged.checks[merged.checks["check"].str.contains("width of regions alone")].iloc[0]
    assert width["leak"] == "yes" and 0.72 < float(width["detail"].split()[5].rstrip(",")) < 0.9
    assert re.search(r"\(0\.(80|81|82)\d of all keys in all regions\)", width["detail"])
    windows = examples(task_block(settings), files, Division())
    width = windows.checks[windows.checks["check"].str.contains("width of regions alone")].iloc[0]
    assert width["leak"] == "no" and "AUROC of the width alone 0.500" in width["detail"]


def test_unbound_regions_are_added_beside_those_that_are_bound(own):
    plain = made(own)
    found = made(own, universe={"width": 400, "negatives": "genome"})
    bound = found.table["bound_keys"] > 0
    assert (~bound).sum() > 0.5 * bound.sum() and bound.sum() == len(plain.table)
    assert found.table.loc[bound, "example"].tolist() == plain.table["example"].tolist()
    labels = found.facts["labels.parquet"]
    assert set(labels["region"]) == set(np.flatnonzero(bound))
    assert (found.table["sequence"].str.len() == 400).all()
    with pytest.raises(ValueError, match="regions that are made from peaks"):
        task_of(own, universe={"regions": "bins", "negatives": "matched"})
