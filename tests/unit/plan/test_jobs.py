"""The plan of a study: which jobs there are, their updates, hours and memory, and what makes them fit."""

import json
from pathlib import Path

import pytest
import yaml
from genos import GENOS
from glmflow.config import check_study, read_checkpoints, read_study
from glmflow.config.contig_lengths import contig_lengths, training_windows
from glmflow.config.table_sizes import genes_and_samples
from glmflow.plan import jobs as plan
from glmflow.plan.resources import GPUS, example_products, shape_of
from running import ROOT

STUDIES = [ROOT / "config/config.yaml", *sorted((ROOT / "config/studies").glob("*.yaml"))]
STUDY = {
    "study": "big",
    "simulate": {"cohort": {"seed": 1, "contigs": {"chr1": 400_000, "chr2": 200_000, "chr3": 200_000}}},
    "splits": {"by": "contig", "train": ["chr1"], "validation": ["chr2"], "test": ["chr3"]},
    "tasks": {"rnaseq": {"kind": "rnaseq_tracks", "windows": {"size": 32768, "overlap": 16384}}},
    "models": {
        "genos": {"checkpoint": "genos-1.2b"},
        "mine": {"pretrain": {"family": "small", "steps": 10}},
        "mean": {"baseline": {"kind": "mean_track"}},
    },
    "adaptations": {
        "published": {"kind": "full", "train": {"bf16": True, "epochs": 40, "batch": 8}},
        "lora": {"kind": "lora", "train": {"bf16": True, "gradient_checkpointing": True, "steps": 5, "workers": 2}},
        "baseline": {"kind": "baseline"},
    },
    "runs": [
        {"tasks": ["rnaseq"], "models": ["genos", "mine"], "adaptations": ["published", "lora"], "seeds": [1, 2]},
        {"tasks": ["rnaseq"], "models": ["mean"], "adaptations": ["baseline"]},
    ],
}
CHECKPOINTS = {"genos-1.2b": {"family": "genos", "config": GENOS}}


@pytest.fixture(scope="module")
def jobs():
    return plan.plan(check_study(STUDY), CHECKPOINTS, "l40")


def test_a_plan_holds_every_training_run(jobs):
    names = [job.name for job in jobs]
    assert names[:2] == ["models/mine/seed1", "models/mine/seed2"]
    assert len(names) == 2 + 2 * 8 and {"rnaseq/genos/lora/seed2", "predict/rnaseq/genos/lora/seed2"} <= {*names}
    assert not any("mean" in name for name in names)


def test_updates_follow_from_epochs_and_windows(jobs):
    by_name = {job.name: job for job in jobs}
    windows = 24  # (400,000 - 32,768) / 16,384 = 22.4: 23 starts in step and one flush with the end
    assert by_name["rnaseq/genos/published/seed1"].updates == 40 * windows / 8
    assert by_name["rnaseq/genos/lora/seed1"].updates == 5


def test_what_cannot_fit_is_named_once_with_how_to_fit_it(jobs):
    (line,) = plan.problems(jobs, "l40")
    assert line.startswith("rnaseq/genos/published: needs about 8") and "an L40 has 44 GB" in line
    assert "gradient_checkpointing: true" in line and "kind: lora" in line
    assert list(plan.problems(jobs, "h200")) == []


def test_a_large_model_that_is_pretrained_fits_as_the_plan_says():
    """A batch of half a million bases of the ladder's 310M, and of the ways to fit the one that is in the study's words."""
    made = {
        "family": "small",
        "size": "310M",
        "length": 1024,
        "batch": 512,
        "config": {"causal": True, "context": 1024},
    }

    def job_of(**more):
        study = check_study({**STUDY, "models": {**STUDY["models"], "mine": {"pretrain": {**made, **more}}}})
        return next(job for job in plan.plan(study, CHECKPOINTS, "l40") if job.name == "models/mine/seed1")

    (line,) = plan.problems([job_of()], "l40")
    assert line.startswith("models/mine: ") and "in models.mine.pretrain: micro_batch: 1" in line and "lora" not in line
    small = job_of(micro_batch=1, bf16=True, gradient_checkpointing=True)
    assert list(plan.problems([small], "l40")) == [] and small.need.hours < job_of().need.hours
    assert small.need.flop == pytest.approx(4 / 3 * job_of().need.flop)


def test_walltime_and_cores(jobs):
    by_name = {job.name: job for job in jobs}
    large, small = by_name["rnaseq/genos/published/seed1"], by_name["rnaseq/mine/lora/seed1"]
    assert plan.minutes(large) == 60 + -int(-(60 * 1.5 * large.need.hours) // 1)
    assert plan.minutes(large._replace(need=large.need._replace(hours=1e6))) == plan.LONGEST_MINUTES
    assert plan.minutes(large._replace(need=None)) == plan.UNKNOWN_MINUTES
    assert plan.minutes(small) < plan.minutes(large)
    assert plan.threads(small) == 3


def test_the_table_is_complete_also_where_a_size_is_unknown():
    rows = plan.table(plan.plan(check_study(STUDY), {}, None), None)
    assert {len(row) for row in rows} == {len(plan.COLUMNS)}
    unknown = next(row for row in rows if row[0] == "rnaseq/genos/lora/seed1")
    assert unknown[1] == "?" and unknown[-1] == "?"
    text = plan.layout(rows).splitlines()
    assert len(text) == 19 and text[0].split() == list(plan.COLUMNS)


def test_a_prediction_is_forward_passes_over_what_was_held_out(jobs):
    """200,000 bp in steps of 16,384 take (200,000 - 32,768) / 16,384 = 10.2: 11 steps and the first, on each of two contigs."""
    by_name = {job.name: job for job in jobs}
    training, job = by_name["rnaseq/genos/published/seed1"], by_name["predict/rnaseq/genos/published/seed1"]
    shape, gpu = shape_of(GENOS), GPUS["l40"]
    products = 2 * example_products(shape, 32768) * 2 * 12
    assert job.need.hours == pytest.approx(products / (gpu.tf32_tflops * 1e12 * 0.3) / 3600, rel=0.05)
    assert job.need.trainable == job.need.optimizer_mb == 0 and job.need.gpus == 1
    assert job.need.gpu_mb < training.need.gpu_mb
    model, batch = 8 * job.need.parameters, 4 * 32768 * 2  # bytes; two tracks of a window, six times in memory
    assert plan.memory_mb(job) == pytest.approx(3000 + (model + 6 * batch) / 2**20, abs=3)
    assert plan.minutes(job) == 240
    assert plan.minutes(job._replace(need=job.need._replace(hours=10))) == 60 + 1.5 * 600


def test_the_prediction_of_a_small_model_takes_little_main_memory():
    """The demo's took 1.1 GB; a thousand tracks are held six times as 4 bytes a base and window of a batch."""
    small = next(
        job for job in plan.plan(check_study(STUDY), CHECKPOINTS, "l40") if job.name == "predict/rnaseq/mine/lora/seed1"
    )
    assert 1_148 < plan.memory_mb(small) < 4_000
    many = {**STUDY, "tracks": {f"t{n}": {"biosample": "b", "replicates": ["a.bw"]} for n in range(1000)}}
    many |= {"reference": {"fasta": "g.fa"}}
    many.pop("simulate")
    large = next(job for job in plan.plan(check_study(many), CHECKPOINTS, "l40") if job.name == small.name)
    assert plan.memory_mb(large) - plan.memory_mb(small) == pytest.approx(6 * 4 * 32768 * 998 / 2**20, rel=0.01)


def test_an_assumed_gpu_is_called_one(jobs):
    for model, word, said in (
        (None, "L40(assumed)", "is assumed"),
        ("quadro", "L40(assumed)", "is assumed"),
        ("H100", "H100", "H100"),
    ):
        header, *rows = plan.table(jobs, model)
        assert {row[header.index("gpu")] for row in rows} == {word}
        assert said in plan.heading(model) and ("assumed" in plan.heading(model)) == ("assumed" in word)


EXPRESSION = {
    "study": "people",
    "simulate": {
        "cohort": {
            "contigs": {"chr1": 400_000, "chr2": 205_000, "chr3": 200_000},
            "genes": {"spacing_bp": 10_000},
            "population": {"people": {"north": 30, "south": 20}},
        }
    },
    "splits": STUDY["splits"],
    "tasks": {"blood": {"kind": "snp2gex", "windows": {"size": 8192}}},
    "models": {"genos": {"checkpoint": "genos-1.2b"}},
    "adaptations": {
        "full": {"kind": "full", "train": {"steps": 5, "micro_batch": 1, "reverse_complement": True}},
        "probe": {"kind": "probe", "train": {"steps": 5, "micro_batch": 1}},
    },
    "runs": [{"tasks": ["blood"], "models": ["genos"], "adaptations": ["full", "probe"]}],
}


def expression_hours(study):
    """The planned hours of a prediction, and how many haplotypes that is."""
    jobs = {job.name: job for job in plan.plan(check_study(study), CHECKPOINTS, "l40")}
    each = 2 * example_products(shape_of(GENOS), 8192) / (90e12 * 0.3) / 3600
    hours = [jobs[f"predict/blood/genos/{kind}/seed1"].need.hours for kind in ("full", "probe")]
    return [None if found is None else found / each for found in hours]


def test_a_prediction_of_expression_is_both_haplotypes_of_every_sample_in_every_gene(tmp_path, monkeypatch):
    """40 + 20 + 20 genes, 50 samples, 2 haplotypes: 8,000 windows; on both strands, which a probe does not read, 16,000."""
    monkeypatch.chdir(tmp_path)
    assert expression_hours(EXPRESSION) == pytest.approx([16_000, 8_000], rel=0.01)
    # What was found to be there counts from then on: 4 genes and 4 samples.
    (tmp_path / "results/people/examples/blood").mkdir(parents=True)
    for name, rows in (("genes", 4), ("samples", 4)):
        path = tmp_path / f"results/people/examples/blood/{name}.tsv"
        path.write_text("a\tb\n" + "x\ty\n" * rows)
    assert expression_hours(EXPRESSION) == pytest.approx([64, 32])


def test_a_prediction_of_expression_takes_the_memory_of_a_genes_haplotypes(tmp_path, monkeypatch):
    """Two for each of 50 samples and 27 variants (8,192 / 300), six times, a byte a base and 16 places of 1,024 floats."""
    monkeypatch.chdir(tmp_path)

    def job(study):
        jobs = plan.plan(check_study(study), CHECKPOINTS, "l40")
        return next(job for job in jobs if job.name == "predict/blood/genos/full/seed1")

    known = job(EXPRESSION)
    sequences, at_once = 6 * 127 * (8192 + 4 * 16 * 1024), 4 * 8192 * 16
    expected = 3000 + (8 * known.need.parameters + at_once + sequences) / 2**20
    assert plan.memory_mb(known) == pytest.approx(expected, abs=3)
    measured = {"reference": {"fasta": "g.fa", "annotation": "g.gtf"}, "cohort": {"vcf": ["c.vcf.gz"]}}
    study = {key: value for key, value in EXPRESSION.items() if key != "simulate"} | measured
    study["tasks"] = {"blood": EXPRESSION["tasks"]["blood"] | {"expression": "matrix.tsv"}}
    assert plan.memory_mb(job(study)) == 16_000, "how many samples there are is not known"


def test_a_small_network_of_expression_is_counted_with_all_of_its_head(tmp_path, monkeypatch):
    """The published network: 8,480 parameters, and for 50 places 50 + 49 + 49 * 64 + 65; 618 MB were measured."""
    monkeypatch.chdir(tmp_path)
    study = EXPRESSION | {"models": {"net": {"new": {"family": "promoter_cnn"}}}}
    study["adaptations"] = {"full": EXPRESSION["adaptations"]["full"] | {"head": {"bins": 50, "hidden": 64}}}
    study["runs"] = [{"tasks": ["blood"], "models": ["net"], "adaptations": ["full"]}]
    training, prediction = plan.plan(check_study(study), {}, "l40")
    assert training.need.parameters == training.need.trainable == prediction.need.parameters == 11_780
    assert 618 < plan.memory_mb(prediction) < 4_000


@pytest.mark.parametrize(
    ("keys", "more"),
    [
        ({"write": "variants", "vcf": "a.vcf.gz"}, 0),
        ({"write": "tracks", "vcf": "a.vcf.gz", "sample": "S1"}, 2000),
        ({"write": "means", "bed": "a.bed"}, 0),
        ({"write": "means"}, 8 * 9 * 400_000 / 2**20),  # sums and means of four tracks, and counts, on chr1
    ],
)
def test_a_prediction_of_other_sequences_takes_little_more_than_that_of_held_out_ones(keys, more):
    study = check_study({**STUDY, "predict": {"p": keys}})
    job = next(job for job in plan.plan(study, CHECKPOINTS, "l40") if job.name == "predict/rnaseq/mine/lora/seed1")
    asked = plan.applying_mb(study, study.predict["p"], job)
    assert asked - plan.memory_mb(job) == pytest.approx(more, abs=1) and asked < 8_000


def known_size(study):
    checked = check_study(study)
    return genes_and_samples(checked, checked.tasks["blood"], "blood")


def test_genes_and_samples_are_counted_in_the_matrix_or_in_partitions(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    measured = {"reference": {"fasta": "g.fa", "annotation": "g.gtf"}, "cohort": {"vcf": ["c.vcf.gz"]}}
    study = {key: value for key, value in EXPRESSION.items() if key != "simulate"} | measured
    study["tasks"] = {"blood": EXPRESSION["tasks"]["blood"] | {"expression": "matrix.tsv"}}
    assert expression_hours(study) == [None, None]
    Path("matrix.tsv").write_text("gene_id\ta\tb\tc\n" + "G\t1\t2\t3\n" * 500)
    assert known_size(study) == (500, 3)
    assert expression_hours(study) == pytest.approx([6_000, 3_000], rel=0.03)
    study["tasks"] = {"blood": EXPRESSION["tasks"]["blood"] | {"hackathon": {"folder": "files"}}}
    study = {key: value for key, value in study.items() if key not in ("reference", "cohort")}
    assert known_size(study) is None
    Path("files").mkdir()
    Path("files/partitions.csv").write_text("sample,gene\nref,G1\nann,G1\nbob,G1\nann,G2\n")
    assert known_size(study) == (2, 2)


@pytest.mark.parametrize(
    ("name", "gpu"),
    [
        ("l40", "l40"),
        ("L40S", "l40s"),
        ("NVIDIA_L40", "l40"),
        ("nvidia-a100-sxm4-80gb", "a100"),
        ("l4000", None),
        ("", None),
    ],
)
def test_a_gpu_is_known_by_its_name(name, gpu):
    assert plan.known_gpu(name) == gpu
    assert plan.gpu_of(name) == GPUS[gpu or "l40"]


def test_no_attempt_asks_for_more_than_the_queue_allows(jobs):
    """24 h times 1.5 and an hour are 37 h: twice that is more than 48 h."""
    (job,) = [job for job in jobs if job.name == "rnaseq/genos/published/seed1"]
    day = job._replace(need=job.need._replace(hours=24))
    assert [plan.minutes(day, attempt) / 60 for attempt in (1, 2, 3)] == [37, 48, 48]
    assert [plan.minutes(day, attempt, 40 * 60) / 60 for attempt in (1, 2)] == [37, 40]
    assert plan.minutes(day, 1, 600) == 600
    assert [plan.minutes(job._replace(need=None), attempt) / 60 for attempt in (1, 2, 5)] == [12, 24, 48]


def test_lengths_of_contigs_come_from_the_index_beside_the_fasta(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = {key: value for key, value in STUDY.items() if key != "simulate"}
    study["reference"] = {"fasta": "genome.fa"}
    study["tracks"] = {"b": {"biosample": "B", "replicates": ["b.bw"]}}
    study = check_study(study)
    assert contig_lengths(study) is None
    Path("genome.fa.fai").write_text("chr1\t400000\t6\t60\t61\nchr2\t200000\t6\t60\t61\n")
    assert contig_lengths(study) == {"chr1": 400_000, "chr2": 200_000}
    assert training_windows(study, 32768, 16384) == 24
    assert json.dumps(plan.table(plan.plan(study, {}, None), None))


def test_every_model_of_the_ladder_is_planned_in_operations_hours_and_gigabytes():
    sizes = ("14M", "31M", "70M", "160M", "310M")
    families = {family: {"family": family} for family in ("wavelet", "rwkv7", "mamba", "hyenadna", "olmo")}
    families["rwkv7"]["carry_state_bp"] = 65536
    families |= {"small": {"family": "small", "config": {"causal": True}}, "dit": {"family": "dit"}}
    made = {"corpus": "c", "length": 1024, "steps": 1000, "batch": 8, "bf16": True}
    study = {
        "study": "ladder",
        "corpora": {"c": {"sources": [{"path": "c.fa"}]}},
        "tasks": {"t": {"kind": "language", "corpus": "c", "contexts": [64], "scored": 32}},
        "models": {
            f"{name}_{size}": {"pretrain": {**own, **made, "size": size}}
            for name, own in families.items()
            for size in sizes
        },
        "adaptations": {"a": {"kind": "zero-shot"}},
        "runs": [{"tasks": ["t"], "models": "all", "adaptations": ["a"]}],
    }
    header, *rows = plan.table(plan.plan(check_study(study), {}, "l40"), "l40")
    known = {row[0]: dict(zip(header, row)) for row in rows}
    for name in families:
        found = [known[f"models/{name}_{size}/seed1"] for size in sizes]
        for column in ("flop", "gpu_hours", "gpu_gb", "memory_gb", "disk_gb"):
            values = [float(row[column].replace(",", "")) for row in found]
            assert all(value > 0 for value in values) and values[0] < values[-1], (name, column)
        carried = "65536" if name == "rwkv7" else "1024"
        assert {(row["trained_through_bp"], row["carried_bp"]) for row in found} == {("1024", carried)}


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_shipped_study_can_be_planned_before_its_files_are_there(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    listed = read_checkpoints(ROOT / "config/models.yaml")
    study = read_study(path)
    header, *rows = plan.table(plan.plan(study, listed, None), None)
    fits = {row[header.index("fits")] for row in rows}
    only_baselines = all(model.baseline for model in study.models.values())
    assert bool(rows) != only_baselines and fits <= {"yes", "?"}
    if path.stem.startswith("context_"):
        assert fits == {"yes"} and any(row[0].startswith("predict/context/") for row in rows)


def test_the_profile_of_pbs_plans_for_an_l40():
    settings = yaml.safe_load((ROOT / "profiles/pbs/config.yaml").read_text())["default-resources"]
    assert plan.known_gpu(settings.get("planned_gpu") or settings["gpu_model"]) == "l40"
