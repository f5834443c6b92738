"""`glmflow new`: own small files of every kind become a study that `glmflow check` takes; bad ones are one line."""

import io
import json
import random
import shutil

import pyBigWig
import pysam
import pytest
import yaml
from glmflow.cli import main
from glmflow.config import read_study
from glmflow.modules import module_names
from glmflow.new import proposals
from glmflow.new.draft import Draft, without_models
from glmflow.new.machine import too_large
from glmflow.new.new_command import SCHEMA
from glmflow.new.presets import presets
from glmflow.new.questions import ask_for_files
from running import ROOT

BASES = 160_000
CONTIGS = ("chr1", "chr2", "chr3")


def write_track(path, lengths, value=1.0):
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader(list(lengths.items()))
        file.addEntries([next(iter(lengths))], [0], ends=[500], values=[float(value)])


def write_vcf(path, contigs, samples=("P1", "P2"), phased="0|1"):
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    lines += [f"##contig=<ID={name}>" for name in contigs]
    lines += ["#" + "\t".join(["CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples])]
    lines += [
        "\t".join([name, "1", ".", "A", "C", ".", "PASS", ".", "GT", *[phased] * len(samples)]) for name in contigs
    ]
    path.with_suffix("").write_text("\n".join(lines) + "\n")
    pysam.tabix_index(str(path.with_suffix("")), preset="vcf", force=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A genome, its genes, two tracks of two replicates, two samples with expression, and labelled tables."""
    folder = tmp_path_factory.mktemp("own")
    draw = random.Random(1)
    sequence = "A" + "".join(draw.choices("ACGT", k=BASES - 1))
    (folder / "genome.fa").write_text("".join(f">{name}\n{sequence}\n" for name in CONTIGS))
    lengths = dict.fromkeys(CONTIGS, BASES)
    for name, value in {
        "liver.plus.rep1": 1,
        "liver.plus.rep2": 1,
        "liver.minus.rep1": -1,
        "liver.minus.rep2": -1,
    }.items():
        write_track(folder / f"{name}.bw", lengths, value)
    write_track(folder / "other_build.bw", {"chr1": 5000})
    (folder / "not.bw").write_text("chr1 0 100 1.0\n")
    write_vcf(folder / "cohort.vcf.gz", CONTIGS)
    write_vcf(folder / "foreign.vcf.gz", ["chr9"])
    genes = [
        f'{name}\tx\tgene\t{20_000 * n}\t{20_000 * n + 900}\t.\t+\t.\tgene_id "G{name}{n}";'
        for name in CONTIGS
        for n in (1, 4, 6)
    ]
    (folder / "genes.gtf").write_text("\n".join(genes) + "\n")
    (folder / "foreign.gtf").write_text(genes[0].replace("chr1\t", "chrZZ\t") + "\n")
    rows = [f"G{name}{n}\t{draw.uniform(1, 90):.3f}\t{draw.uniform(1, 90):.3f}" for name in CONTIGS for n in (1, 4, 6)]
    (folder / "expression.tsv").write_text("\n".join(["gene_id\tP1\tP2", *rows]) + "\n")
    (folder / "strangers.tsv").write_text("\n".join(["gene_id\tQ1\tQ2", *rows]) + "\n")
    texts = ["".join(draw.choices("ACGT", k=60)) for _ in range(40)]
    (folder / "classes.csv").write_text(
        "\n".join(["seq,class", *(f"{t},{'promoter' if n % 2 else 'other'}" for n, t in enumerate(texts))])
    )
    (folder / "values.csv").write_text(
        "\n".join(["sequence,activity", *(f"{t},{n / 7:.3f}" for n, t in enumerate(texts))])
    )
    (folder / "unlabelled.csv").write_text("\n".join(["sequence,origin", *(f"{t},here" for t in texts)]))
    (folder / "one_class.csv").write_text("\n".join(["sequence,label", *(f"{t},same" for t in texts)]))
    alleles = [f"chr1\t{n + 2}\t{sequence[n + 1]}\t{'A' if sequence[n + 1] != 'A' else 'C'}" for n in range(60)]
    (folder / "clinical.tsv").write_text(
        "\n".join(
            [
                "chrom\tpos\tref\talt\tCLNSIG",
                *(f"{a}\t{('Pathogenic', 'Benign', 'Uncertain')[n % 3]}" for n, a in enumerate(alleles)),
            ]
        )
    )
    (folder / "measured.tsv").write_text(
        "\n".join(["chrom\tpos\tref\talt\teffect_log2", *(f"{a}\t{n / 9:.3f}" for n, a in enumerate(alleles))])
    )
    (folder / "named.tsv").write_text(
        "\n".join(["chrom\tpos\tref\talt\tlabel", *(f"{a}\t{('red', 'blue')[n % 2]}" for n, a in enumerate(alleles))])
    )
    (folder / "peaks.bed").write_text(
        "".join(f"chr{1 + n % 3}\t{n * 300}\t{n * 300 + 200}\t{('peak', 'other')[n % 2]}\n" for n in range(40))
    )
    (folder / "scores.bed").write_text(
        "".join(f"chr1\t{n * 300}\t{n * 300 + 200}\tnamed{n}\t{n / 3:.2f}\n" for n in range(240))
    )
    (folder / "bare.bed").write_text("chr1\t0\t200\nchr1\t300\t500\n")
    (folder / "outside.bed").write_text("chr7\t0\t200\ta\n")
    return folder


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*arguments, gpu="none"):
    return main(["new", "mine.yaml", "--gpu", gpu, *arguments])


TRACKS = [f"liver.{strand}.rep{n}.bw" for strand in ("plus", "minus") for n in (1, 2)]
GENOME = ("--fasta", "genome.fa")
FILES = {
    "rnaseq_tracks": (*GENOME, "--gtf", "genes.gtf", "--bigwig", *TRACKS),
    "snp2gex": (*GENOME, "--gtf", "genes.gtf", "--vcf", "cohort.vcf.gz", "--expression", "expression.tsv"),
    "context_extension": GENOME,
    "sequences": ("--table", "classes.csv"),
    "variant_effects": (*GENOME, "--table", "clinical.tsv"),
}


def test_every_proposal_is_tried_here():
    assert {*FILES} <= {*module_names(proposals)}


def test_without_a_gpu_variants_are_proposed_for_a_laptop(place, capsys):
    """1,200 updates of 64 x 512 bases take a CPU most of an hour; what is proposed instead is said."""

    def proposed(gpu):
        assert new(*FILES["variant_effects"], "--force", gpu=gpu) == 0
        study = yaml.safe_load((place / "mine.yaml").read_text())
        pretrain = study["models"]["small"]["pretrain"]
        assert study["tasks"]["variants"]["window"] == pretrain["length"] == pretrain["config"]["context"]
        return pretrain["length"] * pretrain["steps"] * pretrain["batch"], capsys.readouterr()

    (short, said), (whole, other) = proposed("none"), proposed("l40")
    assert whole == 8 * short == 512 * 1200 * 64
    assert "a first look, short because there is no GPU" in said.out + said.err
    assert "first look" not in other.out + other.err


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("gpu", ["none", "l40"])
def test_own_files_become_a_study_that_check_takes(place, capsys, kind, gpu):
    assert new(*FILES[kind], gpu=gpu) == 0, capsys.readouterr().err
    study = read_study("mine.yaml")
    assert {task.kind for task in study.tasks.values()} == {kind}
    runs, misfits = study.expanded
    assert runs and not misfits
    capsys.readouterr()
    assert main(["check", "mine.yaml"]) == 0, capsys.readouterr().err
    published = [name for name, model in study.models.items() if model.checkpoint]
    assert bool(published) == (gpu == "l40" and kind != "context_extension")
    tried = {run.model for run in runs}
    assert tried | {model.extend.model for model in study.models.values() if model.extend} == set(study.models)


def test_what_was_guessed_is_said_and_stands_in_the_file(place, capsys):
    assert new(*FILES["rnaseq_tracks"]) == 0
    said, text = capsys.readouterr().out, (place / "mine.yaml").read_text()
    for sentence in ("track liver_minus: biosample liver, strand -, 2 replicates", "chr3 scored"):
        assert sentence in said and sentence in text
    study = read_study("mine.yaml")
    assert study.tracks["liver_minus"].negate and not study.tracks["liver_plus"].negate
    assert study.tracks["liver_plus"].replicates == ["liver.plus.rep1.bw", "liver.plus.rep2.bw"]
    assert study.splits.test == ["chr3"] and study.reference.annotation == "genes.gtf"


def test_published_models_stand_beside_their_random_weights(place):
    assert new(*FILES["rnaseq_tracks"], gpu="h100") == 0
    study = read_study("mine.yaml")
    (of_published,) = [entry for entry in study.runs if study.models[entry.models[0]].checkpoint]
    assert {study.adaptations[name].weights for name in of_published.adaptations} == {"given", "random"}


def test_models_that_the_gpu_does_not_hold_are_left_out(place):
    """Genos-10B takes four GPUs of 48 GB for LoRA on 32 kb windows (config/models.yaml), and the 1.2B one."""
    assert new(*FILES["rnaseq_tracks"], gpu="l40") == 0
    settings = yaml.safe_load((place / "mine.yaml").read_text())
    settings["models"]["large"] = {"checkpoint": "genos-10b"}
    settings["runs"].append({"tasks": ["coverage"], "models": ["large"], "adaptations": ["lora"]})
    reasons = too_large(settings, ["large", "genos-1_2b"], "l40")
    assert [*reasons] == ["large"] and "GB of GPU memory" in reasons["large"]
    kept = without_models(Draft(settings, {}, [], ["large"]), reasons).settings
    assert "large" not in kept["models"] and all("large" not in run["models"] for run in kept["runs"])
    assert [*too_large(settings, ["large"], None)] == ["large"], "without a GPU no published model is proposed"


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("clinical.tsv", "labels", {"Pathogenic": 1, "Benign": 0, "Uncertain": None}),
        ("measured.tsv", "direction", "magnitude"),
        ("classes.csv", "predicts", "classes"),
        ("values.csv", "predicts", "values"),
    ],
)
def test_labels_of_tables_are_understood(place, table, key, value):
    assert new(*GENOME, "--table", table) == 0
    task = next(iter(read_study("mine.yaml").tasks.values()))
    assert getattr(task, key) == value


@pytest.mark.parametrize(("bed", "labels"), [("peaks.bed", "classes"), ("scores.bed", "values")])
def test_labels_of_intervals_are_understood(place, bed, labels):
    assert new(*GENOME, "--bed", bed) == 0
    task = next(iter(read_study("mine.yaml").tasks.values()))
    assert task.predicts == labels and task.bed == bed


def test_two_bed_files_are_two_classes(place):
    assert new(*GENOME, "--bed", "peaks.bed", "bare.bed") == 0
    assert next(iter(read_study("mine.yaml").tasks.values())).bed == {"peaks": "peaks.bed", "bare": "bare.bed"}


def test_two_fasta_files_are_two_classes(place, capsys):
    draw = random.Random(0)
    for name, length in (("ctcf.fa", 100), ("pu1.fa", 93)):
        texts = ("".join(draw.choices("ACGT", k=length)) for _ in range(40))
        (place / name).write_text("".join(f">{number}\n{text}\n" for number, text in enumerate(texts)))
    assert new("--classes", "ctcf.fa", "pu1.fa") == 0
    study = read_study("mine.yaml")
    task = study.tasks["labelled"]
    assert task.fasta == {"ctcf": "ctcf.fa", "pu1": "pu1.fa"} and task.length == 100 and task.splits.by == "similarity"
    assert study.reference is None and "each FASTA file is a class: ctcf, pu1" in capsys.readouterr().out
    (place / "ctcf.fasta").write_text(">1\nACGT\n")
    (place / "empty.fa").write_text("")
    for files, said in (
        (["ctcf.fa"], "ctcf.fa: one class is no label"),
        (["ctcf.fa", "ctcf.fasta"], "two FASTA files have the same name"),
        (["ctcf.fa", "ctcf.fa"], "given twice"),
        (["ctcf.fa", "empty.fa"], "empty.fa: no sequence in it"),
        (["ctcf.fa", "bare.bed"], "bare.bed:1: not FASTA"),
    ):
        assert new("--force", "--classes", *files) == 1
        assert said in capsys.readouterr().err


def test_a_column_twice_and_a_folder_are_one_line(place, capsys):
    (place / "twice.csv").write_text("seq,label,label\nACGT,a,b\n")
    (place / "folder.csv").mkdir()
    assert new("--table", "twice.csv") == 1 and "twice.csv: two columns are called 'label'" in capsys.readouterr().err
    assert new("--table", "folder.csv") == 1 and "folder.csv: a folder, not a file" in capsys.readouterr().err


def test_coverage_and_expression_share_a_study(place):
    assert new(*FILES["snp2gex"], "--bigwig", *TRACKS) == 0
    assert {task.kind for task in read_study("mine.yaml").tasks.values()} == {"rnaseq_tracks", "snp2gex"}


BAD = {
    "no bigWig": ((*GENOME, "--bigwig", "not.bw"), "not.bw"),
    "a track of another build": (
        (*GENOME, "--bigwig", "other_build.bw"),
        "other_build.bw: a track of another genome build",
    ),
    "a track without a genome": (
        ("--bigwig", TRACKS[0]),
        "a bigWig needs the genome that it lies on. Give it: --fasta",
    ),
    "a file twice": ((*GENOME, "--bigwig", TRACKS[0], TRACKS[0]), "given twice"),
    "no such file": (("--fasta", "genom.fa"), "genom.fa: no such file"),
    "genotypes of another genome": ((*GENOME, "--vcf", "foreign.vcf.gz", "--bigwig", TRACKS[0]), "contig 'chr9'"),
    "genes of another genome": (
        (*GENOME, "--gtf", "foreign.gtf", "--bigwig", TRACKS[0]),
        "foreign.gtf: no gene on a contig",
    ),
    "expression alone": (("--expression", "expression.tsv"), "--fasta, --vcf, --gtf is missing"),
    "expression of others": ((*FILES["snp2gex"][:-1], "strangers.tsv"), "no sample of it is in the VCF"),
    "no labels": (("--table", "unlabelled.csv"), "no column of labels: the header has sequence, origin"),
    "one class": (("--table", "one_class.csv"), "column 'label' has one value, 'same'"),
    "unknown classes": ((*GENOME, "--table", "named.tsv"), "neither two known classes nor a number: blue, red"),
    "variants without a genome": (("--table", "clinical.tsv"), "a table of variants needs the genome"),
    "intervals without labels": ((*GENOME, "--bed", "bare.bed"), "its intervals have no labels"),
    "intervals of another genome": (
        (*GENOME, "--bed", "outside.bed"),
        "outside.bed:1: contig 'chr7' is not in genome.fa",
    ),
    "an unknown kind": ((*GENOME, "--kind", "magic"), "no kind 'magic' can be proposed"),
    "a kind that does not fit": (
        ("--table", "classes.csv", "--kind", "rnaseq_tracks"),
        "the files do not make rnaseq_tracks",
    ),
    "a preset and files": ((*GENOME, "--preset", "demo"), "a preset names its own files"),
    "an unknown preset": (("--preset", "dema"), "no preset 'dema'; did you mean 'demo'?"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_one_line_and_no_file(place, capsys, name):
    arguments, message = BAD[name]
    assert new(*arguments) == 1
    said = capsys.readouterr().err
    assert message in said and len(said.splitlines()) == 1 and said.startswith("glmflow new: ")
    assert not (place / "mine.yaml").exists()


def test_an_unknown_gpu_is_one_line(place, capsys):
    assert new("--table", "classes.csv", gpu="b9000") == 1
    assert "no GPU 'b9000' is known. Use one of l40" in capsys.readouterr().err


def test_a_file_is_not_overwritten_unless_asked(place, capsys):
    (place / "mine.yaml").write_text("mine")
    assert new("--table", "classes.csv") == 1 and "is there already" in capsys.readouterr().err
    assert (place / "mine.yaml").read_text() == "mine"
    assert new("--table", "classes.csv", "--force") == 0 and read_study("mine.yaml").study == "mine"


def test_without_files_and_terminal_it_says_what_to_give(place, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert new() == 1 and "no files given. Give --fasta" in capsys.readouterr().err


def test_it_asks_until_a_file_is_there(place):
    answers = iter(["genom.fa", "genome.fa", "", "liver.*.bw", *[""] * 6])
    said = []
    found = ask_for_files(lambda prompt: next(answers), said.append)
    assert found == {"fasta": "genome.fa", "bigwig": sorted(TRACKS)}
    assert "  no such file: genom.fa" in said and next(answers, None) is None


@pytest.mark.parametrize("preset", presets())
def test_presets_keep_everything_but_their_name(place, preset):
    path = place / "mine.yaml"
    assert new("--preset", preset) == 0
    raw, source = yaml.safe_load(path.read_text()), yaml.safe_load(presets()[preset].read_text())
    own = source.pop("study")
    assert raw.pop("study") == "mine" and own
    # What a study makes for itself lies in its own folder.
    source = json.loads(json.dumps(source).replace(f"results/{own}/", "results/mine/"))
    read_study(path)
    assert raw.keys() == source.keys() and raw["models"] == source["models"]


def test_editors_find_the_schema(place):
    assert new("--table", "classes.csv") == 0
    first = (place / "mine.yaml").read_text().splitlines()[0]
    key, _, relative = first.partition("=")
    assert key == "# yaml-language-server: $schema" and (place / relative).resolve() == SCHEMA.resolve()


@pytest.mark.parametrize(
    "path", [ROOT / "config/config.yaml", *sorted((ROOT / "config/studies").glob("*.yaml"))], ids=lambda p: p.stem
)
def test_editors_find_the_schema_of_studies_that_come_along(path):
    first = path.read_text().splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("=")[2]).resolve() == SCHEMA.resolve()
