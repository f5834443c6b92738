"""GET: equal to the original; regions instead of bases, said so and refused where sequences are given."""

import json

import pytest
import torch
from family_checks import (
    assert_bfloat16_follows_float32,
    assert_checkpointing_gives_the_same_gradients,
    assert_lora_trains,
    assert_padding_changes_nothing,
    assert_parity,
    assert_reloads,
    assert_survives_saving,
    fixture,
)
from glmflow.config.fitting import family_of_folder, unable
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.efficient.lora import apply as apply_lora
from glmflow.models.families.get import StochasticDepth
from safetensors.torch import load_file

REGIONS, MOTIFS = 12, 7
SIZES = {"num_regions": REGIONS, "num_motif": MOTIFS, "embed_dim": 32, "num_layers": 3, "num_heads": 4}


def config(kind="GETRegionFinetune", **sizes):
    return {"model": {"_target_": f"get_model.model.model.{kind}", "cfg": {**SIZES, **sizes}}}


def table(batch=2, regions=REGIONS):
    return torch.rand(batch, regions, MOTIFS, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model():
    return new_model("get", config()).eval()


@pytest.fixture
def pretraining():
    return new_model("get", config("GETRegionPretrain")).eval()


def test_parity():
    assert_parity(fixture("get"), inputs="region_motif")


def test_a_lightning_checkpoint_loads(tmp_path):
    folder = fixture("get")
    state = {f"model.{name}": tensor for name, tensor in load_file(folder / "model.safetensors").items()}
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "last.ckpt")
    for name in ("config.json", "io.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert_parity(tmp_path, inputs="region_motif")


def test_expression_is_positive_and_of_both_strands(model):
    expression = model(table()).logits
    assert expression.shape == (2, REGIONS, 2)
    assert (expression > 0).all()


def test_regions_have_no_positions(model):
    order = torch.randperm(REGIONS, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        torch.testing.assert_close(model(table()[:, order]).logits, model(table()).logits[:, order])


def test_its_kind_of_input_is_said_and_sequences_are_refused(model):
    assert model.card.objective == "regions"
    assert not model.card.can("per_base_states")
    with pytest.raises(InputError, match="regions x motifs") as error:
        model.tokenize(["ACGT"])
    assert error.value.fix
    with pytest.raises(InputError, match="log-likelihood"):
        model.log_likelihood(["ACGT"])
    with pytest.raises(InputError, match="regions x motifs"):
        model.base_probabilities(["ACGT"], [0])


@pytest.mark.parametrize("wrong", [torch.rand(2, REGIONS, MOTIFS + 1), torch.zeros(2, REGIONS, dtype=torch.long)])
def test_another_table_is_refused(model, wrong):
    with pytest.raises(InputError, match=f"regions x {MOTIFS} motifs"):
        model(wrong)


def test_a_hidden_region_is_not_seen(pretraining):
    scores = table()
    other = scores.clone()
    other[0, 3] = 5.0
    hidden, also_hidden = scores.clone(), other.clone()
    hidden[0, 3] = also_hidden[0, 3] = float("nan")
    with torch.no_grad():
        assert pretraining(scores).logits.shape == (2, REGIONS, MOTIFS)
        assert not torch.allclose(pretraining(scores).logits, pretraining(other).logits)
        torch.testing.assert_close(pretraining(hidden).logits, pretraining(also_hidden).logits)
        assert pretraining(hidden).logits.isfinite().all()
        pretraining.network.mask_token.add_(1.0)
        assert not torch.allclose(pretraining(hidden).logits[0, 3], pretraining(scores).logits[0, 3])


@pytest.mark.parametrize("kind", ["GETRegionFinetune", "GETRegionPretrain"])
@pytest.mark.parametrize("heads, layers", [(1, 1), (8, 4)])
def test_other_sizes_reload(kind, heads, layers, tmp_path):
    model = new_model("get", config(kind, num_heads=heads, num_layers=layers))
    assert_reloads(model, table(), tmp_path / "model")


def test_published_sizes_are_the_defaults():
    model = new_model("get", {"model": {"cfg": {"num_layers": 1}}})
    assert model.network.region_embed["embed"].weight.shape == (768, 283)
    assert (model.card.context_tokens, model.card.vocab_size) == (900, 2)


def test_other_classes_and_encoders_are_refused(tmp_path):
    with pytest.raises(InputError, match="GETRegionFinetuneHiC"):
        new_model("get", config("GETRegionFinetuneHiC"))
    with pytest.raises(InputError, match="num_layers"):
        new_model("get", config(encoder={"num_layers": 5}))
    with pytest.raises(InputError, match="use_mean_pooling"):
        new_model("get", config(encoder={"use_mean_pooling": True}))


def test_configuration_is_recognised(model, tmp_path):
    model.save(tmp_path / "model")
    (tmp_path / "model" / "model.yaml").unlink()
    assert json.loads((tmp_path / "model" / "config.json").read_text())["model"]["cfg"]["num_motif"] == MOTIFS
    assert load_model(tmp_path / "model").card.family == "get"


def test_a_folder_is_refused_for_sequences_before_it_is_loaded(tmp_path):
    """Published files have no `model_type`; the study is checked by what there is."""
    (tmp_path / "config.json").write_text(json.dumps(config()))
    family = family_of_folder(str(tmp_path))
    assert family == "get" and unable("regions", frozenset(), family) is None
    assert unable("sequence", frozenset(), family) == "get reads regions x motifs, and the task gives it a sequence"
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text(json.dumps({"model": {"_target_": "another.Model"}}))
    assert family_of_folder(str(other)) is None


def test_stochastic_depth_drops_whole_examples_and_keeps_the_mean():
    torch.manual_seed(0)
    drop = StochasticDepth(0.25)
    branch = torch.ones(4000, 3, 2)
    dropped = drop.train()(branch)
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    assert (dropped.flatten(1).std(1) == 0).all()
    # Each example is kept with probability 3/4: five standard errors are 0.046.
    assert dropped.mean() == pytest.approx(1.0, abs=0.046)
    assert torch.equal(drop.eval()(branch), branch)


def test_padding_changes_nothing(model):
    mask = (torch.arange(REGIONS) < torch.tensor([[REGIONS], [5]])).long()
    assert_padding_changes_nothing(model, table(), mask)


def test_a_fresh_process_computes_the_same(model, tmp_path):
    assert_survives_saving(model, table(), tmp_path)


def test_gradient_checkpointing():
    model = new_model("get", config())
    assert_checkpointing_gives_the_same_gradients(model, table(8))


def test_bfloat16(model, tmp_path):
    assert_bfloat16_follows_float32(model, table(), tmp_path / "model")


def test_lora(model):
    assert_lora_trains(model, table(), layers=6)
    assert len(apply_lora(model).modules) == 6  # what it is tried out with is a table of regions, not token ids
