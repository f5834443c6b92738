"""Settings of which no network can be made, and keys that a family does not have, are refused while the study is read."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from glmflow import models
from glmflow.config import ConfigurationError, check_study
from glmflow.config.made_models import known_settings
from glmflow.config.models import New
from glmflow.errors import InputError
from glmflow.models import new_model
from glmflow.models.facts import all_facts, facts_of
from glmflow.models.registry import get_family
from glmflow.models.setting_names import own_name
from glmflow.models.transformers_settings import settings_of

OLMO = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64, "vocab_size": 16}
GENOS = OLMO | {"num_key_value_heads": 4, "max_position_embeddings": 64, "num_local_experts": 2}
UNBUILDABLE = [
    ("olmo", {"num_heads": 4}, "num_heads", "did you mean 'num_attention_heads'?"),
    ("olmo", {"hiden_size": 64}, "hiden_size", "did you mean 'hidden_size'?"),
    ("olmo", OLMO | {"hidden_size": 65}, "hidden_size", "does not make 4 heads"),
    ("olmo", OLMO | {"hidden_size": 12}, "hidden_size", "of even size"),
    ("olmo", OLMO | {"num_hidden_layers": "two"}, "num_hidden_layers", "'two' is not a whole number"),
    ("olmo", OLMO | {"num_key_value_heads": 3}, "num_attention_heads", "no multiple of num_key_value_heads 3"),
    ("genos", {}, None, "needs hidden_size, num_attention_heads, max_position_embeddings, vocab_size too"),
    ("genos", GENOS | {"hidden_size": 66}, "hidden_size", "does not make 4 heads"),
    ("rwkv7", {"hidden_size": 65}, "hidden_size", "65 is no multiple of head_size 64"),
    ("rwkv7", {"head_size": 48}, "head_size", "hidden_size 128 is no multiple of head_size 48"),
    ("rwkv7", {"ranks": {"w": 0}}, "ranks", "is not a whole number from 1 on"),
    ("dit", {"layout": "hilbert", "context": 36}, "context", "a Hilbert curve needs powers of two"),
    ("dit", {"layout": "grid", "context": 37}, "context", "no square"),
    ("dit", {"layout": "ring"}, "layout", "is not known"),
    ("small", {"convolution": -1}, "convolution", "-1 of family small is not a whole number from 0 on"),
    ("small", {"hidden_size": 30, "num_heads": 4}, "hidden_size", "does not make 4 heads"),
    ("small", {"causal": "yes"}, "causal", "is not true or false"),
    ("small", {"dropout": 1.5}, "dropout", "is not a share"),
    ("small", {"rope_theta": 0}, "rope_theta", "is not a number above 0"),
    ("small", {"n_layers": 3}, "n_layers", "did you mean 'num_layers'?"),
    ("wavelet", {"context": 0}, "context", "0 of family wavelet is not a whole number from 1 on"),
    ("hyenadna", {"hidden_size": 64}, "hidden_size", "did you mean 'd_model'?"),
    ("caduceus", {"rsps": True}, "rsps", "did you mean 'rcps'?"),
    ("evo2", {"num_heads": 4}, "num_heads", "did you mean 'num_attention_heads'?"),
    ("gena_bert", {"pre_layernorm": True}, "pre_layernorm", "did you mean 'pre_layer_norm'?"),
    ("wavelet", {"taps": 9}, "taps", "is not 2 to 4"),
    ("mamba", {"expand": 1.5}, "expand", "is not a whole number"),
    ("promoter_cnn", {"reach": 4}, "reach", "has no middle"),
    ("dilated_cnn", {"channels": "eight"}, "channels", "is not a list"),
    ("dilated_cnn", {"channels": [8, 8]}, "channels", "are not three"),
]
BUILDABLE = [
    ("olmo", OLMO | {"rope_theta": 500000.0, "bases_per_token": 3.0}),
    ("genos", GENOS),
    ("rwkv7", {"hidden_size": 64, "num_layers": 1, "ranks": {"w": 8}}),
    ("dit", {"layout": "hilbert", "context": 64, "hidden_size": 16}),
    ("dit", {"layout": "grid", "context": 36, "patch": 9, "hidden_size": 16}),
    ("small", {"convolution": 0, "hidden_size": 16, "dropout": 0.5}),
    ("wavelet", {"context": 1, "hidden_size": 16}),
    ("mamba", {"hidden_size": 16, "time_step_rank": 2}),
    ("dilated_cnn", {"channels": [8, 8, 8], "blocks": 1}),
]


def problems(family, config, origin="new"):
    block = {"family": family, "config": config} | ({"length": 128, "steps": 3} if origin == "pretrain" else {})
    raw = {
        "study": "s",
        "simulate": {"cohort": {"contigs": {"chr1": 200000, "chr2": 90000}}},
        "splits": {"by": "contig", "train": ["chr1"], "test": ["chr2"]},
        "tasks": {"t": {"kind": "rnaseq_tracks"}},
        "models": {"m": {origin: block}},
        "adaptations": {"a": {"kind": "full"}},
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]}],
    }
    try:
        check_study(raw)
    except ConfigurationError as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize("origin", ["new", "pretrain"])
@pytest.mark.parametrize(("family", "config", "key", "said"), UNBUILDABLE)
def test_what_cannot_be_built_is_named_with_its_key(family, config, key, said, origin):
    (line,) = problems(family, config, origin)
    place = f"models.m.{origin}.config" + (f".{key}" if key else "")
    assert f"{place}: " in line and said in line and "\n" not in line


@pytest.mark.parametrize(("family", "config"), BUILDABLE)
def test_what_can_be_built_is_accepted(family, config):
    assert problems(family, config) == []
    assert new_model(family, config).card.family == family


@pytest.mark.parametrize(
    ("family", "config"), [(family, config) for family, config, _, said in UNBUILDABLE if facts_of(family).own_settings]
)
def test_the_job_refuses_the_same_settings(family, config):
    with pytest.raises(InputError):
        get_family(family).configure(config)


def test_settings_of_transformers_are_those_of_its_classes():
    import transformers

    for name in filter(None, (facts.transformers for facts in all_facts())):
        kind = getattr(transformers, name.partition(".")[2])
        made, read = kind().to_dict(), settings_of(name)
        assert set(inspect.signature(kind).parameters) - {"self", "kwargs"} <= set(read), name
        plain = {key: value for key, value in read.items() if isinstance(value, int | str) and key in made}
        assert len(plain) > 6 and plain == {key: made[key] for key in plain}, name


def test_families_need_the_keys_that_their_code_reads_without_a_default():
    for facts in (facts for facts in all_facts() if facts.needs):
        source = (Path(models.__file__).parent / "families" / f"{facts.family}.py").read_text()
        assert set(re.findall(r'config\["(\w+)"\]', source)) == set(facts.needs), facts.family


def test_keys_that_the_code_of_a_family_reads_are_known():
    listed = [facts.family for facts in all_facts() if facts.settings is not None and not facts.transformers]
    assert len(listed) > 4
    for family in listed:
        source = (Path(models.__file__).parent / "families" / f"{family}.py").read_text()
        read = set(re.findall(r'config(?:\[|\.get\()"(\w+)"', source)) - {"model_type"}
        assert len(read) > 8 and read <= set(known_settings(New(family=family))), family


def test_one_setting_of_several_names():
    assert own_name("num_heads", ["num_key_value_heads", "num_attention_heads"]) == "num_attention_heads"
    assert own_name("num_heads", ["num_heads"]) is None and own_name("taps", ["num_heads"]) is None


def test_a_study_is_checked_without_torch_and_transformers():
    code = (
        "import sys; from glmflow.config.models import New; from glmflow.config.made_models import known_settings, refused\n"
        "assert known_settings(New(family='olmo')) and refused(New(family='rwkv7', config={'hidden_size': 65}))\n"
        "assert refused(New(family='dit', config={'layout': 'hilbert', 'context': 36}))\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
