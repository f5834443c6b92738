"""A model of binding on the haplotypes of samples: the values are those of a run whose regions had these sequences."""

import numpy as np
import pandas as pd
import pytest
import torch
from binding_toy import CNN, PEOPLE, TASK, write_binding_files
from glmflow.binding.motif_files import Motif
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
STUDY = {
    "study": "toy",
    "reference": {"fasta": "genome.fa"},
    "tasks": {"binding": TASK},
    "models": {"cnn": CNN},
    "adaptations": {
        name: {
            "kind": "full",
            "head": {"kind": name, **size},
            "train": {"optimizer": "adamw", "learning_rate": 0.01, "steps": 10, "batch": 16, "micro_batch": 16,
                      "evaluations": 1, "reverse_complement": True},
        }
        for name, size in {"bilinear": {"rank": 4}, "motif_query": {"width": 4}, "tf_heads": {}}.items()
    },
    "runs": [{"tasks": ["binding"], "models": ["cnn"], "adaptations": ["bilinear", "motif_query", "tf_heads"]}],
}  # fmt: skip


@pytest.fixture(scope="module", params=["bilinear", "motif_query", "tf_heads"])
def run(request, tmp_path_factory):
    """A tuned model of each head in the results of a study, with the files of `write_binding_files`."""
    folder = tmp_path_factory.mktemp("binding")
    write_binding_files(folder)
    named = {key: str(folder / TASK[key]) for key in ("samples", "motifs")}
    study = STUDY | {"tasks": {"binding": TASK | named}}
    checked = check_study(study)
    made = examples(checked.tasks["binding"], {"genome": str(folder / "genome.fa")}, Division())
    results = folder / "results/toy"
    for name, table in made.facts.items():
        write_table(table, results / "examples/binding" / name)
    write_table(made.table, results / "examples/binding.parquet")
    settings = run_settings(checked, Run("binding", "cnn", request.param, 1))
    files = {"tables": str(results / "examples/binding")}
    home = results / f"runs/binding/cnn/{request.param}/seed1"
    finetune(settings, made.table, files, None, home)
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
