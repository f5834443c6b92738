"""Samples that a study names are looked for in its files before any job."""

import pysam
import pytest
from changed_study import changed
from glmflow.checks.study_files import check_inputs
from glmflow.config import ConfigurationError, check_study

STUDY = {
    "study": "trial",
    "reference": {"fasta": "genome.fa", "annotation": "genes.gtf"},
    "cohort": {"vcf": "v.vcf.gz"},
    "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
    "tasks": {"gex": {"kind": "snp2gex", "windows": {"size": 512}, "expression": "e.tsv"}},
    "models": {"net": {"new": {"family": "promoter_cnn"}}},
    "adaptations": {"full": {"kind": "full"}},
    "runs": [{"tasks": ["gex"], "models": ["net"], "adaptations": ["full"]}],
}
OVERLAY = {"overlay": {"fasta": "genome.fa", "vcf": "v.vcf.gz", "annotation": "genes.gtf"}}


def write_vcf(path, people):
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">', "##contig=<ID=chr1>"]
    lines += ["\t".join(["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT", *people])]
    lines += ["\t".join(["chr1\t1\t.\tA\tC\t.\tPASS\t.\tGT", *["0|1"] * len(people)])]
    plain = path.with_suffix("")
    plain.write_text("\n".join(lines) + "\n")
    pysam.tabix_compress(str(plain), str(path), force=True)
    pysam.tabix_index(str(path), preset="vcf", force=True)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A cohort of P1 and P2, both measured; another of Q1."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "genome.fa").write_text("".join(f">{name}\n{'ACGT' * 2500}\n" for name in ("chr1", "chr2")))
    (tmp_path / "genes.gtf").write_text("")
    (tmp_path / "e.tsv").write_text("gene_id\tP2\tP1\nG\t1\t2\nH\tbroken\n")  # the head alone is read
    write_vcf(tmp_path / "v.vcf.gz", ["P1", "P2"])
    write_vcf(tmp_path / "w.vcf.gz", ["Q1"])
    return tmp_path


def problems(changes):
    try:
        check_inputs(check_study(changed(STUDY, changes)))
    except ConfigurationError as error:
        return [line.removeprefix("configuration: ") for line in error.problems]
    return []


def prediction(**keys):
    return {"predict": {"p": {"write": "expression", **keys}}}


def simulated(**changes):
    kept = {key: STUDY[key] for key in STUDY if key not in ("reference", "cohort")}
    tasks = {"gex": {"kind": "snp2gex", "windows": {"size": 512}}}
    return check_study(changed(kept | {"tasks": tasks}, {"simulate": OVERLAY, **changes}))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"vcf": "v.vcf.gz", "sample": "P2"}, None),
        ({"vcf": "v.vcf.gz"}, None),
        ({"vcf": "v.vcf.gz", "sample": "NOPE"}, "predict.p.sample: no sample 'NOPE' in v.vcf.gz, which has P1, P2"),
        ({"vcf": "w.vcf.gz", "sample": ["Q1", "P1"]}, "predict.p.sample.1: no sample 'P1' in w.vcf.gz, which has Q1"),
        ({"vcf": "e.tsv"}, "predict.p.vcf: e.tsv: not a VCF or BCF file"),
        ({"vcf": "results/trial/made.vcf.gz", "sample": "P9"}, None),  # a job will make it
        ({"fasta": "own", "sample": ["P1"]}, None),
        ({"fasta": "own", "sample": ["P2"]}, "predict.p.sample.0: no sample 'P2' in own/fasta, which has P1"),
    ],
)
def test_people_of_a_prediction_are_in_its_vcf_or_folder(place, keys, expected):
    (place / "own" / "fasta").mkdir(parents=True)
    (place / "own" / "fasta" / "P1_allele_1.fasta").write_text("")
    found = problems(prediction(**keys))
    assert found == [] if expected is None else len(found) == 1 and found[0].startswith(expected)


def test_a_simulation_over_real_genotypes_has_their_people():
    copied = {"write": "expression", "vcf": "results/trial/simulated/cohort.vcf.gz"}
    check_inputs(simulated(predict={"p": {**copied, "sample": "P1"}}))
    with pytest.raises(ConfigurationError, match=r"predict\.p\.sample: no sample 'P3' in .*, which has P1, P2"):
        check_inputs(simulated(predict={"p": {**copied, "sample": "P3"}}))


def test_a_matrix_of_other_people_is_refused(place):
    assert problems({}) == []
    (place / "e.tsv").write_text("gene_id\tQ1\nG\t1\n")
    expected = (
        "tasks.gex.expression: no sample of e.tsv has genotypes: it has Q1, the cohort P1, P2; name samples as the VCF"
    )
    assert problems({})[0].startswith(expected)
    (place / "people.tsv").write_text("sample\nQ1\n")
    assert problems({"cohort": {"vcf": ["w.vcf.gz"], "samples": "people.tsv"}}) == []
    (place / "e.tsv").write_text("what\tQ1\nG\t1\n")
    assert problems({})[0].startswith("tasks.gex.expression: e.tsv: no column of gene ids")


def test_everyone_in_the_table_of_people_has_genotypes(place):
    for text, message in (
        ("sample\nP1\nNOPE\n", "1 of its 2 samples have no genotypes: 'NOPE'. The cohort has P1, P2"),
        ("sample\n", "names none"),
        ("", "an empty table"),
        ("P1\n", "no column `sample`"),
    ):
        (place / "people.tsv").write_text(text)
        (problem,) = problems({"cohort__samples": "people.tsv"})
        assert problem.startswith("cohort.samples: people.tsv: ") and message in problem
    (place / "people.tsv").write_text("sample\nP2\n")
    assert problems({"cohort__samples": "people.tsv"}) == []


def test_unseen_populations_are_those_of_somebody(place):
    unseen = {"tasks__gex__people": {"by": "population", "test_populations": ["EUR"]}}
    where = "tasks.gex.people.test_populations.0: no sample is known to be of population 'EUR'; "
    assert problems(unseen) == [where + "give `cohort.samples`, a table with a column `population`"]
    for table, fix in {
        "sample\nP1\nP2\n": "give `cohort.samples`, a table with a column `population`",
        "sample\tpopulation\nP1\tAFR\nP2\t\n": "there are AFR",
    }.items():
        (place / "people.tsv").write_text(table)
        assert problems({**unseen, "cohort__samples": "people.tsv"}) == [where + fix]
    (place / "people.tsv").write_text("sample\tpopulation\nP1\tAFR\nP2\tEUR\n")
    assert problems({**unseen, "cohort__samples": "people.tsv"}) == []
    with pytest.raises(ConfigurationError, match="no sample is known to be of population 'EUR'; give"):
        check_inputs(simulated(**unseen))


def test_simulated_populations_are_known_before_they_are_made():
    people = {
        "cohort": {"contigs": {"chr1": 90_000, "chr2": 90_000}, "population": {"people": {"north": 5, "south": 5}}}
    }
    unseen = {
        "simulate": people,
        "tasks__gex__people__by": "population",
        "tasks__gex__people__test_populations": ["south"],
    }
    check_inputs(simulated(**unseen))
    with pytest.raises(ConfigurationError, match="population 'west'; there are north, south"):
        check_inputs(simulated(**unseen | {"tasks__gex__people__test_populations": ["west"]}))
