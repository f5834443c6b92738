"""k-mers, overlapping as input of small models and consecutive as a vocabulary: numbers by hand, masks, SNPs."""

import numpy as np
import pytest
import torch
from glmflow.errors import InputError
from glmflow.models import new_model
from glmflow.models.byte_pairs import describe
from glmflow.models.kmer_vocabulary import kmer_vocabulary
from glmflow.models.overlapping_kmers import OverlappingKmers


def test_numbers_of_overlapping_kmers_by_hand():
    own = OverlappingKmers(2, 8, 4)
    # A C G T N [MASK] A C: after the beginning and N a letter stands alone; k-mers that hold the mask are one, the last.
    ids = torch.tensor([[2, 3, 4, 5, 6, 1, 2, 3]])
    masked = 8 + 16
    assert own.numbers(ids).tolist() == [[2, 8 + 1, 8 + 4 + 2, 8 + 2 * 4 + 3, 6, masked, masked, 8 + 1]]
    assert own.embedding.num_embeddings == masked + 1


def test_all_kmers_have_a_number_of_their_own():
    ids = torch.tensor([[a, b, c] for a in range(2, 6) for b in range(2, 6) for c in range(2, 6)])
    found = OverlappingKmers(3, 8, 4).numbers(ids)[:, 2]
    assert sorted(found.tolist()) == list(range(8, 8 + 64))


def test_a_masked_base_is_not_given_away_by_its_neighbours():
    torch.manual_seed(0)
    model = new_model("small", {"causal": False, "hidden_size": 16, "num_heads": 2, "kmer": 3}).eval()
    ids = torch.randint(2, 6, (4, 20))
    ids[1:] = ids[0]
    ids[:, 9] = torch.arange(2, 6)
    hidden = ids.clone()
    hidden[:, 9] = 1
    with torch.no_grad():
        shown, masked = model(ids).logits, model(hidden).logits
    torch.testing.assert_close(masked, masked[:1].expand_as(masked), atol=0, rtol=0)
    assert (shown[0, 9] - shown[1, 9]).abs().max() > 1e-4


def test_a_causal_model_of_overlapping_kmers_is_asked_for_single_bases():
    model = new_model("small", {"causal": True, "hidden_size": 16, "num_heads": 2, "kmer": 3}).eval()
    assert model.card.bases_per_token == 1 and model(torch.tensor([[2, 3, 4]])).logits.shape == (1, 3, 8)
    ids = torch.randint(2, 6, (1, 30), generator=torch.Generator().manual_seed(1))
    changed = ids.clone()
    changed[0, 12] = 2 + (ids[0, 12] - 1) % 4
    one, other = model.network.states(ids), model.network.states(changed)
    torch.testing.assert_close(one[:, :12], other[:, :12], atol=0, rtol=0)
    with pytest.raises(InputError, match="not 1 to 8"):
        new_model("small", {"kmer": 9})


def test_consecutive_kmers_are_read_from_the_left_and_begin_again_behind_n():
    tokenizer = kmer_vocabulary(3)
    assert tokenizer.encode("ACGTTTANACGTC").tokens == ["ACG", "TTT", "A", "N", "ACG", "T", "C"]
    assert tokenizer.get_vocab_size() == 10 + 64 and kmer_vocabulary(1).get_vocab_size() == 10
    offsets = tokenizer.encode("ACGTTTAN").offsets
    assert offsets == [(0, 3), (3, 6), (6, 7), (7, 8)]


@pytest.mark.parametrize("k", [1, 3, 6])
def test_a_substitution_changes_one_token_of_consecutive_kmers(k):
    rng = np.random.default_rng(1)
    texts = ["".join(rng.choice(list("ACGT"), 60 * k)) for _ in range(200)]
    known = describe(kmer_vocabulary(k), texts)
    assert known["changed"] == 1 and known["bases_per_token"] == k
    # The other strand is cut at the same places where the length is a multiple of k.
    assert known["strands"] == 1
    assert known["unigram_bits"] == pytest.approx(2, abs=0.06)
