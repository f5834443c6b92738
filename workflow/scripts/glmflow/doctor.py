"""What this machine and this environment can and cannot run, with the fix for each (`glmflow doctor`).

Nothing but the standard library is imported on the way in: what is missing is what this is asked about.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[3]
GB = 1e9
TORCH_FIX = "pip install uv && uv pip install --reinstall torch --torch-backend=auto (it chooses by the driver)"
PACKAGES_FIX = "pip install -e . (torch first, on its own)"
HUB = "https://huggingface.co"


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes
    ----------
    state
        `ok`; `without`: something works less well or not at all; `fails`: nothing works.
    """

    name: str
    state: Literal["ok", "without", "fails"]
    text: str
    fix: str = ""


def examine(folder: Path, timeout: float) -> Iterator[Finding]:
    """Yield what is found, the basics first; `folder` is where a study would be run."""
    yield python(sys.version_info[:3])
    try:
        yield packages(project_requirements(), installed_version)
    except ImportError as error:
        yield Finding("packages", "fails", f"{error.name} is missing", PACKAGES_FIX)
    found = torch_build()
    if found is None:
        yield Finding("torch", "fails", "cannot be imported", TORCH_FIX)
    else:
        yield gpu(**found)
        yield bf16(found["devices"])
    yield optional_package("flash-attn", "attention runs through torch's own kernels (SDPA)", found, "pip install")
    yield optional_package("mamba-ssm", "Caduceus scans without its fused kernel: slower", found, "pip install")
    yield optional_package("causal-conv1d", "short convolutions run through torch", found, "pip install")
    yield optional_package("deepspeed", "`parallel: fsdp` shares a model out among GPUs as well", found, "pip install")
    yield program("bedtools", "needed where a study names a blacklist", "conda install -c bioconda bedtools")
    yield Finding("samtools", "ok", "not needed: pysam reads and writes FASTA, VCF and BAM")
    yield program("git", "the report cannot name the commit it was made with", "install git")
    yield scheduler(shutil.which)
    yield machine(os.cpu_count() or 1, memory_bytes())
    yield disk("disk", folder, shutil.disk_usage(folder).free, 20 * GB)
    temporary = Path(os.environ.get("TMPDIR") or tempfile.gettempdir())
    yield disk("TMPDIR", temporary, shutil.disk_usage(temporary).free, 5 * GB)
    if Path("/dev/shm").is_dir():
        yield shared_memory(shutil.disk_usage("/dev/shm").total)
    yield hub(os.environ, timeout)


def python(version: Sequence[int]) -> Finding:
    """Judge the version of Python."""
    text = ".".join(map(str, version))
    if tuple(version) < (3, 11):
        return Finding("Python", "fails", text, "make a virtual environment with Python 3.11 or newer")
    return Finding("Python", "ok", f"{text} ({sys.executable})")


def project_requirements() -> list[Requirement]:
    """Return what the project requires of Python, from `pyproject.toml` beside the code or the installed package."""
    import tomllib

    from packaging.requirements import Requirement

    path = ROOT / "pyproject.toml"
    if path.is_file():
        lines = tomllib.loads(path.read_text())["project"]["dependencies"]
    else:
        lines = [line for line in importlib.metadata.requires("glmflow") or () if "extra ==" not in line]
    return [Requirement(line) for line in lines]


def installed_version(name: str) -> str | None:
    """Return the version of an installed distribution, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def packages(requirements: Iterable[Requirement], version_of: Callable[[str], str | None]) -> Finding:
    """Judge whether every requirement is installed in a version that will do."""
    wrong, n = [], 0
    for requirement in requirements:
        n += 1
        version = version_of(requirement.name)
        if version is None:
            wrong.append(f"{requirement.name} is missing")
        elif not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} is {version}, not {requirement.specifier}")
    if wrong:
        return Finding("packages", "fails", "; ".join(wrong), PACKAGES_FIX)
    return Finding("packages", "ok", f"all {n} that are required")


def torch_build() -> dict[str, Any] | None:
    """Return the arguments of `gpu` as torch and the driver tell them, or None without torch."""
    try:
        import torch
    except (ImportError, OSError):
        return None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    devices = []
    for number in range(torch.cuda.device_count() if available else 0):
        properties = torch.cuda.get_device_properties(number)
        devices.append((properties.name, properties.total_memory, (properties.major, properties.minor)))
    return {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "driver": driver_version(),
        "devices": devices,
        "complaint": str(caught[0].message).split(".")[0] if caught else "",
    }


def driver_version() -> str | None:
    """Return the version of the NVIDIA driver, or None where there is none."""
    if not shutil.which("nvidia-smi"):
        return None
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    lines = done.stdout.split()
    return lines[0] if done.returncode == 0 and lines else None


def gpu(
    torch: str,
    cuda: str | None,
    driver: str | None,
    devices: Sequence[tuple[str, int, tuple[int, int]]],
    complaint: str = "",
) -> Finding:
    """Judge whether torch, the driver and the GPUs belong together."""
    if devices:
        names = ", ".join(f"{name} ({memory / 2**30:.0f} GB)" for name, memory, _ in devices)
        return Finding("GPU", "ok", f"{names}; torch {torch}, driver {driver or '?'}")
    if driver and cuda is None:
        return Finding("GPU", "without", f"torch {torch} is built for CPUs, the driver is {driver}", TORCH_FIX)
    if driver:
        reason = complaint or "it finds no device"
        return Finding(
            "GPU",
            "without",
            f"torch {torch} (CUDA {cuda}) cannot use the driver {driver}: {reason}",
            f"{TORCH_FIX}, or look at CUDA_VISIBLE_DEVICES",
        )
    return Finding(
        "GPU",
        "without",
        f"no NVIDIA driver here; torch {torch}",
        "small models train on the CPU; on a cluster call `glmflow doctor` inside of a GPU job",
    )


def bf16(devices: Sequence[tuple[str, int, tuple[int, int]]]) -> Finding:
    """Judge whether `bf16: true` will do."""
    old = [name for name, _, capability in devices if capability < (8, 0)]
    if old:
        return Finding("bf16", "without", f"{', '.join(old)}: older than Ampere", "leave `bf16` false")
    return Finding("bf16", "ok", "in the hardware" if devices else "on the CPU, slowly")


def optional_package(name: str, without: str, torch: Mapping[str, Any] | None, install: str) -> Finding:
    """Say what is different without a package that speeds things up on a GPU."""
    version = installed_version(name)
    if version:
        return Finding(name, "ok", version)
    usable = bool(torch and torch["devices"])
    return Finding(name, "without", without, f"{install} {name}" if usable else "only of use on a GPU")


def program(name: str, without: str, install: str) -> Finding:
    """Judge whether a program is on the PATH."""
    path = shutil.which(name)
    return Finding(name, "ok", path) if path else Finding(name, "without", f"not found: {without}", install)


def scheduler(which: Callable[[str], str | None]) -> Finding:
    """Name the profile that fits this machine."""
    for command, profile in (("qsub", "pbs"), ("sbatch", "slurm")):
        if which(command):
            return Finding("scheduler", "ok", f"{command}: snakemake --profile profiles/{profile}")
    return Finding("scheduler", "ok", "none here: snakemake --cores all")


def memory_bytes() -> int:
    """Return the main memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def machine(number: int, memory: int) -> Finding:
    """Judge cores and main memory."""
    text = f"{number} core{'s' * (number != 1)}, {memory / GB:.0f} GB of memory"
    if memory < 4 * GB:
        return Finding("machine", "without", text, "the demo needs about 4 GB; use snakemake --cores 1")
    return Finding("machine", "ok", text)


def disk(name: str, folder: Path, free: int, wanted: float) -> Finding:
    """Judge the free space of a folder, in bytes."""
    text = f"{free / GB:.0f} GB free in {folder}"
    if free < wanted:
        fix = f"free {wanted / GB:.0f} GB or point {'TMPDIR' if name == 'TMPDIR' else 'the study'} elsewhere; "
        return Finding(name, "without", text, fix + "`snakemake clean_checkpoints` names what can go")
    return Finding(name, "ok", text)


def shared_memory(size: int) -> Finding:
    """Judge /dev/shm, through which data loaders hand over batches (containers often have 64 MB)."""
    if size < GB:
        return Finding(
            "/dev/shm", "without", f"{size / 1e6:.0f} MB", "use `workers: 0`, or a container with --shm-size=8g"
        )
    return Finding("/dev/shm", "ok", f"{size / GB:.0f} GB")


def hub(environment: Mapping[str, str], timeout: float) -> Finding:
    """Judge whether published checkpoints can be downloaded; any answer of the hub will do."""
    fix = "`snakemake -c1 prefetch` on a machine with internet; jobs read resources/models/"
    address = environment.get("HF_ENDPOINT", HUB)
    if environment.get("HF_HUB_OFFLINE", "0").lower() in ("1", "true", "yes", "on"):
        return Finding("hub", "without", "HF_HUB_OFFLINE is set", fix)
    try:
        urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=timeout).close()
    except urllib.error.HTTPError:
        pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return Finding("hub", "without", f"{address} cannot be reached ({reason})", fix)
    return Finding("hub", "ok", f"{address} answers")


def fitting(memory: int, bf16: bool, checkpoints: Mapping[str, Mapping[str, Any]], length: int) -> dict[str, list[str]]:
    """Return which published checkpoints can be trained in `memory` bytes, by the most that can be done with each.

    Parameters
    ----------
    length
        Bases of an example, of which one is held at a time, with gradient checkpointing.
    """
    from glmflow.config.adaptations import Adaptation
    from glmflow.config.heads.coverage_heads import ConvolutionalHead
    from glmflow.plan.resources import Gpu, need, shape_of_listed

    room = Gpu(int(memory / 2**20), 1.0, 1.0)
    found: dict[str, list[str]] = {"full": [], "lora": [], "probe": [], "none": []}
    for name, entry in checkpoints.items():
        shape = shape_of_listed(entry)
        if shape is None:
            continue
        train = {"micro_batch": 1, "bf16": bf16, "gradient_checkpointing": True}
        for kind in ("full", "lora", "probe"):
            adaptation = Adaptation.model_validate({"kind": kind, "train": train})
            if need(shape, adaptation, length, 1, None, room, ConvolutionalHead(kind="track")).gpu_mb <= room.memory_mb:
                found[kind].append(name)
                break
        else:
            found["none"].append(name)
    return found


FITTING = {
    "full": "in full",
    "lora": "with LoRA",
    "probe": "as a frozen model with a head",
    "none": "not on one such device",
}


def report(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield the lines that a person reads."""
    marks = {"ok": "ok", "without": "--", "fails": "FAILS"}
    for item in findings:
        yield f"{marks[item.state]:<6}{item.name:<15}{item.text}"
        if item.fix:
            yield f"{'':<21}-> {item.fix}"


def add_doctor_command(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add `doctor` to the commands."""
    parser = subparsers.add_parser(
        "doctor",
        description="Look at Python, packages, GPU and driver, kernels, programs, disk and the hub, and say what to do "
        "about what is missing. Exit status 1 only where nothing can run.",
    )
    parser.add_argument(
        "--timeout", type=float, default=3, metavar="SECONDS", help="for the hub to answer (default: 3)"
    )
    parser.add_argument("--length", type=int, default=32_768, metavar="BP", help="example length (default: 32768)")
    parser.set_defaults(run=run_doctor)
    return parser


def run_doctor(arguments: argparse.Namespace) -> int:
    """Print what is found; 1 where a basic thing fails."""
    findings = []
    for finding in examine(Path.cwd(), arguments.timeout):
        findings.append(finding)
        print("\n".join(report([finding])), flush=True)
    listed = ROOT / "config" / "models.yaml"
    build = torch_build()
    works = all(finding.state != "fails" for finding in findings)
    if works and listed.is_file() and build is not None:
        from glmflow.config import read_checkpoints

        devices = build["devices"]
        memory = min((memory for _, memory, _ in devices), default=memory_bytes())
        where = f"{memory / 2**30:.0f} GB of {'GPU' if devices else 'main'} memory"
        modern = all(capability >= (8, 0) for _, _, capability in devices) and bool(devices)
        print(f"\nPublished checkpoints whose training on {arguments.length:,} bp fits into {where}:")
        for kind, names in fitting(memory, modern, read_checkpoints(listed), arguments.length).items():
            if names:
                print(f"  {FITTING[kind]}: {', '.join(names)}")
    return 0 if works else 1
