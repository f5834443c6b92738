"""Families are found by file name, checkpoints by their configuration, and nothing heavy is imported for it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from family_checks import fixture
from glmflow.errors import InputError
from glmflow.models.registry import family_names, get_family, read_config, recognise

SOURCES = Path(__file__).parents[3] / "workflow" / "scripts"
FAMILIES = SOURCES / "glmflow" / "models" / "families"

RECOGNISED = {
    "nt-v1": "nucleotide_transformer",
    "nt-v2": "nucleotide_transformer",
    "caduceus-ph": "caduceus",
    "caduceus-ps": "caduceus",
    "hyenadna": "hyenadna",
    "dnabert2": "dnabert2",
    "gena-bert": "gena_bert",
    "gena-bigbird": "gena_bigbird",
    "grover": "grover",
    "genos": "genos",
    "aido-dna": "aido_dna",
    "generator": "generator",
    "olmo-bpe": "olmo",
    "omni-dna": "olmo",
    "modernbert": "modernbert",
    "evo2": "evo2",
    "get": "get",
}


def test_importing_the_registry_imports_no_torch():
    code = (
        "import sys; from glmflow.models.registry import family_names; family_names(); "
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(SOURCES)})


def test_every_file_is_a_family_of_its_name():
    files = {path.stem for path in FAMILIES.glob("[a-z]*.py")}
    assert set(family_names()) == files
    for name in files:
        assert get_family(name).name == name


def test_unknown_family():
    with pytest.raises(InputError, match=r"unknown model family 'bert_xl'.*Known: .*caduceus"):
        get_family("bert_xl")


@pytest.mark.parametrize("name", RECOGNISED)
def test_checkpoints_are_recognised_by_exactly_one_family(name):
    config = read_config(fixture(name))
    assert [family for family in family_names() if get_family(family).recognises(config)] == [RECOGNISED[name]]
    assert recognise(config).name == RECOGNISED[name]


def test_an_esm_protein_model_is_not_taken_for_dna():
    with pytest.raises(InputError, match=r"no family recognises this checkpoint .*'esm'.*family="):
        recognise({"model_type": "esm", "vocab_size": 33, "position_embedding_type": "rotary"})


def test_configuration_is_missing_or_broken(tmp_path):
    with pytest.raises(InputError, match=r"no config\.json"):
        read_config(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match="not valid"):
        read_config(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps([1]))
    with pytest.raises(InputError, match="holds no mapping"):
        read_config(tmp_path)


def test_published_checkpoints_name_known_families_and_complete_entries():
    entries = yaml.safe_load((Path(__file__).parents[3] / "config" / "models.yaml").read_text())
    keys = {"id", "revision", "verified", "family", "corpus", "context_bp", "parameters", "licence", "gpu"}
    for name, entry in entries.items():
        assert keys <= set(entry) <= {*keys, "config"}, name
        assert entry["family"] in family_names(), name
        assert entry["id"].count("/") == 1, name
    assert len({entry["id"] for entry in entries.values()}) == len(entries)
