"""A small text model pretrained here on the questions of a task, without DNA: a folder that loads as a published one does."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.config.text_blocks import TextPretraining
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.models.text.conversation import IGNORED
from glmflow.models.text.dna_text import DNA
from glmflow.models.text.text_loading import new_text_model, new_tokenizer

from .inputs.question_items import Words, padded, texts_of

log = logging.getLogger(__name__)


def pretrain_text(settings: TextPretraining, examples: pd.DataFrame, classes: list[str], folder: Path) -> None:
    """Write a causal text model that predicts the next token of training questions and of answers drawn from the list.

    `config.json`, `model.safetensors` and `tokenizer.json`, as transformers writes them, and `loss.tsv` (`step`, `loss` in
    nats per token). Held-out questions are not read. The same for the same seed.

    Raises
    ------
    InputError
        There is no training question.
    """
    learned = examples[examples["split"] == "train"]
    if learned.empty:
        raise InputError("no training question", where="examples", fix="Give rows of the split train.")
    questions = learned["text_question"].tolist()
    tokenizer = new_tokenizer(texts_of(questions, classes), settings.vocabulary)
    model = new_text_model(tokenizer.size, settings.hidden, settings.layers, settings.heads, settings.seed)
    words, generator = Words(tokenizer, classes, False, 0.0), np.random.default_rng(settings.seed)
    prompts = {question: words.prompt(question) for question in dict.fromkeys(questions)}

    def drawn() -> NDArray[np.int64]:
        prompt = prompts[questions[generator.integers(len(questions))]]
        return np.concatenate([prompt[prompt != DNA], words.answers[generator.integers(len(classes))]])

    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate)
    slower = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.steps, pct_start=0.1, cycle_momentum=False
    )
    losses = []
    model.train()
    for _ in range(settings.steps):
        ids = padded([drawn() for _ in range(settings.batch)], IGNORED)
        there = ids != IGNORED
        loss = model(input_ids=ids.where(there, 0), attention_mask=there.long(), labels=ids).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        slower.step()
        losses.append(loss.item())
    model.eval().save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer.written(), encoding="utf-8")
    write_table(pd.DataFrame({"step": range(1, len(losses) + 1), "loss": losses}), folder / "loss.tsv")
    log.info("text model of %d updates: loss %.4g at first, %.4g at last", settings.steps, losses[0], losses[-1])
