"""A tuned model of expression on other samples: the values are those of the run itself, and what is refused."""

import gzip

import numpy as np
import pandas as pd
import pysam
import pytest
import torch
from glmflow.apply.expression_apply import expression_of, of_genotypes
from glmflow.apply.sample_records import window_of
from glmflow.cli import main
from glmflow.genome.annotation import read_genes
from glmflow.genome.export import export_gene_fastas
from glmflow.genome.gene_starts import read_gene_starts
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.tss_windows import tss_windows
from glmflow.genome.variants import build_store, open_store
from glmflow.models import new_model
from glmflow.simulate import simulate
from glmflow.tasks.snp2gex.hackathon import write_cohort
from glmflow.training.predict import load_predictor, predict
from glmflow.training.tuned import RunBlocks, new_tuned, save_tuned
from tiny_genes import settings_of

torch.set_num_threads(1)
SIZE = 1200
LENGTH = 20_000


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Eight samples and some genes on two contigs, with the examples table of a run: three samples and a gene are unseen."""
    folder = tmp_path_factory.mktemp("cohort")
    made = {"contigs": {"chr1": LENGTH, "chr2": LENGTH}, "population": {"people": {"north": 8}}}
    simulate({"seed": 3, **made, "tracks": {"replicates": 1}}, folder)
    store = build_store(folder / "cohort.vcf.gz", Reference(folder / "genome.fa"), folder / "store")
    genes = tss_windows(read_genes(folder / "genes.gtf"), SIZE)
    genes = genes[(genes["start"] >= 0) & (genes["end"] <= LENGTH)]
    assert set(genes["strand"]) == {"+", "-"}
    rows = [
        {"example": f"{gene.gene_id}|{person}", "group": gene.gene_id, "sample": person, "target": 0.0}
        | {"chrom": gene.chrom, "start": gene.start, "end": gene.end, "strand": gene.strand}
        | {"split": "train" if number and place < 5 else "test"}
        for number, gene in enumerate(genes.itertuples())
        for place, person in enumerate(store.samples)
    ]
    return folder, pd.DataFrame(rows), genes


def saved(folder, kind="full", **task):
    """Save a model as a run does (weights are random: nothing here depends on them) and return its folder and settings."""
    train = {"micro_batch": 1, **({"reverse_complement": True} if kind == "full" else {})}
    settings = settings_of({}, {"kind": kind, "train": train, "personal": {"people": 2}}, SIZE, **task)
    settings["task_label"] = "blood"
    adapter = new_model("promoter_cnn", {"filters": 4, "channels": 8}, seed=1)
    torch.manual_seed(1)
    fitted = {"mean": 1.5, "total": 4.0, "between": 1.0}
    save_tuned(new_tuned(RunBlocks.of(settings), adapter, fitted).eval(), settings, fitted, folder / "model")
    return folder / "model", settings


def by_the_run(cohort, folder, model, settings):
    """Predict as the workflow does."""
    place, examples, _ = cohort
    files = {"store": place / "store", "fasta": place / "genome.fa"}
    predict(settings, examples, files, model, folder)
    return pd.read_parquet(folder / "predictions.parquet").merge(examples, on="example")


def by_hand(*arguments):
    return main(["predict", *map(str, arguments)])


def same(table, run):
    """Compare to the last bit."""
    both = table.merge(run, left_on=["gene", "sample"], right_on=["group", "sample"], validate="1:1")
    assert len(both) == len(run) == len(table) and both["prediction_y"].nunique() > 2
    np.testing.assert_array_equal(both["prediction_x"], both["prediction_y"])


@pytest.mark.parametrize(("kind", "combine"), [("full", "predictions"), ("full", "states"), ("probe", "predictions")])
def test_people_of_a_vcf_get_the_values_of_the_run(cohort, tmp_path, kind, combine):
    place, examples, genes = cohort
    model, settings = saved(tmp_path, kind, combine=combine)
    run = by_the_run(cohort, tmp_path, model, settings)
    unseen, people = genes["gene_id"].iloc[0], list(dict.fromkeys(examples["sample"]))
    files = ["--model", tmp_path, "--fasta", place / "genome.fa", "--vcf", place / "cohort.vcf.gz"]
    assert by_hand(*files, "--genes", place / "genes.gtf", "--output", tmp_path / "all.parquet") == 0
    table = pd.read_parquet(tmp_path / "all.parquet")
    assert len(table) == len(examples) and set(table["gene"]) == set(genes["gene_id"])
    if kind == "probe":  # states of a backbone are those of whoever computed them first
        with_states = load_predictor(model, tmp_path / "states")
        paths = place / "cohort.vcf.gz", Reference(place / "genome.fa"), place / "genes.gtf", tmp_path
        table = expression_of(with_states, of_genotypes(with_states.run.settings, *paths, samples=people[5:]))
        same(table[table["gene"] != unseen], run[run["group"] != unseen])
        return
    same(table[table["gene"] == unseen], run[run["group"] == unseen])
    # Of the other genes the run predicts three samples.
    assert (
        by_hand(*files, "--genes", place / "genes.gtf", "--output", tmp_path / "3.parquet", "--sample", *people[5:])
        == 0
    )
    three = pd.read_parquet(tmp_path / "3.parquet")
    same(three[three["gene"] != unseen], run[run["group"] != unseen])
    resolved = ["prediction_haplotype1", "prediction_haplotype2"]
    assert list(table) == ["gene", "sample", "prediction", *(resolved if combine == "predictions" else [])]
    if combine == "predictions":
        np.testing.assert_allclose(table[resolved].mean(axis=1), table["prediction"], rtol=1e-6)
        reader = HaplotypeReader(open_store(place / "store"), Reference(place / "genome.fa"))
        different = 0
        for row in table.merge(genes, left_on="gene", right_on="gene_id").itertuples():
            one, two = (reader.window(row.sample, n, row.chrom, row.start, row.end).sequence for n in (1, 2))
            assert (one == two).all() == (row.prediction_haplotype1 == row.prediction_haplotype2)
            different += (one != two).any()
        assert different > 3


def test_which_calls_are_read(cohort, tmp_path, capsys, caplog):
    caplog.set_level("INFO")
    place, *_ = cohort
    saved(tmp_path)
    marked = tmp_path / "marked.vcf"
    with gzip.open(place / "cohort.vcf.gz", "rt") as lines, marked.open("w") as target:
        for line in lines:
            cells = line.split("\t")
            target.write('##FILTER=<ID=LowQual,Description="low">\n' if line.startswith("#CHROM") else "")
            target.write(line if line[0] == "#" else "\t".join([*cells[:6], "LowQual", *cells[7:]]))
    files = ["--model", tmp_path, "--fasta", place / "genome.fa", "--genes", place / "genes.gtf"]
    original, kept = tmp_path / "original.parquet", tmp_path / "kept.parquet"
    assert by_hand(*files, "--vcf", place / "cohort.vcf.gz", "--output", original) == 0
    assert by_hand(*files, "--vcf", marked, "--filter", "LowQual", "--output", kept) == 0
    pd.testing.assert_frame_equal(pd.read_parquet(kept), pd.read_parquet(original))
    unphased = tmp_path / "unphased.vcf"
    unphased.write_text(marked.read_text().replace("0|1", "0/1").replace("1|0", "1/0"))
    capsys.readouterr()
    assert by_hand(*files, "--vcf", unphased, "--filter", "--output", kept) == 1
    assert "unphased heterozygous genotypes" in capsys.readouterr().err
    assert by_hand(*files, "--vcf", unphased, "--filter", "--unphased", "reference", "--output", kept) == 0
    assert "left out: unphased" in caplog.text
    table = pd.read_parquet(kept)
    np.testing.assert_array_equal(table["prediction_haplotype1"], table["prediction_haplotype2"])


def test_people_are_read_with_the_variants_that_were_common_in_training(cohort, tmp_path, caplog):
    place, examples, genes = cohort
    study = tmp_path / "results/s"
    run = study / "runs/blood/cnn/full/seed1"
    model, settings = saved(run, min_maf=0.2)
    expected = by_the_run(cohort, run, model, settings)
    files = ["--fasta", place / "genome.fa", "--vcf", place / "cohort.vcf.gz", "--genes", place / "genes.gtf"]
    assert by_hand("--model", run, *files, "--output", tmp_path / "all.parquet") == 0
    assert "all variants are read" in caplog.text
    caplog.clear()
    (study / "cohort").mkdir()
    (study / "cohort/store").symlink_to(place / "store")
    (study / "examples").mkdir()
    examples.to_parquet(study / "examples/blood.parquet")
    assert by_hand("--model", run, *files, "--output", tmp_path / "common.parquet") == 0
    assert "all variants are read" not in caplog.text
    common, everything = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("common", "all"))
    unseen = genes["gene_id"].iloc[0]
    same(common[common["gene"] == unseen], expected[expected["group"] == unseen])
    assert common["prediction"].nunique() < everything["prediction"].nunique()


def test_people_with_fastas_of_their_own_get_the_values_of_their_genotypes(cohort, tmp_path, caplog):
    place, examples, genes = cohort
    model, settings = saved(tmp_path, variants="snv")
    run = by_the_run(cohort, tmp_path, model, settings)
    run = run[run["group"] == genes["gene_id"].iloc[0]]
    reader = HaplotypeReader(open_store(place / "store"), Reference(place / "genome.fa"), "snv")
    told = examples.rename(columns={"group": "gene"}).assign(labels="seen genes seen individuals")
    export_gene_fastas(reader, genes, told[["sample", "gene", "labels", "split"]], tmp_path / "people", length=SIZE + 2)
    assert by_hand("--model", model, "--fasta", tmp_path / "people", "--output", tmp_path / "records.parquet") == 0
    records = pd.read_parquet(tmp_path / "records.parquet")
    same(records[records["gene"].isin(run["group"])], run)
    files = ["--fasta", place / "genome.fa", "--vcf", place / "cohort.vcf.gz", "--genes", place / "genes.gtf"]
    assert by_hand("--model", model, *files, "--output", tmp_path / "genotypes.parquet") == 0
    genotypes = pd.read_parquet(tmp_path / "genotypes.parquet")
    same(records, genotypes.rename(columns={"gene": "group"})[["group", "sample", "prediction"]])
    assert "one base off" not in caplog.text
    export_gene_fastas(reader, genes, told[["sample", "gene", "labels", "split"]], tmp_path / "short", length=SIZE)
    assert by_hand("--model", model, "--fasta", tmp_path / "short", "--output", tmp_path / "short.parquet") == 0
    turned = 2 * 8 * (genes["strand"] == "-").sum()
    assert f"{turned} records of genes on the minus strand are as long as the window" in caplog.text


@pytest.mark.parametrize("oriented", [True, False])
def test_a_model_of_the_hackathons_files_reads_them_as_its_run_did(cohort, tmp_path, oriented):
    place, examples, genes = cohort
    reader = HaplotypeReader(open_store(place / "store"), Reference(place / "genome.fa"), "snv")
    told = examples.rename(columns={"group": "gene"}).assign(labels="seen genes seen individuals")
    export_gene_fastas(
        reader, genes, told[["sample", "gene", "labels", "split"]], tmp_path / "people", length=SIZE + 40
    )
    write_cohort(tmp_path / "people", oriented, *(tmp_path / name for name in ("g.fa", "c.vcf.gz", "g.gtf")))
    build_store(tmp_path / "c.vcf.gz", Reference(tmp_path / "g.fa"), tmp_path / "store")
    model, settings = saved(tmp_path, hackathon={"folder": "any", "target": "log_TPM", "oriented": oriented})
    starts = tss_windows(read_genes(tmp_path / "g.gtf"), SIZE).set_index("gene_id")
    own = examples.assign(split="test", chrom=examples["group"])
    for column in ("start", "end", "strand"):
        own[column] = own["group"].map(starts[column])
    predict(settings, own, {"store": tmp_path / "store", "fasta": tmp_path / "g.fa"}, model, tmp_path)
    assert by_hand("--model", model, "--fasta", tmp_path / "people", "--output", tmp_path / "t.parquet") == 0
    run = pd.read_parquet(tmp_path / "predictions.parquet").merge(own, on="example")
    same(pd.read_parquet(tmp_path / "t.parquet"), run)


def test_the_window_of_a_record_has_the_start_of_the_gene_where_the_model_expects_it():
    """A gene that starts at base 9, in a record of bases 3 to 14: a window of 6 is 6 to 11 or, on the minus strand, 7 to 12."""
    record = np.arange(3, 15)
    assert window_of(record, "+", 6, "").tolist() == [6, 7, 8, 9, 10, 11]
    assert window_of(record[::-1], "-", 6, "").tolist() == [12, 11, 10, 9, 8, 7]
    assert window_of(record[::-1], "-", 12, "").tolist() == record[::-1].tolist()


def test_variants_get_what_a_copy_adds_to_the_genes_around_them(cohort, tmp_path):
    place, _, genes = cohort
    model, settings = saved(tmp_path)
    by_the_run(cohort, tmp_path, model, settings)
    effects = pd.read_csv(tmp_path / "predicted/variants.tsv", sep="\t").set_index(["gene", "variant"])["effect"]
    # Every gene by another name as well, and read from a table.
    twice = pd.concat([genes, genes.assign(gene_id="too_" + genes["gene_id"])])
    twice[["gene_id", "chrom", "tss", "strand"]].to_csv(tmp_path / "genes.tsv", sep="\t", index=False)
    files = ["--fasta", place / "genome.fa", "--vcf", place / "cohort.vcf.gz", "--genes", tmp_path / "genes.tsv"]
    assert by_hand("--model", model, *files, "--output", tmp_path / "scored.vcf.gz") == 0
    found, bare = {}, 0
    with pysam.VariantFile(str(tmp_path / "scored.vcf.gz")) as scored:
        assert "one copy of the allele adds" in scored.header.info["GLM_blood"].description
        for record in scored:
            inside = genes[
                (genes["chrom"] == record.chrom) & (genes["start"] <= record.start) & (genes["end"] > record.start)
            ]
            assert ("GLM_blood" in record.info) == (len(inside) > 0)
            assert record.info.get("GLM_REASON", ()) == ("outside_of_windows",) * inside.empty * len(record.alts)
            bare += inside.empty
            for alt, largest, named in zip(
                record.alts, *(record.info.get(f"GLM_blood{end}", ()) for end in ("", "_genes"))
            ):
                pairs = [pair.rsplit(":", 1) for pair in named.split("&")]
                assert {gene.removeprefix("too_") for gene, _ in pairs} == set(inside["gene_id"])
                assert len(pairs) == 2 * len(inside) and largest == pytest.approx(float(pairs[0][1]))
                name = f"{record.chrom}:{record.pos}:{record.ref}:{alt}"
                found |= {(gene, name): float(effect) for gene, effect in pairs}
    assert (tmp_path / "scored.vcf.gz.tbi").exists() and not list(tmp_path.glob(".scored*"))
    assert bare and len(effects) > 10 and effects.abs().max() > 1e-4
    np.testing.assert_allclose([found[key] for key in effects.index], effects, rtol=1e-3, atol=1e-6)


def test_genes_of_a_bed_or_table_start_where_they_do_in_the_gtf(cohort, tmp_path):
    place, _, _ = cohort
    contigs = Reference(place / "genome.fa").contigs
    expected = read_gene_starts(place / "genes.gtf", contigs)
    genes = read_genes(place / "genes.gtf")
    bed = genes.assign(score=0, chrom=genes["chrom"].str.removeprefix("chr"))  # 1 is chr1
    bed = bed[["chrom", "start", "end", "gene_id", "score", "strand"]]
    bed.to_csv(tmp_path / "genes.bed", sep="\t", index=False, header=False)
    genes.to_csv(tmp_path / "genes.tsv", sep="\t", index=False)
    for name in ("genes.bed", "genes.tsv"):
        pd.testing.assert_frame_equal(read_gene_starts(tmp_path / name, contigs), expected)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("run"))[0]


TABLE = "gene_id\tchrom\ttss\tstrand\n"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "g.tsv",
            TABLE + "A\tchr1\t20000\t+\n",
            "gene A starts at 20,001, outside of chr1 (20,000 bases). Give the genes of",
        ),
        ("g.tsv", TABLE + "A\tchr1\t900\t.\n", "gene A has the strand '.'. Say + or -."),
        ("g.tsv", TABLE + "A\tchr1\t900\t+\nA\tchr1\t700\t+\n", "gene A comes twice"),
        ("g.tsv", TABLE + "A\tchr7\t900\t+\n", "no contig of the genome: it has chr7, the genome chr1, chr2"),
        ("g.tsv", TABLE + "A\tchr1\t5\t+\n", "no gene can be predicted"),
        ("g.tsv", "gene\tchrom\n", "no column gene_id"),
        ("g.bed", "chr1\t1\t5\tA\n", "not a BED of genes"),
    ],
)
def test_genes_that_cannot_be_used(cohort, model, tmp_path, name, text, message, capsys):
    place, _, _ = cohort
    (tmp_path / name).write_text(text)
    files = ["--fasta", place / "genome.fa", "--vcf", place / "cohort.vcf.gz", "--genes", tmp_path / name]
    assert by_hand("--model", model, *files, "--output", tmp_path / "t.parquet") == 1
    assert message in capsys.readouterr().err.splitlines()[-1] and not (tmp_path / "t.parquet").exists()


def changed(place, folder, change):
    """Write the cohort's VCF with each line changed."""
    with pysam.VariantFile(str(place / "cohort.vcf.gz")) as source:
        lines = [*str(source.header).splitlines(), *(str(record).rstrip("\n") for record in source)]
    path = folder / f"changed{len(list(folder.iterdir()))}.vcf"
    path.write_text("".join(f"{change(line)}\n" for line in lines))
    return path


def test_people_that_cannot_be_read(cohort, model, tmp_path, capsys):
    place, _, _ = cohort
    files = ["--fasta", place / "genome.fa", "--genes", place / "genes.gtf", "--output", tmp_path / "t.parquet"]
    complement = str.maketrans("ACGT", "TGCA")

    def other_build(line):
        cells = line.split("\t")
        return line if line[0] == "#" else "\t".join([*cells[:3], cells[3].translate(complement), *cells[4:]])

    vcf = place / "cohort.vcf.gz"
    for arguments, message in (
        (["--vcf", vcf, "--sample", "nobody"], "cohort.vcf.gz: no sample nobody. It has"),
        (
            ["--vcf", changed(place, tmp_path, lambda line: line.replace("|", "/"))],
            "unphased heterozygous genotypes, first at",
        ),
        (["--vcf", changed(place, tmp_path, other_build)], "REF disagrees with the genome"),
        (["--vcf", changed(place, tmp_path, lambda line: line.replace("chr", "scaffold"))], "no contig of the genome"),
    ):
        assert by_hand("--model", model, *files, *arguments) == 1
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("glmflow predict: ") and message in error
    assert not (tmp_path / "t.parquet").exists()


def test_contigs_by_another_name_are_mapped(cohort, model, tmp_path):
    place, _, _ = cohort
    bare = changed(place, tmp_path, lambda line: line.replace("chr", ""))
    files = ["--model", model, "--fasta", place / "genome.fa", "--genes", place / "genes.gtf"]
    for name, vcf in (("a", place / "cohort.vcf.gz"), ("b", bare)):
        assert by_hand(*files, "--vcf", vcf, "--output", tmp_path / f"{name}.parquet") == 0
    pd.testing.assert_frame_equal(*(pd.read_parquet(tmp_path / f"{name}.parquet") for name in "ab"))


def test_records_that_cannot_be_read(model, tmp_path, capsys):
    def attempt(*files, sample=None):
        (tmp_path / "fasta").mkdir(exist_ok=True)
        for old in (tmp_path / "fasta").iterdir():
            old.unlink()
        for name, header, length in files:
            (tmp_path / f"fasta/{name}.fasta").write_text(f">{header}\n{'ACGT' * (length // 4)}\n")
        arguments = ["--model", model, "--fasta", tmp_path, "--output", tmp_path / "t.parquet"]
        assert by_hand(*arguments, *(["--sample", sample] if sample else [])) == 1
        return capsys.readouterr().err.splitlines()[-1]

    header = "G chr:1;strand:-;start:1;end:2"
    both = [("ann_allele_1", header, 1600), ("ann_allele_2", header, 1600)]
    assert "no sample has two FASTAs" in attempt()
    assert "ann has no second FASTA. Give both." in attempt(both[0])
    assert "no sample bob. It has ann" in attempt(*both, sample="bob")
    assert "the record of G says no strand" in attempt(("ann_allele_1", "G", 1600), both[1])
    assert "a record of 800 bases. The model reads 1,200 bases around the TSS" in attempt(
        *((name, header, 800) for name, _, _ in both)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "x.parquet"], "--vcf: whose expression?"),
        (["--vcf", "v.vcf", "--output", "out"], "--output: expression is a table"),
        (["--vcf", "v.vcf", "--bed", "b.bed", "--output", "x.parquet"], "--bed or --haplotype: expression is of genes"),
        (["--vcf", "v.vcf", "--output", "x.parquet"], "--genes: which genes?"),
    ],
)
def test_arguments_that_a_model_of_expression_has_no_use_for(cohort, model, arguments, message, capsys):
    assert by_hand("--model", model, "--fasta", cohort[0] / "genome.fa", *arguments) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"glmflow predict: {message}")
