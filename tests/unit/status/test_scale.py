"""A spike does not flatten a curve, and is not hidden either."""

import re

import pytest
from glmflow.status.page import HEIGHT, curve
from glmflow.status.scale import top_of_scale


@pytest.mark.parametrize(
    ("values", "top"),
    [
        ([50.0, *([1.0, 2.0] * 25)], 2.0),  # one spike among 51
        ([5.0, *([1.0, 2.0] * 25)], 2.0),
        ([3.0, *([1.0, 2.0] * 25)], 3.0),  # takes half of the height: shown
        ([9.0, *[1.0] * 20], 9.0),  # nothing else to be seen
        ([2.0, 1.0], 2.0),
        ([100.0 - n for n in range(100)], 100.0),  # falls steadily
    ],
)
def test_the_scale_ends_where_the_usual_values_do(values, top):
    assert top_of_scale(values) == top


def test_the_status_page_marks_what_lies_above():
    loss = [(0, 50.0), *((n, 1.0 + n % 2) for n in range(1, 51))]
    drawn = curve(loss, [])
    heights = [float(y) for y in re.findall(r",([\d.]+)[ \"]", re.search('points="(.*?")', drawn)[1])]
    assert heights[0] == 2 and min(heights[1:]) == 2 and max(heights[1:]) == HEIGHT - 2  # 1 and 2 take the whole height
    assert drawn.count("<path") == 1 and "▲ up to 50" in drawn
    assert "<path" not in curve(loss[1:], []) and "▲" not in curve(loss[1:], [])
