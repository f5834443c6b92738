"""Scores: properties that hold for any model, and values that toy models make known."""

import numpy as np
import pytest
import torch
from glmflow.effects.likelihood_model import LikelihoodModel
from glmflow.effects.score_catalogue import SCORES, Asked, asked, why_not
from glmflow.effects.scored_edits import Settings, mean_of_strands, score_edits
from glmflow.errors import InputError
from glmflow.genome.edits import Records, edits_of
from glmflow.genome.reasons import Reason
from glmflow.models.tokenizers import BASES, CharacterTokenizer
from toy_models import (
    Sequences,
    constant,
    depends_on,
    kmer_model,
    known,
    opposite,
    random_genome,
    small,
)

TEXT = random_genome(300, seed=3)
GENOME = Sequences(a=TEXT)
MODELS = {
    "masked": small,
    "causal": lambda: small(causal=True),
    "kmer": kmer_model,
    "causal kmer": lambda: kmer_model(causal=True),
}


@pytest.fixture(params=MODELS)
def model(request):
    return LikelihoodModel(MODELS[request.param]())


def other(base, by=1):
    return BASES[(BASES.index(base) + by) % 4]


def snvs(*places, text=TEXT):
    return [(place, text[place], other(text[place])) for place in places]


def indels(text=TEXT):
    return [(120, text[120], text[120] + "GATTA"), (130, text[130:137], text[130]), (140, text[140:144], "TT")]


def edits(*some, genome=GENOME):
    pos, ref, alt = (list(values) for values in zip(*some))
    return edits_of(Records(["a"] * len(some), pos, ref, alt), genome)


def had(model):
    return [name for name in SCORES if why_not(name, model) is None]


def scores(model, found, names=None, genome=GENOME, **settings):
    names = names or had(model)
    return score_edits(model, genome, found, asked(model, names), Settings(**{"window": 60, **settings}))


def close(one, two, atol=1e-5):
    np.testing.assert_allclose(one, two, atol=atol, rtol=0)


def test_spellings_of_one_edit_have_the_same_bits(model):
    s, text = 150, TEXT
    alt = other(text[s])
    spelled = [
        (s, text[s], alt),
        (s, text[s : s + 2], alt + text[s + 1]),
        (s - 1, text[s - 1 : s + 1], text[s - 1] + alt),
        (s - 2, text[s - 2 : s + 3], text[s - 2 : s] + alt + text[s + 1 : s + 3]),
    ]
    found = scores(model, edits(*spelled)).values
    alone = [scores(model, edits(one)).values[0] for one in spelled]
    for row, single in zip(found, alone):
        np.testing.assert_array_equal(row, found[0])
        np.testing.assert_array_equal(single, alone[0])


def test_swapping_reference_and_alternative_changes_the_sign(model):
    signed = [name for name in had(model) if name in ("llr", "llr_marginal", "next", "pll", "ll")]
    for s, width in ((150, 1), (150, 3)):
        alt = "".join(map(other, TEXT[s : s + width]))
        swapped = TEXT[:s] + alt + TEXT[s + width :]
        names = [name for name in signed if name != "next" or width == 1]
        forward = scores(model, edits((s, TEXT[s : s + width], alt)), names)
        genome = Sequences(a=swapped)
        back = scores(model, edits((s, alt, TEXT[s : s + width]), genome=genome), names, genome)
        close(forward.values, -back.values)


@pytest.mark.parametrize("window", [61, 33])
def test_the_reverse_complement_has_the_same_mean(window):
    genome = Sequences(a=opposite(TEXT))
    for name in ("masked", "causal"):
        one = LikelihoodModel(MODELS[name]())
        some = [*snvs(150, 2, 297), (160, TEXT[160:163], "".join(map(other, TEXT[160:163])))]
        turned = [(len(TEXT) - s - len(ref), opposite(ref), opposite(alt)) for s, ref, alt in some]
        forward, back = (
            scores(one, edits(*some), window=window),
            scores(one, edits(*turned, genome=genome), genome=genome, window=window),
        )
        if name == "masked":  # an MNV's middle lies elsewhere in the turned window
            forward.values, back.values = forward.values[:3], back.values[:3]
        close(mean_of_strands(forward)[:3], mean_of_strands(back)[:3])


def test_alone_in_a_batch_shuffled_and_with_a_shared_beginning(model):
    some = [*snvs(100, 101, 150, 5, 290), (100, TEXT[100], other(TEXT[100], 2)), *indels()]
    whole = scores(model, edits(*some)).values
    alone = np.concatenate([scores(model, edits(one)).values for one in some])
    close(whole, alone)
    order = np.random.default_rng(0).permutation(len(some))
    close(scores(model, edits(*[some[i] for i in order])).values, whole[order])
    model.batch = 2
    close(scores(model, edits(*some)).values, whole)
    model.batch, model._continues = None, False
    close(scores(model, edits(*some)).values, whole)


def test_neighbours_that_share_a_window_have_the_scores_of_that_window():
    model = LikelihoodModel(small(causal=True))
    found = scores(model, edits(*snvs(151, 155, 158)), ["ll"], share=20)
    assert found.start.tolist() == [150 - 30] * 0 + [120, 120, 120]
    for s, value in zip((151, 155, 158), found.values[:, 0]):
        window = TEXT[120:180]
        changed = window[: s - 120] + other(TEXT[s]) + window[s - 119 :]
        sums = [model.adapter.log_likelihood([text])[0] for text in (window, changed)]
        close(value.mean(), sums[1] - sums[0])


def forwards(adapter, run):
    """Return what goes through a network: the rows of token ids."""
    seen = []
    network = adapter.network
    states = network.states
    network.states = lambda ids, *more: (seen.extend(map(tuple, ids.tolist())), states(ids, *more))[1]
    run()
    del network.states
    return seen


def test_each_masked_window_is_computed_once():
    adapter = small()
    model = LikelihoodModel(adapter)
    some = [(150, TEXT[150], alt) for alt in BASES if alt != TEXT[150]] * 2 + snvs(160)
    seen = forwards(adapter, lambda: scores(model, edits(*some), ["llr"]))
    assert len(seen) == len(set(seen)) == 4 == model.passes  # two sites, two strands
    mnv = (170, TEXT[170:172], other(TEXT[170]) + other(TEXT[171]))
    for mode, passes in (("joint", 1), ("sum", 2), ("each_own", 4)):
        seen = forwards(adapter, lambda mode=mode: scores(model, edits(mnv), ["llr"], mnv=mode))
        assert len(seen) == len(set(seen)) == 2 * passes


def test_reference_windows_are_read_once_and_alternatives_from_where_they_differ():
    adapter = small(causal=True)
    model = LikelihoodModel(adapter)
    assert model.continues()
    some = [(150, TEXT[150], alt) for alt in BASES if alt != TEXT[150]] * 2
    seen = forwards(adapter, lambda: scores(model, edits(*some), ["ll"]))
    assert sorted(map(len, seen)) == [30 + 2] * 3 + [31] * 0 + [60] * 2 or len(seen) == 8
    tokens = sum(map(len, seen))
    assert tokens < (1 + 3 / 2) * 60 * 2 + 3 * 4  # (1 + a/2) windows a strand, and a token more an alternative


def test_pseudo_likelihoods_share_the_reference():
    adapter = small()
    model = LikelihoodModel(adapter)
    some = [(150, TEXT[150], alt) for alt in BASES if alt != TEXT[150]]
    seen = forwards(adapter, lambda: scores(model, edits(*some), ["pll"], window=20))
    # a masked reference token is the same window whatever stood there: 20 of each of 4 windows, on 2 strands
    assert len(seen) == 2 * 4 * 20


def test_known_probabilities():
    probabilities = [0.05, 0.03, 0.9, 0.02]
    model = LikelihoodModel(known(constant(probabilities)))
    place = TEXT.index("A", 100)
    found = scores(model, edits((place, "A", "G")), ["llr", "pll", "flank", "influence"])
    assert found.values[0, 0, 0] == pytest.approx(np.log(0.9 / 0.05), abs=1e-6)
    assert found.values[0, 0, 1] == pytest.approx(np.log(0.03 / 0.02), abs=1e-6)  # C over T on the other strand
    close(found.values[0, 1], found.values[0, 0])
    close(found.values[0, 2:], 0)


def test_a_model_without_opinion_scores_everything_zero():
    for objective in ("masked", "causal"):
        model = LikelihoodModel(known(constant([0.25] * 4), objective))
        found = scores(model, edits(*snvs(100, 150), *indels()))
        likelihoods = [place for place, name in enumerate(found.names) if not name.startswith(("l1", "l2", "cosine"))]
        values = found.values[:, likelihoods]
        assert np.isfinite(values).any(1).all()
        if objective == "causal":  # bases that an allele has more or less cost log 4 each, here and in no other score
            own = found.names.index("ll_allele")
            close(found.values[2:, own, 0], np.log(4) * np.array([-5, 6, 2]))
            values[2:, likelihoods.index(own)] = 0
        close(values[np.isfinite(values)], 0)


def test_distances_are_those_of_states_and_of_a_layer():
    model = LikelihoodModel(known(constant([0.25] * 4)))
    found = scores(model, edits(*snvs(150)), ["l1_mean", "l2_mean", "l2_flat", "l2_site"])
    # states are one-hot letters: one of 60 bases moves from one letter to another
    close(found.values[0, :, 0], [2 / 60, np.sqrt(2) / 60, np.sqrt(2), np.sqrt(2)])


def test_flank_and_influence_of_a_known_dependence():
    model = LikelihoodModel(known(depends_on(3)))
    found = scores(model, edits(*snvs(150)), ["flank", "influence"])
    own, nxt = TEXT[150], TEXT[153]
    logs = [2 * (nxt == base) - np.log(np.exp(2) + 3) for base in (own, other(own))]
    assert found.values[0, 0, 0] == pytest.approx((logs[1] - logs[0]) / 10, abs=1e-6)
    odds = lambda favoured: np.log(np.exp(2.0 * favoured) / (np.exp(2) + 3 - np.exp(2.0 * favoured)))  # noqa: E731
    assert found.values[0, 1, 0] == pytest.approx((odds(1) - odds(0)) / 59, abs=1e-6)


def test_llr_is_that_of_base_probabilities_and_marginal_that_of_its_sums(model):
    if not model.masked:
        return
    found = scores(model, edits(*snvs(150)), ["llr_marginal"])
    window = TEXT[found.start[0] : found.start[0] + found.width[0]]
    at = 150 - found.start[0]
    for strand, (text, place) in enumerate([(window, at), (opposite(window), len(window) - 1 - at)]):
        row = np.log(model.adapter.base_probabilities([text], [place])[0, 0])
        pair = [base if strand == 0 else opposite(base) for base in (other(TEXT[150]), TEXT[150])]
        expected = row[BASES.index(pair[0])] - row[BASES.index(pair[1])]
        assert found.values[0, 0, strand] == pytest.approx(expected, abs=1e-5)
    if model.kind == "base":
        close(found.values, scores(model, edits(*snvs(150)), ["llr"]).values)


def test_likelihoods_are_those_of_the_adapter(model):
    name = "pll" if model.masked else "ll"
    some = [*snvs(150), *indels()]
    found = scores(model, edits(*some), [name])
    for row, (pos, ref, alt) in zip(range(4), some):
        start, width = int(found.start[row]), int(found.width[row])
        changed = (TEXT[start:pos] + alt + TEXT[pos + len(ref) :])[:width]
        pair = TEXT[start : start + width], changed
        if model.masked:
            for strand, turn in enumerate((str, opposite)):
                sums = model.adapter.log_likelihood([turn(text) for text in pair])
                assert found.values[row, 0, strand] == pytest.approx(sums[1] - sums[0], abs=1e-4)
        else:
            sums = model.adapter.log_likelihood(pair)
            assert found.values[row, 0].mean() == pytest.approx(sums[1] - sums[0], abs=1e-4)


def test_parts_of_a_likelihood_make_it():
    model = LikelihoodModel(small(causal=True))
    found = scores(model, edits(*snvs(100, 150)), ["ll", "ll_allele", "ll_flank"])
    close(found.values[:, 0], found.values[:, 1] + found.values[:, 2])


def test_the_alleles_part_of_a_deletion_that_reaches_past_its_window():
    model = LikelihoodModel(small(causal=True))
    end = len(TEXT) - 3  # three bases are left behind seven that go: the window of 60 holds three of these
    found = scores(model, edits((end - 8, TEXT[end - 8 : end], TEXT[end - 8])), ["ll_allele"])
    before = end - 7 - int(found.start[0])
    assert before == 57 and len(TEXT) - 7 - 60 == found.start[0]
    window = TEXT[found.start[0] : found.start[0] + 60]
    for strand, (text, inside) in enumerate([(window, slice(57, 60)), (opposite(window), slice(0, 3))]):
        rows = model.tokenize(np.frombuffer(text.encode(), np.uint8)[None])
        ids = torch.from_numpy(rows.ids.astype(np.int64))
        with torch.no_grad():
            logs = model.adapter(ids).logits.double().log_softmax(-1)
        own = [0.0, *logs[0, torch.arange(len(ids[0]) - 1), ids[0, 1:]].tolist()]
        first = int(rows.cover[0, 0])
        assert found.values[0, 0, strand] == pytest.approx(-sum(own[first:][inside]), abs=1e-5)


@pytest.mark.parametrize("kind", ["causal", "causal kmer"])
def test_every_allele_has_the_mean_of_both_strands_or_a_reason(kind):
    model = LikelihoodModel(MODELS[kind]())
    some = [*snvs(150, 0, 299), (160, TEXT[160:162], other(TEXT[160]) + other(TEXT[161])), *indels()]
    found = scores(model, edits(*some), ["next"])
    reasons = [Reason(int(code)).label for code in found.reason]
    assert reasons == ["", "at_contig_end", "at_contig_end", "not_snv", *["length_changed"] * 3]
    assert (np.isfinite(mean_of_strands(found)[:, 0]) == (found.reason == 0)).all()


def test_all_frames_are_the_mean_of_single_ones():
    model = LikelihoodModel(kmer_model(3))
    found = scores(model, edits(*snvs(150)), ["llr"], frames="all")
    single = []
    for phase in range(3):
        start = {0: 120, 1: 119, 2: 121}[phase]  # 150 - start leaves the phase, nearest to 120
        window = TEXT[start : start + 60]
        values = []
        for turn, at in ((str, 150 - start), (opposite, 59 - (150 - start))):
            texts = [turn(window), turn(window[: 150 - start] + other(TEXT[150]) + window[151 - start :])]
            rows = [model.adapter.tokenizer.encode(text) for text in texts]
            slot = 1 + at // 3
            masked = list(rows[0])
            masked[slot] = 1
            with torch.no_grad():
                logs = model.adapter(torch.tensor([masked])).logits[0, slot].double().log_softmax(-1)
            values.append(float(logs[rows[1][slot]] - logs[rows[0][slot]]))
        single.append(values)
    close(found.values[0, 0], np.mean(single, 0))


def test_what_a_model_has_not_is_refused_with_its_reason():
    masked, causal = LikelihoodModel(small()), LikelihoodModel(small(causal=True))
    with pytest.raises(InputError, match="has no ll: it needs a causal model, small is masked"):
        asked(masked, ["ll"])
    with pytest.raises(InputError, match="has no llr: it needs a masked model"):
        asked(causal, ["llr"])
    with pytest.raises(InputError, match=r"no score lr\. There are llr"):
        asked(masked, ["lr"])
    with pytest.raises(InputError, match="has no flank: it needs tokens of single bases, those of small are 3-mers"):
        asked(LikelihoodModel(kmer_model()), ["flank"])
    assert asked(causal, ["llr", "ll"], alone=False).names == ("ll",)
    assert asked(causal, ["llr"], alone=False) == Asked((), (), Reason.NOT_MASKED)


def test_defaults_give_every_edit_a_score_and_what_was_asked_a_reason(model):
    some = edits(*snvs(150), *indels())
    found = score_edits(model, GENOME, some, asked(model, None), Settings(60))
    assert (found.reason == 0).all() and np.isfinite(mean_of_strands(found)).any(1).all()
    if model.masked:
        only = score_edits(model, GENOME, some, asked(model, ["llr"]), Settings(60))
        assert [Reason(int(code)).label for code in only.reason] == ["", *["length_changed"] * 3]


def test_a_window_with_more_tokens_than_the_context_is_left_out():
    genome = Sequences(a=TEXT[:140] + "N" * 9 + TEXT[149:])
    adapter = kmer_model(3)
    from dataclasses import replace

    adapter.card = replace(adapter.card, context_tokens=22)
    found = scores(LikelihoodModel(adapter), edits(*snvs(155, 30), genome=genome), ["llr"], genome)
    assert [Reason(int(code)).label for code in found.reason] == ["beyond_context", ""]
    assert found.unknown.tolist()[0] == 9


def test_another_layer():
    adapter = small(num_layers=2)
    for layer in (-1, 1, 0):
        model = LikelihoodModel(adapter, layer=layer)
        found = scores(model, edits(*snvs(150)), ["l2_flat"], window=20)
        assert found.values[0, 0, 0] > 0
    embedded = adapter.network.embedding.weight
    ids = [adapter.tokenizer.vocab[base] for base in (TEXT[150], other(TEXT[150]))]
    with torch.no_grad():  # layer 0 is the input of the first block: embedding and convolution
        distance = (embedded[ids[0]] - embedded[ids[1]]).norm()
    assert found.values[0, 0, 0] > 0.5 * float(distance)
    with pytest.raises(InputError, match="no layer 7"):
        scores(LikelihoodModel(adapter, layer=7), edits(*snvs(150)), ["l2_flat"], window=20)


def test_half_precision_keeps_the_head_in_float32():
    adapter = small(hidden_size=32)
    exact = scores(LikelihoodModel(adapter), edits(*snvs(150, 170)), ["llr"]).values
    model = LikelihoodModel(adapter.to(torch.bfloat16))
    assert model.precision == "bfloat16, head float32"
    states = torch.randn(3, 1, 32).to(torch.bfloat16)
    logits = model.logits(states)
    assert logits.dtype == torch.float32
    weight = adapter.network.lm_head.weight.float()
    torch.testing.assert_close(logits, states.float() @ weight.T)
    assert np.abs(scores(model, edits(*snvs(150, 170)), ["llr"]).values - exact).max() < 0.1


def test_windows_with_n_are_left_out_where_the_vocabulary_lacks_it():
    genome = Sequences(a=TEXT[:140] + "N" + TEXT[141:])
    adapter = known(constant([0.4, 0.3, 0.2, 0.1]))
    assert scores(LikelihoodModel(adapter), edits(*snvs(150), genome=genome), ["llr"], genome).reason.tolist() == [0]
    adapter.tokenizer = CharacterTokenizer({"[MASK]": 0, "A": 1, "C": 2, "G": 3, "T": 4}, mask_id=0)
    found = scores(LikelihoodModel(adapter), edits(*snvs(150, 30), genome=genome), ["llr", "pll"], genome)
    assert [Reason(int(code)).label for code in found.reason] == ["n_in_window", ""]
    assert found.unknown.tolist() == [1, 0]
