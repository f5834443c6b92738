"""Track values through the map, and each distinct window once."""

import numpy as np
import pytest
from glmflow.errors import InputError
from glmflow.genome.distinct import distinct_windows
from glmflow.genome.labels import gather_labels


def track(stretches, length):
    """Two tracks: the position, and ten times it; 99 in between, where nobody is to look."""
    values = np.full((2, length), 99, np.float32)
    for begin, stop, place in zip(*stretches):
        values[0, begin:stop] = np.arange(place, place + stop - begin)
    if len(stretches.begin):
        values[:, : stretches.begin[0]] = values[:, stretches.stop[-1] :] = 0
    else:
        values[:] = 0
    values[1] = 10 * values[0]
    return values


# Padding, 5 and 6, two inserted, 7, then 8 to 9 deleted, 10, one inserted at the end, padding
POSITION = np.array([-2, 5, 6, -1, -1, 7, 10, -1, -2])


def test_inserted_bases_are_masked_and_deleted_ones_vanish():
    values, labelled = gather_labels(POSITION, track)
    assert values.dtype == np.float32
    assert values.tolist() == [[0, 5, 6, 0, 0, 7, 10, 0, 0], [0, 50, 60, 0, 0, 70, 100, 0, 0]]
    assert labelled.tolist() == [False, True, True, False, False, True, True, False, False]


def test_inserted_bases_repeat_the_value_before_them():
    values, labelled = gather_labels(POSITION, track, inserted="repeat5p")
    assert values[0].tolist() == [0, 5, 6, 6, 6, 7, 10, 10, 0]
    assert labelled.tolist() == [False, True, True, True, True, True, True, True, False]


def test_bases_inserted_before_everything_have_no_value_to_repeat():
    values, labelled = gather_labels(np.array([-1, -1, 0, 1]), track, inserted="repeat5p")
    assert values[0].tolist() == [0, 0, 0, 1]
    assert labelled.tolist() == [False, False, True, True]


def test_only_what_the_window_covers_is_read():
    asked = []

    def read(stretches, length):
        asked.append([column.tolist() for column in stretches])
        return track(stretches, length)

    gather_labels(POSITION, read)
    values, labelled = gather_labels(np.full(4, -2), read)
    assert asked == [[[1, 5, 6], [3, 6, 7], [5, 7, 10]], [[], [], []]]
    assert values.shape == (2, 4) and not labelled.any() and not values.any()


@pytest.mark.parametrize("inserted", ["masked", "repeat5p"])
def test_a_map_without_bases_has_no_labels(inserted):
    values, labelled = gather_labels(np.zeros(0, np.int32), track, inserted)
    assert values.shape == (2, 0) and values.dtype == np.float32
    assert labelled.shape == (0,) and labelled.dtype == bool


def test_no_such_policy():
    with pytest.raises(InputError, match="inserted: 'interpolate'"):
        gather_labels(POSITION, track, inserted="interpolate")


def test_distinct_windows_give_back_every_window():
    random = np.random.default_rng(0)
    windows = [random.choice(np.frombuffer(b"AC", np.uint8), 3) for _ in range(100)]
    # Views of other arrays too: read backwards, every second base.
    windows += [window[::-1] for window in windows] + [np.repeat(window, 2)[::2] for window in windows]
    distinct = distinct_windows(iter(windows))
    assert len(distinct.sequences) == len({window.tobytes() for window in windows}) == 8
    assert all((distinct.sequences[i] == window).all() for i, window in zip(distinct.inverse, windows, strict=True))
    assert distinct.saving == 300 / 8
    assert str(distinct) == "8 distinct of 300 windows: 37.5 times fewer"


def test_no_windows():
    distinct = distinct_windows([])
    assert distinct.sequences == [] and distinct.inverse.tolist() == []
