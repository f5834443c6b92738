"""A model of binding on people's haplotypes: the values are those of a run whose regions had these sequences."""

import numpy as np
import pandas as pd
import pysam
import pytest
import torch
from glmflow.binding.motif_files import Motif, write_meme
from glmflow.binding.site_scores import site_scores
from glmflow.cli import main
from glmflow.config import check_study, run_settings
from glmflow.config.views import Run
from glmflow.files import write_table
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.packed import pack
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.tasks.seq2cellxtf import examples
from glmflow.tasks.tables import Division
from glmflow.training.finetune import finetune
from glmflow.training.predict import predict

torch.set_num_threads(1)
SITE = "TGACGTCATG"
PEOPLE = ["ann", "bob", "cyd"]
STUDY = {
    "study": "toy",
    "reference": {"fasta": "genome.fa"},
    "tasks": {
        "binding": {
            "kind": "seq2cellxtf",
            "splits": {"by": "contig", "train": ["chr1"], "validation": ["chr2"], "test": ["chr3"]},
            "keys": {"cells": ["k"], "validation": 0.2},
            "universe": {"width": 200},
            "length": 160,
            "components": 0,
        }
    },
    "models": {"cnn": {"new": {"family": "promoter_cnn", "config": {"filters": 8, "channels": 8}}}},
    "adaptations": {
        "bilinear": {
            "kind": "full",
            "head": {"kind": "bilinear", "rank": 4},
            "train": {"optimizer": "adamw", "learning_rate": 0.01, "steps": 10, "batch": 16, "micro_batch": 16,
                      "evaluations": 1, "reverse_complement": True},
        }
    },
    "runs": [{"tasks": ["binding"], "models": ["cnn"], "adaptations": ["bilinear"]}],
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A genome with sites, peaks over them, a tuned model in the results of a study, and three people.

    Of the first test region `ann` has lost the site on her first haplotype and `bob` on both; `cyd` has two deleted
    bases in the second region of chr3.
    """
    folder = tmp_path_factory.mktemp("binding")
    rng = np.random.default_rng(3)
    contigs, places = {}, {}
    for name, size, count in (("chr1", 22_000, 22), ("chr2", 12_000, 10), ("chr3", 12_000, 10)):
        letters = rng.choice(list("ACGT"), size)
        places[name] = np.arange(count) * 900 + 700
        for place in places[name][::2]:
            letters[place : place + len(SITE)] = list(SITE)
        contigs[name] = "".join(letters)
    (folder / "genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in contigs.items()))
    peaks = folder / "peaks"
    peaks.mkdir()
    for cell in "hjk":
        for tf, first in (("CREB", 0), ("OTHER", 1)):
            lines = [
                f"{name}\t{at - 50}\t{at + 60}\t.\t0\t.\t9\t-1\t3\t55\n"
                for name in contigs
                for at in places[name][first::2]
            ]
            (peaks / f"{cell}_{tf}.narrowPeak").write_text("".join(lines))
    counts = np.where(np.eye(4)[["ACGT".index(base) for base in SITE]] > 0, 97.0, 1.0)
    write_meme(
        [Motif("M1.1", "CREB", counts), Motif("M2.1", "OTHER", rng.dirichlet([0.3] * 4, 8) * 100)], folder / "m.meme"
    )
    study = STUDY | {
        "tasks": {"binding": STUDY["tasks"]["binding"] | {"samples": str(peaks), "motifs": str(folder / "m.meme")}}
    }
    checked = check_study(study)
    made = examples(checked.tasks["binding"], {"genome": str(folder / "genome.fa")}, Division())
    results = folder / "results/toy"
    for name, table in made.facts.items():
        write_table(table, results / "examples/binding" / name)
    write_table(made.table, results / "examples/binding.parquet")
    settings = run_settings(checked, Run("binding", "cnn", "bilinear", 1))
    files = {"tables": str(results / "examples/binding")}
    home = results / "runs/binding/cnn/bilinear/seed1"
    finetune(settings, made.table, files, None, home)
    text, site, other = contigs["chr3"], int(places["chr3"][0]), int(places["chr3"][1])
    changed = "A" if text[site + 4] != "A" else "C"
    rows = [
        f"chr3\t{site + 5}\t.\t{text[site + 4]}\t{changed}\t.\tPASS\t.\tGT\t1|0\t1|1\t0|0\n",
        f"chr3\t{other + 1}\t.\t{text[other : other + 3]}\t{text[other]}\t.\tPASS\t.\tGT\t0|0\t0|0\t0|1\n",
    ]
    lengths = "".join(f"##contig=<ID={name},length={len(text)}>\n" for name, text in contigs.items())
    head = '##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n' + lengths
    names = "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *PEOPLE])
    (folder / "people.vcf").write_text(f"{head}{names}\n{''.join(rows)}")
    pysam.tabix_index(str(folder / "people.vcf"), preset="vcf")
    return folder, home, made, settings


def by_hand(run, output, *more):
    folder, home, _, _ = run
    files = [
        "--model",
        home,
        "--fasta",
        folder / "genome.fa",
        "--vcf",
        folder / "people.vcf.gz",
        "--output",
        output,
        *more,
    ]
    return main(["predict", *map(str, files)])


def test_values_are_those_of_a_run_on_the_haplotypes(run, tmp_path):
    folder, home, made, settings = run
    assert by_hand(run, tmp_path / "alleles.parquet") == 0
    found = pd.read_parquet(tmp_path / "alleles.parquet")
    keys = made.facts["keys.tsv"]
    assert set(found["sample"]) == set(PEOPLE) and found["example"].nunique() == 2
    assert len(found) == 3 * len(keys) and set(found["split"]) == {"test"}
    genome = Reference(folder / "genome.fa")
    reader = HaplotypeReader(build_store(folder / "people.vcf.gz", genome, tmp_path / "store"), genome)
    test = made.table["split"] == "test"
    for person, haplotypes in {"ann": (1, 2), "cyd": (2,)}.items():
        for haplotype in haplotypes:
            table = made.table.copy()
            for row in table.index[test]:
                at = table.loc[row, ["chrom", "start", "end"]]
                window = reader.window(person, haplotype, at["chrom"], int(at["start"]), int(at["end"]))
                table.loc[row, "sequence"] = window.sequence.tobytes().decode()
            tables = tmp_path / f"{person}{haplotype}"
            for name, facts in made.facts.items():
                write_table(facts, tables / name)
            motifs = {"CREB": [], "OTHER": []}
            for (tf, name), rows in made.facts["motifs.parquet"].groupby(["tf", "motif"]):
                motifs[tf].append(Motif(name, tf, rows[list("ACGT")].to_numpy()))
            margins = site_scores(pack(table["sequence"]), motifs).margins
            write_table(pd.DataFrame(margins, columns=["CREB", "OTHER"]), tables / "margins.parquet")
            predict(settings, table, {"tables": str(tables)}, home / "model", tables)
            values = pd.read_parquet(tables / "predictions.parquet").set_index("example")
            for row in found[found["sample"] == person].itertuples():
                if f"prediction_{row.key}" in values:
                    own = getattr(row, f"prediction_haplotype{haplotype}")
                    assert own == pytest.approx(values.loc[row.example, f"prediction_{row.key}"], abs=1e-6)


def test_what_haplotypes_carry_is_what_differs(run, tmp_path):
    assert by_hand(run, tmp_path / "alleles.parquet") == 0
    found = pd.read_parquet(tmp_path / "alleles.parquet")
    own = found[(found["tf"] == "CREB") & (found["cell"] == "h")].set_index("sample")
    ann, bob = own.loc["ann"], own.loc["bob"]
    assert ann["prediction_haplotype2"] == ann["prediction_reference"] != ann["prediction_haplotype1"]
    assert bob["prediction_haplotype1"] == bob["prediction_haplotype2"] == ann["prediction_haplotype1"]
    one, two = ann["prediction_haplotype1"], ann["prediction_haplotype2"]
    assert ann["allelic_log_odds"] == pytest.approx(np.log(one / (1 - one)) - np.log(two / (1 - two)), abs=1e-4)
    assert bob["allelic_log_odds"] == 0


def test_regions_and_people_are_chosen_and_mistakes_named(run, tmp_path, capsys):
    folder, home, made, _ = run
    cyd = made.table[made.table["chrom"] == "chr3"].iloc[1]
    (tmp_path / "one.bed").write_text(f"chr3\t{cyd['start'] + 5}\t{cyd['start'] + 6}\n")
    assert by_hand(run, tmp_path / "one.parquet", "--bed", tmp_path / "one.bed", "--sample", "cyd") == 0
    assert set(pd.read_parquet(tmp_path / "one.parquet")["example"]) == {cyd["example"]}
    (tmp_path / "none.bed").write_text("chr3\t0\t5\n")
    assert by_hand(run, tmp_path / "x.parquet", "--bed", tmp_path / "none.bed") != 0
    assert by_hand(run, tmp_path / "x.vcf") != 0
    assert by_hand(run, tmp_path / "x.parquet", "--bed", tmp_path / "one.bed", "--sample", "ann") != 0
    text = (folder / "genome.fa").read_text()
    (tmp_path / "other.fa").write_text(text.replace("A", "C"))
    assert main(["predict", "--model", str(home), "--fasta", str(tmp_path / "other.fa"), "--vcf",
                 str(folder / "people.vcf.gz"), "--output", str(tmp_path / "x.parquet")]) != 0  # fmt: skip
    errors = capsys.readouterr().err
    for told in ("no region of the run lies there", "is a table", "no haplotype differs", "Give the genome of the run"):
        assert told in errors
    assert "Traceback" not in errors and not (tmp_path / "x.parquet").exists()
