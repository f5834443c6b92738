import json
from pathlib import Path

import pytest
import yaml
from glmflow.config import (
    ConfigurationError,
    check_study,
    document,
    expand_runs,
    read_study,
    run_settings,
    settings_hash,
)
from glmflow.errors import InputError

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


def test_all_mistakes_are_reported_at_once_with_their_mend():
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


def test_a_contig_in_two_splits_is_refused():
    raw = minimal()
    raw["splits"]["test"] = ["chr1"]
    assert any("'chr1' is in both train and test" in line for line in problems(raw))


def test_a_gap_shorter_than_a_window_is_refused():
    raw = minimal()
    raw["splits"] = {"by": "block", "block": 100_000, "gap": 5_000}
    assert any("gap 5000 is shorter than the windows" in line for line in problems(raw))


def test_unknown_track_and_two_origins():
    raw = minimal()
    raw["models"]["cnn"]["checkpoint"] = "folder/x"
    assert any("exactly one of" in line for line in problems(raw))
    raw = minimal()
    raw["tasks"]["rna"]["tracks"] = ["tt"]
    assert any("unknown track 'tt'; did you mean 't'?" in line for line in problems(raw))


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
    raw["models"]["mean"]["baseline"]["alpha"] = 7.0
    raw["report"] = {"title": "other"}
    assert settings_hash(run_settings(check_study(raw), run)) == before
    raw["adaptations"]["full"]["train"] = {"learning_rate": 1e-3}
    assert settings_hash(run_settings(check_study(raw), run)) != before


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
