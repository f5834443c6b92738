"""What a baseline, a head and a loss declare, and how such blocks are found, so that nothing else has to know their names."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from types import ModuleType
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from .base import Block
from .efficient import EFFICIENT
from .text_blocks import TextPretraining

TRAINED = frozenset({"full", "probe", *EFFICIENT})
"""Kinds of adaptation that train something and leave a model."""


class OfTarget(Block):
    """What belongs to a target, or to several of them: a head, a loss or a baseline."""

    kind: str
    target: ClassVar[str | tuple[str, ...]]

    @classmethod
    def suits(cls, target: str) -> bool:
        """Return whether it belongs to a target."""
        return target in ((cls.target,) if isinstance(cls.target, str) else cls.target)

    @classmethod
    def targets_in_words(cls) -> str:
        """Return its targets in words."""
        names = (cls.target,) if isinstance(cls.target, str) else cls.target
        return " or ".join(name.replace("_", " ") for name in names)


class HeadBlock(OfTarget):
    """Settings of a head; its network is in `glmflow.models.heads`."""

    default: ClassVar[bool] = False
    """Whether it is taken where an adaptation names none."""
    kept: ClassVar[float] = 1.1
    """Numbers that it keeps per base for the backward pass, in hidden sizes."""

    def parameters(self, hidden: int, outputs: int) -> int:
        """Return the number of its parameters, for states of `hidden` and `outputs` predicted values."""
        raise NotImplementedError

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """Return the names of the published models that it is made of."""
        return ()

    @property
    def exact(self) -> bool:
        """Return whether its weights are computed from kept states, and not trained by gradients."""
        return False

    def planned(self, results: str, texts: Mapping[str, TextPretraining]) -> HeadBlock:
        """Return the head as it is counted before anything is made: with the sizes of a text model that the study makes."""
        return self

    def frozen(self) -> int:
        """Return the number of parameters that it holds in bfloat16 and does not train."""
        return 0

    def products(self) -> float:
        """Return the multiplications of a forward pass over one example, where they are more than those of its parameters."""
        return 0

    def kept_bytes(self, checkpointed: bool) -> float:
        """Return the bytes of one example that it keeps for the backward pass beside `kept`."""
        return 0


class LossBlock(OfTarget):
    """Settings of a training loss; its function is in `glmflow.training.losses`."""

    default: ClassVar[bool] = False


class BaselineBlock(OfTarget):
    """Settings of a baseline; its fit is in `glmflow.baselines`."""

    told: ClassVar[str] = ""
    """What it is given beside the sequence: it is shown apart from models that have to find that out."""
    needs: ClassVar[Mapping[str, str]] = {}
    """What a task has to have beside its target (`TaskBlock.has`), each with why the baseline does not fit without it."""
    structure: ClassVar[bool] = False
    """Whether it knows the groups of samples alone: a model has to lead over it, for that is no skill."""
    declared: ClassVar[bool] = False
    """Whether it reads one property in a declared direction: where the other one holds, its score is below chance."""


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    """Yield the modules of a package in the order of their names."""
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        yield importlib.import_module(f"{package.__name__}.{found.name}")


def blocks_of(package: ModuleType, base: type[Block]) -> list[type]:
    """Return the blocks that the modules of a package declare: subclasses of `base` with a `kind` of their own."""
    return [
        block
        for module in modules_of(package)
        for block in vars(module).values()
        if isinstance(block, type)
        and issubclass(block, base)
        and block.__module__ == module.__name__
        and block.model_fields["kind"].annotation is not str
    ]


def kind_of(block: type[Block]) -> str:
    """Return the value of `kind` that a block stands for."""
    return block.model_fields["kind"].annotation.__args__[0]


def default_of(blocks: list[type], target: str) -> Any:
    """Return the default block of a target, with its default settings; None where it has none."""
    found = next((block for block in blocks if block.suits(target) and block.default), None)
    return found and found(kind=kind_of(found))


def union_of(blocks: list[type]) -> Any:
    """Return the type of a key that holds one of some blocks.

    `kind` says which one. A name alone stands for the block with its defaults (`loss: poisson`), and keys without a
    `kind` for the one block that has them all; of several, for the one that is taken where nothing is said.
    """

    def complete(value: Any) -> Any:
        if isinstance(value, str):
            return {"kind": value}
        if isinstance(value, Mapping) and value and "kind" not in value:
            able = [block for block in blocks if set(value) <= set(block.model_fields)]
            usual = able if len(able) == 1 else [block for block in able if getattr(block, "default", False)]
            return {"kind": kind_of(usual[0]), **value} if len(usual) == 1 else value
        return value

    any_of_them = reduce(or_, blocks)
    return Annotated[Annotated[any_of_them, Field(discriminator="kind")], BeforeValidator(complete)]
