"""What becomes of lower case, N, IUPAC letters and nonsense; which token covers which base."""

import itertools

import numpy as np
import pytest
from family_checks import fixture, tokens_of
from glmflow.errors import InputError
from glmflow.models import load_model
from glmflow.models.families import generator, nucleotide_transformer
from glmflow.models.tokenizers import (
    CharacterTokenizer,
    FileTokenizer,
    KmerTokenizer,
    MissingTokenizer,
    clean,
    kmers,
    read_vocabulary,
    tokenizer_from_file,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Library
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split
from tokenizers.processors import TemplateProcessing

VOCAB = {"[PAD]": 0, "[MASK]": 1, "A": 2, "C": 3, "G": 4, "T": 5, "N": 6}
DNA = st.text(alphabet="ACGTN", min_size=1, max_size=60)


def text(codes):
    return codes.tobytes().decode()


def codes(sequence):
    return np.frombuffer(sequence.encode(), np.uint8)


def test_clean_upper_cases_reads_u_as_t_and_iupac_as_n():
    assert text(clean("acgtuN")) == "ACGTTN"
    assert text(clean("RYSWKMBDHVryswkmbdhv")) == "N" * 20
    assert text(clean(codes("acGT"))) == "ACGT"


def test_clean_refuses_an_empty_sequence_and_names_a_wrong_character():
    with pytest.raises(InputError, match="empty sequence"):
        clean("")
    with pytest.raises(InputError, match=r"'-' at position 2 \(0-based\)"):
        clean("AC-GT")
    with pytest.raises(InputError, match=r"' ' at position 1"):
        clean("A CGT")


def test_characters():
    tokenizer = CharacterTokenizer(VOCAB, pad_id=0, suffix=[9], unknown_id=8)
    assert tokenizer.encode("ACGTNX") == [2, 3, 4, 5, 6, 8, 9]
    assert tokenizer.encode("acg") == [8, 8, 8, 9]
    assert CharacterTokenizer(VOCAB, upper=True).encode("acg") == [2, 3, 4]
    with pytest.raises(InputError, match="'X' is not in the model's vocabulary"):
        CharacterTokenizer(VOCAB).encode("AX")
    assert tokenizer.bases[[2, 3, 4, 5, 6], 0].tolist() == [0, 1, 2, 3, -1]


def test_nucleotide_transformer_vocabularies_are_the_published_ones():
    for name, config in (("nt-v1", {"vocab_size": 4105}), ("nt-v2", {"vocab_size": 4107})):
        published = read_vocabulary(fixture(name) / "vocab.txt")
        assert nucleotide_transformer.tokenizer(config, None).vocab == published
    assert nucleotide_transformer.tokenizer({"vocab_size": 75}, None).k == 3


def test_generator_vocabulary_is_the_published_one():
    assert generator.tokenizer({}, None).vocab == read_vocabulary(fixture("generator") / "vocab.txt")


@pytest.mark.parametrize("name", ["nt-v1", "nt-v2", "generator"])
def test_kmer_ids_are_those_of_the_original(name):
    tokenizer = load_model(fixture(name)).tokenizer
    for case in tokens_of(fixture(name)):
        assert tokenizer.encode(case["sequence"]) == case["input_ids"]
        assert tokenizer.encode(case["sequence"], special=False) == case["input_ids_no_special"]


def test_readme_examples_of_the_nucleotide_transformer():
    # The two examples of the published model card.
    tokenizer = nucleotide_transformer.tokenizer({"vocab_size": 4105}, None)
    names = {index: token for token, index in tokenizer.vocab.items()}
    shown = [names[index] for index in tokenizer.encode("ATTCCGATTCCGATTCCG")]
    assert shown == ["<cls>", "ATTCCG", "ATTCCG", "ATTCCG"]
    shown = [names[index] for index in tokenizer.encode("ATTTCTCTCTCTCTCTGAGATCGATCGATCGAT")]
    assert shown == ["<cls>", "ATTTCT", "CTCTCT", "CTCTGA", "GATCGA", "TCGATC", "G", "A", "T"]


def test_nucleotide_transformer_alone_does_with_lower_case_what_the_original_does():
    tokenizer = nucleotide_transformer.tokenizer({"vocab_size": 4105}, None)
    assert tokenizer.encode("ACGTACacgtacgtACGTAC", special=False).count(0) == 1


def test_generator_marks_a_6mer_with_n_and_a_remainder_as_unknown():
    tokenizer = generator.tokenizer({}, None)
    assert tokenizer.encode("AAAAAAANAAAAAAAAAT") == [1, 32, 0, 33]
    assert tokenizer.encode("AAAAAAAAA") == [1, 32, 0]


@settings(deadline=None, max_examples=50)
@given(DNA)
def test_kmers_cover_each_base_once_and_in_order(sequence):
    for single in (True, False):
        vocab = {token: index for index, token in enumerate(["<unk>", *kmers(3, "ATCG"), *"ACGTN"])}
        tokenizer = KmerTokenizer(vocab, 3, single_bases=single, unknown_id=0)
        ids, covering = tokenizer.pieces(codes(sequence))
        assert len(covering) == len(sequence)
        assert list(covering) == sorted(covering) and set(covering) == set(range(len(ids)))
        names = {index: token for token, index in vocab.items()}
        for token, group in itertools.groupby(range(len(sequence)), key=lambda base: covering[base]):
            bases = "".join(sequence[base] for base in group)
            assert names[ids[token]] in (bases, "<unk>")


def test_offsets_of_kmers_in_the_table_of_bases():
    tokenizer = nucleotide_transformer.tokenizer({"vocab_size": 4107}, None)
    assert tokenizer.bases[tokenizer.vocab["GATTAC"]].tolist() == [2, 0, 3, 3, 0, 1]
    assert tokenizer.bases[tokenizer.vocab["C"]].tolist() == [1, -1, -1, -1, -1, -1]
    assert (tokenizer.bases[tokenizer.vocab["N"]] == -1).all()
    assert (tokenizer.bases >= 0).all(1).sum() == 4**6


@pytest.fixture
def gena():
    return FileTokenizer(fixture("gena-bert") / "tokenizer" / "tokenizer.json")


def test_byte_pairs_are_those_of_the_original(gena):
    for name in ("gena-bert", "gena-bigbird"):
        for case in tokens_of(fixture(name)):
            assert gena.encode(case["sequence"]) == case["input_ids"]
            assert gena.encode(case["sequence"], special=False) == case["input_ids_no_special"]
    assert (gena.prefix, gena.suffix, gena.pad_id, gena.mask_id, gena.unknown_id) == ((1,), (2,), 3, 4, 0)


@pytest.mark.parametrize("alphabet", ["ACGT", "ACGTACGTN"])
def test_byte_pairs_cover_the_bases_they_spell(gena, alphabet):
    sequence = "".join(np.random.default_rng(0).choice(list(alphabet), 500))
    ids, covering = gena.pieces(codes(sequence))
    names = {index: token for token, index in gena.vocab.items()}
    spelled = ["".join(sequence[base] for base in np.flatnonzero(covering == t)) for t in range(len(ids))]
    assert spelled == [names[index] for index in ids]


def test_a_long_run_of_n_is_one_token_that_covers_all_of_it(gena):
    ids, covering = gena.pieces(codes("ACGTACGT" + "N" * 30 + "GATTACA"))
    gap = gena.vocab["-"]
    assert (ids == gap).sum() == 1
    assert (ids[covering] == gap).tolist() == [False] * 8 + [True] * 30 + [False] * 7


def test_lower_case_alone_is_unknown_and_cleaned_is_not(gena):
    assert gena.encode("acgt", special=False) == [gena.unknown_id] * 4
    assert gena.unknown_id not in gena.pieces(clean("acgtn")).ids


def test_one_letter_vocabulary_of_a_file_becomes_a_table(tmp_path):
    library = Library(WordLevel({"[UNK]": 0, "[CLS]": 1, "[PAD]": 2, "A": 3, "C": 4, "G": 5, "T": 6, "N": 7}, "[UNK]"))
    library.pre_tokenizer = Split("", "isolated")
    library.post_processor = TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 1)])
    library.save(str(tmp_path / "tokenizer.json"))
    tokenizer = tokenizer_from_file(tmp_path)
    assert isinstance(tokenizer, CharacterTokenizer)
    assert tokenizer.encode("ACGTNX") == library.encode("ACGTNX").ids
    assert tokenizer.pad_id == 2 and tokenizer.bases is not None


def test_without_a_tokenizer_file_ids_are_not_made_up(tmp_path):
    tokenizer = tokenizer_from_file(tmp_path)
    assert isinstance(tokenizer, MissingTokenizer)
    with pytest.raises(InputError, match=r"no tokenizer\.json.*Put the published tokenizer\.json"):
        tokenizer.encode("ACGT")
