"""The hackathon's FASTAs and partitions, read as any cohort is."""

import shutil

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.genome.annotation import read_genes
from glmflow.genome.gene_windows import GeneWindows
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.tasks.snp2gex import score
from glmflow.tasks.snp2gex.gene_units import loci_of, people_of
from glmflow.tasks.snp2gex.hackathon import hackathon_examples, majority, read_rows, variant_lines, write_cohort
from glmflow.training.inputs.mutation import VARIANT_COLUMNS

PEOPLE = [f"HG{n:03d}" for n in range(10)]
GENES = [f"ENSG{n:03d}" for n in range(6)]
LENGTH = 200
TASK = {
    "windows": {"size": 100},
    "people": {"validation": 0.2, "seed": 1, "kinship": 0.45},
    "control": "none",
    "hackathon": {"target": "log_TPM"},
}
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def partitions(labels=("seen gene seen individuals", "seen gene unseen individuals", "unseen gene unseen individuals")):
    """Four genes and six samples in training; a third of what they have in common is test; no test target is given."""
    rng, rows = np.random.default_rng(1), []
    for g, gene in enumerate(GENES):
        for p, person in enumerate(PEOPLE):
            seen = g < 4 and p < 6
            train = seen and (g + p) % 3 > 0
            label = labels[2] if g >= 4 else labels[0] if p < 6 else labels[1]
            value = rng.normal() if train else np.nan
            place = {"chr": "7", "TSS": 1000 * (g + 1), "strand": "+-"[g % 2]}
            row = {"sample": person, "gene": gene, "symbol": gene, **place, "log_TPM": value, "labels": label}
            rows.append(row | {"split": "train" if train else "test", "promoter activity": value})
    table = pd.DataFrame(rows)
    table["promoter valid row"] = (table["gene"] != GENES[0]).astype(int)
    reference = table.head(1).assign(sample="ref")
    return pd.concat([table, reference])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files: records of 200 bases that differ in single bases, some of them not read."""
    folder, rng = tmp_path_factory.mktemp("hackathon"), np.random.default_rng(0)
    (folder / "fasta").mkdir()
    plain = {gene: rng.choice(list("ACGT"), LENGTH) for gene in GENES}
    sites = {gene: np.sort(rng.choice(LENGTH, 12, replace=False)) for gene in GENES}
    for person in PEOPLE:
        for number in (1, 2):
            lines = []
            for gene in GENES:
                bases = plain[gene].copy()
                for site in sites[gene]:
                    if rng.random() < 0.3:
                        bases[site] = rng.choice(list("ACGTRN"), p=[0.22, 0.22, 0.22, 0.22, 0.06, 0.06])
                lines.append(f">{gene} chr:7;strand:+;start:0;end:{LENGTH}\n{''.join(bases)}\n")
            (folder / f"fasta/{person}_allele_{number}.fasta").write_text("".join(lines))
    partitions().to_csv(folder / "partitions.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def cohort(folder, tmp_path_factory):
    """What the files become."""
    made = tmp_path_factory.mktemp("made")
    counts = write_cohort(folder, False, made / "genome.fa", made / "cohort.vcf.gz", made / "genes.gtf")
    reference = Reference(made / "genome.fa")
    store = build_store(made / "cohort.vcf.gz", reference, made / "store")
    return GeneWindows(HaplotypeReader(store, reference)), read_genes(made / "genes.gtf"), counts


def records(folder, person, number):
    text = (folder / f"fasta/{person}_allele_{number}.fasta").read_text().split(">")[1:]
    return {part.split(" ")[0]: part.split("\n")[1] for part in text}


def test_every_haplotype_is_its_record_with_unread_bases_filled_in(folder, cohort):
    windows, genes, counts = cohort
    unread = 0
    for gene in genes.itertuples():
        everyone = [records(folder, person, number)[gene.gene_id] for person in PEOPLE for number in (1, 2)]
        found = windows.haplotypes(gene.chrom, 0, LENGTH, gene.strand, PEOPLE)
        columns = [[base for base in column if base in "ACGT"] for column in zip(*everyone)]
        common = [max("ACGT", key=column.count) for column in columns]
        for place, record in enumerate(everyone):
            unread += sum(base not in "ACGT" for base in record)
            expected = "".join(base if base in "ACGT" else common[n] for n, base in enumerate(record))
            if gene.strand == "-":
                expected = expected.translate(COMPLEMENT)[::-1]
            sequence = found.sequences[found.of_person[place // 2, place % 2]].tobytes().decode()
            assert sequence == expected
    assert counts["bases that are not read"] == unread > 0


def test_columns_become_lines_of_a_vcf():
    rows = np.frombuffer(b"ACGTACGAACGNTCGA", np.uint8).reshape(4, 4)
    consensus = majority(rows)
    assert consensus.tobytes() == b"ACGA"
    assert [line.split("\t")[1:5] + line.split("\t")[9:] for line in variant_lines("g", rows, consensus)] == [
        ["1", ".", "A", "T", "0|0", "0|1\n"],
        ["4", ".", "A", "T", "1|0", "0|0\n"],
    ]


def test_splits_and_labels_are_the_hackathons(folder, cohort):
    windows, genes, _ = cohort
    rows = read_rows(folder / "partitions.csv", "log_TPM")
    assert "ref" not in set(rows["sample"]) and len(rows) == 60
    made = hackathon_examples(TASK, rows, genes, windows)
    own = made.table.set_index("example")
    split = dict(zip(made.facts["samples.tsv"]["sample"], made.facts["samples.tsv"]["split"]))
    assert {split[person] for person in PEOPLE[6:]} == {"test"}
    assert sorted({split[person] for person in PEOPLE[:6]}) == ["train", "validation"]
    for row in rows.to_dict("records"):
        example = own.loc[f"{row['gene']}|{row['sample']}"]
        if row["split"] == "train":
            assert example["split"] == split[row["sample"]] and example["target"] == row["log_TPM"]
        else:
            assert example["split"] == "predict" and np.isnan(example["target"])
    labels = {"seen genes seen individuals", "seen genes unseen individuals", "unseen genes"}
    assert set(made.table.loc[made.table["split"] == "predict", "subset"]) == labels
    assert (own["end"] - own["start"] == 100).all()
    assert list(made.checks.loc[made.checks["leak"] == "yes", "check"]) == []


def test_both_spellings_make_the_same_examples(folder, cohort, tmp_path):
    windows, genes, _ = cohort
    partitions(("seen genes seen individuals", "seen genes unseen individuals", "unseen genes")).to_csv(
        tmp_path / "partitions.csv", index=False
    )
    one, other = (
        hackathon_examples(TASK, read_rows(place / "partitions.csv", "log_TPM"), genes, windows).table
        for place in (folder, tmp_path)
    )
    pd.testing.assert_frame_equal(one, other)


def test_promoter_activity_is_of_valid_rows(folder):
    rows = read_rows(folder / "partitions.csv", "promoter activity")
    assert GENES[0] not in set(rows["gene"]) and len(rows) == 50


def test_an_unseen_gene_with_training_rows_is_caught(folder, cohort):
    windows, genes, _ = cohort
    rows = read_rows(folder / "partitions.csv", "log_TPM")
    planted = (rows["gene"] == GENES[5]) & (rows["sample"] == PEOPLE[0])
    rows.loc[planted, "split"], rows.loc[planted, "log_TPM"] = "train", 1.0
    rows["TSS"] = rows["TSS"].replace(6000, 5030)
    checks = hackathon_examples(TASK, rows, genes, windows).checks.set_index("check")
    assert checks.loc["genes in training and unseen", "detail"] == GENES[5]
    assert checks.loc["held-out genes whose window overlaps a training gene's", "detail"] == GENES[4]


def test_one_genome_under_two_names_and_genes_of_one_place_are_one_unit(folder, tmp_path):
    """A sample's FASTAs stand under a second name, and two genes start 30 bp from each other on chromosome 7."""
    shutil.copytree(folder, tmp_path / "twins")
    for number in (1, 2):
        shutil.copy(
            folder / f"fasta/HG007_allele_{number}.fasta", tmp_path / f"twins/fasta/HG003_allele_{number}.fasta"
        )
    write_cohort(tmp_path / "twins", False, tmp_path / "g.fa", tmp_path / "c.vcf.gz", tmp_path / "g.gtf")
    reference = Reference(tmp_path / "g.fa")
    windows = GeneWindows(HaplotypeReader(build_store(tmp_path / "c.vcf.gz", reference, tmp_path / "store"), reference))
    rows = read_rows(folder / "partitions.csv", "log_TPM")
    rows["TSS"] = (10 * rows["TSS"]).replace(60_000, 50_030)
    made = hackathon_examples(TASK, rows, read_genes(tmp_path / "g.gtf"), windows)
    families = people_of(made.facts["samples.tsv"]).families
    assert families["HG003"] == families["HG007"] and len(set(families.values())) == len(PEOPLE) - 1
    loci = loci_of(made.table, made.facts["genes.tsv"])
    assert loci[GENES[4]] == loci[GENES[5]] and len(set(loci.values())) == len(GENES) - 1


def test_what_does_not_fit_is_refused(folder, cohort, tmp_path):
    windows, genes, _ = cohort
    rows = read_rows(folder / "partitions.csv", "log_TPM")
    with pytest.raises(InputError, match="windows of 300 bp are longer than the records"):
        hackathon_examples(TASK | {"windows": {"size": 300}}, rows, genes, windows)
    with pytest.raises(InputError, match="no training row has a value"):
        hackathon_examples(TASK, rows.assign(log_TPM=np.nan), genes, windows)
    twice = pd.concat([partitions(), partitions().head(2)])
    twice.to_csv(tmp_path / "partitions.csv", index=False)
    with pytest.raises(InputError, match="2 pairs come twice, such as HG000 ENSG000"):
        read_rows(tmp_path / "partitions.csv", "log_TPM")
    (tmp_path / "fasta").mkdir()
    partitions().to_csv(tmp_path / "partitions.csv", index=False)
    places = (tmp_path / "g.fa", tmp_path / "v.vcf.gz", tmp_path / "g.gtf")
    with pytest.raises(InputError, match=r"no sample of partitions\.csv has two FASTAs"):
        write_cohort(tmp_path, False, *places)
    for number, bases in ((1, "ACGT"), (2, "ACG")):
        (tmp_path / f"fasta/HG000_allele_{number}.fasta").write_text(f">ENSG000\n{bases}\n")
    with pytest.raises(InputError, match="ENSG000 has 3 bases in HG000, 4 in others"):
        write_cohort(tmp_path, False, *places)
    assert not any(place.exists() for place in places)


def test_released_files_without_validation_make_a_submission_and_no_score(folder, cohort, tmp_path):
    """`validation: 0`: every row that is held out has no target."""
    windows, genes, _ = cohort
    task = TASK | {"people": TASK["people"] | {"validation": 0}, "bootstrap": 5, "permutations": 0}
    made = hackathon_examples(task, read_rows(folder / "partitions.csv", "log_TPM"), genes, windows)
    held_out = made.table.loc[made.table["split"] != "train", ["example", "sample", "group"]]
    assert set(made.table["split"]) == {"train", "predict"}
    for name, table in made.facts.items():
        write_table(table, tmp_path / name)
    write_table(pd.DataFrame(columns=list(VARIANT_COLUMNS)), tmp_path / "variants.tsv")
    labels = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1}
    settings = {"task": task, **labels}
    predictions = held_out[["example"]].assign(prediction=1.5)
    scored = score(settings, made.table, predictions, tmp_path, {"tables": tmp_path})
    submission = scored.tables["submission.csv"]
    assert list(submission) == ["sample", "gene", "log_TPM"] and (submission["log_TPM"] == 1.5).all()
    assert set(zip(submission["sample"], submission["gene"])) == set(zip(held_out["sample"], held_out["group"]))
    assert scored.metrics.empty and {"metric", "value", "split"} <= set(scored.metrics)
    assert scored.tables["personal.tsv"].empty
