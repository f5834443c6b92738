"""What the fuzz tests share."""

import pytest


@pytest.fixture
def say(capsys):
    """Print a line whether or not the test passes: how many files were changed, and what came of them."""

    def say(text):
        with capsys.disabled():
            print(f"\n{text}", end="")

    return say
