"""Sizes of which no network can be made are said by `glmflow check`, not by the job that makes it."""

import pytest
import yaml
from glmflow.checks.made_networks import unbuilt
from glmflow.cli import main
from glmflow.config import check_study
from glmflow.errors import InputError
from glmflow.models import new_model

NETWORKS = [
    ("small", {}, True),
    ("dilated_cnn", {"channels": [8, 8, 8]}, True),
    ("caduceus", {"d_model": 16, "n_layer": 1}, True),
    ("caduceus", {"d_model": "sixteen"}, False),
    ("hyenadna", {"d_model": "wide"}, False),
]


def study_of(family, config, origin="new"):
    block = {"family": family, "config": config} | ({} if origin == "new" else {"length": 128, "steps": 3})
    return {
        "study": "s",
        "simulate": {"cohort": {"contigs": {"chr1": 200000, "chr2": 90000}}},
        "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
        "tasks": {"t": {"kind": "rnaseq_tracks"}},
        "models": {"m": {origin: block}},
        "adaptations": {"a": {"kind": "full"}},
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]}],
    }


@pytest.mark.parametrize(("family", "config", "fits"), NETWORKS)
def test_what_cannot_be_built_is_what_the_job_could_not_build(family, config, fits):
    found = list(unbuilt(check_study(study_of(family, config))))
    assert [key for key, _ in found] == ([] if fits else [("models", "m", "new", "config")])
    if fits:
        assert new_model(family, config).card.family == family
    else:
        assert "\n" not in found[0][1] and f"family {family} can be made of it: " in found[0][1]
        with pytest.raises(Exception):  # noqa: B017  what a network raises is its own affair; here it is only that it does
            new_model(family, config)


@pytest.mark.parametrize(("targets", "missing"), [(["wqkv"], "wqkv"), (None, None)])
def test_targets_of_lora_are_layers_of_the_model(targets, missing):
    raw = study_of("small", {}, "pretrain") | {"adaptations": {"a": {"kind": "lora", "targets": targets}}}
    found = list(unbuilt(check_study(raw)))
    assert [key for key, _ in found] == ([("adaptations", "a", "targets")] if missing else [])
    own = new_model("small", {}).card.lora_targets
    assert all(
        f"m: no layer {missing}; the own targets of its family are {', '.join(own)}" == text for _, text in found
    )
    raw["adaptations"]["a"]["targets"] = [own[0]]
    assert list(unbuilt(check_study(raw))) == []


@pytest.mark.parametrize(
    ("family", "config", "fits"), [("dilated_cnn", {}, False), ("small", {}, False), ("aido_dna", {}, True)]
)
def test_a_token_before_the_sequence_is_one_that_the_family_has(family, config, fits, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("sequence,label,split\nACGT,a,train\nACGA,b,train\nACGC,a,test\nAAGC,b,test\n")
    raw = study_of(family, config) | {"tasks": {"t": {"kind": "sequences", "table": str(table)}}}
    raw["adaptations"] = {"a": {"kind": "full", "head": {"kind": "pooled", "pool": "cls"}}}
    found = list(unbuilt(check_study(raw)))
    assert [key for key, _ in found] == ([] if fits else [("adaptations", "a", "head", "pool")])


def test_a_network_is_built_whose_vocabulary_is_made_with_it():
    raw = study_of("olmo", {"hidden_size": 64, "num_hidden_layers": 1, "intermediate_size": 64}, "pretrain")
    raw["corpora"] = {"c": {"sources": [{"path": "genomes.fa"}]}}
    raw["models"]["m"]["pretrain"] |= {"corpus": "c", "kmers": 3}
    assert list(unbuilt(check_study(raw))) == []
    raw["models"]["m"]["pretrain"]["config"]["hidden_act"] = "siluu"
    assert [key for key, _ in unbuilt(check_study(raw))] == [("models", "m", "pretrain", "config")]


@pytest.mark.parametrize(
    ("family", "config"), [("caduceus", {"d_model": "sixteen"}), ("hyenadna", {"d_model": "wide"})]
)
def test_the_job_says_in_one_line_what_it_cannot_build(family, config):
    with pytest.raises(InputError, match=f"^{family}: ") as raised:
        new_model(family, config)
    assert "\n" not in str(raised.value) and "Change `config`" in str(raised.value)


def test_check_names_the_line_of_the_configuration(tmp_path, capsys):
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(study_of("small", {"hidden_size": 30, "num_heads": 4}, "pretrain"), sort_keys=False))
    assert main(["check", str(path)]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert (
        f"{path}:" in line
        and "models.m.pretrain.config.hidden_size: no network can be made of it: hidden_size 30" in line
    )
