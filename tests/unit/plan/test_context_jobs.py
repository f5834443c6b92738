"""The plan of a context study: extended models at their whole length, what is asked of them, fixes that exist there."""

import pytest
from glmflow.config import check_study
from glmflow.plan import jobs as plan
from glmflow.plan.resources import shape_of_listed

LENGTH, ORIGINAL, FACTOR, LAYERS, HIDDEN = 4096, 512, 8, 2, 64
LISTED = {"genos-1.2b": {"family": "genos", "parameters": 1_246_094_336, "context_bp": 1_048_576}}
LISTED["genos-1"] = {"family": "genos", "parameters": 1, "context_bp": 1}


def study(**changed):
    small = {"family": "small", "config": {"context": ORIGINAL, "num_layers": LAYERS, "hidden_size": HIDDEN}}
    recall = {"distances": [512, 2000], "variants": ["exact"], "trials": 10}
    tuned = {"model": "base", "method": "yarn", "factor": FACTOR, "steps": 10, "length": LENGTH, "batch": 3}
    return check_study(
        {
            "study": "s",
            "simulate": {"repeats": {"seed": 1, "contigs": {"a": 50_000, "b": 50_000, "c": 50_000}}},
            "splits": {"by": "contig", "train": ["a"], "validation": ["b"], "test": ["c"]},
            "tasks": {
                "context": {
                    **{"kind": "context_extension", "contexts": [1024, LENGTH], "scored": 96, "examples": 7},
                    "recall": recall,
                }
            },
            "models": {"base": {"pretrain": {**small, "length": 128}}, "tuned": {"extend": {**tuned, **changed}}},
            "adaptations": {"as_it_is": {"kind": "zero-shot"}},
            "runs": [{"tasks": ["context"], "models": ["base", "tuned"], "adaptations": ["as_it_is"]}],
        }
    )


def jobs_of(study, checkpoints=None):
    return {job.name: job for job in plan.plan(study, checkpoints or {}, "l40")}


def products(parameters, length, row):
    """Multiplications of a pass: every weight, and scores and values of each layer, for each token."""
    return length * (parameters + LAYERS * 2 * HIDDEN * row)


def hours(products):
    return 2 * products / (0.3 * 181e12) / 3600


def test_an_extended_model_attends_over_its_whole_length():
    job = jobs_of(study(bf16=True))["models/tuned/seed1"]
    forward = products(job.shape.parameters, LENGTH, LENGTH)
    assert job.need.hours == pytest.approx(hours(3 * forward * 3 * 10))  # forward and backward, batch, updates


def test_what_is_asked_of_a_model_is_planned():
    job = jobs_of(study())["predict/context/tuned/as_it_is/seed1"]
    size = job.shape.parameters
    asked = 7 * (products(size, 1024, 1024) + products(size, LENGTH, LENGTH))
    asked += 10 * (1 + 2) * products(size, LENGTH, LENGTH)  # a control, and a copy at two distances
    assert job.need.hours == pytest.approx(hours(asked))
    assert job.need.weights_mb == pytest.approx(2 * size / 2**20) and job.need.trainable == 0
    rows = {row[0]: row for row in plan.table([job], "l40")}
    assert rows[job.name][-1] == "yes"


def test_models_that_are_asked_beside_the_tasks_are_made_and_planned():
    raw = study().model_dump(mode="json", exclude_unset=True)
    raw["runs"][0]["models"] = ["base"]
    raw["variant_scores"] = {"mine": {"vcf": "v.vcf.gz", "models": ["tuned"], "window": 256}}
    jobs = jobs_of(check_study(raw))
    assert {"models/base/seed1", "models/tuned/seed1", "predict/context/base/as_it_is/seed1"} < set(jobs)
    job = jobs["predict/variant_scores/mine/tuned/seed1"]
    assert job.need.hours is None and plan.minutes(job) == plan.UNKNOWN_MINUTES  # nobody has counted the variants
    assert job.need.weights_mb == pytest.approx(2 * job.shape.parameters / 2**20) and job.shape.context == LENGTH
    assert {row[0]: row[-1] for row in plan.table([job], "l40")}[job.name] == "yes"


def test_a_folder_that_is_not_there_has_the_size_of_the_listed_model_it_is_named_after():
    for name, parameters in (("genos-1.2b-8k/", 1_246_094_336), ("genos-1.2b/", 1_246_094_336), ("mine/", None)):
        asked = study(original_length=8192)
        asked.models["base"] = asked.models["base"].model_copy(
            update={"pretrain": None, "checkpoint": f"resources/models/{name}"}
        )
        shape = jobs_of(asked, LISTED)["models/tuned/seed1"].shape
        assert (shape and shape.parameters) == parameters
        assert shape is None or shape.context == 8 * 8192


def test_the_context_of_a_listed_model_is_counted_in_tokens():
    listed = {"family": "nucleotide_transformer", "parameters": 492_040_203, "context_bp": 12_282}
    assert shape_of_listed(listed).context == 2047


def test_fixes_of_an_extension_are_its_own_keys():
    tuned = {"length": 2**21, "factor": 4096, "micro_batch": 3}
    (line,) = [line for line in plan.problems(list(jobs_of(study(**tuned)).values()), "l40") if "models/" in line]
    assert line.startswith("models/tuned: needs about") and "in models.tuned.extend: " in line
    assert "length: " in line and "fsdp" not in line and "crop" not in line and "gpus" not in line
