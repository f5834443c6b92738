"""What readers are told of the families is what their cards say and what parity measures."""

from types import SimpleNamespace

import pytest
from family_checks import fixture
from glmflow.config.made_models import layers_of
from glmflow.config.models import Model
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.facts import catalogue, default_config, facts_of
from glmflow.models.interface import CAPABILITIES
from glmflow.models.parity import measure
from glmflow.models.registry import family_names, get_family
from torch.nn import ModuleList

ENTRIES = catalogue()
BYTE_PAIRS = {
    "base_probabilities": "its tokens do not sit on a grid of bases; compare the log_likelihood of both alleles"
}


def test_every_family_is_in_it():
    assert {entry["family"] for entry in ENTRIES} == set(family_names())
    assert all(set(entry["cannot"]) <= set(CAPABILITIES) for entry in ENTRIES)


@pytest.mark.parametrize("entry", [e for e in ENTRIES if "fixture" in e], ids=lambda entry: entry["fixture"])
def test_it_says_what_card_and_parity_say(entry):
    folder = fixture(entry["fixture"])
    card, found = load_model(folder).card, measure(folder)
    assert (card.family, card.objective, card.padding) == (entry["family"], entry["objective"], entry["padding"])
    expected = dict(card.cannot) | (BYTE_PAIRS if entry["reads"] == "byte pairs" else {})
    assert entry["cannot"] == expected
    assert bool(card.lora_parameters) == facts_of(card.family).experts
    # The last digits depend on the processor: the order of magnitude does not.
    assert found.logits < 3 * entry["logits"] and found.last_hidden_state < 3 * entry["states"]
    assert not found.other_ids


@pytest.mark.parametrize("name", ["small", "dit", "dilated_cnn", "promoter_cnn"])
def test_families_that_are_trained_here(name):
    entry = next(entry for entry in ENTRIES if entry["family"] == name)
    card = new_model(name, {}).card
    assert entry["cannot"] == dict(card.cannot) and entry["padding"] == card.padding


@pytest.mark.parametrize("name", family_names())
def test_settings_that_are_refused_by_the_study_are_refused_by_the_family_too(name):
    if facts_of(name).own_settings:
        with pytest.raises(InputError, match="knows no hiden_size"):
            get_family(name).configure({**default_config(name), "hiden_size": 8})
        assert get_family(name).configure(default_config(name))


@pytest.mark.parametrize(
    "name", ["small", "dit", "dilated_cnn", "promoter_cnn", "rwkv7", "wavelet", "mamba", "caduceus"]
)
def test_layers_that_a_study_reckons_with_are_those_of_the_network(name):
    model = Model.model_validate({"new": {"family": name}})
    lists = [
        module for module in new_model(name, {}).network.modules() if isinstance(module, ModuleList) and len(module)
    ]
    assert layers_of(SimpleNamespace(models={"m": model}), "m") == max(map(len, lists), default=0)
