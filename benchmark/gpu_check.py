"""What a GPU does here, in under ten minutes: parity in bf16, attention, throughput and memory, a training killed and resumed.

    make gpu-check                                   # writes docs/gpu.md; without a GPU it says so and writes nothing
    python benchmark/gpu_check.py --device cpu --length 512 --output cpu.md    # the same steps on a CPU, to try the script

Models have random weights: speed and memory do not depend on them. A step that fails is a row with its reason; the others
go on. Shares of the matrix rate count 6 multiplications and additions a parameter and token (8 with gradient checkpointing).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from glmflow.config.adaptations import Adaptation
from glmflow.models import load_model, new_model
from glmflow.models.parity import COMPUTED
from glmflow.models.weights import read_tensors
from glmflow.plan.jobs import gpu_of, known_gpu
from glmflow.plan.resources import example_products, need, shape_of

SHAPES: dict[str, dict[str, Any]] = {
    "small": {"causal": False, "context": 32_768, "hidden_size": 512, "num_layers": 8, "num_heads": 8},
    "dilated_cnn": {"channels": [48, 96, 128]},
    "caduceus": {"d_model": 256, "n_layer": 8},
    "hyenadna": {"d_model": 256, "n_layer": 8},
}
"""Family to size: what fits any GPU from 16 GB on."""
REPOSITORY = Path(__file__).resolve().parents[1]
KILLING = ("tests/workflow/test_kill.py", "tests/unit/training/loop/test_kill_matrix.py")
"""Tests that kill trainings: two jobs on a stand-in cluster, and a training at each kind of moment."""
TOLERANCE = 0.05
"""Root mean square difference of bf16 from the original in float32, as a share of the values' own, that counts as the same.

One number alone may be further off: bf16 has 8 bits, and where it changes which expert a token goes to, that token changes.
"""
BUDGET = 570
"""Seconds in all: killed trainings come last and take what is left; a test that is not done by then is a row that says so."""
NOTES = {
    "parity": "bf16 here, the original in float32. Same: the root mean square of the differences is at most "
    f"{TOLERANCE:.0%} of that of the values, which is what bf16 leaves of float32 (8 bits). The largest single difference, as a "
    "share of the largest value, is shown and not judged: where rounding sends a token to another expert, or across a kink, that "
    "one value is far off in a model that is right, and in a model that is wrong all are.",
    "attention": "8 heads of 64, forward pass; the difference is the largest, as a share of the largest value.",
    "shapes": "Forward, backward and an update of AdamW with random weights, batch 1; plan is what `snakemake -c1 plan` foresees.",
    "resume": "Tests that kill trainings, on the device that a study would take: resumed, a training ends with the weights that "
    "it ends with if nobody kills it.",
}
"""Part to how its table is read."""
Row = list[str]


def main() -> int:
    """Run every part and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda, or cpu to try the script (default: cuda)")
    parser.add_argument("--length", type=int, default=32_768, help="bases of a sequence (default: 32,768)")
    parser.add_argument("--output", type=Path, default=Path("docs/gpu.md"), help="page to write (default: docs/gpu.md)")
    parser.add_argument(
        "--without", nargs="*", default=[], help="parts to leave out: parity, attention, shapes, resume"
    )
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        print("No GPU here: nothing was measured and nothing written (glmflow doctor says why).")
        return 0
    device = torch.device(arguments.device)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    parts: dict[str, tuple[str, Row, Callable[[], Iterator[Row]]]] = {
        "parity": (
            "Parity in bf16",
            ["checkpoint", "family", "root mean square difference", "largest", "same"],
            lambda: parity(device),
        ),
        "attention": (
            "Attention",
            ["kernel", "ms", "difference from SDPA"],
            lambda: attention(device, arguments.length),
        ),
        "shapes": (
            f"Fine-tuning on {arguments.length:,} bases",
            ["family", "parameters", "bases per second", "share of the matrix rate", "GPU memory (GB)", "plan (GB)"],
            lambda: shapes(device, arguments.length, name),
        ),
        "resume": (
            "Killed and resumed",
            ["test", "outcome", "seconds"],
            lambda: resume(BUDGET - (time.perf_counter() - begun)),
        ),
    }
    begun = time.perf_counter()
    command = (
        "`make gpu-check`."
        if device.type == "cuda"
        else f"`python benchmark/gpu_check.py {' '.join(sys.argv[1:])}`. "
        "`make gpu-check` on a machine with a GPU writes this page anew; times of a CPU say nothing."
    )
    title = name if device.type == "cuda" else "none yet; the script tried on a CPU"
    lines = [
        f"# GPU check: {title}",
        "",
        f"torch {torch.__version__}, CUDA {torch.version.cuda}; {command}",
        "",
    ]
    failed = 0
    for key, (title, header, rows) in parts.items():
        if key not in arguments.without:
            print(f"== {title}", flush=True)
            lines += [f"## {title}", "", NOTES[key], "", "| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
            for row in rows():
                print("\t".join(row), flush=True)
                failed += any(cell.startswith(("failed", "no (")) for cell in row)
                lines.append("| " + " | ".join(row) + " |")
            lines.append("")
    arguments.output.write_text("\n".join(lines))
    print(f"{arguments.output} is written; {failed} failed")
    return int(failed > 0)


def parity(device: torch.device) -> Iterator[Row]:
    """Compare each checkpoint of the parity folder, in bf16, with what its original computed in float32."""
    folder = Path(os.environ.get("GLMFLOW_TEST_DATA", "")) / "parity"
    found = sorted(path.parent for path in folder.glob("*/io.safetensors"))
    if not found:
        yield ["none", "", "GLMFLOW_TEST_DATA names no folder with parity/", "", ""]
    for path in found:
        try:
            adapter = load_model(path)
            adapter.network.to(device).eval()
            stored = {key: tensor.to(device) for key, tensor in read_tensors(path / "io.safetensors").items()}
            mask = stored.pop("attention_mask", None)
            expected = {key: stored.pop(key) for key in COMPUTED if key in stored}
            with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
                computed = adapter(*stored.values(), mask)._asdict()
            apart = [relative(computed[key], tensor, mask) for key, tensor in expected.items()]
            usual, largest = (max(values) for values in zip(*apart))
            same = "yes" if usual <= TOLERANCE else "no (see the family)"
            yield [path.name, adapter.card.family, f"{usual:.2%}", f"{largest:.2%}", same]
        except Exception as error:
            yield [path.name, "", f"failed: {reason(error)}", "", ""]


def relative(found: torch.Tensor, expected: torch.Tensor, mask: torch.Tensor | None) -> tuple[float, float]:
    """Return two shares, where there is no padding: of root mean squares, difference by value, and of the largest of each."""
    difference, size = (found.float() - expected.float()).abs(), expected.float().abs()
    if mask is not None:
        difference, size = difference[mask.bool()], size[mask.bool()]
    usual = difference.square().mean().sqrt() / size.square().mean().sqrt().clamp(min=1e-9)
    return float(usual), float(difference.max() / size.max().clamp(min=1e-9))


def attention(device: torch.device, length: int) -> Iterator[Row]:
    """Time SDPA and, where it is installed, flash-attention 2 on 8 heads of 64."""
    query = torch.randn(1, length, 8, 64, device=device, dtype=torch.bfloat16)

    def sdpa() -> torch.Tensor:
        heads = query.transpose(1, 2)
        return torch.nn.functional.scaled_dot_product_attention(heads, heads, heads).transpose(1, 2)

    yield ["SDPA", f"{1000 * seconds(sdpa, device):.2f}", "0"]
    try:
        from flash_attn import flash_attn_func
    except ImportError:
        yield ["flash-attention 2", "not installed", ""]
        return
    if device.type == "cuda":
        taken = seconds(lambda: flash_attn_func(query, query, query), device)
        yield [
            "flash-attention 2",
            f"{1000 * taken:.2f}",
            f"{relative(flash_attn_func(query, query, query), sdpa(), None)[1]:.2%}",
        ]


def shapes(device: torch.device, length: int, name: str) -> Iterator[Row]:
    """Time an update of each shape in bf16 with AdamW; compare its peak memory with the plan."""
    gpu = gpu_of(known_gpu(name))
    training = {"optimizer": "adamw", "learning_rate": 1e-4, "steps": 1, "batch": 1, "micro_batch": 1, "bf16": True}
    adaptation = Adaptation.model_validate({"kind": "full", "head": {"kind": "linear"}, "train": training})
    for family, config in SHAPES.items():
        try:
            adapter = new_model(family, config)
            network = adapter.network.to(device).train()
            optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
            ids = torch.randint(1, 5, (1, length), device=device)
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()

            def update(network=network, optimizer=optimizer, ids=ids):
                with torch.autocast(device.type, torch.bfloat16):
                    loss = network.logits(network.states(ids)).float().square().mean()
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()

            taken = seconds(update, device)
            shape = shape_of(config, family)
            planned = need(shape, adaptation, length, 1, 1, gpu, adaptation.head_for("coverage"))
            share = 6 * example_products(shape, length) / taken / (gpu.bf16_tflops * 1e12)
            peak = f"{torch.cuda.max_memory_allocated() / 2**30:.2f}" if device.type == "cuda" else "–"
            rate = f"{share:.1%}" if device.type == "cuda" else "–"
            parameters = sum(part.numel() for part in network.parameters())
            yield [family, f"{parameters:,}", f"{length / taken:,.0f}", rate, peak, f"{planned.gpu_mb / 1024:.2f}"]
        except Exception as error:
            yield [family, "", f"failed: {reason(error)}", "", "", ""]


def resume(budget: float) -> Iterator[Row]:
    """Run the tests that kill trainings and compare the resumed weights with undisturbed ones, in some seconds in all."""
    for test in KILLING:
        begun = time.perf_counter()
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=max(budget, 0), cwd=REPOSITORY
            )
        except subprocess.TimeoutExpired as error:
            yield [
                test,
                f"not finished in {error.timeout:.0f} s: run it by pytest",
                f"{time.perf_counter() - begun:.0f}",
            ]
            return
        last = (done.stdout.strip().splitlines() or ["nothing said"])[-1]
        taken = time.perf_counter() - begun
        budget -= taken
        yield [test, "same weights" if done.returncode == 0 else f"failed: {last}", f"{taken:.0f}"]


def seconds(work: Callable[[], Any], device: torch.device, rounds: int = 3) -> float:
    """Return the fastest of some rounds, after one that is not counted, in seconds."""
    taken = []
    for _ in range(rounds + 1):
        if device.type == "cuda":
            torch.cuda.synchronize()
        begun = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - begun)
    return min(taken[1:])


def reason(error: Exception) -> str:
    """Return an error in one line without a character that ends a cell."""
    return f"{type(error).__name__} {error}".splitlines()[0].replace("|", "/")[:160]


if __name__ == "__main__":
    sys.exit(main())
