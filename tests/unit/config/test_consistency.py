"""What is wrong only where several blocks are seen together is refused before any job starts."""

import pytest
from changed_study import changed
from glmflow.config import ConfigurationError, applied_runs, check_study

STUDY = {
    "study": "trial",
    "simulate": {"cohort": {"contigs": {"chr1": 56_000, "chr2": 40_000}, "population": {"people": {"a": 7, "b": 5}}}},
    "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
    "tasks": {
        "rna": {"kind": "rnaseq_tracks", "windows": {"size": 8192, "overlap": 1024}, "trim": 0},
        "gex": {"kind": "snp2gex", "windows": {"size": 8192}},
    },
    "models": {
        "enet": {"baseline": {"kind": "elastic_net"}},
        "mean": {"baseline": {"kind": "mean_track"}},
        "net": {"new": {"family": "promoter_cnn"}},
    },
    "adaptations": {"baseline": {"kind": "baseline"}, "full": {"kind": "full"}},
    "runs": [{"tasks": ["gex"], "models": ["enet", "net"], "adaptations": ["baseline", "full"]}],
}
SIMULATED = "results/trial/simulated/cohort.vcf.gz"


def study(**changes):
    """The study with values at dotted keys (`__` for a dot) changed."""
    return changed(STUDY, changes)


def expression(**keys):
    return {"predict": {"p": {"write": "expression", "vcf": SIMULATED, **keys}}}


def problems(raw):
    with pytest.raises(ConfigurationError) as caught:
        check_study(raw)
    return [line.removeprefix("configuration: ") for line in caught.value.problems]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"models__Net": {"new": {"family": "promoter_cnn"}}},
            "models.Net: differs from 'net' in case only, and some disks take both for one: rename it",
        ),
        (
            {"tasks__gex__people": {"validation": 0.6, "test": 0.6}},
            "tasks.gex.people: with validation 0.6 and test 0.6 none are left to train on",
        ),
        (
            {"tasks__gex__people": {"validation": 0.7}},
            "tasks.gex.people: with validation 0.7 and test 0.3 none are left",
        ),
        (
            {"tasks__gex__people": {"by": "population", "test_populations": ["a"], "validation": 1}},
            "tasks.gex.people: with validation 1 none are left",
        ),
        (
            {"tasks__gex__genes": {"by": "random", "validation": 0.5, "test": 0.5}},
            "tasks.gex.genes: with validation 0.5 and test 0.5 none are left",
        ),
        (
            {"splits": {"by": "block", "block": 20_000, "gap": 8192, "validation": 0.3, "test": 0.8}},
            "splits: with validation 0.3 and test 0.8 none are left",
        ),
        (
            {"tasks__rna__windows__size": 60_000},
            "tasks.rna.windows.size: windows of 60000 are longer than every simulated contig, the longest of which is "
            "chr1 (56000)",
        ),
        ({"tasks__gex__windows__size": 63_000}, "tasks.gex.windows.size: windows of 63000 are longer than every"),
        (
            expression(models=["enet"]),
            "predict.p: no run that can write it: expression takes a model trained on snp2gex",
        ),
        (
            expression() | {"runs": [{"tasks": ["gex"], "models": ["enet"], "adaptations": ["baseline"]}]},
            "baselines leave no model; add one to `runs`",
        ),
        (
            {"predict": {"p": {"write": "means"}}},  # a task of coverage, without a run
            "predict.p: no run that can write it: means takes a model trained on rnaseq_tracks",
        ),
        (
            expression(sample=["S0012", "S0013"]),
            "predict.p.sample.1: no sample 'S0013' is simulated; samples are S0001 to S0012",
        ),
        (expression(sample="NA12878"), "predict.p.sample: no sample 'NA12878' is simulated"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(changes, expected):
    (line,) = problems(study(**changes))
    assert expected in line


@pytest.mark.parametrize(
    "changes",
    [
        {"tasks__gex__people": {"validation": 0.6, "test": 0.3}},
        {"tasks__gex__people": {"by": "population", "test_populations": ["a"], "validation": 0.8}},
        {"tasks__rna__windows__size": 56_000},
        {"tasks__gex__windows__size": 62_000},  # a tenth of it may be N
        expression(models=["enet", "net"], sample="S0012"),
        expression(vcf="others.vcf.gz", sample="NA12878"),
    ],
)
def test_what_can_be_done_is_not(changes):
    check_study(study(**changes))


def test_a_prediction_is_written_by_the_trained_models_of_its_task():
    found = check_study(study(**expression()))
    assert [run.label for run in applied_runs(found, found.predict["p"])] == ["gex/net/full/seed1"]


def test_simulated_people_are_named_as_the_configuration_says(tmp_path):
    from glmflow.simulate.cohort import _samples

    settings = check_study(STUDY).simulate.cohort
    table = _samples(settings)
    assert table["sample"].tolist() == settings.population.names
    assert table["sample"].iloc[[0, -1]].tolist() == ["S0001", "S0012"] and len(table) == 12


def test_pretraining_on_the_genome_needs_its_training_regions():
    sequences = {"kind": "sequences", "table": "t.csv"}
    own = {
        "models": {"lm": {"pretrain": {"family": "small"}}},
        "tasks": {"t": sequences},
        "runs": [{"tasks": ["t"], "models": ["lm"], "adaptations": ["full"]}],
    }
    raw = {key: value for key, value in STUDY.items() if key != "splits"} | own
    assert problems(raw) == [
        "models.lm.pretrain: pretrained on the training regions of the genome: give `splits`, or `corpus`"
    ]
    check_study(raw | {"splits": STUDY["splits"]})
