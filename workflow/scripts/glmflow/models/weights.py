"""Checkpoint files: read under the published names, written so that tied weights are stored once."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glmflow.errors import InputError
from glmflow.files import sha256
from glmflow.models.adapter import Network

State = dict[str, Tensor]

EXTENSION_FIELD = "extension_field."
"""In the names of what a context extension learned, which is kept in a file of its own."""


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
            names = sorted(set(json.loads((folder / index).read_text())["weight_map"].values()))
            missing = [name for name in names if not (folder / name).exists()]
            if missing:
                raise InputError(f"weight file {missing[0]} is missing", where=folder, mend="Download it again.")
            return [folder / name for name in names]
    files = sorted([*folder.glob("*.pt"), *folder.glob("*.ckpt")])
    if len(files) != 1:
        raise InputError(
            "no weights (model.safetensors, pytorch_model.bin or one .pt file)",
            where=folder,
            mend="Download the whole checkpoint.",
        )
    return files


def read_state(folder: Path) -> State:
    """Read all tensors of a checkpoint folder by their names in the files, mapped from disk rather than
    copied.

    Raises
    ------
    InputError
        There are no weights, or a file is damaged.
    """
    state: State = {}
    for path in weight_files(folder):
        try:
            if path.suffix == ".safetensors":
                found = load_file(path)
            else:
                found = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        except Exception as error:
            raise InputError(f"cannot be read: {error}", where=path, mend="Download the file again.") from None
        state.update(found.get("state_dict", found))
    return state


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
            raise InputError(f"tied weights {' and '.join(stored)} differ", where=where, mend="Is it another family?")
        if stored:
            state.update(dict.fromkeys(names, state[stored[0]]))
    _check(network.state_dict(), state, where)
    for name, tensor in state.items():
        if tensor.is_floating_point():
            keep = bool(network.keep_float32) and name.endswith(network.keep_float32)
            state[name] = tensor.to(torch.float32 if keep else dtype)
    network.load_state_dict(state, strict=True, assign=True)
    for names in shared:
        parameter = network.get_parameter(names[0])
        for name in names[1:]:
            owner, _, last = name.rpartition(".")
            setattr(network.get_submodule(owner), last, parameter)
    reset_buffers(network)


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
    return load_file(path) if path.exists() else {}


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
            mend="Check that config.json and weights belong together and that the family is right.",
        )
