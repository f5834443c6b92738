"""The law of how loss falls with context: constants that made the numbers are found, and too little is refused."""

import numpy as np
import pytest
from glmflow.errors import InputError
from glmflow.statistics.context_law import ContextLaw, fit_context_law

CONTEXTS = [16, 64, 256, 1024, 4096]


@pytest.mark.parametrize("truth", [(1.6, 2.0, 0.5), (1.2, 0.9, 0.15), (1.9, 30.0, 1.4), (0.2, 1.8, 0.3)])
def test_the_constants_that_made_the_losses_are_found(truth):
    law = ContextLaw(*truth)
    by_hand = [truth[0] + truth[1] / c ** truth[2] for c in CONTEXTS]
    np.testing.assert_allclose(law.predict(CONTEXTS), by_hand)
    found = fit_context_law(CONTEXTS, by_hand)
    np.testing.assert_allclose(found, truth, rtol=1e-4)
    shuffled = [3, 0, 4, 1, 2]
    again = fit_context_law([CONTEXTS[place] for place in shuffled], [by_hand[place] for place in shuffled])
    np.testing.assert_allclose(again, truth, rtol=1e-4)
    np.testing.assert_allclose(fit_context_law(CONTEXTS, by_hand, ContextLaw(1.0, 1.0, 0.7)), truth, rtol=1e-3)


def test_fewer_than_four_contexts_and_no_fall_are_refused():
    with pytest.raises(InputError, match="3 contexts do not determine"):
        fit_context_law([16, 64, 256, 256], [1.9, 1.8, 1.7, 1.7])
    with pytest.raises(InputError, match="does not fall"):
        fit_context_law(CONTEXTS, [1.9, 1.91, 1.92, 1.9, 1.9])


def test_losses_that_fall_evenly_have_no_floor_in_reach():
    found = fit_context_law(CONTEXTS, [1.9 - 0.4 * step for step in range(5)])
    assert found.at_border
    assert not fit_context_law(CONTEXTS, [1.6 + 2 / c**0.5 for c in CONTEXTS]).at_border
