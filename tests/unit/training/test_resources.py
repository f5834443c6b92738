import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from glmflow.config import check_study
from glmflow.config.adaptations import Adaptation
from glmflow.models import new_model
from glmflow.models.heads import LinearTrackHead, TrackHead
from glmflow.models.registry import read_config, recognise
from glmflow.training import plan, plan_cohort
from glmflow.training.resources import (
    GPUS,
    example_products,
    head_parameters,
    kept_per_example,
    mends,
    need,
    shape_of,
    shape_of_folder,
    shape_of_listed,
)
from running import ROOT

torch.set_num_threads(1)

GENOS = {
    "model_type": "mixtral",
    "vocab_size": 128,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 12,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
}


def adaptation(kind="full", **train):
    return Adaptation.model_validate({"kind": kind, "train": train})


def test_genos_with_its_track_head_has_the_published_number_of_parameters():
    assert shape_of(GENOS).parameters + head_parameters("track", 1024, 1) == 1_246_799_874


def test_a_token_of_a_mixture_meets_two_of_eight_experts():
    expert = 12 * 3 * 1024 * 4096
    shape = shape_of(GENOS)
    assert shape.parameters - shape.active == 6 * expert and shape.inner == 2 * 4096


@pytest.mark.parametrize("kind", [TrackHead, LinearTrackHead])
def test_parameters_of_heads(kind):
    name = {TrackHead: "track", LinearTrackHead: "linear"}[kind]
    for hidden, tracks in ((64, 3), (50, 1)):
        assert head_parameters(name, hidden, tracks) == sum(p.numel() for p in kind(hidden, tracks).parameters())


@pytest.mark.parametrize(
    ("family", "config"),
    [
        ("small", {}),
        ("small", {"hidden_size": 48, "num_layers": 3, "num_heads": 4, "convolution": 5}),
        ("small", {"convolution": 0, "mlp_ratio": 2}),
        ("dilated_cnn", {}),
        ("dilated_cnn", {"channels": [8, 16, 32], "blocks": 3}),
        ("promoter_cnn", {}),
        ("promoter_cnn", {"filters": 7, "channels": 20, "width": 11, "reach": 3}),
    ],
)
def test_parameters_of_home_made_models_are_exact(family, config):
    assert shape_of(config, family).parameters == built(family, config)[1]


def built(family, config):
    model = new_model(family, config)
    model.drop_head()
    return model.train(), sum(parameter.numel() for parameter in model.parameters())


def kept_by_autograd(model, tokens):
    """Bytes of the tensors that autograd saves for one sequence, each storage once, without weights and buffers."""
    own = {value.untyped_storage().data_ptr() for value in [*model.parameters(), *model.buffers()]}
    seen = {}

    def pack(value):
        storage = value.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = (storage.nbytes(), value)  # the tensor too, or its address is used again
        return value

    ids = torch.randint(5, max(6, model.card.vocab_size), (1, tokens))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        states = model(ids).last_hidden_state.square().mean()
    assert states.requires_grad
    return sum(size for size, _ in seen.values())


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        *("aido-dna", "caduceus-ph", "dnabert2", "evo2", "gena-bert", "gena-bigbird", "generator", "genos", "grover"),
        *("hyenadna", "modernbert", "nt-v1", "nt-v2", "olmo-bpe", "omni-dna"),
    ],
)
def test_every_family_is_estimated_within_a_quarter(test_data, name):
    folder = test_data / "parity" / name
    config = read_config(folder)
    family = recognise(config, where=folder).name
    model, parameters = built(family, config)
    shape = shape_of(config, family)
    assert shape.parameters == pytest.approx(parameters, rel=0.25)
    tokens = min(model.card.context_tokens or 256, 256)
    estimate = kept_per_example(shape, round(tokens * shape.bases_per_token), adaptation().train, "full")
    assert estimate == pytest.approx(kept_by_autograd(model, tokens), rel=0.25)


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize(
    ("family", "config"),
    [
        ("small", {"hidden_size": 96, "num_layers": 4, "num_heads": 4, "context": 512, "mlp_ratio": 2}),
        ("dilated_cnn", {"channels": [16, 32, 48], "blocks": 6}),
        ("promoter_cnn", {"filters": 12, "channels": 32}),
    ],
)
def test_what_is_kept_is_estimated_at_sizes_it_was_not_counted_at(family, config, checkpointing):
    model, _ = built(family, config)
    train = adaptation(gradient_checkpointing=checkpointing).train
    if checkpointing and family in ("dilated_cnn", "promoter_cnn"):
        pytest.skip("its blocks are too small to be worth it")
    if checkpointing:
        model.gradient_checkpointing_enable()
    estimate = kept_per_example(shape_of(config, family), 512, train, "full")
    if checkpointing:  # autograd keeps the inputs of the layers; one layer comes alive only in the backward pass
        one = {**config, "num_layers": 1}
        plain = adaptation().train
        estimate -= kept_per_example(shape_of(one, family), 512, plain, "full") - 4 * 512 * 96 * 3.6
    assert estimate == pytest.approx(kept_by_autograd(model, 512), rel=0.15)


def test_a_checkpoint_folder_is_counted_by_the_headers_of_its_files(tmp_path):
    model = new_model("small", {"hidden_size": 32})
    model.save(tmp_path / "model")
    shape = shape_of_folder(tmp_path / "model")
    assert shape.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert (shape.family, shape.hidden, shape.layers) == ("small", 32, 2)


def test_a_listed_checkpoint_of_which_only_the_parameters_are_known():
    shape = shape_of_listed({"family": "nucleotide_transformer", "parameters": 2_537_291_785})  # 2,560 wide, 32 deep
    assert shape.parameters == 2_537_291_785
    assert shape.hidden == pytest.approx(2560, rel=0.1) and shape.layers == pytest.approx(32, rel=0.2)
    assert shape_of_listed({"family": "genos"}) is None


def test_memory_of_training_by_hand():
    """1 M parameters in float32 with AdamW: 4 bytes each for weights and gradients, 8 for the two moments."""
    shape = shape_of({}, "small")._replace(parameters=10**6, active=10**6)
    found = need(shape, adaptation(optimizer="adamw"), 512, 1, 100, GPUS["l40"])
    n = 10**6 + head_parameters("track", 64, 1)
    assert found.parameters == found.trainable == n
    assert [found.weights_mb, found.gradients_mb, found.optimizer_mb] == pytest.approx(
        [4 * n / 2**20, 4 * n / 2**20, 8 * n / 2**20]
    )


def test_what_saves_memory_saves_memory():
    shape, gpu = shape_of({"hidden_size": 1024, "num_layers": 24, "context": 32768}, "small"), GPUS["l40"]

    def gigabytes(length=32768, kind="full", **train):
        return need(shape, adaptation(kind, **train), length, 1, None, gpu).gpu_mb / 1024

    plain = gigabytes()
    for settings in (
        {"bf16": True},
        {"gradient_checkpointing": True},
        {"length": 16384},
        {"kind": "lora", "gradient_checkpointing": True},
        {"kind": "probe"},
        {"parallel": "fsdp", "gpus": 4},
    ):
        assert gigabytes(**settings) < plain, settings
    assert gigabytes(gpus=4) == plain, "a copy of the model on each GPU saves nothing"
    assert gigabytes(micro_batch=2) > plain


def test_the_effective_batch_not_the_micro_batch_takes_time():
    shape, gpu = shape_of(GENOS), GPUS["l40"]

    def hours(**train):
        return need(shape, adaptation(bf16=True, **train), 32768, 1, 100, gpu).hours

    assert hours(batch=32) == hours(batch=32, micro_batch=4) == hours(batch=64) / 2
    assert hours(batch=32, gpus=4) == hours(batch=32) / 4


def test_the_mend_of_a_job_that_does_not_fit_makes_it_fit():
    shape, gpu = shape_of(GENOS), GPUS["l40"]
    asked = adaptation(bf16=True, micro_batch=1)
    assert need(shape, asked, 32768, 1, None, gpu).gpu_mb > gpu.memory_mb
    ways = mends(shape, asked, 32768, 1, gpu)
    assert ways[0] == "gradient_checkpointing: true"
    assert "gradient_checkpointing: true, parallel: fsdp, gpus: 2" in ways
    assert "kind: lora, gradient_checkpointing: true" in ways
    frugal = adaptation(bf16=True, micro_batch=1, gradient_checkpointing=True)
    assert need(shape, frugal, 32768, 1, None, gpu).gpu_mb <= gpu.memory_mb


def test_no_torch_is_loaded_for_a_plan():
    code = "import sys, glmflow.training.plan; print(sorted({'torch', 'transformers', 'pandas'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow/scripts")},
        check=True,
    )
    assert done.stdout.strip() == "[]"


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


def test_what_cannot_fit_is_named_once_with_its_mend(jobs):
    (line,) = plan.problems(jobs, "l40")
    assert line.startswith("rnaseq/genos/published: needs about 8") and "an L40 has 44 GB" in line
    assert "gradient_checkpointing: true" in line and "kind: lora" in line
    assert list(plan.problems(jobs, "h200")) == []


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


PERSONAL = {
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
        "probe": {"kind": "probe", "train": {"steps": 5, "micro_batch": 1, "reverse_complement": True}},
    },
    "runs": [{"tasks": ["blood"], "models": ["genos"], "adaptations": ["full", "probe"]}],
}


def personal_hours(study):
    """The planned hours of a prediction, and how many haplotypes that is."""
    jobs = {job.name: job for job in plan.plan(check_study(study), CHECKPOINTS, "l40")}
    each = 2 * example_products(shape_of(GENOS), 8192) / (90e12 * 0.3) / 3600
    hours = [jobs[f"predict/blood/genos/{kind}/seed1"].need.hours for kind in ("full", "probe")]
    return [None if found is None else found / each for found in hours]


def test_a_prediction_of_people_is_both_haplotypes_of_everyone_in_every_gene(tmp_path, monkeypatch):
    """40 + 20 + 20 genes, 50 people, 2 haplotypes: 8,000 windows; on both strands, which a probe does not read, 16,000."""
    monkeypatch.chdir(tmp_path)
    assert personal_hours(PERSONAL) == pytest.approx([16_000, 8_000], rel=0.01)
    # What was found to be there counts from then on: 4 genes and 4 people.
    (tmp_path / "results/people/examples").mkdir(parents=True)
    for name, rows in (("genes", 4), ("people", 4)):
        path = tmp_path / f"results/people/examples/blood.{name}.tsv"
        path.write_text("a\tb\n" + "x\ty\n" * rows)
    assert personal_hours(PERSONAL) == pytest.approx([64, 32])


def test_a_prediction_of_people_takes_the_memory_of_a_genes_haplotypes(tmp_path, monkeypatch):
    """Two for each of 50 people and 27 variants (8,192 / 300), six times, a byte a base and 16 places of 1,024 floats."""
    monkeypatch.chdir(tmp_path)

    def job(study):
        jobs = plan.plan(check_study(study), CHECKPOINTS, "l40")
        return next(job for job in jobs if job.name == "predict/blood/genos/full/seed1")

    known = job(PERSONAL)
    sequences, at_once = 6 * 127 * (8192 + 4 * 16 * 1024), 4 * 8192 * 16
    expected = 3000 + (8 * known.need.parameters + at_once + sequences) / 2**20
    assert plan.memory_mb(known) == pytest.approx(expected, abs=3)
    measured = {"reference": {"fasta": "g.fa", "annotation": "g.gtf"}, "cohort": {"vcf": ["c.vcf.gz"]}}
    study = {key: value for key, value in PERSONAL.items() if key != "simulate"} | measured
    study["tasks"] = {"blood": PERSONAL["tasks"]["blood"] | {"expression": "matrix.tsv"}}
    assert plan.memory_mb(job(study)) == 16_000, "how many people there are is not known"


def test_a_small_network_of_personal_expression_is_counted_with_all_of_its_head(tmp_path, monkeypatch):
    """The published network: 8,480 parameters, and for 50 places 50 + 49 + 49 * 64 + 65; 618 MB were measured."""
    monkeypatch.chdir(tmp_path)
    study = PERSONAL | {"models": {"net": {"new": {"family": "promoter_cnn"}}}}
    study["adaptations"] = {"full": PERSONAL["adaptations"]["full"] | {"head": {"bins": 50, "hidden": 64}}}
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


def test_genes_and_people_are_counted_in_the_matrix_or_in_partitions(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    measured = {"reference": {"fasta": "g.fa", "annotation": "g.gtf"}, "cohort": {"vcf": ["c.vcf.gz"]}}
    study = {key: value for key, value in PERSONAL.items() if key != "simulate"} | measured
    study["tasks"] = {"blood": PERSONAL["tasks"]["blood"] | {"expression": "matrix.tsv"}}
    assert personal_hours(study) == [None, None]
    Path("matrix.tsv").write_text("gene_id\ta\tb\tc\n" + "G\t1\t2\t3\n" * 500)
    assert plan_cohort.genes_and_people(check_study(study), "blood") == (500, 3)
    assert personal_hours(study) == pytest.approx([6_000, 3_000], rel=0.03)
    study["tasks"] = {"blood": PERSONAL["tasks"]["blood"] | {"hackathon": {"folder": "files"}}}
    study = {key: value for key, value in study.items() if key not in ("reference", "cohort")}
    assert plan_cohort.genes_and_people(check_study(study), "blood") is None
    Path("files").mkdir()
    Path("files/partitions.csv").write_text("sample,gene\nref,G1\nann,G1\nbob,G1\nann,G2\n")
    assert plan_cohort.genes_and_people(check_study(study), "blood") == (2, 2)


def test_main_memory_is_that_of_a_node():
    """Each process holds the model; a scheduler is asked for memory by node."""
    wanted = [adaptation(gpus=gpus, nodes=nodes) for gpus, nodes in ((1, 1), (1, 2), (4, 1), (4, 2))]
    one, two_nodes, four, both = (need(shape_of(GENOS), item, 8192, 1, None, GPUS["l40"]) for item in wanted)
    assert two_nodes.host_mb == one.host_mb and both.host_mb == four.host_mb
    assert four.host_mb == pytest.approx(4 * one.host_mb, abs=4)
    assert [found.gpus for found in (one, two_nodes, four, both)] == [1, 2, 4, 8]


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
    assert plan.contig_lengths(study) is None
    Path("genome.fa.fai").write_text("chr1\t400000\t6\t60\t61\nchr2\t200000\t6\t60\t61\n")
    assert plan.contig_lengths(study) == {"chr1": 400_000, "chr2": 200_000}
    assert plan.training_windows(study, 32768, 16384) == 24
    assert json.dumps(plan.table(plan.plan(study, {}, None), None))
