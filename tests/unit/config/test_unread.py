"""Every key that is accepted is read, or refused: key by key, for every kind of task and adaptation."""

import pytest
from glmflow.config import ConfigurationError, check_study
from glmflow.config.adaptations import OPTIONAL, Adaptation, Training
from glmflow.config.baselines import BASELINES
from glmflow.config.blocks import TRAINED, kind_of
from glmflow.config.heads import HEADS
from glmflow.config.losses import LOSSES
from glmflow.config.settings import adaptation_settings
from glmflow.config.tasks import KINDS
from glmflow.config.unread import unread

KINDS_OF_ADAPTATION = Adaptation.model_fields["kind"].annotation.__args__
LORA = {"rank": 4, "alpha": 4, "dropout": 0.1, "targets": ["q"], "experts": True}
REQUIRED = {
    "sequences": {"table": "t.tsv"},
    "base_labels": {"segments": "s.bed"},
    "context_extension": {"contexts": [2048], "recall": {"distances": [512]}},
    "variant_effects": {"truth": {"contigs": ["chr2"]}},
    "seq2cellxtf": {"simulated": {}},
    "region_expression": {"simulated": {}},
    "language": {"corpus": "c"},
    "generation": {"corpus": "c", "gate": {"acknowledged": "nothing is drawn in a test"}},
    "gene_completion": {"panel": "genes.csv"},
    "described_dna": {"pairs": "pairs.jsonl"},
    "diagnosis": {"simulated": {}},
}


def task_of(kind):
    name = kind_of(kind)
    return kind.model_validate({"kind": name, **REQUIRED.get(name, {})})


def values():
    """A value that is not the default for every key of an adaptation, as dotted keys."""
    yield from ((f"train.{key}", value) for key, value in (("crop", 100), ("reverse_complement", True), ("steps", 3)))
    yield from (("train.examples", 0.5), ("train.folds", 4), ("protocol", "hyenadna"), ("layer", 2))
    yield from (("personal.people", 3), ("personal.shift", 2), ("weights", "random"), ("sweep", {"steps": [1, 2]}))
    yield from LORA.items()
    yield from (("head", kind_of(head)) for head in HEADS)
    yield from (("loss", kind_of(loss)) for loss in LOSSES)


def adaptation_with(kind, key, value):
    block, _, name = key.partition(".")
    return {"kind": kind, block: {name: value} if name else value}


def test_the_walk_meets_every_key():
    met = {key.partition(".")[0] for key, _ in values()} | {"kind"}
    assert met == set(Adaptation.model_fields)
    assert {key.partition(".")[2] for key in OPTIONAL if key.startswith("train.")} <= set(Training.model_fields)


@pytest.mark.parametrize("kind", KINDS, ids=kind_of)
@pytest.mark.parametrize("adaptation", KINDS_OF_ADAPTATION)
def test_a_key_that_is_set_changes_what_a_run_depends_on_or_is_refused(kind, adaptation):
    task = task_of(kind)
    if adaptation not in task.adaptations:
        return
    plain = adaptation_settings(Adaptation(kind=adaptation), task)
    for key, value in values():
        given = adaptation_with(adaptation, key, value)
        try:
            block = Adaptation.model_validate(given)
        except ValueError:  # refused by the block itself, whatever the task
            continue
        refused = dict(unread(block, task))
        if key in ("head", "loss"):
            default = plain.get(key) and plain[key]["kind"] == value
            assert refused or default or adaptation_settings(block, task)[key]["kind"] == value, (key, value)
        elif key == "sweep":
            assert (key in refused) == (adaptation not in TRAINED)
        else:
            read = adaptation_settings(block, task) != plain
            assert read != (key in refused or key.partition(".")[0] in refused), (key, refused)


def test_a_metric_chooses_where_it_is_reported():
    tasks = {
        kind: task_of(next(block for block in KINDS if kind_of(block) == kind)) for kind in ("sequences", "snp2gex")
    }
    chosen = {
        name: dict(unread(Adaptation(kind="full", train={"best_by": "mcc", "keep": "best"}), task))
        for name, task in tasks.items()
    }
    assert chosen["sequences"] == {} and "train.best_by" in chosen["snp2gex"]
    last = Adaptation(kind="full", train={"best_by": "mcc"})
    assert "keep: best" in dict(unread(last, tasks["sequences"]))["train.best_by"]
    swept = Adaptation(kind="full", train={"best_by": "mcc"}, sweep={"learning_rate": [0.1, 0.2]})
    assert not dict(unread(swept, tasks["sequences"]))


def test_a_metric_is_among_those_of_the_values():
    tasks = {"sequences": task_of(next(block for block in KINDS if kind_of(block) == "sequences"))}
    values = task_of(type(tasks["sequences"])).model_copy(update={"labels": "values"})
    assert "loss, pearson" in dict(unread(Adaptation(kind="full", train={"best_by": "mcc"}), values))["train.best_by"]


@pytest.mark.parametrize(
    ("task", "adaptation", "where"),
    [
        ({"kind": "rnaseq_tracks"}, {"kind": "full", "personal": {"shift": 3}}, "personal.shift"),
        ({"kind": "rnaseq_tracks"}, {"kind": "full", "head": {"bins": 4}}, "head"),
        ({"kind": "rnaseq_tracks"}, {"kind": "full", "rank": 4}, "rank"),
        ({"kind": "rnaseq_tracks"}, {"kind": "full", "loss": "mixed"}, "loss"),
        ({"kind": "snp2gex"}, {"kind": "full", "head": {"kind": "linear"}}, "head"),
        ({"kind": "snp2gex"}, {"kind": "full", "train": {"crop": 100}}, "train.crop"),
        ({"kind": "snp2gex"}, {"kind": "probe", "personal": {"shift": 3}}, "personal.shift"),
        ({"kind": "snp2gex"}, {"kind": "probe", "train": {"reverse_complement": True}}, "train.reverse_complement"),
        ({"kind": "rnaseq_tracks"}, {"kind": "baseline", "train": {"steps": 3}}, "train"),
        ({"kind": "rnaseq_tracks"}, {"kind": "baseline", "head": {"kind": "linear"}}, "head"),
        ({"kind": "context_extension", **REQUIRED["context_extension"]}, {"kind": "zero-shot", "rank": 4}, "rank"),
        ({"kind": "context_extension", **REQUIRED["context_extension"]}, {"kind": "zero-shot", "train": {}}, "train"),
    ],
)
def test_what_was_silently_ignored_is_refused_with_its_place(task, adaptation, where):
    baseline = "mean_track" if task["kind"] == "rnaseq_tracks" else "gene_mean"
    model = {"baseline": {"kind": baseline}} if adaptation["kind"] == "baseline" else {"checkpoint": "some/folder"}
    raw = {
        "study": "s",
        "simulate": {"cohort": {"contigs": {"chr1": 200000, "chr2": 90000}}},
        "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
        "tasks": {"t": task},
        "models": {"m": model},
        "adaptations": {"a": adaptation},
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]}],
    }
    with pytest.raises(ConfigurationError) as caught:
        check_study(raw)
    (line,) = caught.value.problems
    assert line.startswith(f"configuration: adaptations.a.{where}: does nothing for task 't'")


def study_of(model, adaptation):
    return {
        "study": "s",
        "simulate": {"cohort": {"contigs": {"chr1": 200000, "chr2": 90000}}},
        "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
        "tasks": {"t": {"kind": "rnaseq_tracks"}},
        "models": {"m": model},
        "adaptations": {"a": adaptation},
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]}],
    }


def test_random_weights_of_a_model_that_has_no_others_are_refused():
    new, small = {"new": {"family": "dilated_cnn"}}, {"pretrain": {"family": "small", "length": 128, "steps": 3}}
    with pytest.raises(ConfigurationError, match=r"adaptations\.a\.weights: does nothing: m is `new`"):
        check_study(study_of(new, {"kind": "full", "weights": "random"}))
    assert check_study(study_of(small, {"kind": "full", "weights": "random"}))
    assert check_study(study_of(new, {"kind": "probe", "weights": "random"}))


def test_weights_are_shared_out_among_several_gpus_alone():
    new = {"new": {"family": "dilated_cnn"}}
    with pytest.raises(ConfigurationError, match=r"train\.parallel: does nothing .* one GPU holds the whole model"):
        check_study(study_of(new, {"kind": "full", "train": {"parallel": "fsdp"}}))
    assert check_study(study_of(new, {"kind": "full", "train": {"parallel": "fsdp", "gpus": 2, "batch": 8}}))


CANDIDATES = (3, 64, 9.0, 0.2, True, False, "barcodes", "minus", "cell", "pathway", "network", [2, 5], ["network"])
"""Values, one of which every setting of a baseline takes."""
EVERY_SETTING = sorted({key for baseline in BASELINES for key in baseline.model_fields} - {"kind"})


def taken(baseline, key, others):
    """Return a value that a baseline takes for a key and that is not its default."""
    for value in CANDIDATES:
        try:
            made = baseline.model_validate({"kind": kind_of(baseline), **others, key: value})
        except ValueError:
            continue
        if getattr(made, key) == value and value != baseline.model_fields[key].default:
            return value
    raise AssertionError(f"{kind_of(baseline)}.{key} takes none of the values that are tried: add one")


@pytest.mark.parametrize("baseline", BASELINES, ids=kind_of)
def test_a_baseline_takes_its_own_settings_alone(baseline):
    own = set(baseline.model_fields) - {"kind"}
    least = {"kind": kind_of(baseline)}
    for key in sorted(own, key=lambda key: not baseline.model_fields[key].is_required()):
        value = taken(baseline, key, least)
        if baseline.model_fields[key].is_required():
            least[key] = value
    baseline.model_validate(least)
    for key in set(EVERY_SETTING) - own:
        for value in CANDIDATES:
            with pytest.raises(ValueError, match=key):
                baseline.model_validate(least | {key: value})


def test_the_loss_of_a_task_is_refused_where_only_baselines_are_run():
    raw = {
        "study": "s",
        "simulate": {"cohort": {"contigs": {"chr1": 200000, "chr2": 90000}}},
        "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
        "tasks": {"t": {"kind": "rnaseq_tracks", "loss": "poisson"}},
        "models": {"m": {"baseline": {"kind": "mean_track"}}},
        "adaptations": {"a": {"kind": "baseline"}},
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]}],
    }
    with pytest.raises(ConfigurationError, match=r"tasks\.t\.loss: does nothing"):
        check_study(raw)


def test_losses_are_taken_from_the_adaptation_then_the_task_then_the_target():
    def loss_of(adaptation, **task):
        block = next(kind for kind in KINDS if kind_of(kind) == "rnaseq_tracks")
        settings = block.model_validate({"kind": "rnaseq_tracks", **task})
        return adaptation_settings(Adaptation.model_validate({"kind": "full", **adaptation}), settings)["loss"]

    assert loss_of({}) == {"kind": "mse"}
    assert loss_of({}, loss="poisson") == {"kind": "poisson"}
    assert loss_of({"loss": {"kind": "tweedie", "power": 1.5}}, loss="poisson") == {"kind": "tweedie", "power": 1.5}
    # As version 0.1.0 wrote it.
    assert loss_of({}, loss="tweedie", tweedie_power=1.7) == {"kind": "tweedie", "power": 1.7}
    earlier = Adaptation.model_validate({"kind": "full", "personal": {"loss": "mixed", "weight": 0.3, "shift": 2}})
    assert earlier.loss.weight == 0.3 and earlier.personal.shift == 2


def test_a_mixed_study_refuses_no_key_that_its_own_pair_reads():
    raw = {
        "study": "s",
        "simulate": {"cohort": {"contigs": {"chr1": 200000, "chr2": 90000}}},
        "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
        "tasks": {"t": {"kind": "rnaseq_tracks"}, "g": {"kind": "snp2gex"}},
        "models": {"m": {"new": {"family": "promoter_cnn"}}},
        "adaptations": {"a": {"kind": "full", "train": {"crop": 512}}, "b": {"kind": "full", "personal": {"shift": 3}}},
        "runs": [
            {"tasks": ["t"], "models": ["m"], "adaptations": ["a"]},
            {"tasks": ["g"], "models": ["m"], "adaptations": ["b"]},
        ],
    }
    assert len(check_study(raw).expanded[0]) == 2
