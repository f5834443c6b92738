"""What a model says of sites without labels: each score beside its definition, computed one window at a time."""

import numpy as np
import pytest
import torch
from glmflow.bases import COMPLEMENT
from glmflow.binding.motif_files import Motif
from glmflow.effects import site_evidence
from glmflow.effects.likelihood_model import LikelihoodModel
from glmflow.effects.site_evidence import kept_information, matched_stretch, site_support, state_change
from glmflow.errors import InputError
from glmflow.genome.packed import pack
from glmflow.models import new_model
from glmflow.training.inputs.unlabelled_sites import ranked, sites_of_tf, windows_around

torch.set_num_threads(1)
LETTERS = np.frombuffer(b"ACGT", np.uint8)
SIZE = {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "mlp_ratio": 1, "convolution": 3}


def windows(count, length, seed=0):
    return LETTERS[np.random.default_rng(seed).integers(0, 4, (count, length))]


def model_of(**config):
    return LikelihoodModel(new_model("small", SIZE | config, seed=1).eval())


@pytest.fixture(scope="module")
def masked():
    return model_of()


def test_the_support_of_a_masked_model_is_that_of_its_tokens_one_window_at_a_time(masked):
    codes, start, width = windows(3, 40), np.array([5, 20, 33]), 7
    found = site_support(masked, codes, start, width)
    orders = site_evidence.shuffled_sites(codes, start, width, site_evidence.SHUFFLES)
    for row, at in enumerate(start):
        strands = []
        for turned in (False, True):
            place, own, others = np.arange(at, at + width), codes[row], orders[row]
            if turned:
                own, others = COMPLEMENT[own[::-1]], COMPLEMENT[others[:, ::-1]]
                place = 40 - at - width + np.arange(width)
            rows = masked.tokenize(own[None])
            ids, slots = torch.from_numpy(rows.ids.astype(np.int64)), rows.cover[0, place]
            ids[0, slots] = masked.mask_id()
            with torch.no_grad():
                logs = masked.logits(masked.states(ids))[0, slots].log_softmax(-1).double().numpy()
            base = masked.base_ids()[np.searchsorted(LETTERS, np.vstack([own[None, place], others[:, place]]))]
            sums = logs[np.arange(width), base].sum(axis=1)
            strands.append(sums[0] - sums[1:].mean())
        assert found[row] == pytest.approx(np.mean(strands), abs=1e-5)


def test_the_support_of_a_causal_model_is_a_difference_of_log_likelihoods():
    model = model_of(causal=True)
    codes, start = windows(2, 30), np.array([4, 11])
    others = site_evidence.shuffled_sites(codes, start, 6, site_evidence.SHUFFLES)
    own = model.adapter.log_likelihood(list(codes))
    mean = np.stack([model.adapter.log_likelihood(list(part)) for part in others]).mean(axis=1)
    assert site_support(model, codes, start, 6) == pytest.approx(own - mean, abs=1e-4)


def test_other_orders_keep_the_bases_of_a_site_and_all_around_it():
    codes, start = windows(4, 50), np.array([0, 10, 30, 44])
    found = site_evidence.shuffled_sites(codes, start, 6, 5)
    for row, at in enumerate(start):
        outside = np.r_[0:at, at + 6 : 50]
        assert (found[row][:, outside] == codes[row, outside]).all()
        assert (np.sort(found[row][:, at : at + 6]) == np.sort(codes[row, at : at + 6])).all()
    assert (found != codes[:, None]).any()


def test_information_follows_the_motif_where_the_model_does(masked, monkeypatch):
    profile = np.tile([0.2, 2.0, 1.0, 0.1], (2, 1))
    codes, start = windows(2, 20), np.array([3, 9])

    def chances(sequences, places):
        assert (places == start[:, None] + np.arange(4)).all()
        found = np.full((2, 4, 4), 0.25)
        found[0] = [[0.25] * 4, [1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4]  # 0, 2, 1 and 0 bits
        return found

    monkeypatch.setattr(masked.adapter, "base_probabilities", chances, raising=False)
    found = kept_information(masked, codes, start, profile)
    assert found[0] == pytest.approx(np.corrcoef([0, 2, 1, 0], profile[0])[0, 1], abs=1e-6)
    assert np.isnan(found[1])


def test_bases_that_nothing_predicts_are_left_out_of_the_information():
    """The first base of a window has nothing to its left in a causal model without a start token."""
    model = model_of(causal=True)
    assert not len(model.adapter.tokenizer.prefix)
    codes, profile = windows(1, 20), np.array([[2.0, 1.5, 0.2, 0.4, 1.0]])
    found = kept_information(model, codes, np.array([0]), profile)
    chances = model.adapter.base_probabilities(list(codes), np.arange(1, 5)[None])[0]
    kept = 2 + (chances * np.log2(chances)).sum(axis=1)
    assert found[0] == pytest.approx(np.corrcoef(kept, profile[0, 1:])[0, 1], abs=1e-6)


def test_the_other_stretch_is_apart_from_the_site_and_alike_in_gc(masked):
    codes, start = windows(5, 60, seed=2), np.array([0, 12, 27, 40, 52])
    other = matched_stretch(codes, start, 8)
    strong = np.isin(codes, list(b"GC"))
    for row, (at, place) in enumerate(zip(start, other)):
        gc = [strong[row, begin : begin + 8].sum() for begin in range(53)]
        apart = [begin for begin in range(53) if abs(begin - at) >= 8]
        assert place in apart and abs(gc[place] - gc[at]) == min(abs(gc[begin] - gc[at]) for begin in apart)
    assert (matched_stretch(windows(1, 12), np.array([3]), 8) == -1).all()
    assert np.isfinite(state_change(masked, codes, start, 8)).all()
    assert np.isnan(state_change(masked, windows(1, 12), np.array([3]), 8)).all()


def test_sites_are_found_in_windows_and_those_with_n_have_no_score(masked):
    site = "TGACGTCATG"
    counts = np.where(np.eye(4)[["ACGT".index(base) for base in site]] > 0, np.arange(40, 90, 5)[:, None], 1.0)
    texts = [row.tobytes().decode() for row in windows(4, 100, seed=5)]
    texts = [text[:70] + site + text[80:] for text in texts]
    texts[1] = texts[1][:66] + "N" + texts[1][67:]
    texts[2] = "N" * 100
    packed = pack(texts)
    found = sites_of_tf(masked, packed, [Motif("M", "T", counts)], ["support", "information", "state_change"], 40)
    assert np.isfinite(found[[0, 3]]).all() and np.isfinite(found[1, 0]) and np.isnan(found[1, 1:]).all()
    assert np.isnan(found[2]).all()
    codes, start = windows_around(packed, np.array([0]), np.array([70], np.int32), 10, 40)
    assert bytes(codes[0, start[0] : start[0] + 10]).decode() == site and start[0] == 15
    assert found[0, 1] == pytest.approx(site_support(masked, codes, start, 10)[0], abs=1e-5)
    assert np.isnan(sites_of_tf(masked, packed, [], ["support"], 40)).all()


def test_ranks_are_within_splits_and_what_has_no_score_is_last():
    scores, split = np.array([3.0, np.nan, 1.0, 9.0, 9.0]), np.array(["test"] * 3 + ["validation"] * 2, object)
    assert ranked(scores, split) == pytest.approx([1, 1 / 3, 2 / 3, 0.75, 0.75])


def test_byte_pair_tokens_are_refused_by_name():
    model = model_of()
    model.kind = "bpe"
    with pytest.raises(InputError, match="ake state_change"):
        site_support(model, windows(1, 20), np.array([3]), 5)
