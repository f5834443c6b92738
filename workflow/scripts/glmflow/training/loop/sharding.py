"""Models whose weights lie in pieces on several processes (FSDP2, DeepSpeed ZeRO): settings, and the whole of a piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor, distribute_tensor

from glmflow.config.adaptations import Training


def sharding_arguments(training: Training, model: nn.Module, processes: int) -> dict[str, Any]:
    """Return the Trainer's arguments that share a model out among processes; none for one process or for DDP."""
    if processes == 1 or training.parallel == "ddp":
        return {}
    if training.parallel == "fsdp":
        return {"fsdp": True, "fsdp_config": {"version": 2, "transformer_layer_cls_to_wrap": repeated_layers(model)}}
    return {
        "deepspeed": {
            "train_micro_batch_size_per_gpu": "auto",
            "gradient_accumulation_steps": "auto",
            "gradient_clipping": "auto",
            "bf16": {"enabled": "auto"},
            "zero_optimization": {"stage": 3, "overlap_comm": True, "contiguous_gradients": True},
            "zero_allow_untested_optimizer": True,
        }
    }


def repeated_layers(model: nn.Module) -> list[str]:
    """Return the class names of the layers that a model repeats: the units that are gathered one after the other."""
    stacks = [module for module in model.modules() if isinstance(module, nn.ModuleList) and len(module)]
    largest = max(stacks, key=lambda stack: sum(value.numel() for value in stack.parameters()), default=())
    return sorted({type(layer).__name__ for layer in largest})


def is_shared_out(model: nn.Module) -> bool:
    """Whether the weights of a model lie in pieces on several processes (FSDP2)."""
    return any(isinstance(value, DTensor) for value in model.parameters())


def share_out_on_cpus_too() -> None:
    """Have accelerate share out a model among processes on CPUs as it does on GPUs.

    Left alone it gives each a whole copy (DDP) and says nothing, so that a run on CPUs would try another thing than was asked.
    """
    state = PartialState()
    if state.distributed_type == DistributedType.MULTI_CPU:
        state.distributed_type = DistributedType.MULTI_GPU


def let_go(model: nn.Module) -> None:
    """Have FSDP2 give up the weights that a forward pass gathered which no backward pass followed.

    The outermost module keeps them until then, and the optimizer, which holds the pieces, would not know them by name.
    """
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


def whole(value: Tensor) -> Tensor:
    """Return a tensor with all of its pieces; every process has to ask for it."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def copy_into(piece: Tensor, value: Tensor) -> None:
    """Write a whole tensor into the tensor of a model, of which this process may hold a piece."""
    if isinstance(piece, DTensor):
        value = distribute_tensor(value.to(piece.device), piece.device_mesh, piece.placements)
    piece.copy_(value)


@contextmanager
def gathered(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """Have the weights whole within the block where ZeRO 3 has scattered them."""
    scattered = [parameter for parameter in parameters if hasattr(parameter, "ds_id")]
    if scattered:
        import deepspeed

        context = deepspeed.zero.GatheredParameters(scattered)
    else:
        context = nullcontext()
    with context:
        yield


def optimizer_state(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return the whole state of an optimizer by the names of the parameters; every process has to ask for it."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_optimizer_state_dict

    return get_optimizer_state_dict(model, optimizer, options=StateDictOptions(full_state_dict=True, cpu_offload=True))


def load_optimizer_state(model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Share out what `optimizer_state` has put together."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, set_optimizer_state_dict

    set_optimizer_state_dict(model, optimizer, state, options=StateDictOptions(full_state_dict=True))
