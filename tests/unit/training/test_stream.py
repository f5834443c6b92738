"""The draws of a training run: every example once an epoch, each draw from the seed alone."""

import numpy as np
import pandas as pd
from glmflow.bases import reverse_complement
from glmflow.training.inputs.labelled_sequences import LabelledSequences
from glmflow.training.stream import ExampleStream, other_strand_drawn
from running import ROOT
from torch.utils.data import DataLoader


def draw(index, generator):
    return {"example": index, "noise": generator.random()}


def test_every_epoch_is_a_permutation_and_epochs_differ():
    stream = ExampleStream(draw, 7, 21, seed=3)
    epochs = [[stream[epoch * 7 + i]["example"] for i in range(7)] for epoch in range(3)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_draws_depend_on_the_seed_alone_not_on_workers():
    def read(workers, seed=3):
        stream = ExampleStream(draw, 11, 40, seed=seed)
        loader = DataLoader(stream, batch_size=4, num_workers=workers, collate_fn=lambda items: items)
        return [(item["example"], item["noise"]) for batch in loader for item in batch]

    assert read(0) == read(2)
    assert read(0) != read(0, seed=4)


def test_any_draw_can_be_read_without_those_before():
    stream = ExampleStream(draw, 5, 100, seed=1)
    in_order = [stream[i] for i in range(100)]
    assert stream[77] == in_order[77]
    assert np.std([item["noise"] for item in in_order]) > 0.2


def test_a_strand_takes_one_number_of_its_draw_and_none_where_it_is_not_asked():
    """Results of earlier runs hold: the coin is the generator's next number below a half, and nothing else is drawn."""
    for seed in range(40):
        generator, alike = np.random.default_rng([1, 1, seed]), np.random.default_rng([1, 1, seed])
        assert other_strand_drawn(generator, True) == (alike.random() < 0.5)
        assert other_strand_drawn(generator, False) is False
        assert generator.random() == alike.random()
    assert other_strand_drawn(None, True) is False


def test_inputs_turn_the_examples_that_their_draws_say():
    """Draw by draw, an input with both strands gives the other strand where the coin of that draw falls."""
    sequences = [np.frombuffer(text, np.uint8) for text in (b"AACG", b"GGTA", b"TTTC")]
    table = pd.DataFrame({"example": list("abc"), "target_y": [0.0, 1.0, 2.0]})
    make = LabelledSequences.__new__(LabelledSequences)
    make.sequences, make.names, make.turn, make.targets = sequences, list("abc"), True, table["target_y"].to_numpy()
    stream = ExampleStream(make, 3, 60, seed=5)
    for number in range(60):
        own = sequences[stream.example_of(number)]
        coin = np.random.default_rng([5, 1, number]).random() < 0.5
        expected = reverse_complement(own) if coin else own
        assert stream[number]["sequence"].tobytes() == expected.tobytes()


def test_no_input_has_a_coin_of_its_own():
    for path in (ROOT / "workflow/scripts/glmflow/training/inputs").glob("*.py"):
        assert "random() < 0.5" not in path.read_text(), path.name
