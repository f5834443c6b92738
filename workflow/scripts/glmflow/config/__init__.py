"""The configuration of a study as checked, typed data; needs pydantic and yaml only."""

from .adaptations import trials
from .asked import QUESTIONS, asked_files, asked_models, asked_results, questions
from .blocks import TRAINED
from .compared import compared_runs, control_in_words
from .data import Data
from .load import check_study, read_study
from .mistakes import ConfigurationError
from .places import locate
from .published import read_checkpoints
from .settings import (
    is_made,
    longest_window,
    made_sources,
    pages,
    pretraining_files,
    run_settings,
    score_settings,
    settings_hash,
    shown_tracks,
    simulated_samples,
    simulation_inputs,
    task_settings,
)
from .study import Misfit, Study, applied_runs, expand_runs, study_of_trial
from .syntax import read_yaml
from .task_block import Work
from .text_models import listed_text_models
from .views import Run

__all__ = [
    "QUESTIONS",
    "TRAINED",
    "ConfigurationError",
    "Data",
    "Misfit",
    "Run",
    "Study",
    "Work",
    "applied_runs",
    "asked_files",
    "asked_models",
    "asked_results",
    "check_study",
    "compared_runs",
    "control_in_words",
    "expand_runs",
    "is_made",
    "listed_text_models",
    "locate",
    "longest_window",
    "made_sources",
    "pages",
    "pretraining_files",
    "questions",
    "read_checkpoints",
    "read_study",
    "read_yaml",
    "run_settings",
    "score_settings",
    "settings_hash",
    "shown_tracks",
    "simulated_samples",
    "simulation_inputs",
    "study_of_trial",
    "task_settings",
    "trials",
]
