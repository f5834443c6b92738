"""Text models pretrained here: they learn the questions and how answers are written, not which is right."""

import pandas as pd
import pytest
import torch
from glmflow.config.text_blocks import TextPretraining
from glmflow.errors import InputError
from glmflow.models.text.text_loading import load_text_model, load_tokenizer
from glmflow.training.text_pretraining import pretrain_text

torch.set_num_threads(1)
CLASSES = ["amber fever", "blue ache", "no disease"]
SMALL = {"questions": "t", "hidden": 32, "layers": 1, "heads": 2, "vocabulary": 300, "steps": 60, "batch": 8}
SMALL |= {"learning_rate": 0.01}


def rows(split="train"):
    genes = ["ADORA", "BRIMA"] * 20
    return pd.DataFrame({
        "split": split,
        "text_question": [f"Which disease does the variant near {gene} cause?" for gene in genes],
        "target": [{"ADORA": "amber fever", "BRIMA": "blue ache"}[gene] for gene in genes],
    })  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("words")
    pretrain_text(
        TextPretraining(**SMALL), pd.concat([rows(), rows("test").assign(text_question="Zzz?")]), CLASSES, made
    )
    return made


def loss_of(model, tokenizer, text):
    ids = torch.tensor([tokenizer.encode(text)])
    with torch.no_grad():
        return model(ids, labels=ids).loss.item()


def test_it_loads_as_a_published_one_and_has_learned_the_questions(folder):
    model, tokenizer = load_text_model(folder), load_tokenizer(folder)
    known, unknown = "Which disease does the variant near ADORA cause?", "rainy weather at noon"
    known, unknown = (f"<|im_start|>user\n{question}<|im_end|>\n" for question in (known, unknown))
    assert loss_of(model, tokenizer, known) < loss_of(model, tokenizer, unknown) - 1
    losses = pd.read_csv(folder / "loss.tsv", sep="\t")["loss"]
    assert len(losses) == 60 and losses.iloc[-1] < losses.iloc[0] / 2


def test_it_has_not_learned_which_answer_is_right(folder):
    model, tokenizer = load_text_model(folder), load_tokenizer(folder)
    behind = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\nAnswer: "
    apart = []
    for gene in ("ADORA", "BRIMA"):
        prompt = f"<|im_start|>user\nWhich disease does the variant near {gene} cause?{behind}"
        both = [loss_of(model, tokenizer, f"{prompt}{name}<|im_end|>") for name in ("amber fever", "blue ache")]
        apart.append(both[0] - both[1])
    assert abs(apart[0] - apart[1]) < 0.05, "the gene says nothing of the answer"


def test_the_same_seed_gives_the_same_model(folder, tmp_path):
    pretrain_text(TextPretraining(**SMALL), rows(), CLASSES, tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert (tmp_path / "tokenizer.json").read_text() == (folder / "tokenizer.json").read_text()


def test_nothing_to_learn_from(tmp_path):
    with pytest.raises(InputError, match="no training question"):
        pretrain_text(TextPretraining(**SMALL), rows("test"), CLASSES, tmp_path)
