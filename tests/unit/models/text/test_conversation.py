"""Conversations, ids and labels as published; loading of text models from folders alone."""

import json

import pytest
import torch
from glmflow.errors import InputError
from glmflow.models.text.conversation import (
    DNA_PAD,
    EMPTY_THOUGHT,
    IGNORED,
    answer_text,
    encoded,
    learned,
    question_text,
    rendered,
    with_pads,
    written_alleles,
)
from glmflow.models.text.text_loading import load_text_model, load_tokenizer, new_tokenizer, read_tokenizer
from text_fixtures import expected, own_models, published_tokenizer


def test_every_form_of_a_conversation():
    for case in expected("conversation")["template"]:
        forms = {name: value for name, value in case.items() if name not in ("messages", "text")}
        assert rendered(case["messages"], **forms) == case["text"]


def test_ids_masks_and_labels_are_those_of_the_original():
    tokenizer = published_tokenizer()
    for case in expected("conversation")["conversations"]:
        texts = [rendered(own["prompt"], continue_final_message=True) for own in case["formatted"]]
        assert texts == case["rendered_before_dna_expansion"], case["name"]
        sizes = [sum(token != 1 for token in row) for row in case["dna_input_ids"]]
        counts = [sizes[2 * place : 2 * place + 2] for place in range(len(texts))]
        longest = case["max_length_text"] + 2 * case["max_length_dna"]
        found = encoded(texts, counts, tokenizer.encode, tokenizer.end, longest)
        assert found.input_ids == case["input_ids"], case["name"]
        assert found.attention_mask == case["attention_mask"], case["name"]
        assert found.labels == case["labels"], case["name"]


def test_a_question_of_a_model_that_is_given_letters():
    case = next(one for one in expected("conversation")["conversations"] if "text_only" in one["name"])
    asked = case["formatted"][0]["prompt"][0]["content"][-1]["text"]
    ref, alt = (line.split(": ")[1] for line in asked.split("\n")[:2])
    assert written_alleles(asked.split("Question:  ")[1], ref, alt) == asked


def test_an_end_inside_of_a_thought_ends_the_labels():
    assert learned([9, 1, 5, 6, 2, 7, 2], [9, 1], 2) == [IGNORED, IGNORED, 5, 6, IGNORED, IGNORED, IGNORED]
    assert learned([1, 5, 6], [9], 2) == [IGNORED] * 3
    assert learned([9, 5, 2, 9, 6], [9], 2) == [IGNORED, 5, IGNORED, IGNORED, 6]


def test_our_answers_teach_where_to_stop():
    assert answer_text("x") == f"{EMPTY_THOUGHT}Answer: x<|im_end|>"
    assert answer_text("x", "\nwhy\n", ended=False) == "<think>\nwhy\n</think>\n\nAnswer: x"
    assert question_text("  q ").endswith("q<|im_end|>\n<|im_start|>assistant\n")


def test_pads_are_repeated_in_their_order():
    assert with_pads(f"a{DNA_PAD}b{DNA_PAD}c", [2, 0]) == f"a{DNA_PAD * 2}bc"
    with pytest.raises(ValueError, match="2 alleles"):
        with_pads(f"a{DNA_PAD}b{DNA_PAD}c", [2])


def test_byte_pairs_made_here_read_any_text_again():
    texts = ["Which disease? 3' UTR – β-globin", "melanoma"]
    made = new_tokenizer(texts * 3, 300)
    again = read_tokenizer(made.written())
    for text in [*texts, "<think>\n\n</think>\n\nAnswer: x<|im_end|>"]:
        assert made.decode(made.encode(text)) == text and made.encode(text) == again.encode(text)
    assert made.encode("<|im_end|>") == [made.end]
    assert new_tokenizer(texts * 3, 300).written() == made.written()


def test_a_text_model_is_loaded_from_its_folder_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model, tokenizer = own_models()
    model.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(tokenizer.written())
    again, read = load_text_model(tmp_path), load_tokenizer(tmp_path)
    ids = torch.tensor([read.encode("Which disease?")])
    assert torch.equal(model(ids).logits, again(ids).logits)


def test_a_folder_that_is_no_text_model_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no tokenizer\.json"):
        load_tokenizer(tmp_path)
    with pytest.raises(InputError, match=r"no config\.json"):
        load_text_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"auto_map": {"AutoModel": "x.py"}}))
    with pytest.raises(InputError, match="code of its own"):
        load_text_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "no_such_model"}))
    with pytest.raises(InputError, match="no causal text model"):
        load_text_model(tmp_path)
    from tokenizers import Tokenizer, models

    (tmp_path / "tokenizer.json").write_text(Tokenizer(models.BPE()).to_str())
    with pytest.raises(InputError, match="ChatML"):
        load_tokenizer(tmp_path)
