"""Studies proposed for spans, sites, populations and peaks; what files could be otherwise is said."""

import random

import pandas as pd
import pysam
import pytest
from glmflow.cli import main
from glmflow.config import read_study
from glmflow.new.draft import Draft
from glmflow.new.study_draft import chosen
from running import run_snakemake

BASES, CONTIGS = 120_000, ("chr1", "chr2", "chr3")
PEOPLE = [f"s{number:02}" for number in range(14)]
MOTIF = ">MA0001.1 {tf}\nA [ 8 0 0 ]\nC [ 0 8 0 ]\nG [ 0 0 8 ]\nT [ 0 0 0 ]\n"


def write_variants(path, sequence, samples, info="."):
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    lines += ['##INFO=<ID=CLNSIG,Number=.,Type=String,Description="">'] * (info != ".")
    lines += [f"##contig=<ID={name},length={BASES}>" for name in CONTIGS]
    columns = [
        "#CHROM",
        "POS",
        "ID",
        "REF",
        "ALT",
        "QUAL",
        "FILTER",
        "INFO",
        *(["FORMAT", *samples] if samples else []),
    ]
    lines.append("\t".join(columns))
    for name in CONTIGS:
        for at in sorted(random.Random(name).sample(range(BASES), 300)):  # some windows have more of them
            alt = "ACGT"[("ACGT".index(sequence[at]) + 1) % 4]
            calls = ["GT", *(f"{n % 2}|{(at + n) % 2}" for n in range(len(samples)))] if samples else []
            lines.append("\t".join([name, str(at + 1), ".", sequence[at], alt, ".", "PASS", info, *calls]))
    path.with_suffix("").write_text("\n".join(lines) + "\n")
    pysam.tabix_index(str(path.with_suffix("")), preset="vcf", force=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A genome, spans of it, sites and phased genotypes with populations, and peaks of TFs in cells."""
    folder = tmp_path_factory.mktemp("genome_files")
    draw = random.Random(2)
    sequence = "".join(draw.choices("ACGT", k=BASES))
    (folder / "genome.fa").write_text("".join(f">{name}\n{sequence}\n" for name in CONTIGS))
    one, parts, gaps = [], [], []
    for name in CONTIGS:
        for start in range(500, BASES - 500, 2000):
            one.append(f"{name}\t{start}\t{start + 300}\tpromoter\t0\t+\n")
            gaps.append(f"{name}\t{start}\t{start + 300}\t{('promoter', 'exon')[start % 4000 > 2000]}\n")
            parts += [f"{name}\t{start}\t{start + 900}\texon\n", f"{name}\t{start + 900}\t{start + 2000}\tintron\n"]
    for name, lines in (("one", one), ("parts", parts), ("gaps", gaps)):
        (folder / f"{name}.bed").write_text("".join(lines))
    write_variants(folder / "sites.vcf.gz", sequence, [])
    write_variants(folder / "clinical.vcf.gz", sequence, [], "CLNSIG=Benign")
    write_variants(folder / "cohort.vcf.gz", sequence, PEOPLE)
    table = pd.DataFrame({"sample": PEOPLE, "population": ["north"] * 7 + ["south"] * 7, "family": PEOPLE})
    table.to_csv(folder / "people.tsv", sep="\t", index=False)
    table.assign(population="north").to_csv(folder / "alike.tsv", sep="\t", index=False)
    table.rename(columns={"sample": "IID", "family": "FID"}).to_csv(folder / "renamed.tsv", sep="\t", index=False)
    (folder / "nobody.tsv").write_text("who\tpopulation\nA\tnorth\n")
    (folder / "peaks").mkdir()
    rows = []
    for number, (cell, tf) in enumerate(
        (cell, tf) for cell in ("K562", "A549", "HeLa", "H1") for tf in ("MAX", "REST", "EP300")
    ):
        lines = [
            f"{name}\t{at}\t{at + 200}\t.\t0\t.\t5\t-1\t9\t100\n"
            for name in CONTIGS
            for at in range(900 + 700 * number, BASES, 9000)
        ]
        (folder / f"peaks/{cell}_{tf}.narrowPeak").write_text("".join(lines))
        rows.append({"file": f"peaks/{cell}_{tf}.narrowPeak", "cell": cell, "tf": tf})
    pd.DataFrame(rows).to_csv(folder / "peaks.tsv", sep="\t", index=False)
    (folder / "motifs.jaspar").write_text(MOTIF.format(tf="MAX") + MOTIF.replace("MA0001", "MA0002").format(tf="REST"))
    (folder / "rna.tsv").write_text("gene\tK562\tA549\tHeLa\tH1\n" + "".join(f"G{n}\t1\t2\t{n}\t4\n" for n in range(9)))
    return folder


@pytest.fixture
def place(files, tmp_path, monkeypatch):
    for path in files.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*arguments, gpu="none"):
    return main(["new", "mine.yaml", "--fasta", "genome.fa", "--gpu", gpu, *arguments])


PEAKS = [f"peaks/{cell}_{tf}.narrowPeak" for cell in ("K562", "A549", "HeLa", "H1") for tf in ("MAX", "REST", "EP300")]
FILES = {
    "base_labels": ("--bed", "one.bed"),
    "hotspots": ("--vcf", "sites.vcf.gz"),
    "populations": ("--vcf", "cohort.vcf.gz", "--table", "people.tsv"),
    "seq2cellxtf": ("--table", "peaks.tsv", "--motifs", "motifs.jaspar", "--expression", "rna.tsv"),
}


@pytest.mark.parametrize("gpu", ["none", "l40"])
@pytest.mark.parametrize("kind", FILES)
def test_files_become_a_study_that_check_takes(place, capsys, kind, gpu):
    assert new(*FILES[kind], gpu=gpu) == 0, capsys.readouterr().err
    study = read_study("mine.yaml")
    assert {task.kind for task in study.tasks.values()} == {kind}
    runs, misfits = study.expanded
    assert runs and not misfits
    assert {run.model for run in runs} == {*study.models}
    assert any(getattr(task, "control", "none") != "none" for task in study.tasks.values())
    capsys.readouterr()
    assert main(["check", "mine.yaml"]) == 0, capsys.readouterr().err
    assert bool([name for name, model in study.models.items() if model.checkpoint]) == (gpu == "l40")


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_its_examples_are_made(place, kind):
    """The workflow takes the study, and the rule that makes the examples is done."""
    assert new(*FILES[kind]) == 0
    made = [f"results/mine/examples/{label}.parquet" for label in read_study("mine.yaml").tasks]
    assert "This was a dry-run" in run_snakemake("-n", "--configfile", "mine.yaml", directory=place).stdout
    run_snakemake("-c1", *made, "--configfile", "mine.yaml", directory=place)
    for path in made:
        assert {"train", "test"} <= set(pd.read_parquet(place / path)["split"])


@pytest.mark.parametrize(
    ("arguments", "kind", "also"),
    [
        (("--bed", "parts.bed"), "base_labels", "sequences"),
        (("--bed", "gaps.bed"), "sequences", "base_labels"),
        (("--vcf", "clinical.vcf.gz"), "variant_effects", "hotspots"),
        (("--bed", *PEAKS), "sequences", "seq2cellxtf"),
        (("--bed", *PEAKS, "--motifs", "motifs.jaspar"), "seq2cellxtf", "sequences"),
        (("--vcf", "cohort.vcf.gz", "--table", "people.tsv"), "populations", "hotspots"),
    ],
)
def test_what_else_the_files_could_be_is_said_and_can_be_chosen(place, capsys, arguments, kind, also):
    assert new(*arguments) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert {task.kind for task in read_study("mine.yaml").tasks.values()} == {kind}
    assert f"`--kind {also}` makes that study instead" in said and f"--kind {also}" in (place / "mine.yaml").read_text()
    assert new(*arguments, "--force", "--kind", also) == (1 if also == "seq2cellxtf" else 0)
    assert {task.kind for task in read_study("mine.yaml").tasks.values()} == {also}


def test_samples_go_by_the_names_that_panels_give_them(place, capsys):
    assert new("--vcf", "cohort.vcf.gz", "--table", "renamed.tsv") == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert "14 of 14 genotyped samples have one" in said and "no column of families" not in said


def test_motifs_that_are_not_there_yet_are_fetched(place, capsys):
    assert new("--table", "peaks.tsv") == 1
    assert "`snakemake -c1 fetch --config data=jaspar` downloads it" in capsys.readouterr().err


def test_tfs_without_a_motif_are_kept_and_named(place, capsys):
    assert new(*FILES["seq2cellxtf"]) == 0
    task = read_study("mine.yaml").tasks["binding"]
    assert task.without_motif == "keep" and "1 TFs have no motif and are kept without: EP300" in capsys.readouterr().out
    assert (task.keys.cells, task.keys.tfs) == (1, 0), "a quarter of four cells; a fifth of three TFs is none"


BAD = {
    "one population": (
        ("--vcf", "cohort.vcf.gz", "--table", "alike.tsv"),
        "fewer than two classes of column 'population'",
    ),
    "populations of sites": (
        ("--vcf", "sites.vcf.gz", "--table", "people.tsv"),
        "no genotypes: haplotypes of the samples",
    ),
    "a table without samples": (
        ("--vcf", "cohort.vcf.gz", "--table", "nobody.tsv"),
        "nobody.tsv: no column `sample`: the header has 'who'",
    ),
    "peaks of other cells than the matrix": (
        ("--table", "peaks.tsv", "--motifs", "motifs.jaspar", "--expression", "people.tsv"),
        "no column of cell A549",
    ),
    "motifs that are none": (("--table", "peaks.tsv", "--motifs", "people.tsv"), "neither MEME nor JASPAR"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_one_line_and_no_file(place, capsys, name):
    arguments, message = BAD[name]
    assert new(*arguments) == 1
    said = capsys.readouterr().err
    assert message in said and len(said.splitlines()) == 1
    assert not (place / "mine.yaml").exists()


def test_kinds_that_come_second_are_taken_where_no_other_is_or_they_are_asked_for():
    first, second = Draft({}, {}, []), Draft({}, {}, [], second="something else")
    assert chosen({"a": first, "b": second}, False) == (
        [first], ["the files could also be something else: `--kind b` makes that study instead"],
    )  # fmt: skip
    assert chosen({"a": first, "b": second}, True) == ([first, second], [])
    assert chosen({"b": second}, False) == ([second], [])
