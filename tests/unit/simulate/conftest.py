import pytest
from glmflow.config.simulation_settings import PopulationSettings, SimulationSettings
from glmflow.simulate.cohort import simulate_cohort

SMALL = SimulationSettings(
    seed=7,
    contigs={"chr1": 60_000, "chr2": 40_000},
    population=PopulationSettings(people={"north": 35, "south": 25}),
)


@pytest.fixture(scope="session")
def settings():
    return SMALL


@pytest.fixture(scope="session")
def cohort(tmp_path_factory):
    """A small made cohort: 25 genes, 60 samples."""
    return simulate_cohort(SMALL, tmp_path_factory.mktemp("simulated") / "cohort")
