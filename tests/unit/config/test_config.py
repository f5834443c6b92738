import json
import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from changed_study import changed
from glmflow.config import (
    ConfigurationError,
    Study,
    check_study,
    document,
    expand_runs,
    read_study,
    run_settings,
    score_settings,
    settings_hash,
    study_of_trial,
    trials,
)
from glmflow.config.adaptations import Adaptation
from glmflow.config.corpus_blocks import CorpusSplit
from glmflow.config.models import EXTENSION_SETTINGS, Extend, Method
from glmflow.config.tasks.diagnosis import QuestionSplits
from glmflow.config.tasks.sequences import SequenceSplits
from glmflow.context.frequencies import METHODS, settings_of
from glmflow.context.patch import FIELD_SETTINGS
from glmflow.errors import InputError
from pydantic import ValidationError

ROOT = Path(__file__).resolve().parents[3]


def minimal():
    return {
        "study": "trial",
        "reference": {"fasta": "genome.fa"},
        "tracks": {"t": {"biosample": "b", "replicates": ["a.bw"]}},
        "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
        "tasks": {"rna": {"kind": "rnaseq_tracks"}},
        "models": {"mean": {"baseline": {"kind": "mean_track"}}, "cnn": {"new": {"family": "dilated_cnn"}}},
        "adaptations": {"baseline": {"kind": "baseline"}, "full": {"kind": "full"}},
        "runs": [{"tasks": ["rna"], "models": ["mean", "cnn"], "adaptations": ["baseline", "full"]}],
    }


def problems(raw):
    with pytest.raises(ConfigurationError) as caught:
        check_study(raw)
    return caught.value.problems


@pytest.mark.parametrize(
    "path", sorted([ROOT / "config/config.yaml", *(ROOT / "config/studies").glob("*.yaml")]), ids=lambda p: p.stem
)
def test_shipped_studies_are_valid(path):
    assert expand_runs(read_study(path))[0]


def test_runs_that_fit_are_expanded_and_the_others_explained():
    runs, misfits = expand_runs(check_study(minimal()))
    assert [(run.model, run.adaptation, run.seed) for run in runs] == [("mean", "baseline", 1), ("cnn", "full", 1)]
    assert {(misfit.model, misfit.adaptation) for misfit in misfits} == {("mean", "full"), ("cnn", "baseline")}
    assert all(misfit.reason for misfit in misfits)
    assert runs[0].folder("results/trial") == "results/trial/runs/rna/mean/baseline/seed1"


def test_all_mistakes_are_reported_at_once_with_their_fix():
    raw = minimal()
    raw["tasks"]["rna"]["windows"] = {"size": 1000, "overlap": 1000}
    raw["splitz"] = raw.pop("splits")
    raw["runs"][0]["models"] = ["meen"]
    found = problems(raw)
    assert len(found) == 4
    text = "\n".join(found)
    assert "unknown key 'splitz'; did you mean 'splits'?" in text
    assert "missing key 'splits'" in text
    assert "overlap 1000 is not smaller than size 1000" in text
    assert "runs.0.models.0: unknown model 'meen'; did you mean 'mean'?" in text


def test_mistakes_name_their_line(tmp_path):
    path = tmp_path / "study.yaml"
    raw = minimal()
    raw["adaptations"]["full"]["train"] = {"learning_rte": 0.1}
    path.write_text(yaml.safe_dump(raw, sort_keys=False))
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "learning_rte" in text)
    with pytest.raises(InputError) as caught:
        read_study(path)
    assert str(caught.value) == (
        f"{path}:{line}: adaptations.full.train.learning_rte: unknown key 'learning_rte'; did you mean 'learning_rate'?"
    )


def test_a_misspelt_kind_is_named_and_a_missing_one_asked_for():
    raw = minimal()
    raw["tasks"]["rna"]["kimd"] = raw["tasks"]["rna"].pop("kind")
    assert any("unknown key 'kimd'; did you mean 'kind'?" in line for line in problems(raw))
    del raw["tasks"]["rna"]["kimd"]
    assert any("tasks.rna: missing key 'kind'" in line for line in problems(raw))


def test_a_mistake_of_the_command_line_is_none_of_the_file(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(minimal()))
    raw = minimal() | {"data": ["geuvadi"]}
    with pytest.raises(ConfigurationError, match=r"no data set 'geuvadi'.* did you mean 'geuvadis'") as said:
        check_study(raw, path, given={"data"})
    assert str(said.value).startswith("--config data.0: no data set")
    with pytest.raises(ConfigurationError) as said:
        check_study(raw, path)
    assert str(path) in str(said.value)


def test_a_contig_in_two_splits_is_refused():
    raw = minimal()
    raw["splits"]["test"] = ["chr1"]
    assert any("'chr1' is in both train and test" in line for line in problems(raw))


def test_a_gap_shorter_than_a_window_is_refused():
    raw = minimal()
    raw["splits"] = {"by": "block", "block": 100_000, "gap": 5_000}
    assert any("gap 5000 is shorter than the windows" in line for line in problems(raw))


def hackathon(**blocks):
    task = {"kind": "snp2gex", "hackathon": {"folder": "files"}, **blocks}
    models = {"net": {"new": {"family": "promoter_cnn"}}, "mean": {"baseline": {"kind": "gene_mean"}}}
    return minimal() | {
        "tasks": {"gex": task},
        "models": models,
        "runs": [{"tasks": ["gex"], "models": list(models), "adaptations": ["baseline", "full"]}],
    }


def test_what_the_hackathons_files_decide_cannot_be_asked_of_them():
    said = {"windows": {"size": 8000}, "people": {"validation": 0.2, "seed": 2, "kinship": 0.2}}
    assert check_study(hackathon(**said)).tasks["gex"].people.validation == 0.2
    asked = {
        "preprocessing": {"hidden_factors": 10, "log": True},
        "people": {"by": "population", "test_populations": ["YRI"]},
        "genes": {"by": "random"},
    }
    found = problems(hackathon(**asked))
    keys = ["genes.by", "people.by", "people.test_populations", "preprocessing.hidden_factors", "preprocessing.log"]
    assert sorted(line.split(": ")[1] for line in found) == [f"tasks.gex.{key}" for key in keys]
    assert all("the hackathon's files decide it" in line for line in found)


def test_expression_is_not_read_off_a_model_that_nothing_was_trained_for():
    raw = hackathon()
    raw["models"]["given"] = {"checkpoint": "folder/x"}
    raw["adaptations"]["asis"] = {"kind": "zero-shot"}
    raw["runs"][0] |= {"models": ["given"], "adaptations": ["asis", "full"]}
    runs, misfits = expand_runs(check_study(raw))
    assert [run.adaptation for run in runs] == ["full"]
    assert "without a trained head" in misfits[0].reason


def test_unknown_track_and_two_origins():
    raw = minimal()
    raw["models"]["cnn"]["checkpoint"] = "folder/x"
    assert any("exactly one of" in line for line in problems(raw))
    raw = minimal()
    raw["tasks"]["rna"]["tracks"] = ["tt"]
    assert any("unknown track 'tt'; did you mean 't'?" in line for line in problems(raw))


def spoilt(**changes):
    """The smallest study with some values at dotted keys (`__` for a dot) changed."""
    return changed(minimal(), changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"models__mean__baseline__kind": "mean_trak"}, "unknown kind 'mean_trak'; did you mean 'mean_track'?"),
        ({"tasks__rna__kind": "rnaseq"}, "tasks.rna: unknown kind 'rnaseq'; did you mean 'rnaseq_tracks'?"),
        ({"study": "my study"}, "study: 'my study' cannot be part of a path"),
        ({"study": "s" * 101}, "cannot be part of a path; use letters, digits, '_', '.' and '-', at most 100"),
        ({"splits__train": [1]}, "splits.train.0: 1 is not text; put it into quotes"),
        ({"splits__train": "chr1"}, "splits.train: 'chr1' is not a list; write [chr1]"),
        ({"runs": None}, "runs: has no value"),
        ({"runs": []}, "runs: is empty"),
        ({"adaptations__full__train": {"steps": -3}}, "adaptations.full.train.steps: must be greater than 0, is -3"),
        ({"adaptations__full__train": {"warmup": -1}}, "adaptations.full.train.warmup: must be at least 0, is -1"),
        ({"adaptations__full__train": {"steps": 1.5}}, "1.5 is not a whole number"),
        ({"adaptations__full__train": {"bf16": "perhaps"}}, "'perhaps' is neither true nor false"),
        ({"adaptations__full__train": {"batch": 6, "micro_batch": 4}}, "batch 6 is not a multiple of 4"),
        ({"adaptations__full__train": {"crop": 65_536}}, "crop 65536 is longer than the windows of task 'rna' (32768)"),
        ({"tasks__rna__haplotypes": {"share": 0.5}}, "tasks.rna.haplotypes: no cohort: give `cohort:` with a VCF"),
        ({"predict": {"p": {"write": "tracks", "vcf": "a.vcf.gz"}}}, "a sample takes both: `vcf` and `sample`"),
        ({"predict": {"p": {"write": "variants"}}}, "`write: variants` takes a `vcf`"),
        ({"predict": {"p": {"write": "means", "span": 128}}}, "`span` is for `write: variants`"),
        ({"predict": {"p": {"write": "means", "models": ["cn"]}}}, "unknown model 'cn'; did you mean 'cnn'?"),
        ({"predict": {"p": {"write": "means", "tasks": ["rns"]}}}, "'rns' is no task whose models write means"),
        (
            {"predict": {"p": {"write": "expression", "vcf": "a.vcf.gz"}}},
            "no task of this study has models that write expr",
        ),
        ({"predict": {"p": {"write": "expression"}}}, "`write: expression` takes the `vcf` of samples, or a folder"),
        (
            {"predict": {"p": {"write": "expression", "vcf": "a.vcf", "bed": "b"}}},
            "`write: expression` takes `genes`, not",
        ),
        ({"predict": {"p": {"write": "binding"}}}, "`write: binding` takes the `vcf` of samples and writes both haplo"),
        (
            {"predict": {"p": {"write": "means", "genes": "a.gtf"}}},
            "`genes` and `records_along` are for models of personal",
        ),
        (
            {"predict": {"p": {"write": "means", "vcf": "a", "sample": ["a", "b"]}}},
            "tracks are predicted of one `sample`",
        ),
        ({"models__cnn__new__family": "dilated_cn"}, "unknown family 'dilated_cn'; did you mean 'dilated_cnn'?"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:40],
)
def test_a_wrong_value_is_named_with_its_fix(changes, expected):
    assert any(expected in line for line in problems(spoilt(**changes)))


def test_blocks_that_hold_no_window_are_refused():
    raw = minimal()
    raw["tasks"]["rna"]["windows"] = {"size": 4096, "overlap": 0}
    raw["tasks"]["rna"]["trim"] = 0
    raw["splits"] = {"by": "block", "block": 8191, "gap": 4096}
    (line,) = problems(raw)
    assert (
        "splits.block: blocks of 8191 with a gap of 4096 hold no window of task 'rna' (4096); use at least 8192" in line
    )
    raw["splits"]["block"] = 8192
    check_study(raw)


def test_contigs_that_are_not_simulated_are_refused():
    raw = minimal()
    del raw["reference"], raw["tracks"]
    raw["simulate"] = {"cohort": {"contigs": {"chr1": 200_000, "chr2": 200_000}}}
    check_study(raw)
    raw["splits"]["test"] = ["chr7"]
    assert problems(raw) == [
        "configuration: splits.test.0: contig 'chr7' is not simulated; use one of chr1, chr2, or add it to "
        "simulate.cohort.contigs"
    ]


def test_a_key_given_twice_is_refused(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(minimal(), sort_keys=False) + "study: again\n")
    lines = path.read_text().splitlines()
    with pytest.raises(ConfigurationError, match=rf":1: study: key 'study' is given again in line {len(lines)}"):
        read_study(path)


def test_a_block_that_holds_itself_is_named(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("study: s\ntasks: &all\n  a: *all\n")
    with pytest.raises(
        ConfigurationError, match=r"s\.yaml:3: tasks\.a: an alias \(\*\) names the block that it stands in"
    ):
        read_study(path)


def test_not_yaml_names_the_line(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("study: a\n  splits: [\n")
    with pytest.raises(InputError, match=r"broken\.yaml:2"):
        read_study(path)


def test_a_run_depends_only_on_its_own_settings():
    study = check_study(minimal())
    run = expand_runs(study)[0][1]
    before = settings_hash(run_settings(study, run))
    raw = minimal()
    raw["models"]["mean"]["baseline"] = {"kind": "kmer_ridge_bins", "alpha": 7.0}
    raw["report"] = {"title": "other"}
    assert settings_hash(run_settings(check_study(raw), run)) == before
    scores = settings_hash(score_settings(study, run))
    raw["tasks"][run.task]["bootstrap"] = 7
    assert settings_hash(run_settings(check_study(raw), run)) == before
    assert settings_hash(score_settings(check_study(raw), run)) != scores
    raw["adaptations"]["full"]["train"] = {"learning_rate": 1e-3}
    assert settings_hash(run_settings(check_study(raw), run)) != before


def test_a_baseline_of_tracks_does_not_depend_on_how_models_are_trained():
    raw = minimal() | {"cohort": {"vcf": "v.vcf.gz"}}
    study = check_study(raw)
    baseline, trained = expand_runs(study)[0]
    raw["tasks"]["rna"] |= {"haplotypes": {"share": 0.25}, "loss": "tweedie", "scaling": {"squash": False}}
    changed = check_study(raw)
    for settings in (run_settings, score_settings):
        assert settings(changed, baseline) == settings(study, baseline)
        assert settings(changed, trained) != settings(study, trained)
    raw["tasks"]["rna"]["trim"] = 50
    assert run_settings(check_study(raw), baseline) != run_settings(study, baseline)


def swept(**changes):
    raw = minimal()
    raw["splits"]["validation"] = ["chr3"]
    raw["adaptations"]["full"] = {
        "kind": "full",
        "train": {"steps": 7},
        "sweep": {"learning_rate": [0.1, 0.01], "batch": [2, 4]},
        **changes,
    }
    return raw


def test_a_trial_of_a_sweep_is_a_run_with_its_settings():
    study = check_study(swept())
    found = [trial["learning_rate"] * trial["batch"] for trial in trials(study.adaptations["full"])]
    assert found == pytest.approx([0.2, 0.4, 0.02, 0.04])
    run = expand_runs(study)[0][1]
    third = run_settings(study_of_trial(study, "full", 3), run)["adaptation"]
    assert (third["train"]["learning_rate"], third["train"]["batch"], third["train"]["steps"]) == (0.01, 2, 7)
    alone = swept(sweep=None, train={"steps": 7, "learning_rate": 0.01, "batch": 2})
    assert third == run_settings(check_study(alone), run)["adaptation"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sweep": {"lerning_rate": [0.1]}}, "lerning_rate is no key of `train`"),
        ({"sweep": {"learning_rate": [0.1, -1]}}, "greater than 0"),
        ({"sweep": {"learning_rate": []}}, "is empty; name at least one"),
        ({"kind": "baseline"}, "nothing is trained with kind baseline"),
        ({"train": {"evaluations": 0}}, "has to be one at least"),
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused(changes, message):
    assert any(message in str(problem) for problem in problems(swept(**changes)))


@pytest.mark.parametrize(("key", "more"), [("sweep", {}), ("train.keep", {"sweep": None, "train": {"keep": "best"}})])
def test_what_is_chosen_by_validation_asks_for_one_on_every_task(key, more):
    raw = swept(**more)
    raw["tasks"]["promoters"] = {"kind": "sequences", "table": "x.csv", "splits": {"by": "random", "validation": 0.1}}
    raw["runs"][0]["tasks"] = ["promoters"]
    check_study(raw)
    raw["tasks"]["promoters"]["splits"]["validation"] = 0
    (found,) = [str(problem) for problem in problems(raw) if "nothing to choose by" in str(problem)]
    assert f"adaptations.full.{key}" in found and "give `tasks.promoters.splits.validation`" in found


def test_low_rank_adapters_take_the_layers_that_are_asked_for():
    given = {"kind": "lora", "rank": 4, "alpha": 8, "targets": ["ffn.1", "query"], "experts": True}
    assert Adaptation(**given).efficient == {
        **{"rank": 4, "alpha": 8, "dropout": 0.0, "targets": ["ffn.1", "query"], "experts": True}
    }
    assert Adaptation(kind="lora").efficient["targets"] is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "lora", "experts": True, "dropout": 0.1}, "experts: are adapted without dropout"),
        ({"kind": "lora", "targets": []}, "at least 1 item"),
    ],
)
def test_layers_of_low_rank_adapters_that_make_no_sense_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        Adaptation(**changes)


@pytest.mark.parametrize(
    ("method", "settings", "message"),
    [
        ("yarn", {"attention_facter": 1}, "yarn has no setting 'attention_facter'; did you mean attention_factor"),
        ("pi", {"beta_fast": 32}, "pi has no setting 'beta_fast'; it takes none"),
        ("pose", {"frequencies": "yarn", "exponent": 2}, "pose has no setting 'exponent'; it takes frequencies, att"),
        ("pose", {"frequencies": "yran"}, "no method 'yran'"),
        ("longrope", {}, "longrope needs long_factor"),
    ],
)
def test_settings_that_a_method_of_extension_lacks_are_refused(method, settings, message):
    with pytest.raises(ValidationError, match=message):
        Extend.model_validate({"model": "base", "method": method, "factor": 4, "settings": settings})
    Extend.model_validate({"model": "base", "method": "pose", "factor": 4, "settings": {"frequencies": "yarn"}})


def test_the_configuration_knows_the_settings_of_every_method():
    at_run_time = {"length", "scale"}  # of the input, or drawn while tuning
    assert set(EXTENSION_SETTINGS) == set(METHODS) == set(get_args(Method))
    for method, names in EXTENSION_SETTINGS.items():
        expected = settings_of(method) - at_run_time
        assert set(names) == (expected | set(FIELD_SETTINGS) if method == "clex" else expected)


def test_a_sweep_needs_a_validation_split():
    raw = swept()
    del raw["splits"]["validation"]
    assert any("splits.validation" in str(problem) for problem in problems(raw))


def test_the_readme_lists_every_shipped_study():
    section = (ROOT / "README.md").read_text().split("## Studies")[1].split("\n## ")[0]
    named = set()
    for name in re.findall(r"`(?:config/studies/)?([\w{},]+)\.yaml`", section):
        start, _, rest = name.partition("{")
        named |= {start + part for part in rest.rstrip("}").split(",")}
    assert named == {path.stem for path in (ROOT / "config/studies").glob("*.yaml")}


def test_generated_documents_are_current():
    assert json.loads((ROOT / "workflow/schemas/config.schema.json").read_text()) == document.schema(), (
        "run `make docs`"
    )
    assert (ROOT / "config/README.md").read_text() == document.reference(), "run `make docs`"


def test_the_schema_accepts_what_the_models_accept():
    import jsonschema

    jsonschema.validate(minimal(), document.schema())
    wrong = minimal() | {"typo": 1}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, document.schema())


def test_a_study_that_is_written_out_is_read_again():
    """Jobs get the study as plain values: keys are those of the file (`data`), not of the class."""
    study = read_study(ROOT / "config/studies/rnaseq_tracks.yaml")
    written = study.model_dump(mode="json")
    assert written["data"] == ["hg38", "encode_b_and_nk"] and Study.model_validate(written) == study


@pytest.mark.parametrize("block", [SequenceSplits, QuestionSplits, CorpusSplit], ids=lambda block: block.__name__)
def test_shares_that_leave_nothing_to_train_on_are_refused(block):
    by = {CorpusSplit: "position"}.get(block, "random")
    assert block(by=by, validation=0.5, test=0.4).test == 0.4
    with pytest.raises(ValueError, match="leave nothing to train on"):
        block(by=by, validation=0.6, test=0.4)
