"""A cohort whose truth is known: made from nothing, or laid over real genotypes."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any


def simulate(settings: Mapping[str, Any], folder: str | PathLike[str]) -> Path:
    """Make the cohort that plain settings ask for: over real data where they name a `fasta`, else from nothing.

    Imports what it needs only when called, for the settings of this package are read by light-weight programs.

    Parameters
    ----------
    settings
        The keys of `OverlaySettings` with `fasta`, `vcf` and `annotation`, or those of `SimulationSettings`.
    folder
        Written whole (see `cohort.simulate_cohort`).
    """
    from glmflow.config.simulation_settings import OverlaySettings, SimulationSettings

    if "fasta" not in settings:
        from glmflow.simulate.cohort import simulate_cohort

        return simulate_cohort(SimulationSettings(**settings), folder)
    from glmflow.simulate.overlay import overlay_cohort

    files = {key: settings[key] for key in ("fasta", "vcf", "annotation")}
    rest = {key: value for key, value in settings.items() if key not in files}
    return overlay_cohort(**files, folder=folder, settings=OverlaySettings(**rest))
