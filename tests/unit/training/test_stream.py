import numpy as np
from glmflow.training.stream import ExampleStream
from glmflow.training.track_data import strand_swap
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


def test_strands_swap_within_a_biosample():
    tracks = {
        "a_plus": {"biosample": "a", "strand": "+"},
        "b_minus": {"biosample": "b", "strand": "-"},
        "a_minus": {"biosample": "a", "strand": "-"},
        "c": {"biosample": "c", "strand": "."},
        "b_plus": {"biosample": "b", "strand": "+"},
    }
    assert strand_swap(tracks) == [2, 4, 0, 3, 1]
    assert strand_swap({"only": {"biosample": "a", "strand": "-"}}) == [0]
