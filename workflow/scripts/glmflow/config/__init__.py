"""The configuration of a study as checked, typed data; needs pydantic and yaml only."""

from .adaptations import trials
from .load import ConfigurationError, check_study, locate, read_checkpoints, read_study
from .resolve import (
    Data,
    expression_of,
    hackathon_of,
    is_made,
    resolve_data,
    run_settings,
    score_settings,
    settings_hash,
    simulated_people,
    simulated_vcf,
    simulation_inputs,
    task_settings,
    tracks_of,
)
from .study import Misfit, Run, Study, applied_runs, expand_runs, misfit_reason, study_of_trial
from .syntax import read_yaml

__all__ = [
    "ConfigurationError",
    "Data",
    "Misfit",
    "Run",
    "Study",
    "applied_runs",
    "check_study",
    "expand_runs",
    "expression_of",
    "hackathon_of",
    "is_made",
    "locate",
    "misfit_reason",
    "read_checkpoints",
    "read_study",
    "read_yaml",
    "resolve_data",
    "run_settings",
    "score_settings",
    "settings_hash",
    "simulated_people",
    "simulated_vcf",
    "simulation_inputs",
    "study_of_trial",
    "task_settings",
    "tracks_of",
    "trials",
]
