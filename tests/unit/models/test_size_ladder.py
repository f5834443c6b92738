"""Parameters of the ladder, counted by hand elsewhere, and families that come near it."""

import pytest
import torch
from glmflow.config.models import Pretrain
from glmflow.errors import InputError
from glmflow.models.loading import without_weights
from glmflow.models.parameter_counts import body_parameters
from glmflow.models.size_ladder import LADDER, NEAR, PYTHIA, llama_parameters, pythia_parameters, sizes_of
from glmflow.plan.resources import shape_of
from pydantic import ValidationError
from transformers import OlmoConfig, OlmoForCausalLM

LLAMA = {
    "demo": (804_992, 1_328_256, 4_998_272),
    "14M": (14_165_376, 15_735_168, 26_745_216),
    "31M": (32_127_488, 34_220_544, 48_900_608),
    "70M": (70_851_264, 73_729_216, 93_914_304),
    "160M": (156_012_416, 159_675_264, 185_365_376),
    "310M": (318_561_408, 323_270_784, 356_300_928),
}
GPT_NEOX = {
    "14m": (14_067_712, 1_191_936, 2_238_464),
    "31m": (30_494_720, 4_743_168, 6_836_224),
    "70m": (70_426_624, 18_923_520, 23_109_632),
    "160m": (162_322_944, 85_068_288, 91_347_456),
    "410m": (405_334_016, 302_327_808, 310_700_032),
}


@pytest.mark.parametrize("size", LLAMA)
def test_llama(size):
    assert tuple(llama_parameters(LADDER[size], vocabulary) for vocabulary in (8, 4096, 32_768)) == LLAMA[size]


@pytest.mark.parametrize("size", GPT_NEOX)
def test_pythia(size):
    assert tuple(pythia_parameters(PYTHIA[size], vocabulary) for vocabulary in (50_304, 8, 4096)) == GPT_NEOX[size]


@pytest.mark.parametrize("family", ["small", "wavelet", "dit", "mamba"])
@pytest.mark.parametrize("size", LADDER)
def test_other_families_have_as_many(family, size):
    block = Pretrain(family=family, size=size)
    found = shape_of({"vocab_size": 1, **block.config}, family).parameters
    assert found == pytest.approx(llama_parameters(LADDER[size], 0), rel=0.05 if size == "demo" else NEAR)


@pytest.mark.parametrize("size", ["demo", "14M", "310M"])
def test_hyena_has_as_many(size):
    network = without_weights("hyenadna", Pretrain(family="hyenadna", size=size).config).network
    assert body_parameters(network) == pytest.approx(
        llama_parameters(LADDER[size], 0), rel=0.05 if size == "demo" else NEAR
    )


@pytest.mark.parametrize("size", LLAMA)
def test_olmo_is_the_ladder_but_for_the_weights_of_norms(size):
    step = LADDER[size]
    for vocabulary, wanted in zip((8, 4096, 32_768), LLAMA[size]):
        sizes = {**Pretrain(family="olmo", size=size, config={"vocab_size": vocabulary}).config, "pad_token_id": 0}
        with torch.device("meta"):
            network = OlmoForCausalLM(OlmoConfig(**sizes))
        counted = sum(parameter.numel() for parameter in network.parameters())
        assert counted == wanted - (2 * step.layers + 1) * step.hidden
        assert network.lm_head.weight is network.model.embed_tokens.weight


def test_a_setting_of_ones_own_comes_before_the_size():
    block = Pretrain(family="rwkv7", size="14M", config={"num_layers": 3})
    assert block.config == {"hidden_size": 384, "num_layers": 3}


def test_a_size_or_family_that_is_not_known():
    with pytest.raises(InputError, match="no size"):
        sizes_of("small", "15M")
    with pytest.raises(InputError, match="no sizes of the ladder"):
        sizes_of("caduceus", "14M")
    with pytest.raises(ValidationError, match="no size '15M'"):
        Pretrain(family="small", size="15M")
