"""A model of DNA and text whose weights lie in pieces on several processes (FSDP2): two updates, then its validation metrics.

The Trainer does that on GPUs alone; here the pieces are made by hand, as it makes them.
"""

import json
from functools import partial
from pathlib import Path

import pandas as pd
import torch
import torch.distributed as dist
from glmflow.models import load_model
from glmflow.training.inputs.allele_questions import ready
from glmflow.training.loop.sharding import is_shared_out, repeated_layers
from glmflow.training.stream import ExampleList
from glmflow.training.tuned import RunBlocks, new_tuned
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.utils.data import DataLoader


def run(folder: Path, settings: dict, examples: pd.DataFrame, tables: str, checkpoint: str, processes: int, half: bool):
    """Train and write the losses and metrics of the first process."""
    torch.set_num_threads(1)
    blocks = RunBlocks.of(settings)
    had = ready(blocks, examples, {"tables": tables})
    torch.manual_seed(0)
    model = new_tuned(blocks, load_model(checkpoint), had.fitted)
    for parameter in model.target.head.text.parameters():
        if half and not parameter.requires_grad:
            parameter.data = parameter.data.bfloat16()
    if processes > 1:
        dist.init_process_group("gloo")
        mesh, names = init_device_mesh("cpu", (processes,)), repeated_layers(model)
        for module in list(model.modules()):
            if type(module).__name__ in names:
                fully_shard(module, mesh=mesh)
        fully_shard(model, mesh=mesh)
        assert is_shared_out(model)
    batches = partial(had.collate, tokenize=model.tokenize, kept=None, **model.target.collating())
    optimizer = torch.optim.AdamW([own for own in model.parameters() if own.requires_grad], lr=0.01)
    losses = []
    for batch in DataLoader(ExampleList(had.train, 4), batch_size=2, collate_fn=batches):
        loss = model(**batch)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    loader = DataLoader(ExampleList(had.validation, 3), batch_size=2, collate_fn=batches)
    found = model.eval().target.metrics(model, loader)
    if processes == 1 or dist.get_rank() == 0:
        (folder / "found.json").write_text(json.dumps([*losses, found["loss"], found["accuracy"]]))
    if processes > 1:
        dist.destroy_process_group()
