"""A tuned model on other sequences: where each predicted value comes from, and what is refused."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyBigWig
import pysam
import pytest
from glmflow.apply import coverage_apply as apply
from glmflow.cli import main
from glmflow.errors import InputError
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.intervals import read_intervals
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from tuned_tracks import save_tuned_tracks

LETTERS = "ACGTN"


@dataclass
class Spelling:
    """Stands in for a tuned model: what it predicts for a base is the base's place in ACGTN, plus one."""

    tracks: list = field(default_factory=lambda: ["spelled", "doubled"])
    means: np.ndarray = field(default_factory=lambda: np.array([1.0, 2.0], np.float32))
    size: int = 60
    overlap: int = 20
    trim: int = 5

    def coverage(self, codes):
        values = np.array([[LETTERS.index(chr(base)) + 1 for base in sequence] for sequence in codes], np.float32)
        return np.stack([values, 2 * values], axis=1)


def spelled(text):
    return np.array([LETTERS.index(letter) + 1 for letter in text], float)


@pytest.fixture
def genome(tmp_path):
    rng = np.random.default_rng(0)
    text = {name: "".join(rng.choice(list("ACGT"), length)) for name, length in (("one", 500), ("two", 37))}
    path = tmp_path / "genome.fa"
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in text.items()))
    return path, text


def write_vcf(path, text, rows):
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">']
    lines += [f"##contig=<ID={name},length={len(sequence)}>" for name, sequence in text.items()]
    lines += ["\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", "ann"])]
    lines += [
        f"{chrom}\t{position}\t.\t{ref}\t{alt}\t.\tPASS\t.\tGT\t{call}" for chrom, position, ref, alt, call in rows
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def other(base):
    return "ACGT"[("ACGT".index(base) + 1) % 4]


def values(path, chrom, length):
    with pyBigWig.open(str(path)) as bigwig:
        return np.array(bigwig.values(chrom, 0, length))


def test_every_base_of_the_genome_gets_the_value_of_its_own_base(genome, tmp_path):
    path, text = genome
    reference, tuned = Reference(path), Spelling()
    predict = apply.on_reference(tuned, reference)
    apply.write_tracks(tuned, predict, read_intervals(None, reference.contigs), reference.contigs, tmp_path / "out")
    for name, sequence in text.items():
        np.testing.assert_array_equal(values(tmp_path / "out/spelled.bw", name, len(sequence)), spelled(sequence))
        np.testing.assert_array_equal(values(tmp_path / "out/doubled.bw", name, len(sequence)), 2 * spelled(sequence))


def test_means_of_intervals_are_those_of_their_bases(genome, tmp_path):
    path, text = genome
    reference, tuned = Reference(path), Spelling()
    bed = tmp_path / "some.bed"
    bed.write_text("# a comment\none\t100\t300\tpromoter\none\t0\t7\ntwo\t30\t37\n")
    table = apply.interval_means(tuned, apply.on_reference(tuned, reference), read_intervals(bed, reference.contigs))
    assert list(table["name"]) == ["promoter", "one:0-7", "two:30-37"]
    expected = [spelled(text["one"][100:300]), spelled(text["one"][:7]), spelled(text["two"][30:])]
    np.testing.assert_allclose(table["prediction_spelled"], [part.mean() for part in expected])


def test_a_haplotype_is_laid_onto_the_reference(genome, tmp_path):
    path, text = genome
    one = text["one"]
    rows = [
        ("one", 51, one[50], other(one[50]), "1|0"),
        ("one", 101, one[100:104], one[100], "1|0"),  # loses 101 to 103
        ("one", 201, one[200], one[200] + "ACGTACG", "1|1"),  # gains seven
    ]
    reference, tuned = Reference(path), Spelling()
    store = build_store(write_vcf(tmp_path / "ann.vcf", text, rows), reference, tmp_path / "store", samples=["ann"])
    reader = HaplotypeReader(store, reference)
    expected = spelled(one)
    expected[50] = spelled(other(one[50]))[0]
    expected[101:104] = 0
    regions = read_intervals(None, reference.contigs)
    for haplotypes, wanted in (((1,), expected), ((2,), spelled(one)), ((1, 2), (expected + spelled(one)) / 2)):
        folder = tmp_path / f"out{len(haplotypes)}{haplotypes[0]}"
        predict = apply.on_haplotypes(tuned, reader, "ann", haplotypes)
        apply.write_tracks(tuned, predict, regions, reference.contigs, folder)
        np.testing.assert_allclose(values(folder / "spelled.bw", "one", len(one)), wanted)
        np.testing.assert_array_equal(values(folder / "spelled.bw", "two", 37), spelled(text["two"]))


# The command, with a real model


@pytest.fixture(scope="module")
def tuned_folder(tmp_path_factory):
    """The model folder of a run, as the workflow writes it."""
    return save_tuned_tracks(tmp_path_factory.mktemp("run") / "model")


def predict(*arguments):
    return main(["predict", *map(str, arguments)])


def test_the_command_writes_tracks_tables_and_variants(tuned_folder, genome, tmp_path):
    path, text = genome
    one = text["one"]
    assert predict("--model", tuned_folder, "--fasta", path, "--output", tmp_path / "tracks") == 0
    assert {p.name for p in (tmp_path / "tracks").iterdir()} == {"blood_plus.bw", "blood_minus.bw"}
    whole = values(tmp_path / "tracks/blood_plus.bw", "one", len(one))
    assert np.isfinite(whole).all() and (whole >= 0).all() and whole.std() > 0

    assert predict("--model", tuned_folder, "--fasta", path, "--output", tmp_path / "m.parquet") == 0
    table = pd.read_parquet(tmp_path / "m.parquet").set_index("name")
    assert table.loc["one", "prediction_blood_plus"] == pytest.approx(whole.mean(), rel=1e-4)

    vcf = write_vcf(tmp_path / "v.vcf", text, [("one", 251, one[250], other(one[250]), "1|0")])
    assert predict("--model", tuned_folder, "--fasta", path, "--vcf", vcf, "--output", tmp_path / "v.vcf.gz") == 0
    with pysam.VariantFile(str(tmp_path / "v.vcf.gz")) as annotated:
        assert next(annotated).info["GLM_blood_minus"][0] != 0

    person = ["--vcf", vcf, "--sample", "ann", "--haplotype"]
    for haplotype, sequence in ((1, one[:250] + other(one[250]) + one[251:]), (2, one)):
        own = tmp_path / f"own{haplotype}.fa"
        own.write_text(f">one\n{sequence}\n>two\n{text['two']}\n")
        expected, found = tmp_path / f"expected{haplotype}", tmp_path / f"found{haplotype}"
        assert predict("--model", tuned_folder, "--fasta", own, "--output", expected) == 0
        assert predict("--model", tuned_folder, "--fasta", path, *person, haplotype, "--output", found) == 0
        np.testing.assert_array_equal(
            values(found / "blood_plus.bw", "one", len(one)), values(expected / "blood_plus.bw", "one", len(one))
        )


def test_which_calls_of_a_person_are_read(tuned_folder, genome, tmp_path, capsys):
    path, text = genome
    one = text["one"]
    places = {150: "1|0", 250: "1|0", 350: "0/1"}
    rows = [("one", at + 1, one[at], other(one[at]), call) for at, call in places.items()]
    vcf = write_vcf(tmp_path / "v.vcf", text, rows)
    marked = vcf.read_text().replace("PASS", "LowQual", 1)  # the first of them, at 150
    vcf.write_text(marked.replace("#CHROM", '##FILTER=<ID=LowQual,Description="low">\n#CHROM'))
    person = ["--model", tuned_folder, "--fasta", path, "--vcf", vcf, "--sample", "ann", "--haplotype", 1]
    assert predict(*person, "--output", tmp_path / "refused") == 1
    assert "unphased heterozygous genotypes, first at one:351 in ann" in capsys.readouterr().err
    for changed, options, left_out in (
        ([250], [], "filter 1, unphased 1"),
        ([150, 250], ["--filter"], "unphased 1"),
        ([150], ["--filter", "LowQual"], "filter 2"),
    ):
        own = tmp_path / "own.fa"
        bases = "".join(other(base) if at in changed else base for at, base in enumerate(one))
        own.write_text(f">one\n{bases}\n>two\n{text['two']}\n")
        expected, found = (tmp_path / f"{name}{len(changed)}{changed[0]}" for name in ("expected", "found"))
        assert predict("--model", tuned_folder, "--fasta", own, "--output", expected) == 0
        assert predict(*person, "--unphased", "reference", *options, "--output", found) == 0
        assert f"left out: {left_out}\n" in capsys.readouterr().err
        np.testing.assert_array_equal(
            values(found / "blood_plus.bw", "one", len(one)), values(expected / "blood_plus.bw", "one", len(one))
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "x.vcf"], "--vcf: no variants to annotate"),
        (["--vcf", "v.vcf", "--output", "out"], "--sample: whose haplotypes?"),
        (["--sample", "ann", "--output", "out"], "--sample: a sample without genotypes"),
        (["--haplotype", "1", "--output", "out"], "--haplotype: --haplotype without a sample"),
        (["--vcf", "v.vcf", "--sample", "ann", "--output", "x.vcf"], "--output: a VCF as output holds every variant"),
        (["--output", "x.csv"], "--output: .csv is not written"),
    ],
)
def test_arguments_that_do_not_belong_together(arguments, message, genome, tuned_folder, capsys):
    assert predict("--model", tuned_folder, "--fasta", genome[0], *arguments) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"glmflow predict: {message}")


def test_a_folder_without_a_tuned_model_is_refused(genome, tmp_path, capsys):
    assert predict("--model", tmp_path, "--fasta", genome[0], "--output", tmp_path / "out") == 1
    assert "no task.json: not the model of a run" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["seed1", "seed1/model"])
def test_a_baseline_has_no_model_to_apply(given, genome, tmp_path, capsys):
    (tmp_path / "seed1").mkdir()
    (tmp_path / "seed1/run.yaml").write_text("model:\n  baseline:\n    kind: mean_track\n")
    assert predict("--model", tmp_path / given, "--fasta", genome[0], "--output", tmp_path / "out") == 1
    assert f"{tmp_path / given}: a baseline's run: baselines leave no model to apply" in capsys.readouterr().err


def test_a_record_of_tracks_without_a_strand_is_refused(tmp_path):
    record = save_tuned_tracks(tmp_path / "model") / "task.json"
    record.write_text(record.read_text().replace('"strand": "-"', '"strands": "-"'))
    with pytest.raises(InputError, match=r"task.json: a track without `biosample` or `strand`"):
        apply.load_track_model(tmp_path / "model")
