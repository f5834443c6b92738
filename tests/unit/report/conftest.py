import pytest
import synthetic_study


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """A small study with everything a report can show."""
    return synthetic_study.make_study(tmp_path_factory.mktemp("study"), genes_per_contig=12)
