"""Training with a state that is carried from window to window: no cut forwards, no gradient backwards, no draw but the seed's."""

import numpy as np
import pytest
import torch
import yaml
from glmflow.bases import reverse_complement
from glmflow.config.models import Pretrain
from glmflow.corpus.consecutive_windows import FEWEST, ConsecutiveWindows
from glmflow.corpus.corpus_build import build
from glmflow.corpus.corpus_store import Corpus
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.carried_state import CarriedNetwork
from glmflow.models.facts import all_facts
from glmflow.training.carried_training import CarriedLanguageModel, CarriedStream, carried_batch
from glmflow.training.language_loss import LanguageModel, language_batch
from glmflow.training.loop import trainer
from glmflow.training.pretrain import pretrain
from glmflow.training.pretraining_source import CorpusSource

FAMILIES = {
    "rwkv7": {"hidden_size": 16, "num_layers": 2, "head_size": 8, "chunk": 8},
    "mamba": {"hidden_size": 16, "num_layers": 2, "state_size": 4},
}
LENGTH, CARRIED = 32, 96
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("corpus"), np.random.default_rng(1)
    records = {f"r{n}": "".join(rng.choice(list("ACGT"), size)) for n, size in enumerate((2000, 300, 70, 40))}
    (folder / "a.fa").write_text("".join(f">{name} x\n{text}\n" for name, text in records.items()))
    split = {"by": "contig", "validation": 0, "test": 0}
    build({"sources": [{"path": str(folder / "a.fa")}], "min_length": 20, "split": split}, folder / "c")
    return folder / "c", records


def model_of(family, lanes=2):
    model = CarriedLanguageModel(new_model(family, FAMILIES[family], seed=2), lanes)
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():  # what begins at zero would hide what a layer reads
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model


def batch_of(model, sequences, fresh, lanes=None):
    """Windows of `LENGTH` bases, each with the base that follows."""
    lanes = range(len(sequences)) if lanes is None else lanes
    items = [{"sequence": text, "lane": lane, "fresh": fresh} for text, lane in zip(sequences, lanes)]
    return carried_batch(items, lambda rows: language_batch(rows, model.adapter, 0.15), LENGTH)


def texts(count, length, seed=4):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(count)]


@pytest.mark.parametrize("family", FAMILIES)
def test_windows_with_a_carried_state_lose_what_the_whole_loses(family):
    model, whole = model_of(family), texts(2, 3 * LENGTH + 1)
    with torch.no_grad():
        expected = LanguageModel.forward(
            model, **language_batch([{"sequence": one} for one in whole], model.adapter, 0.1)
        )
        losses = [
            model(**batch_of(model, [one[at : at + LENGTH + 1] for one in whole], fresh=at == 0))["loss"]
            for at in (0, LENGTH, 2 * LENGTH)
        ]
    torch.testing.assert_close(torch.stack(losses).mean(), expected["loss"], atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_stop_at_the_border_and_fresh_lanes_forget(family):
    model, (first, other, second) = model_of(family, 1), texts(3, LENGTH + 1)

    def losses(before, fresh):
        model(**batch_of(model, [before], fresh=True))
        model.zero_grad()
        loss = model(**batch_of(model, [second], fresh=fresh))["loss"]
        loss.backward()
        return loss.item(), next(own.grad.clone() for name, own in model.named_parameters() if "emb" in name)

    unread = model.adapter.tokenizer.vocab["T"]
    first, second = first.replace("T", "A"), second.replace("T", "C")
    with_t = first.replace("A", "T")
    told, gradient = losses(with_t, fresh=False)
    assert gradient[unread].abs().max() == 0  # T stands in the first window alone
    assert told != losses(other, fresh=False)[0]
    assert losses(with_t, fresh=True)[0] == losses(other, fresh=True)[0]


def test_lanes_keep_their_own_states_whatever_the_micro_batch():
    together, apart, rows = model_of("rwkv7", 3), model_of("rwkv7", 3), texts(3, 2 * LENGTH + 1)
    with torch.no_grad():
        for at in (0, LENGTH):
            now = [one[at : at + LENGTH + 1] for one in rows]
            whole = together(**batch_of(together, now, at == 0))["loss"]
            singles = [apart(**batch_of(apart, [now[n]], at == 0, lanes=[n]))["loss"] for n in (2, 0, 1)]
            torch.testing.assert_close(torch.stack(singles).mean(), whole)


def windows_of(corpus, short=20, both_strands=True):
    return ConsecutiveWindows(Corpus(corpus[0]), "train", LENGTH, CARRIED, both_strands, short)


def test_windows_of_a_lane_follow_one_another_in_their_record(corpus):
    lanes, windows = 4, windows_of(corpus)
    stream = CarriedStream(windows, lanes, 200 * lanes, seed=3)
    on = {
        n: [text, reverse_complement(np.frombuffer(text.encode(), np.uint8)).tobytes().decode()]
        for n, text in enumerate(corpus[1].values())
    }
    read, begun = dict.fromkeys(range(lanes), ""), []
    for draw in range(len(stream)):
        item, lane = stream[draw], draw % lanes
        assert item["lane"] == lane and len(item["lower"]) == len(item["sequence"]) <= LENGTH + 1
        begun.append((draw // lanes, item["fresh"]))
        read[lane] = item["sequence"] if item["fresh"] else read[lane] + item["sequence"][1:]
        assert not item["fresh"] or len(item["sequence"]) >= FEWEST
        assert any(read[lane] in strand for strands in on.values() for strand in strands)
        assert len(read[lane]) <= CARRIED
    assert all(fresh for update, fresh in begun if update == 0)
    fresh_of = [sum(fresh for update, fresh in begun if update == number) for number in range(1, 200)]
    assert fresh_of.count(lanes) < len(fresh_of) / 10


def test_a_draw_follows_from_seed_and_number(corpus):
    one, again = (CarriedStream(windows_of(corpus), 4, 200, seed=3) for _ in range(2))
    other = CarriedStream(windows_of(corpus), 4, 200, seed=4)
    drawn = [one[number]["sequence"] for number in range(200)]
    assert [again[number]["sequence"] for number in reversed(range(200))][::-1] == drawn
    assert [other[number]["sequence"] for number in range(200)] != drawn
    assert one.describe(17) == again.describe(17)


def test_bases_are_seen_as_their_weights_say_whatever_the_lengths(corpus):
    windows, seen, rng = windows_of(corpus, both_strands=False), np.zeros(4), np.random.default_rng(5)
    places = np.zeros(2000)
    for _ in range(1500):
        for window in windows.drawn(rng):
            seen[window.row] += min(LENGTH, window.end - window.start)
            if window.row == 0:
                places[window.start : min(window.end, window.start + LENGTH)] += 1
    weights = windows.corpus.table["weight"].to_numpy()
    np.testing.assert_allclose(seen / seen.sum(), weights / weights.sum(), atol=0.03)
    inner = places[CARRIED:-CARRIED]
    assert inner.min() > 0.6 * inner.mean() and inner.max() < 1.4 * inner.mean()


SETTINGS = {"length": LENGTH, "steps": 7, "batch": 4, "corpus": "c", "carry_state_bp": CARRIED, "micro_batch": 2}


def trained(corpus, folder, family="rwkv7", **more):
    settings = SETTINGS | {"family": family, "config": FAMILIES[family]} | more
    pretrain(settings, CorpusSource(corpus[0], short=20), 1, folder / "training", folder / "model")
    return load_model(folder / "model").network.state_dict()


def test_a_run_that_was_killed_ends_with_the_same_weights(corpus, tmp_path, monkeypatch):
    expected = trained(corpus, tmp_path / "whole")
    record = yaml.safe_load((tmp_path / "whole/model/model.yaml").read_text())
    assert "'trained_through_bp': 32" in str(record) and "'carried_bp': 96" in str(record)

    calls, compute = [], trainer.StreamTrainer.compute_loss

    def killed(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == 12:  # within update 6: its first micro-batch has moved two lanes on
            raise KeyboardInterrupt
        return compute(self, *args, **kwargs)

    monkeypatch.setattr(trainer.StreamTrainer, "compute_loss", killed)
    monkeypatch.setattr("glmflow.training.loop.callbacks.SaveByTheClock.on_step_end", _save_always)
    with pytest.raises(KeyboardInterrupt):
        trained(corpus, tmp_path / "killed")
    found = trained(corpus, tmp_path / "killed")
    assert len(calls) == 12 + 2 * 2
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def _save_always(self, args, state, control, **kwargs):
    control.should_save = True


def test_what_was_carried_is_part_of_what_is_learned(corpus, tmp_path):
    alone = trained(corpus, tmp_path / "one", steps=3, carry_state_bp=None)
    carried = trained(corpus, tmp_path / "two", steps=3)
    assert any(not torch.equal(alone[name], value) for name, value in carried.items())


def test_families_that_say_so_carry_and_others_are_refused(corpus):
    said = {facts.family for facts in all_facts() if facts.carries}
    assert said == set(FAMILIES)
    made = [facts.family for facts in all_facts() if facts.own_settings and facts.objective == "causal"]
    for family in made:
        assert isinstance(new_model(family, {}).network, CarriedNetwork) == (family in said)
    with pytest.raises(InputError, match="family wavelet has no state that could be carried"):
        CarriedLanguageModel(new_model("wavelet", {"hidden_size": 16, "num_layers": 1}), 2)
    assert (Pretrain(family="rwkv7").carried, Pretrain(family="rwkv7", corpus="c", carry_state_bp=1024).carried) == (
        512,
        1024,
    )
