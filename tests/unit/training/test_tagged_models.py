"""Models that are told of what their sequences are: trained with tags and without, drawn by a tag, guided towards it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.config.drawing_blocks import DrawingBlock
from glmflow.config.models import Pretrain
from glmflow.config.tasks.language import Language
from glmflow.corpus.corpus_build import build
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.corpus_windows import CorpusWindows
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.drawing import Sampling, draw
from glmflow.models.row_tags import guided, tagged
from glmflow.tasks.language import score
from glmflow.training.inputs.scored_windows import predict
from glmflow.training.pretrain import pretrain
from glmflow.training.pretraining_source import source
from pydantic import ValidationError

SIZES = {"hidden_size": 16, "num_layers": 1, "context": 64}
FAMILIES = {
    "small": SIZES | {"causal": True, "num_heads": 2},
    "dit": SIZES | {"num_heads": 2},
    "wavelet": SIZES,
    "rwkv7": SIZES | {"head_size": 16},
    "mamba": SIZES,
}
SHARES = {"poor": (0.4, 0.1, 0.1, 0.4), "rich": (0.1, 0.4, 0.4, 0.1)}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Two divisions whose bases are drawn apart: one poor and one rich in G + C."""
    folder, rng, sources = tmp_path_factory.mktemp("corpus"), np.random.default_rng(1), []
    for name, shares in SHARES.items():
        text = "".join(rng.choice(list("ACGT"), 20_000, p=shares))
        (folder / f"{name}.fa").write_text(f">{name} x\n{text}\n")
        sources.append({"path": str(folder / f"{name}.fa"), "division": name})
    build({"sources": sources, "split": {"by": "contig", "validation": 0, "test": 0}}, folder / "c")
    return folder / "c"


def perturbed(family):
    model = new_model(family, FAMILIES[family] | {"tags": ["poor", "rich"]}, seed=1)
    generator = torch.Generator().manual_seed(2)
    for parameter in model.parameters():  # what begins at zero would hide what a tag does
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


@pytest.mark.parametrize("family", FAMILIES)
def test_each_row_is_read_with_its_own_tag(family):
    model = perturbed(family)
    ids = model.tokenize(["ACGTACGTACGT"] * 3).input_ids
    with torch.no_grad():
        with tagged(torch.tensor([1, 2, 0])):
            together = model(ids).logits
        alone = []
        for tag in (1, 2, 0):
            with tagged(torch.tensor([tag])):
                alone.append(model(ids[:1]).logits)
        plain = model(ids[:1]).logits
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(plain, alone[2])
    assert (together[0] - together[1]).abs().max() > 1e-3


def test_guidance_is_the_published_rule_and_none_is_the_model_itself():
    rng = torch.Generator().manual_seed(3)
    with_tag, without = torch.randn(2, 5, 4, generator=rng).softmax(-1)
    by_hand = with_tag**3 / without**2
    found = guided(with_tag.log() + 1.5, without.log() - 0.5, 2.0).softmax(-1)
    torch.testing.assert_close(found, by_hand / by_hand.sum(-1, keepdim=True))
    torch.testing.assert_close(guided(with_tag.log(), without.log(), 0.0).softmax(-1), with_tag)


@pytest.mark.parametrize("family", ["small", "wavelet", "rwkv7"])
def test_what_is_kept_of_both_readings_changes_no_draw(family):
    model = perturbed(family)
    sampling = Sampling(seed=3, tag="rich", guidance=1.5)
    prompts = ["ACGTA", "GGGTTTA", "CCCAT"]
    kept = draw(model, prompts, 90, sampling, batch=3)
    assert [one.sequence for one in kept] == [
        one.sequence for one in draw(model, prompts, 90, sampling, batch=1, cached=False)
    ]
    assert kept != draw(model, prompts, 90, Sampling(seed=3, tag="poor", guidance=1.5))


def test_windows_have_the_tag_of_their_sequence_and_some_have_none(corpus):
    windows = CorpusWindows(Corpus(corpus), "train", 64, tags=("division", 0.25))
    found = [windows(number, None) for number in range(400)]
    gc = [sum(base in "GC" for base in one["sequence"]) / 64 for one in found]
    assert all((share > 0.5) == (one["tag"] == 2) for share, one in zip(gc, found) if one["tag"])
    assert 0.18 < np.mean([one["tag"] == 0 for one in found]) < 0.32
    without = CorpusWindows(Corpus(corpus), "train", 64)
    assert [one["sequence"] for one in found] == [without(number, None)["sequence"] for number in range(400)]


def told_scores(model, config):
    """Return the bits per base that tags save, of windows drawn as each division's."""
    rng, rows = np.random.default_rng(9), []
    for name, shares in SHARES.items():
        for number in range(40):
            text = "".join(rng.choice(list("ACGT"), 20, p=shares))
            rows.append({"example": f"{name}{number}", "group": name, "sequence": text, "division": name})
    examples = pd.DataFrame(rows).assign(split="test", subset="all", far="", scored=16, marks="0" * 16)
    task = Language(kind="language", corpus="c", contexts=[4], scored=16, controls=[], bootstrap=50)
    run = SimpleNamespace(task=task)
    predictions = predict(SimpleNamespace(run=run, model=model), examples, {}, None, None)
    keys = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1}
    metrics = score({**keys, "task": task.model_dump()}, examples, predictions, None, {}).metrics
    return metrics[metrics["metric"] == "bits_of_tag"].groupby("protocol")["value"].mean()


@pytest.mark.parametrize("causal", [True, False])
def test_what_a_masked_model_loses_says_that_it_sees_both_sides(causal):
    model = new_model("small", SIZES | {"causal": causal, "num_heads": 2}, seed=1)
    examples = pd.DataFrame([{"example": "e", "sequence": "ACGT" * 5, "far": "", "marks": "0" * 16, "scored": 16}])
    task = Language(kind="language", corpus="c", contexts=[4], scored=16, controls=[])
    found = predict(SimpleNamespace(run=SimpleNamespace(task=task), model=model), examples, {}, None, None)
    assert ("both_sides" in found) != causal


@pytest.mark.parametrize("family", ["small", "dit"])
def test_a_model_draws_what_it_is_told_to_and_more_so_with_guidance(family, corpus, tmp_path):
    torch.set_num_threads(1)
    settings = {"family": family, "config": FAMILIES[family], "length": 64, "steps": 80, "batch": 16, "corpus": "c"}
    settings |= {"tags": "division", "untagged": 0.3, "learning_rate": 1e-2}
    settings |= {"objective": "masked_diffusion"} if family == "dit" else {}
    read = source({"corpus": corpus / "sequences.parquet"}, settings | {"short": None})
    pretrain(settings, read, 1, tmp_path / "training", tmp_path / "model")
    model = load_model(tmp_path / "model")

    def share(**sampling):
        drawn = draw(model, ["ACGT"] * 8, 60, Sampling(seed=1, **sampling))
        return np.mean([base in "GC" for one in drawn for base in one.sequence])

    poor, rich, none = share(tag="poor"), share(tag="rich"), share()
    assert poor < none < rich and poor < 0.35 and rich > 0.65
    assert share(tag="rich", guidance=2.0) > rich
    if family == "small":
        values = told_scores(model, settings["config"])
        assert values["own_tag"] > 0.02 and values["other_tag"] < -0.05
    with pytest.raises(InputError, match="knows no tag 'ritch'"):
        share(tag="ritch")


def test_tags_that_say_nothing_are_refused(corpus):
    with pytest.raises(ValidationError, match="guidance is towards a tag"):
        DrawingBlock(guidance=1.0)
    with pytest.raises(ValidationError, match="has no tag: take `pack` or `tags`"):
        Pretrain(family="small", corpus="c", pack=True, short=10, tags="species")
    with pytest.raises(InputError, match="trained without tags"):
        draw(new_model("small", FAMILIES["small"]), ["ACGT"], 5, Sampling(tag="rich"))
    with pytest.raises(InputError, match="no training sequence has a species"):
        CorpusWindows(Corpus(corpus), "train", 64, tags=("species", 0.1))
