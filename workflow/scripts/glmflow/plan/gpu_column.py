"""The column `gpu` of the list of published checkpoints: ``python -m glmflow.plan.gpu_column`` writes it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from glmflow.config.adaptations import Adaptation
from glmflow.config.heads.coverage_heads import ConvolutionalHead
from glmflow.files import atomic_path

from .resources import GPUS, need, shape_of_listed

HEAD = ConvolutionalHead(kind="track")
LENGTH = 32_768
"""Bases of a training example."""
ALONE = {16: 15_000, 24: 23_000, 48: GPUS["l40"].memory_mb}
"""Memory in GB of a single GPU, and what a process can use of it in MB."""
TOGETHER = (2, 4, 8, 16)
"""GPUs of 48 GB that share one model out among them (FSDP), four a node."""
KEPT = "Hopper"
"""Values that begin so are no arithmetic: the published code needs these GPUs."""


def gpu_column(entry: Mapping[str, Any]) -> str | None:
    """Return the smallest GPUs for fine-tuning a listed checkpoint, with LoRA and in full; None where its size is unknown."""
    shape = shape_of_listed(entry)
    if shape is None:
        return None
    lora, full = _smallest(shape, "lora"), _smallest(shape, "full")
    return lora if lora == full else f"LoRA {lora}, full {full}"


def _smallest(shape: Any, kind: str) -> str:
    """Return the first choice that holds a micro-batch of one example in bf16 with gradient checkpointing."""

    def needed(gpus: int = 1) -> float:
        train = {"batch": 16, "micro_batch": 1, "bf16": True, "gradient_checkpointing": True}
        if gpus > 1:
            train |= {"parallel": "fsdp", "gpus": min(gpus, 4), "nodes": max(1, gpus // 4)}
        adaptation = Adaptation.model_validate({"kind": kind, "train": train})
        return need(shape, adaptation, LENGTH, 1, None, GPUS["l40"], HEAD).gpu_mb

    for size, room in ALONE.items():
        if needed() <= room:
            return f"1 x {size} GB"
    for gpus in TOGETHER:
        if needed(gpus) <= GPUS["l40"].memory_mb:
            return f"{gpus} x 48 GB"
    return f"more than {TOGETHER[-1]} x 48 GB"


def main(path: Path) -> None:
    """Write the column of a list; everything else in the file stays as it is."""
    text = path.read_text()
    for name, entry in yaml.safe_load(text).items():
        if str(entry["gpu"]).startswith(KEPT):
            continue
        value = gpu_column(entry)
        written = "null" if value is None else f'"{value}"'
        text = re.sub(
            rf"(^{re.escape(name)}:\n(?:  .*\n)*?.*gpu: )(?:null|\".*?\")", rf"\g<1>{written}", text, flags=re.M
        )
    with atomic_path(path) as temporary:
        temporary.write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "config/models.yaml"))
