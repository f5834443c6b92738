"""The files of one run, read in the layout of the results folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from glmflow.yaml_text import load_yaml

BASELINES = ("baseline", "informed")
"""Origins without a model in them; a baseline that is given more than the sequence is no rival of a model, but a mark to aim at."""
RIVAL = "baseline"
"""The origin of a baseline that is given no more than the models."""


@dataclass(frozen=True)
class RunFolder:
    """One run: a model fitted to a task in one way from one seed.

    `folder` is `results/{study}/runs/{task}/{model}/{adaptation}/seed{seed}` and may hold

    ==================  ==============================================================================================
    `metrics.tsv`       needed: study task model adaptation seed split subset track context_bp metric protocol value
                        ci_low ci_high n
    `run.yaml`          resolved configuration: `task: {kind: …}`, `adaptation: {kind: …}`,
                        `model: {checkpoint|pretrain|new|baseline: …}`, `told` (what a baseline is given beside the
                        sequence), `hash`, `versions: {package: version}`
    `cost.json`         parameters, trainable_parameters, updates, train_seconds, peak_memory_mb, device, warnings:
                        [sentence, …], model: {family, context_bp, licence, attention, chunking, adapted: {by, layers,
                        trainable}}, notes: [what was chosen, …]; absent if the run trained nothing
    `prediction.json`   predict_seconds, predict_peak_memory_mb, parameters, warnings
    `metrics.jsonl`     one line a logged step: step, loss, learning_rate, grad_norm, samples_per_second, memory_mb,
                        eval_*
    `sweep.tsv`         trial, the settings that were tried, validation_{loss or metric}, train_seconds, chosen, failure
    `scores/`           tables behind the metrics, which the page of the task's kind reads
    `predicted/`        what was predicted beside the table of predictions
    ==================  ==============================================================================================
    """

    task: str
    model: str
    adaptation: str
    seed: int
    folder: Path

    @property
    def name(self) -> tuple[str, str, str]:
        """Task, model and adaptation: what the seeds have in common."""
        return self.task, self.model, self.adaptation

    @property
    def key(self) -> str:
        """Task, model and adaptation as one text."""
        return "/".join(self.name)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Content of `run.yaml`; empty if there is none."""
        path = self.folder / "run.yaml"
        return (load_yaml(path.read_text()) or {}) if path.exists() else {}

    @property
    def task_settings(self) -> dict[str, Any]:
        """Settings of the task; empty if they were not recorded."""
        return self.settings.get("task") or {}

    @property
    def given(self) -> str:
        """What a baseline is given beside the sequence; empty for all else."""
        return str(self.settings.get("told") or "")

    @cached_property
    def cost(self) -> dict[str, Any]:
        """Content of `cost.json` and `prediction.json` together; empty if there is neither."""
        fitted, predicted = (read_json(self.folder / name) for name in ("cost.json", "prediction.json"))
        warnings = [*(fitted.get("warnings") or []), *(predicted.get("warnings") or [])]
        return predicted | fitted | {"warnings": list(dict.fromkeys(warnings))}

    @cached_property
    def model_cost(self) -> dict[str, Any]:
        """What the run's model cost if the study made it (`models/{model}/training/seed{seed}/cost.json`); else empty."""
        if len(self.folder.parents) < 5:
            return {}
        return read_json(self.folder.parents[4] / "models" / self.model / "training" / f"seed{self.seed}" / "cost.json")

    @property
    def is_baseline(self) -> bool:
        """Whether there is no model in it."""
        return self.origin in BASELINES

    @cached_property
    def origin(self) -> str:
        """Where the model comes from: `pretrained`, `scratch`, or one of `BASELINES`.

        A baseline is `informed` if it is given something beside the sequence that a model has to find out.
        """
        settings = self.settings
        adaptation, model = settings.get("adaptation"), settings.get("model")
        kind = adaptation.get("kind") if isinstance(adaptation, dict) else self.adaptation
        if kind == "baseline":
            return "informed" if self.given else "baseline"
        return "scratch" if isinstance(model, dict) and model.get("new") else "pretrained"


def read_json(path: Path | None) -> dict[str, Any]:
    """Return the content of a JSON file; empty if there is none."""
    return json.loads(path.read_text()) if path is not None and path.exists() else {}
