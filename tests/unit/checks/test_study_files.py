"""Files of a study are compared before any job: what is missing, and genotypes of another genome."""

import gzip

import pyBigWig
import pysam
import pytest
import yaml
from glmflow.checks.study_files import check_inputs
from glmflow.config import ConfigurationError, check_study

RECORD = "{chrom}\t{pos}\t.\tA\tC\t.\tPASS\t.\tGT\t0|1"


def write_vcf(path, chroms, indexed, lengths=()):
    """A VCF with one record on each contig; its header also names a contig `alt` that has none."""
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    stated = {name: f",length={length}" for name, length in dict(lengths).items()}
    lines += [f"##contig=<ID={name}{stated.get(name, '')}>" for name in [*dict.fromkeys(chroms), "alt"]]
    lines += ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP1"]
    lines += [RECORD.format(chrom=chrom, pos=1) for chrom in chroms]
    plain = path.with_suffix("")
    plain.write_text("\n".join(lines) + "\n")
    pysam.tabix_compress(str(plain), str(path), force=True)
    if indexed:
        pysam.tabix_index(str(path), preset="vcf", force=True)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "genome.fa").write_text("".join(f">{name}\n{'ACGT' * 2500}\n" for name in ("chr1", "chr2")))
    (tmp_path / "genes.gtf").write_text("")
    with pyBigWig.open("a.bw", "w") as track:
        track.addHeader([("chr1", 10_000), ("chr2", 10_000)])
        track.addEntries(["chr1"], [0], ends=[100], values=[1.0])
    return tmp_path


def study(vcf="v.vcf.gz", contigs=None):
    return check_study(
        {
            "study": "trial",
            "reference": {"fasta": "genome.fa"} | ({"contigs": contigs} if contigs else {}),
            "cohort": {"vcf": vcf},
            "tracks": {"t": {"biosample": "b", "replicates": ["a.bw"]}},
            "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
            "tasks": {"rna": {"kind": "rnaseq_tracks", "windows": {"size": 4096, "overlap": 2048}}},
            "models": {"mean": {"baseline": {"kind": "mean_track"}}},
            "adaptations": {"baseline": {"kind": "baseline"}},
            "runs": [{"tasks": ["rna"], "models": ["mean"], "adaptations": ["baseline"]}],
        }
    )


def overlay():
    raw = study().model_dump(mode="json", exclude_unset=True, exclude={"reference", "cohort", "tracks"})
    files = {"fasta": "genome.fa", "vcf": "v.vcf.gz", "annotation": "genes.gtf"}
    return check_study(raw | {"simulate": {"overlay": files}})


def problems(checked):
    with pytest.raises(ConfigurationError) as caught:
        check_inputs(checked)
    return caught.value.problems


FOREIGN = "v.vcf.gz: contig 'chr9' has variants and is not in genome.fa. Give the FASTA they were called on"


def test_an_index_tells_contigs_that_the_genome_lacks(place):
    write_vcf(place / "v.vcf.gz", ["chr1", "chr9"], indexed=True)
    (problem,) = problems(study())
    assert problem.startswith(FOREIGN) and "reference.contigs" in problem and "annotate --rename-chrs" in problem
    check_inputs(study(contigs=["chr1"]))


def test_contigs_that_the_genome_lacks_are_named(place):
    write_vcf(place / "v.vcf.gz", ["chr1"], indexed=True)
    (problem,) = problems(study(contigs=["chr1", "2"]))
    assert problem == "configuration: reference.contigs.1: contig '2' is not in genome.fa; it has chr1, chr2"


def test_without_an_index_the_first_record_tells_and_the_rest_is_left_to_the_parser(place, caplog):
    write_vcf(place / "v.vcf.gz", ["chr9", "chr1"], indexed=False)
    (problem,) = problems(study())
    assert problem.startswith(FOREIGN)
    write_vcf(place / "v.vcf.gz", ["chr1", "chr9"], indexed=False)
    caplog.clear()
    check_inputs(study())
    assert "v.vcf.gz has no current index: whether all of its contigs are in genome.fa is checked while" in caplog.text


def test_what_is_no_vcf_is_said(place):
    (place / "v.vcf.gz").write_text("hello\n")
    assert problems(study()) == ["v.vcf.gz: not a VCF or BCF file. Give a VCF or BCF file."]


def test_genotypes_under_a_simulation_are_compared_with_its_genome(place):
    write_vcf(place / "v.vcf.gz", ["chr1", "chr2"], indexed=True)
    check_inputs(overlay())
    write_vcf(place / "v.vcf.gz", ["chr1", "chr9"], indexed=True)
    (problem,) = problems(overlay())
    assert problem.startswith(FOREIGN)


def test_every_file_of_a_cohort_is_looked_at(place):
    write_vcf(place / "v.vcf.gz", ["chr1"], indexed=True)
    write_vcf(place / "w.vcf.gz", ["chr9"], indexed=True)
    (problem,) = problems(study(["v.vcf.gz", "x.vcf.gz"]))
    assert "cohort.vcf.1: no such file: x.vcf.gz" in problem
    (problem,) = problems(study(["v.vcf.gz", "w.vcf.gz"]))
    assert problem.startswith("w.vcf.gz: contig 'chr9'")
    (place / "w.vcf.gz.tbi").unlink()
    write_vcf(place / "w.vcf.gz", ["chr2"], indexed=True)
    check_inputs(study(["v.vcf.gz", "w.vcf.gz"]))


@pytest.mark.parametrize("indexed", [True, False])
def test_a_length_in_a_header_is_that_of_the_genome(place, indexed):
    same = {"chr1": 10_000, "alt": 7}  # nothing lies on alt
    write_vcf(place / "v.vcf.gz", ["chr1", "chr2"], indexed, same)
    check_inputs(study())
    write_vcf(place / "v.vcf.gz", ["chr1", "chr2"], indexed, same | {"chr1": 248_956_422})
    expected = ["v.vcf.gz: contig chr1 has 248956422 bases, in the genome 10000. Give the FASTA of the assembly that "]
    for checked in (study(), study(contigs=["chr1"]), overlay()):
        assert [problem.removesuffix("the variants were called on.") for problem in problems(checked)] == expected


def test_a_file_is_one_replicate_of_one_track(place):
    (place / "link.bw").symlink_to(place / "a.bw")
    for tracks, where, before in (
        ({"t": ["a.bw", "a.bw"]}, "t.replicates.1: a.bw", "t.replicates.0"),
        ({"t": ["a.bw"], "u": ["link.bw"]}, "u.replicates.0: link.bw", "t.replicates.0"),
    ):
        given = {name: {"biosample": name, "replicates": files} for name, files in tracks.items()}
        checked = check_study(
            study(contigs=["chr1"]).model_dump(exclude_unset=True) | {"tracks": given, "cohort": None}
        )
        assert problems(checked) == [f"configuration: tracks.{where} is tracks.{before} already; give each file once"]


def predicting(**keys):
    raw = study(contigs=["chr1"]).model_dump(exclude_unset=True)
    raw["models"]["cnn"], raw["adaptations"]["full"] = {"new": {"family": "dilated_cnn"}}, {"kind": "full"}
    raw["runs"] = [{"tasks": ["rna"], "models": ["cnn"], "adaptations": ["full"]}]
    return check_study(raw | {"predict": {"p": {"write": "means", **keys}}})


def test_files_of_a_prediction_are_of_its_genome_before_anything_is_trained(place):
    write_vcf(place / "v.vcf.gz", ["chr1"], indexed=True)
    write_vcf(place / "w.vcf.gz", ["chr1", "chr9"], indexed=True)
    (place / "other.fa").write_text(f">chr1\n{'ACGT' * 9}\n>chr9\nACGT\n")
    (place / "x.bed").write_text("chr1\t0\t37\nchr9\t0\t2\n")
    person = {"vcf": "w.vcf.gz", "sample": "P1"}
    assert problems(predicting(bed="x.bed")) == [
        "x.bed:2: no contig chr9; the genome has chr1, chr2. Name one of them."
    ]
    assert problems(predicting(bed="x.bed", fasta="other.fa")) == [
        "x.bed:1: chr1:0-37 is not within chr1 (0-36). Correct the interval."
    ]
    for keys in (person, {"write": "variants", "vcf": "w.vcf.gz"}):
        (problem,) = problems(predicting(**keys))
        assert problem.startswith("w." + FOREIGN.removeprefix("v."))
        check_inputs(predicting(**keys, fasta="other.fa"))
    (place / "x.bed").write_text("chr1\t0\t36\n")
    check_inputs(predicting(**person, bed="x.bed"))  # of chr1 alone
    write_vcf(place / "w.vcf.gz", ["chr1"], True, {"chr1": 40})
    assert "w.vcf.gz: contig chr1 has 40 bases, in the genome 10000." in problems(predicting(**person, bed="x.bed"))[0]


def test_files_that_models_as_they_are_are_asked_about_are_there_and_of_the_genome(place):
    raw = study(contigs=["chr1"]).model_dump(exclude_unset=True)
    write_vcf(place / "v.vcf.gz", ["chr1"], indexed=True)
    raw["models"]["own"] = {"pretrain": {"family": "dilated_cnn"}}
    keys = {
        "variant_scores": {"mine": {"vcf": "mine.vcf", "calibrate": "x.bed"}},
        "mutagenesis": {"here": {"bed": "x.bed", "genes": "here.gtf"}},
        "dependency_maps": {"maps": {"fasta": "maps.fa", "marks": "results/trial/marks.bed"}},
    }
    asked = check_study(raw | keys)
    absent = {"variant_scores.mine.vcf": "mine.vcf", "variant_scores.mine.calibrate": "x.bed"}
    absent |= {
        "mutagenesis.here.bed": "x.bed",
        "mutagenesis.here.genes": "here.gtf",
        "dependency_maps.maps.fasta": "maps.fa",
    }
    beginnings = {f"configuration: {key}: no such file: {path}" for key, path in absent.items()}
    assert {problem.partition(". ")[0] for problem in problems(asked)} == beginnings
    for name in ("mine.vcf", "here.gtf", "maps.fa"):
        (place / name).write_text("")
    (place / "x.bed").write_text("chr1\t0\t37\nchr9\t0\t2\n")
    assert problems(asked) == ["x.bed:2: no contig chr9; the genome has chr1, chr2. Name one of them."]
    (place / "x.bed").write_text("chr1\t0\t37\n")
    check_inputs(asked)


def test_variants_to_score_that_are_cut_short_are_told_before_any_job(place):
    raw = study(contigs=["chr1"]).model_dump(exclude_unset=True)
    write_vcf(place / "v.vcf.gz", ["chr1"], indexed=True)
    write_vcf(place / "mine.vcf.gz", ["chr1", "chr9"], indexed=False)  # of a foreign contig: left with a reason
    raw["models"]["own"] = {"pretrain": {"family": "dilated_cnn"}}
    asked = check_study(raw | {"variant_scores": {"mine": {"vcf": "mine.vcf.gz"}}})
    check_inputs(asked)
    whole = (place / "mine.vcf.gz").read_bytes()
    (place / "mine.vcf.gz").write_bytes(whole[:-28])  # the last block alone, which holds no records
    (problem,) = problems(asked)
    assert problem.startswith(f"mine.vcf.gz: cut short: {len(whole) - 28} bytes without the end-of-file block of bgzip")


def test_alleles_beyond_the_end_of_their_contig_are_told_before_any_job(place):
    raw = study().model_dump(exclude_unset=True)
    raw = {key: raw[key] for key in ("study", "reference", "splits", "adaptations")}
    raw |= {"tasks": {"rna": {"kind": "variant_effects", "table": "alleles.tsv", "label": "y", "direction": "signed"}}}
    raw |= {"models": {"mean": {"baseline": {"kind": "no_effect"}}}}
    raw |= {"runs": [{"tasks": ["rna"], "models": ["mean"], "adaptations": ["baseline"]}]}

    def alleles(near, far):
        rows = [f"chr1\t{4 * n + 1}\tA\tC\t{n % 2}" for n in range(near)]
        rows += [f"chr1\t{10_001 + 4 * n}\tA\tC\t1" for n in range(far)] + ["chr3\t1\tA\tC\t0"]
        (place / "alleles.tsv").write_text("\n".join(["chrom\tpos\tref\talt\ty", *rows]) + "\n")

    alleles(4, 6)
    (problem,) = problems(check_study(raw))
    assert problem.endswith(
        "6 of the first 10 alleles lie outside their contig, first chr1:10,001: in genome.fa it has 10,000 bases; give the "
        "genome that they lie on"
    )
    alleles(6, 4)  # left out with a reason each
    check_inputs(check_study(raw))


def test_what_is_wrong_with_a_file_has_the_line_that_names_it(place):
    write_vcf(place / "v.vcf.gz", ["chr9"], indexed=True)
    (place / "a.bw").write_bytes((place / "a.bw").read_bytes()[:100])
    (place / "x.bed").write_text("chr1\t0\t37\nchr9\t0\t2\n")
    raw = study().model_dump(exclude_unset=True)
    raw["models"]["own"] = {"pretrain": {"family": "dilated_cnn"}}
    raw["mutagenesis"] = {"here": {"bed": "x.bed"}}
    (place / "mine.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    with pytest.raises(ConfigurationError) as caught:
        check_inputs(check_study(raw), place / "mine.yaml")
    lines = (place / "mine.yaml").read_text().splitlines()
    keys = {"cohort.vcf.0": "v.vcf.gz", "tracks.t.replicates.0": "a.bw", "mutagenesis.here.bed": "x.bed"}
    found = {}
    for problem in caught.value.problems:
        where, key, path, _ = problem.split(": ", 3)
        number = int(where.removeprefix(f"{place / 'mine.yaml'}:"))
        found[key] = path.partition(":")[0]
        assert found[key] in lines[number - 1]
    assert found == keys


def test_contigs_that_a_study_does_not_use_are_not_compared(place):
    """hg19's mitochondrion of 16,571 bases, in tracks and genotypes that have the other one of 16,569."""
    write_vcf(place / "v.vcf.gz", ["chr1", "MT"], indexed=True, lengths={"MT": 16})
    (place / "genome.fa").write_text((place / "genome.fa").read_text() + ">chrM\nACGTACGTACGTACGTAC\n")
    with pyBigWig.open("a.bw", "w") as track:
        track.addHeader([("chr1", 10_000), ("chr2", 10_000), ("chrM", 16)])
        track.addEntries(["chr1"], [0], ends=[100], values=[1.0])
    assert len(problems(study())) == 2
    check_inputs(study(contigs=["chr1", "chr2"]))


def test_a_genome_in_plain_gzip_is_read_as_the_job_reads_it(place):
    write_vcf(place / "v.vcf.gz", ["chr1"], indexed=True)
    packed = gzip.compress((place / "genome.fa").read_bytes())
    (place / "genome.fa").write_bytes(packed)
    check_inputs(study())
    write_vcf(place / "v.vcf.gz", ["chr1", "chr9"], indexed=True)
    assert problems(study())[0].startswith("v.vcf.gz: contig 'chr9' has variants")
    (place / "genome.fa").write_bytes(packed[:-9])
    assert problems(study())[0].startswith("genome.fa: damaged or cut short")
