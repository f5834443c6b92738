"""What a training run will need, from its configuration alone: memory of a GPU, time, disk. Plain arithmetic, no torch.

Memory of a GPU = weights + gradients + states of the optimizer + what the forward pass keeps for the backward pass
(Rajbhandari et al. 2020, ZeRO; Korthikanti et al. 2022, Reducing activation recomputation). What is kept was measured
for each family by counting the tensors that autograd saves; the catalogue of families (`models/families/*.yaml`) holds the counts.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from glmflow.config.adaptations import Adaptation, Training
from glmflow.config.blocks import HeadBlock
from glmflow.config.efficient import EFFICIENT, efficient
from glmflow.config.models import SINGLE_BASES, New, Pretrain
from glmflow.config.task_block import Work
from glmflow.models import byte_text, sizes
from glmflow.models.facts import default_config, facts_of, family_of_type
from glmflow.models.setting_names import CONTEXT, HEADS, INNER, LAYERS, WIDTH
from glmflow.modules import module_names
from glmflow.yaml_text import load_yaml

MB = 2**20


OUTSIDE = 3.6
"""Numbers kept per token outside of the layers (embedding, last norm, states on the grid of bases), in hidden sizes."""
OVERLAP = 0.25
"""Of the chunks of a window that exceeds the model's context."""
STATES = {"adamw": 8.0, "adafactor": 0.05}
"""Bytes of the optimizer per trained parameter (Adafactor keeps sums of rows and columns; Shazeer and Stern 2018)."""
CONTEXT_MB = 1200
"""CUDA context, libraries and fragments of the allocator."""
HOST_MB = 3000
"""Python, torch and the files' caches."""


class Gpu(NamedTuple):
    """A GPU as its maker describes it: memory that a process can use, dense bf16 and TF32 matrix products."""

    memory_mb: int
    bf16_tflops: float
    tf32_tflops: float


GPUS = {
    "l40": Gpu(45_500, 181, 90),
    "l40s": Gpu(45_500, 362, 183),
    "a100": Gpu(80_000, 312, 156),
    "h100": Gpu(80_000, 989, 494),
    "h200": Gpu(140_000, 989, 494),
}
UTILISATION = 0.3
"""Share of the rated matrix products that training reaches."""


class Shape(NamedTuple):
    """The size of a model.

    Attributes
    ----------
    parameters, active
        All, and those that a token meets (fewer in a mixture of experts).
    hidden, layers, inner
        Width, depth, and width of the feed-forward networks a token meets.
    bases_per_token, context
        Bases a token stands for; tokens that fit into a pass (None: any number).
    """

    family: str
    parameters: int
    active: int
    hidden: int
    layers: int
    inner: int
    bases_per_token: float = 1.0
    context: int | None = None


class Need(NamedTuple):
    """What a run needs: `gpu_mb` on each GPU, `host_mb` on each node, `gpus` and `disk_mb` in all, `hours` on all of them.

    `flop` are the floating-point operations of its passes, a multiplication and an addition two of them.
    """

    parameters: int
    trainable: int
    weights_mb: float
    gradients_mb: float
    optimizer_mb: float
    activations_mb: float
    gpu_mb: float
    gpus: int
    host_mb: int
    disk_mb: int
    hours: float | None
    flop: float | None = None


def shape_of(config: Mapping[str, Any], family: str | None = None, parameters: int | None = None) -> Shape:
    """Return the size of a model from its configuration, in the names any of the families uses.

    Parameters
    ----------
    config
        Content of `config.json`, or the `config` of a `new` or `pretrain` model.
    family
        Name of the family; where None it is read off `model_type`.
    parameters
        Number of parameters, where it is known; otherwise it is worked out.
    """
    family = family or family_of_type(config.get("model_type", ""))
    config = {**default_config(family), **config}
    if own := own_size(family):
        found = own.parameters(config)
        return Shape(family, found, found, *own.sizes(config))
    hidden = int(_first(config, *WIDTH))
    layers = int(_first(config, *LAYERS))
    inner = _first(config, *INNER)
    ratio = _first(config, "mlp_ratio", default=4)
    inner = int(inner or hidden * ratio / (2 if family == "olmo" else 1))  # OLMo counts gate and value together
    experts, used = int(config.get("num_local_experts") or 1), int(config.get("num_experts_per_tok") or 1)
    heads = int(_first(config, *HEADS, default=1))
    shared = int(config.get("num_key_value_heads") or heads) / heads
    facts = facts_of(family)
    gated = facts.kept.inner > 2
    kmers = 4 ** config["kmer"] + 1 if config.get("kmer", 1) > 1 else 0
    vocabulary = (int(config.get("vocab_size", 16)) + kmers) * hidden
    mixing = layers * hidden * hidden * (2 + 2 * shared)
    expert = layers * (3 if gated else 2) * hidden * inner
    norms = layers * 2 * hidden + hidden
    router = layers * hidden * experts if experts > 1 else 0
    width = config.get("convolution", 0) if family == "small" else 0
    convolution = hidden * (hidden * width + 1) if width else 0
    norms += (layers * 2 + 1) * hidden if family == "small" else 0
    rest = round(vocabulary + mixing + norms + router + convolution)
    total = parameters or rest + expert * experts
    context = _first(config, *CONTEXT, default=None)
    return Shape(
        family,
        total,
        total - expert * (experts - used),
        hidden,
        layers,
        inner * used,
        facts.bases_per_token,
        context and int(context),
    )


def shape_of_made(block: New) -> Shape:
    """Return the size of a model that is made here, of one with byte pairs as the vocabulary that it will learn.

    Bases a token of *E. coli*, both strands: 2.65 of 64 tokens, 3.90 of 512, 5.08 of 4,096; a line by their logarithm.
    """
    if isinstance(block, Pretrain) and block.kmers:
        found = shape_of({**block.config, "vocab_size": block.tokens}, block.family)
        return found._replace(bases_per_token=float(block.kmers))
    pairs = block.byte_pairs if isinstance(block, Pretrain) else None
    if pairs is None:
        told = byte_text.vocabulary_of(bool(block.pairs), block.ends) if isinstance(block, Pretrain) else {}
        return shape_of(block.config | told, block.family)
    found = shape_of({**block.config, "vocab_size": pairs.vocabulary}, block.family)
    bases = 0.24 + 0.81 * math.log(pairs.vocabulary, 4) if pairs.vocabulary > SINGLE_BASES else 1.0
    return found._replace(bases_per_token=min(bases, pairs.max_token_length))


def shape_of_listed(entry: Mapping[str, Any]) -> Shape | None:
    """Return the size of a published checkpoint from its entry in the list (`config/models.yaml`).

    Where the entry tells only the number of parameters, the proportions most transformers have are taken: a width of 64
    times the depth, and 12 width^2 parameters a layer.
    """
    total, size = entry.get("parameters"), entry.get("config")
    if not total and not size:
        return None
    if not size:
        hidden = 64 * max(1, round((total * 64 / 12) ** (1 / 3) / 64))
        size = {"hidden_size": hidden, "num_hidden_layers": hidden // 64, "intermediate_size": 4 * hidden}
    found = shape_of(size, entry["family"], total)
    context = entry.get("context_bp")
    return found._replace(context=context and math.ceil(context / found.bases_per_token))


def shape_of_folder(folder: Path) -> Shape:
    """Return the size of a checkpoint from its `config.json` and, where there are any, the headers of its safetensors."""
    config = json.loads((folder / "config.json").read_text())
    record = folder / "model.yaml"
    family = load_yaml(record.read_text())["family"] if record.exists() else None
    files = sorted(folder.glob("*.safetensors"))
    counts = [math.prod(tensor["shape"]) for file in files for tensor in _header(file).values()]
    return shape_of(config, family, sum(counts) or None)


@cache
def own_size(family: str) -> ModuleType | None:
    """Return the module that works out the size of a family that is no stack of equal layers; None where it is one."""
    return import_module(f"{sizes.__name__}.{family}") if family in module_names(sizes) else None


def _header(path: Path) -> dict[str, Any]:
    """Return names, types and shapes of the tensors of a safetensors file."""
    with path.open("rb") as handle:
        (length,) = struct.unpack("<Q", handle.read(8))
        return {name: value for name, value in json.loads(handle.read(length)).items() if name != "__metadata__"}


def _first(config: Mapping[str, Any], *names: str, default: Any = 0) -> Any:
    """Return the value of the first of these keys that is set."""
    return next((config[name] for name in names if config.get(name) is not None), default)


def kept_per_example(shape: Shape, length: int, training: Training, kind: str) -> float:
    """Return the bytes that the backbone keeps of one example of `length` bases for the backward pass."""
    bf16 = training.bf16
    if own := own_size(shape.family):
        return own.kept(shape, length, bf16)
    tokens = length / shape.bases_per_token
    row = min(tokens, shape.context or tokens)
    if tokens > row:
        tokens /= 1 - OVERLAP
    kept = facts_of(shape.family).kept
    layer = 4 * tokens * shape.hidden * kept.width * (kept.bf16_width if bf16 else 1)
    layer += 4 * tokens * shape.inner * kept.inner * (kept.bf16_inner if bf16 else 1)
    layer += 4 * tokens * row * kept.pairs
    outside = 4 * tokens * shape.hidden * OUTSIDE
    if kind == "probe":  # nothing is kept; half of a layer is alive at a time
        return layer / 2 + 8 * tokens * shape.hidden
    if training.gradient_checkpointing:  # the input of each layer, and one layer whole while it is done again
        return 4 * tokens * shape.hidden * shape.layers + layer + outside
    return layer * shape.layers + outside


def trainable(shape: Shape, adaptation: Adaptation) -> int:
    """Return the number of trained parameters of the backbone."""
    if way := efficient(adaptation.kind):
        return way.trained(shape.layers, shape.hidden, shape.inner, adaptation.efficient)
    return 0 if adaptation.kind == "probe" else shape.parameters


def need(
    shape: Shape,
    adaptation: Adaptation,
    length: int,
    outputs: int,
    updates: int | None,
    gpu: Gpu,
    head: HeadBlock,
    sequences: int = 1,
    at_once: int | None = None,
) -> Need:
    """Return what a run needs.

    Parameters
    ----------
    length
        Bases of a training sequence.
    outputs
        Values that the head predicts for each base or sequence.
    updates
        Number of updates; None where it is not known (then neither are the hours).
    gpu
        The GPU it runs on.
    head
        Settings of the head.
    sequences
        Sequences of a training example.
    at_once
        Sequences on a GPU at a time; those of a micro-batch where None.
    """
    training = adaptation.train
    gpus = training.gpus * training.nodes
    shares = gpus if training.parallel != "ddp" else 1
    hidden = shape.hidden
    at_once = training.micro_batch * sequences if at_once is None else at_once
    of_head = head.parameters(hidden, outputs)
    trained = trainable(shape, adaptation) + of_head
    parameters = shape.parameters + of_head + (trained - of_head if adaptation.kind in EFFICIENT else 0)
    weights = (4 * parameters + 2 * head.frozen()) / shares
    if training.bf16:
        weights += 2 * (parameters / max(1, shape.layers) if shares > 1 else parameters)  # copies made by autocast
    gradients, optimizer = 4 * trained / shares, STATES[training.optimizer] * trained / shares
    on_head = 4 * length * hidden * head.kept * (0.55 if training.bf16 else 1)
    activations = at_once * (kept_per_example(shape, length, training, adaptation.kind) + on_head)
    activations += training.micro_batch * head.kept_bytes(training.gradient_checkpointing)
    total = (weights + gradients + optimizer + activations) / MB + CONTEXT_MB
    hours = flops = None
    if updates:
        passes = {"full": 3.0, "probe": 1.0}.get(adaptation.kind, 2.0) + training.gradient_checkpointing
        flops = 2 * passes * example_products(shape, length) * training.batch * sequences * updates
        flops += 2 * (3 + training.gradient_checkpointing) * head.products() * training.batch * updates
        rate = (gpu.bf16_tflops if training.bf16 else gpu.tf32_tflops) * 1e12 * UTILISATION * gpus
        hours = flops / rate / 3600
    files = (4 + STATES[training.optimizer]) * trained * 2 + 4 * parameters
    host = (
        HOST_MB
        + (8 * parameters + 2 * head.frozen() + 4 * length * outputs * training.batch * sequences) / MB
        + 700 * training.workers
    )
    return Need(
        *(parameters, trained, weights / MB, gradients / MB, optimizer / MB, activations / MB, total, gpus),
        *(math.ceil(host * max(1, training.gpus)), math.ceil(files / MB), hours, flops),
    )


BASES_IN_A_PASS = 16_384
"""Of shorter sequences that are asked together; a longer one is asked alone (`context_losses`)."""


def need_of_passes(shape: Shape, sequences: Sequence[tuple[int, int]], gpu: Gpu) -> Need:
    """Return what passes without gradients need, in bfloat16 on one GPU.

    Parameters
    ----------
    sequences
        Lengths in bases, and how many sequences are of each.
    """
    longest = max(length for length, _ in sequences)
    together = max(1, BASES_IN_A_PASS // longest)
    weights = 2 * shape.parameters / MB
    activations = together * kept_per_example(shape, longest, Training(bf16=True), "probe") / MB
    products = sum(count * example_products(shape, length) for length, count in sequences)
    hours = 2 * products / (gpu.bf16_tflops * 1e12 * UTILISATION) / 3600
    host, files = math.ceil(HOST_MB + 8 * shape.parameters / MB), 1
    total = weights + activations + CONTEXT_MB
    return Need(shape.parameters, 0, weights, 0, 0, activations, total, 1, host, files, hours, 2 * products)


def example_products(shape: Shape, length: int) -> float:
    """Return the multiplications of a forward pass over one example: weights met by each token, and attention."""
    if own := own_size(shape.family):
        return own.products(shape, length)
    tokens = length / shape.bases_per_token
    row = min(tokens, shape.context or tokens)
    met = {"all": 1, "causal": 0.5, "none": 0}[facts_of(shape.family).pairs]
    pairs = met * shape.layers * 2 * shape.hidden * row
    return tokens * (shape.active + pairs)


def ways_to_fit(
    shape: Shape,
    adaptation: Adaptation,
    work: Work,
    head: HeadBlock,
    gpu: Gpu,
    largest: int = 4,
    croppable: bool = True,
) -> list[str]:
    """Return the changes to a run that does not fit which make it fit, least intrusive first."""
    train, length = adaptation.train, work.length
    one = {"micro_batch": 1}
    frugal = {**one, "bf16": True, "gradient_checkpointing": True}
    options: list[tuple[dict[str, Any], str, int]] = [
        (one, adaptation.kind, length),
        ({**one, "bf16": True}, adaptation.kind, length),
        (frugal, adaptation.kind, length),
        *(
            ({**frugal, "parallel": "fsdp", "gpus": gpus}, adaptation.kind, length)
            for gpus in (2, 4)
            if gpus <= largest
        ),
        (frugal, "lora", length),
        *((frugal, adaptation.kind, crop) for crop in (length // 2, length // 4) if croppable),
    ]
    found = []
    for settings, kind, crop in options:
        changed = {"kind": kind} if kind != adaptation.kind else {}
        changed |= {key: value for key, value in settings.items() if getattr(train, key) != value}
        changed |= {"crop": crop} if crop != length else {}
        tried = adaptation.model_copy(update={"kind": kind, "train": train.model_copy(update=settings)})
        if changed and need(shape, tried, crop, work.outputs, None, gpu, head, work.sequences).gpu_mb <= gpu.memory_mb:
            found.append(", ".join(f"{key}: {json.dumps(value).strip(chr(34))}" for key, value in changed.items()))
    return list(dict.fromkeys(found))
