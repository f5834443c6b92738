"""A tuned model on other sequences: where each predicted value comes from, and what is refused."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyBigWig
import pysam
import pytest
from glmflow.cli import main
from glmflow.config.adaptations import Adaptation
from glmflow.config.tasks import RnaseqTracks
from glmflow.errors import InputError
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.intervals import read_intervals
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.models import new_model
from glmflow.training import apply
from glmflow.training.finetune import save_track_model
from glmflow.training.losses import track_loss
from glmflow.training.track_model import TrackModel, new_head

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


def test_variants_get_the_log_ratio_of_both_alleles(genome, tmp_path):
    path, text = genome
    one = text["one"]
    rows = [
        ("one", 251, one[250], other(one[250]), "0|1"),
        ("one", 301, one[300], f"{one[300]}TTTT,<DEL>", "0|1"),
        ("one", 351, one[350], "<DEL>", "0|1"),
    ]
    vcf, tuned = write_vcf(tmp_path / "v.vcf", text, rows), Spelling()
    counts = apply.annotate_variants(tuned, Reference(path), vcf, tmp_path / "out.vcf.gz")
    assert counts == {"scored": 2, "skipped": 2}
    with pysam.VariantFile(str(tmp_path / "out.vcf.gz")) as annotated:
        assert "alternative over reference" in annotated.header.info["GLM_spelled"].description
        records = list(annotated)

    def ratio(reference, alternative):
        means = [spelled(sequence[:60])[5:55].mean() + 0.01 for sequence in (reference, alternative)]
        return np.log2(means[1] / means[0])

    around = one[220:400]
    changed = around[:30] + other(one[250]) + around[31:]
    assert records[0].info["GLM_spelled"] == pytest.approx((ratio(around, changed),), abs=1e-4)
    around = one[270:400]
    assert records[1].info["GLM_spelled"][0] == pytest.approx(
        ratio(around, around[:31] + "TTTT" + around[31:]), abs=1e-4
    )
    assert records[1].info["GLM_spelled"][1] is None
    assert "GLM_spelled" not in records[2].info


def test_a_vcf_of_another_genome_is_refused(genome, tmp_path):
    path, text = genome
    wrong = write_vcf(tmp_path / "v.vcf", text, [("one", 251, other(text["one"][250]), text["one"][250], "0|1")])
    with pytest.raises(InputError, match=r"v\.vcf: one:251: the reference allele is"):
        apply.annotate_variants(Spelling(), Reference(path), wrong, tmp_path / "out.vcf")
    (tmp_path / "w.vcf").write_text(wrong.read_text().replace("=one,", "=1,").replace("\none\t", "\n1\t"))
    with pytest.raises(InputError, match=r"w\.vcf: 1:251: no contig 1; the genome has one, two\. .* --rename-chrs"):
        apply.annotate_variants(Spelling(), Reference(path), tmp_path / "w.vcf", tmp_path / "out.vcf")
    assert not (tmp_path / "out.vcf").exists()


# The command, with a real model


@pytest.fixture(scope="module")
def tuned_folder(tmp_path_factory):
    """The model folder of a run, as the workflow writes it."""
    folder = tmp_path_factory.mktemp("run") / "model"
    task = RnaseqTracks(kind="rnaseq_tracks", windows={"size": 64, "overlap": 32}, trim=8)
    adaptation = Adaptation(kind="full", head={"kind": "linear"}, train={"reverse_complement": True})
    tracks = {"blood_plus": {"biosample": "blood", "strand": "+"}, "blood_minus": {"biosample": "blood", "strand": "-"}}
    settings = {
        "task": task.model_dump(mode="json"),
        "adaptation": adaptation.model_dump(mode="json"),
        "tracks": tracks,
    }
    adapter = new_model("small", {"hidden_size": 16, "num_heads": 2, "num_layers": 1})
    head = new_head("linear", adapter.card.hidden_size, 2)
    model = TrackModel(adapter, head, [3.0, 5.0], squash=True, soft_clip=10.0, loss=track_loss("mse"))
    save_track_model(model, settings, {"blood_plus": 3.0, "blood_minus": 5.0}, folder)
    return folder


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
        (["--sample", "ann", "--output", "out"], "--sample: a person without genotypes"),
        (["--haplotype", "1", "--output", "out"], "--haplotype: a haplotype of nobody"),
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
