"""Checkpoint files: read under the published names, written so that tied weights are stored once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glmflow.errors import InputError
from glmflow.files import sha256
from glmflow.models.interface import Network

State = dict[str, Tensor]

EXTENSION_FIELD = "extension_field."
"""In the names of what a context extension learned, which is kept in a file of its own."""


PREFIXES = ("module.", "_orig_mod.")
"""In front of every name where a model was saved inside its wrapper: data parallel, and torch.compile."""
NESTED = ("state_dict", "model_state_dict", "module", "model")
"""Under which training scripts keep the tensors in a file of theirs."""
ALIGNED = 64  # bytes
SHOWN = 200  # characters of another library's message


def weight_files(folder: Path) -> list[Path]:
    """Return the files that hold a checkpoint's weights: safetensors before PyTorch's own, shards in their
    order.

    Raises
    ------
    InputError
        There are none, or a shard that the index names is missing.
    """
    for whole, index in (
        ("model.safetensors", "model.safetensors.index.json"),
        ("pytorch_model.bin", "pytorch_model.bin.index.json"),
    ):
        if (folder / whole).exists():
            return [folder / whole]
        if (folder / index).exists():
            names = _shards(folder / index)
            missing = [name for name in names if not (folder / name).exists()]
            if missing:
                raise InputError(f"weight file {missing[0]} is missing", where=folder, fix="Download it again.")
            return [folder / name for name in names]
    files = sorted([*folder.glob("*.pt"), *folder.glob("*.ckpt")])
    if len(files) != 1:
        raise InputError(
            "no weights (model.safetensors, pytorch_model.bin or one .pt file)",
            where=folder,
            fix="Download the whole checkpoint.",
        )
    return files


def _shards(index: Path) -> list[str]:
    """Return the names of the files that an index of shards lists."""
    try:
        return sorted({str(name) for name in json.loads(index.read_text("utf-8"))["weight_map"].values()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(index, error) from error


def read_state(folder: Path) -> State:
    """Return all tensors of a checkpoint folder by their names in the files, mapped from disk rather than
    copied where the format allows it.

    Raises
    ------
    InputError
        There are no weights, or a file is damaged.
    """
    state: State = {}
    for path in weight_files(folder):
        state.update(read_tensors(path))
    return without_wrapper(state)


def read_tensors(path: Path) -> State:
    """Return the tensors of one file: safetensors, or PyTorch's own in the form of today or of before 1.6.

    Nothing but tensors is unpickled (`weights_only`).

    Raises
    ------
    InputError
        The file is missing, damaged, or holds other things.
    """
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except Exception as error:  # safetensors raises its own
            raise unreadable(path, error) from error
    found = _nested(_unpickled(path))
    tensors = {str(name): value for name, value in found.items() if isinstance(value, Tensor)}
    if not tensors:
        raise unreadable(path, "no tensors by name")
    return tensors


def _unpickled(path: Path) -> Mapping[Any, Any]:
    """Return what a file of PyTorch's own holds, mapped from disk where it is a zip archive."""
    try:
        found = torch.load(path, map_location="cpu", mmap=is_zipfile(path), weights_only=True)
    except Exception as error:  # PyTorch and pickle raise many
        raise unreadable(path, error) from error
    if not isinstance(found, Mapping):
        raise unreadable(path, f"no tensors by name, but a {type(found).__name__}")
    return found


def _nested(found: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Return the tensors of a training script's file, which lie one level deeper."""
    return next((found[name] for name in NESTED if isinstance(found.get(name), Mapping)), found)


def unreadable(path: Path, error: Exception | str) -> InputError:
    """Return the error for a file of a checkpoint that cannot be read, with the start of a library's message."""
    text = " ".join(str(error).split())
    text = text if len(text) <= SHOWN else f"{text[:SHOWN]} ..."
    if isinstance(error, KeyError | AttributeError | TypeError):
        text = f"{type(error).__name__}: {text}"
    return InputError(f"cannot be read: {text}", where=path, fix="Download the file again.")


def without_wrapper(state: State) -> State:
    """Return tensors without the prefixes that all of their names share with the wrapper they were saved in."""
    for prefix in PREFIXES * 2:
        if state and all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def is_wrapped(folder: Path) -> bool:
    """Whether a checkpoint's tensors lie deeper in its files, or under longer names, than a model's own would."""
    names: list[str] = []
    for path in weight_files(folder):
        if path.suffix == ".safetensors":
            try:
                with safe_open(path, "pt") as file:
                    names += file.keys()
            except Exception as error:
                raise unreadable(path, error) from error
            continue
        found = _unpickled(path)
        if _nested(found) is not found:
            return True
        names += map(str, found)
    return bool(names) and any(all(name.startswith(prefix) for name in names) for prefix in PREFIXES)


def check_hashes(folder: Path, record: Mapping[str, Any]) -> None:
    """Stop where weights are not those that `Adapter.save` wrote: safetensors has no checksum of its own.

    Raises
    ------
    InputError
        A file has another SHA-256 than `model.yaml` says.
    """
    expected = record.get("sha256")
    for name, digest in expected.items() if isinstance(expected, Mapping) else ():
        path = folder / str(name)
        if path.exists() and _sha256_of(path, path.stat().st_size, path.stat().st_mtime_ns) != digest:
            what = "damaged: not the weights that were saved (another SHA-256 than in model.yaml)"
            raise InputError(what, where=path, fix="Copy or make the model again.")


@cache
def _sha256_of(path: Path, size: int, modified: int) -> str:
    """Return the SHA-256 of a file, read once a process."""
    return sha256(path)


def load_state(network: Network, state: State, dtype: torch.dtype, *, where: Path | None = None) -> None:
    """Put a checkpoint's tensors into a network built on the meta device, strictly.

    A tied weight (one parameter under several names) may be stored under any of them; the tie is kept.

    Parameters
    ----------
    network
        Built on the meta device.
    state
        Tensors by the network's names.
    dtype
        Type of the floating-point parameters, those named in `Network.keep_float32` aside.

    Raises
    ------
    InputError
        A tensor is missing, unexpected or of another shape, or tied weights differ.
    """
    state = dict(state)
    shared = _aliases(network)
    for names in shared:
        stored = [name for name in names if name in state]
        if any(not torch.equal(state[stored[0]], state[name]) for name in stored[1:]):
            raise InputError(f"tied weights {' and '.join(stored)} differ", where=where, fix="Is it another family?")
        if stored:
            state.update(dict.fromkeys(names, state[stored[0]]))
    _check(network.state_dict(), state, where)
    for name, tensor in state.items():
        if tensor.is_floating_point():
            keep = bool(network.keep_float32) and name.endswith(network.keep_float32)
            state[name] = _aligned(tensor.to(torch.float32 if keep else dtype))
    network.load_state_dict(state, strict=True, assign=True)
    for names in shared:
        parameter = network.get_parameter(names[0])
        for name in names[1:]:
            owner, _, last = name.rpartition(".")
            setattr(network.get_submodule(owner), last, parameter)
    reset_buffers(network)


def _aligned(tensor: Tensor) -> Tensor:
    """Return a tensor whose memory a CPU reads as that of any other: safetensors are mapped at odd places.

    Kernels sum in another order there, and scores would depend on the format of the file in their eighth digit.
    """
    return tensor if torch.cuda.is_available() or tensor.data_ptr() % ALIGNED == 0 else tensor.clone()


def lacks_head(network: Network, state: State) -> bool:
    """Whether a checkpoint is of the bare encoder: of what belongs to the head alone it has nothing."""
    tied = {name for names in _aliases(network) for name in names}
    heads = tuple(f"{head}." for head in network.head_names)
    own = [name for name in network.state_dict() if f"{name}.".startswith(heads) and name not in tied]
    return bool(own) and not any(name in state for name in own)


def reset_buffers(network: nn.Module) -> None:
    """Compute the tensors that no checkpoint holds (rotary frequencies, ALiBi slopes), which the meta device
    has not.

    Raises
    ------
    RuntimeError
        A family's module leaves a tensor on the meta device.
    """
    for module in network.modules():
        if hasattr(module, "reset_buffers"):
            module.reset_buffers()
    left = [name for name, tensor in (*network.named_parameters(), *network.named_buffers()) if tensor.is_meta]
    if left:
        raise RuntimeError(f"{type(network).__name__}: {left} have no values; fill them in reset_buffers()")


def save_state(network: Network, folder: Path) -> None:
    """Write a network's state dict as ``model.safetensors``; tied weights once, under their first name."""
    state = network.state_dict()
    for names in _aliases(network):
        for name in names[1:]:
            state.pop(name, None)
    _write({name: t for name, t in state.items() if EXTENSION_FIELD not in name}, folder / "model.safetensors")


def save_extension(network: nn.Module, folder: Path) -> None:
    """Write what a context extension learned (CLEX), if anything, as ``extension.safetensors``."""
    learned = {name: tensor for name, tensor in network.state_dict().items() if EXTENSION_FIELD in name}
    if learned:
        _write(learned, folder / "extension.safetensors")


def read_extension(folder: Path) -> State:
    """Read what `save_extension` wrote; empty where it wrote nothing."""
    path = folder / "extension.safetensors"
    return read_tensors(path) if path.exists() else {}


def load_head(head: nn.Module, folder: Path) -> None:
    """Put the tensors of ``head.safetensors`` into the head of a task, strictly.

    Raises
    ------
    InputError
        The file is missing, damaged, or of another head.
    """
    path = folder / "head.safetensors"
    try:
        head.load_state_dict(read_tensors(path))
    except RuntimeError as error:
        what = f"not the head of this task: {' '.join(str(error).split())[:SHOWN]}"
        raise InputError(what, where=path, fix="Train the run again.") from error


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each weight file of a folder, by file name."""
    return {path.name: sha256(path) for path in weight_files(folder)}


def _write(state: State, path: Path) -> None:
    """Write tensors to a safetensors file."""
    tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in state.items()}
    save_file(tensors, path, metadata={"format": "pt"})


def _aliases(network: nn.Module) -> list[list[str]]:
    """Names of each parameter that has several."""
    names: dict[int, list[str]] = defaultdict(list)
    for name, parameter in network.named_parameters(remove_duplicate=False):
        names[id(parameter)].append(name)
    return [found for found in names.values() if len(found) > 1]


def _check(expected: State, state: State, where: Path | None) -> None:
    """Raise an `InputError` that names what does not fit between a network and a checkpoint."""
    problems = {
        "missing": [name for name in expected if name not in state],
        "unexpected": [name for name in state if name not in expected],
        "of another shape": [
            f"{name} {tuple(state[name].shape)} for {tuple(tensor.shape)}"
            for name, tensor in expected.items()
            if name in state and state[name].shape != tensor.shape
        ],
    }
    found = [f"{len(names)} {kind} (first: {names[0]})" for kind, names in problems.items() if names]
    if found:
        raise InputError(
            f"weights do not fit the configuration: {'; '.join(found)}",
            where=where,
            fix="Check that config.json and weights belong together and that the family is right.",
        )
