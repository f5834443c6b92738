"""DNA between words: the published forward pass, answers as a tree, and what bridges make of alleles."""

import numpy as np
import pytest
import torch
from glmflow.models.text.allele_bridge import AlleleBridge, AttentionPooler, on_one_grid, pooling_weights
from glmflow.models.text.answer_trie import followed, trie_of
from glmflow.models.text.dna_text import DNA, PADDING, embedded, node_scores, published_logits
from safetensors.torch import load_file
from text_fixtures import expected, fixtures, own_models, part_of, published_tokenizer, tiny_esm, tiny_models
from torch.nn.functional import cross_entropy


def test_the_published_forward_pass():
    text, encoder, projection = tiny_models()
    conversations = {case["name"]: case for case in expected("conversation")["conversations"]}
    pad = published_tokenizer().encode("<|dna_pad|>")[0]
    runs = expected("forward")["runs"]
    assert runs
    for run in runs:
        case = conversations[run["name"]]
        dna, mask = (torch.tensor(case[name]) for name in ("dna_input_ids", "dna_attention_mask"))
        with torch.no_grad():
            states = projection(encoder(dna, mask).last_hidden_state)
            features = states[mask.bool()]
            ids, seen = torch.tensor(case["input_ids"]), torch.tensor(case["attention_mask"])
            logits = published_logits(text, ids, seen, pad, features)
        labels = torch.tensor(case["labels"])
        loss = cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)
        assert loss.item() == pytest.approx(run["loss"], abs=1e-5)
        last = torch.tensor(run["logits_last_position_first8"])
        assert torch.allclose(logits[:, -1, :8], last, atol=1e-5)


def test_the_published_classifier_of_dna_alone():
    import json

    case = expected("dna_only")
    weights = load_file(fixtures() / "tiny/dna_only.safetensors")
    encoder = tiny_esm(weights, json.loads((fixtures() / "tiny/config.json").read_text())["dna"])
    pooler = AttentionPooler(16, 8)
    pooler.load_state_dict(part_of(weights, "pooler."))
    layers = torch.nn.Sequential(
        torch.nn.Linear(32, 16), torch.nn.ReLU(), torch.nn.Dropout(0.1), torch.nn.Linear(16, 3)
    )
    layers.load_state_dict(part_of(weights, "classifier."))
    pooled = []
    with torch.no_grad():
        for name in ("ref", "alt"):
            ids, mask = torch.tensor(case[f"{name}_ids"]), torch.tensor(case[f"{name}_mask"])
            pooled.append(pooler(encoder(ids, mask).last_hidden_state, mask.bool()))
        logits = layers.eval()(torch.cat(pooled, dim=-1))
    assert torch.allclose(logits, torch.tensor(case["logits"]), atol=1e-5)


# --- answers as a tree -------------------------------------------------------------------------------------------


def test_answers_share_what_they_begin_with():
    trie = trie_of([[5, 6, 2], [5, 7, 2], [5, 6, 8, 2]])
    assert trie.tokens.tolist() == [5, 6, 2, 7, 2, 8, 2] and trie.parents.tolist() == [-1, 0, 1, 0, 3, 1, 5]
    assert trie.depths.tolist() == [0, 1, 2, 1, 2, 2, 3]
    assert trie.sees()[6].nonzero()[0].tolist() == [0, 1, 5, 6]
    assert trie.members() @ np.arange(7) == pytest.approx([3, 7, 12])


def test_a_tree_scores_every_answer_as_a_pass_of_its_own_does():
    text, tokenizer = own_models()
    answers = [tokenizer.encode(f"Answer: {name}<|im_end|>") for name in ("amber", "amber fever", "no disease")]
    prompts = [tokenizer.encode(one) for one in ("Which disease does ADORA cause?", "Which?")]
    width = max(map(len, prompts))
    ids = torch.tensor([own + [PADDING] * (width - len(own)) for own in prompts])
    trie = trie_of(answers)
    tree = [torch.from_numpy(own).expand(2, -1) for own in (trie.tokens, trie.parents, trie.depths)]
    with torch.no_grad():
        nodes = node_scores(text, ids, None, *tree, torch.from_numpy(trie.sees()))
    found = nodes @ torch.from_numpy(trie.members()).T
    for row, prompt in enumerate(prompts):
        for column, answer in enumerate(answers):
            with torch.no_grad():
                logits = text(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
            each = [logits[len(prompt) + place - 1, token] for place, token in enumerate(answer)]
            assert found[row, column].item() == pytest.approx(sum(each).item(), abs=1e-4)


def test_greedy_answers_never_leave_the_list_and_do_not_look_ahead():
    trie = trie_of([[5, 6, 2], [5, 7, 2], [8, 2]])
    parents, members = torch.from_numpy(trie.parents), torch.from_numpy(trie.members())
    #                5    6     2     7     2     8     2
    scores = [
        [-0.1, -3.0, -0.1, -0.2, -9.0, -0.5, -0.1],
        [-0.6, -0.1, -0.1, -0.2, -0.1, -0.5, -0.1],
    ]
    scores = torch.tensor(scores)
    assert (scores @ members.T).argmax(1).tolist() == [2, 2], "the ranking sees the end of each answer"
    assert followed(scores, parents, members).tolist() == [1, 2]


def test_greedy_answers_are_those_of_a_model_that_writes_token_by_token():
    text, tokenizer = own_models(seed=3)
    names = ("amber", "amber fever", "no disease", "azure ache")
    answers = [tokenizer.encode(f"Answer: {name}<|im_end|>") for name in names]
    trie = trie_of(answers)
    tree = [torch.from_numpy(own)[None] for own in (trie.tokens, trie.parents, trie.depths)]
    chosen = set()
    for question in ("Which disease does ADORA cause?", "Which?", "near", "variant ADORA", "?!"):
        prompt, written = tokenizer.encode(question), []
        while written not in answers:
            with torch.no_grad():
                logits = text(torch.tensor([prompt + written])).logits[0, -1]
            able = {one[len(written)] for one in answers if one[: len(written)] == written}
            written.append(max(able, key=lambda token: logits[token].item()))
        with torch.no_grad():
            nodes = node_scores(text, torch.tensor([prompt]), None, *tree, torch.from_numpy(trie.sees()))
        found = followed(nodes, tree[1][0], torch.from_numpy(trie.members())).item()
        assert found == answers.index(written)
        chosen.add(found)
    assert chosen


def test_vectors_of_dna_stand_in_their_places_and_padding_changes_nothing():
    text, tokenizer = own_models()
    ids = torch.tensor([[DNA, DNA, *tokenizer.encode("Which?")]])
    vectors = torch.randn(1, 2, 32, generator=torch.Generator().manual_seed(0))
    words = embedded(text, ids, vectors)
    assert torch.equal(words[0, :2], vectors[0])
    assert torch.equal(words[0, 2:], text.get_input_embeddings()(ids[0, 2:]))
    with pytest.raises(ValueError, match="places of DNA"):
        embedded(text, ids, vectors[:, :1])
    one = torch.tensor([[tokenizer.end]])
    tree = (one, torch.tensor([[-1]]), torch.tensor([[0]]), torch.ones(1, 1, dtype=torch.bool))
    padded = torch.cat([torch.full((1, 3), PADDING), ids, torch.full((1, 2), PADDING)], dim=1)
    with torch.no_grad():
        own, other = (node_scores(text, given, vectors, *tree) for given in (ids, padded))
    assert own.item() == pytest.approx(other.item(), abs=1e-5)


# --- what a bridge makes of alleles ------------------------------------------------------------------------------


def pair(ref, alt, dim=6):
    """Return states of two alleles that depend on each base alone, and which are bases."""
    table = torch.randn(5, dim, generator=torch.Generator().manual_seed(1))
    width = max(len(ref), len(alt))
    rows = [[*map("ACGT".index, own)] + [4] * (width - len(own)) for own in (ref, alt)]
    inside = torch.tensor([[place < len(own) for place in range(width)] for own in (ref, alt)])
    return table[torch.tensor(rows)] * inside[..., None], inside


def test_flanks_of_an_indel_are_the_same_places_of_both_alleles():
    states, inside = pair("AACCGGTT", "AACCTTAGGTT")  # CTTA in place of C
    change = torch.tensor([[3, 4], [3, 7]])
    flanks, changed, there = on_one_grid(states, inside, change, 5)
    assert torch.equal(flanks[0], flanks[1]) and torch.equal(there[0], there[1])
    assert there[0].tolist() == [False, False, True, True, True] + [True] * 4 + [False]
    assert torch.allclose(changed[0], states[0, 3]) and torch.allclose(changed[1], states[1, 3:7].mean(0))
    nothing = on_one_grid(states, inside, torch.tensor([[3, 3], [3, 7]]), 2)[1]
    assert not nothing[0].any()


@pytest.mark.parametrize("pooling", ["strided", "queries", "focus", "none"])
def test_a_difference_is_in_the_change_alone_where_the_flanks_are_alike(pooling):
    torch.manual_seed(0)
    bridge = AlleleBridge(6, 10, 8, ("ref", "diff", "alt"), pooling, 4, 3)
    states, inside = pair("ACGTACGTACGTACGTA", "ACGTACGTCCGTACGTA")
    change = torch.tensor([[8, 9], [8, 9]])
    parts = bridge.found(states, inside, change)
    changed = {"queries": 3}.get(pooling, bridge.weights.shape[0] // 2)
    others = [place for place in range(bridge.of_part) if place != changed]
    assert parts["diff"][0, changed].abs().max() > 0.1 and parts["diff"][0, others].abs().max() < 1e-6
    assert parts["diff"].pow(2).mean().sqrt().item() == pytest.approx(1, abs=1e-4)
    found = bridge(states, inside, change)
    assert found.shape == (1, bridge.vectors, 10) and torch.isfinite(found).all()
    found.sum().backward()
    assert all(own.grad is not None and torch.isfinite(own.grad).all() for own in bridge.parameters())


def test_no_change_has_no_difference_and_a_finite_slope():
    bridge = AlleleBridge(6, 10, 8)
    states, inside = pair("ACGTACGTACGTACGTA", "ACGTACGTACGTACGTA")
    states.requires_grad_()
    change = torch.tensor([[8, 9], [8, 9]])
    assert not bridge.found(states, inside, change)["diff"].any()
    bridge(states, inside, change).sum().backward()
    assert torch.isfinite(states.grad).all()


def test_noise_of_the_arithmetic_is_not_made_a_difference():
    bridge = AlleleBridge(6, 10, 8)
    states, inside = pair("ACGTACGTACGTACGTA", "ACGTACGTACGTACGTA")
    states[1] += 1e-6 * torch.randn_like(states[1])
    parts = bridge.found(states, inside, torch.tensor([[8, 9], [8, 9]]))
    assert parts["diff"].abs().max() < 0.1


def test_every_base_is_in_one_mean_and_both_sides_mirror_each_other():
    for pooling, vectors in (("strided", 2 * 4), ("focus", 2 * (16 + 2)), ("none", 2 * 25)):
        weights = pooling_weights(25, pooling, 8)
        assert weights.shape == (vectors, 50) and torch.equal(weights.sum(0), torch.ones(50)), pooling
        assert torch.equal(weights.flip(0, 1), weights), pooling


def test_means_are_of_whole_tokens():
    for pooling, near in (("strided", 0), ("focus", 18)):
        bridge = AlleleBridge(6, 10, 54, pooling=pooling, stride=8, frame=6)
        assert bridge.stride == 12
        sizes = bridge.weights.sum(1)[: len(bridge.weights) // 2].tolist()
        assert sizes == [12.0] * ((54 - near) // 12) + [1.0] * near or sizes[0] == (54 - near) % 12
        assert all(size % 6 == 0 for size in sizes if size > 1)
    assert AlleleBridge(6, 10, 54, stride=12, frame=6).stride == 12
    assert AlleleBridge(6, 10, 54, stride=8, frame=1).stride == 8


def test_vectors_without_content_are_the_same_for_all():
    bridge = AlleleBridge(6, 10, 8)
    found = bridge.without_content(3)
    assert found.shape == (3, bridge.vectors, 10) and torch.equal(found[0], found[2])
