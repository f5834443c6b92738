"""The text model of a head that answers questions: its activations are recomputed if that is asked for."""

from types import SimpleNamespace

import pytest
import torch
from glmflow.models.heads.answer_heads import AlleleClassifier, TextAnswers
from glmflow.models.text.dna_text import node_scores
from glmflow.models.text.text_loading import new_text_model

LAYERS = 3


def passes(checkpointed):
    """Return the gradients of a training step, and how often a layer of the text model was computed."""
    torch.manual_seed(1)
    text, counted = new_text_model(40, 16, LAYERS, 2).train(), []
    if checkpointed:
        TextAnswers.checkpoint(SimpleNamespace(text=text))
    for layer in text.base_model.layers:
        layer.input_layernorm.register_forward_hook(lambda *_: counted.append(1))
    ids = torch.tensor([[5, 6, 7, 8], [9, 3, 4, 2]])
    tokens = torch.tensor([[11, 12, 13], [14, 15, 16]])
    step = torch.arange(3).expand_as(tokens)
    sees = torch.ones(3, 3, dtype=torch.bool).tril()
    node_scores(text, ids, None, tokens, step - 1, step, sees).sum().backward()
    return {name: one.grad for name, one in text.named_parameters() if one.grad is not None}, len(counted)


def test_layers_are_computed_again_in_the_backward_pass_and_gradients_stay():
    (plain, once), (again, twice) = passes(False), passes(True)
    assert once == LAYERS and twice == 2 * LAYERS
    assert plain.keys() == again.keys() and len(plain) > LAYERS
    for name, gradient in plain.items():
        torch.testing.assert_close(again[name], gradient)


@pytest.mark.parametrize("head", [TextAnswers, AlleleClassifier])
def test_every_head_of_answers_can_be_asked(head):
    assert callable(head.checkpoint)
