"""Tokens per second and peak memory of every model family, forward and backward, at growing window lengths.

    GLMFLOW_TEST_DATA=... python benchmark/benchmark_models.py [family ...] [--kb 1 8 32] [--device cuda --dtype bf16]

The models are the tiny ones of the parity folders (`$GLMFLOW_TEST_DATA/parity`) and those that the workflow pretrains,
with random weights. What is measured is the code path, not the arithmetic: a slow path (a loop over positions, a
tensor of all pairs) shows as a falling rate or as memory that grows faster than the window. So that it shows, a window
is one row wherever positions are not learned one by one (rotary, ALiBi, none), whatever context the tiny model states.
Only families with learned positions get rows of their own context, as in use.

A line a family and length: tokens per second of a forward pass without gradients and of a backward pass, and the
largest memory of both, beyond that of the loaded model. On a CPU one core is used and its processor time counted,
which other work on the machine changes little. Each family runs in a process of its own.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from measuring import processor

COLUMNS = ("family", "length", "tokens", "forward tok/s", "backward tok/s", "peak MB")
LENGTH_KEYS = ("max_position_embeddings", "max_sequence_length", "max_seq_len", "max_seqlen", "context")
"""What families call the tokens that fit into a pass."""
LONGEST = 2**20
TINY = {"hidden_size": 32, "num_heads": 4, "num_layers": 2, "context": 512}
OWN = {
    "small": ("small", TINY),
    "small-causal": ("small", {**TINY, "causal": True}),
    "dilated-cnn": ("dilated_cnn", {}),
}
"""Families and sizes of models that the workflow pretrains, by name."""
SECONDS = 1.0
"""A pass is repeated at least this long, and the fastest counts."""


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", help="parity folders, small or dilated-cnn by name (default: all)")
    parser.add_argument("--kb", nargs="+", type=float, default=[1, 8, 32], help="window lengths (default: 1 8 32)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--dtype", default="float32", help="float32 or bf16 (default: float32)")
    arguments = parser.parse_args()
    root = os.environ.get("GLMFLOW_TEST_DATA")
    if not root or not (Path(root) / "parity").is_dir():
        print("Published families are skipped: set GLMFLOW_TEST_DATA to a folder with parity/, which holds tiny ones.")
    folders = {path.parent.name: path.parent for path in sorted(Path(root or "none", "parity").glob("*/config.json"))}
    names = [*folders, *OWN]
    chosen = [name for name in names if not arguments.models or name in arguments.models]
    if not chosen:
        sys.exit(f"No such model. There are: {', '.join(names)}.")
    print(f"# {device_name(arguments.device)}, {arguments.dtype}")
    print("\t".join(COLUMNS))
    failed = 0
    for name in chosen:
        process = multiprocessing.get_context("spawn").Process(
            target=measure_model, args=(name, folders.get(name), arguments.kb, arguments.device, arguments.dtype)
        )
        process.start()
        process.join()
        if process.exitcode:
            print(f"{name}\tfailed", flush=True)
            failed = 1
    return failed


def device_name(device: str) -> str:
    """Name the processor or GPU that the figures belong to."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.get_device_name()
    return processor()


def tiny_model(name: str, folder: Path | None):
    """Return a model of a parity folder's or an own configuration that takes a window as one row where it can."""
    from glmflow.models import new_model
    from glmflow.models.registry import get_family, read_config, recognise

    if folder is None:
        family, config = OWN[name]
    else:
        config = read_config(folder)
        family = recognise(config, where=folder).name
    configure = get_family(family).configure or dict
    config = configure(config)
    if get_family(family).card(config).position_embedding != "learned":
        config = {**config, **{key: LONGEST for key in LENGTH_KEYS if key in config}}
    return new_model(family, config)


def measure_model(name: str, folder: Path | None, kilobases: list[float], device: str, dtype: str) -> None:
    """Print a line for each length."""
    import torch

    torch.set_num_threads(1)
    model = tiny_model(name, folder).to(device)
    bf16 = dtype in ("bf16", "bfloat16")
    for kb in kilobases:
        inputs = random_inputs(model, int(1024 * kb))
        count = inputs.shape[0] * inputs.shape[1]
        with torch.autocast(device.partition(":")[0], torch.bfloat16, enabled=bf16):
            forward, backward, peak = measure(model, inputs)
        row = (name, f"{kb:g} kb", count, f"{count / forward:.0f}", f"{count / backward:.0f}", f"{peak:.0f}")
        print(*row, sep="\t", flush=True)


def random_inputs(model, bases: int):
    """Make token ids ``[rows, tokens]`` that stand for a window, or a table for a model of regions."""
    import torch

    card = model.card
    if card.objective == "regions":  # accessible regions lie some kilobases apart; here one a kilobase
        motifs = model.network.region_embed["embed"].in_features
        return torch.rand(1, max(1, bases // 1024), motifs).to(model.device)
    generator = torch.Generator().manual_seed(0)
    tokens = math.ceil(bases / card.bases_per_token)
    context = card.context_tokens or tokens
    size = (math.ceil(tokens / context), min(tokens, context))
    return torch.randint(5, card.vocab_size, size, generator=generator).to(model.device)


def measure(model, inputs) -> tuple[float, float, float]:
    """Return seconds of a forward and of a backward pass, and the peak memory in MB."""
    import torch

    def predict() -> None:
        with torch.no_grad():
            model(inputs)

    def forward() -> torch.Tensor:
        return model(inputs).logits.float().square().mean()

    settled = start_counting(model.device)
    model.eval()
    predicting = fastest(lambda: None, lambda _: predict(), model.device)
    model.train()
    training = fastest(forward, lambda loss: loss.backward(), model.device)
    return predicting, training, peak_memory(model.device) - settled


def fastest(prepare: Callable, run: Callable, device) -> float:
    """Return the shortest time of `run`, which gets what the untimed `prepare` returns."""
    import torch

    def now() -> float:
        if device.type != "cuda":
            return time.process_time()
        torch.cuda.synchronize()
        return time.perf_counter()

    times: list[float] = []
    while not times or (sum(times) < SECONDS and len(times) < 20):
        prepared = prepare()
        start = now()
        run(prepared)
        times.append(now() - start)
    return min(times)


def start_counting(device) -> float:
    """Forget earlier peaks; return the memory in use, in MB."""
    import torch

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated() / 2**20
    Path("/proc/self/clear_refs").write_text("5")
    return process_memory("VmRSS")


def peak_memory(device) -> float:
    """Return the largest memory in use since `start_counting`, in MB."""
    import torch

    return torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else process_memory("VmHWM")


def process_memory(field: str) -> float:
    """Read a field of this process's status, in MB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))


if __name__ == "__main__":
    sys.exit(main())
