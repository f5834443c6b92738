"""Every setting is read by code other than its declaration: a key that nothing reads is found by its name."""

import ast
import re
import sys
import typing
from collections import defaultdict
from pathlib import Path

import glmflow
import pydantic
import pytest
from glmflow.config.adaptations import Adaptation
from glmflow.config.asked import QUESTIONS
from glmflow.config.baselines import BASELINES
from glmflow.config.blocks import kind_of
from glmflow.config.heads import HEADS
from glmflow.config.losses import LOSSES
from glmflow.config.study import Study
from glmflow.config.tasks import KINDS

LIBRARY = Path(glmflow.__file__).parent
NAMES_OF_KINDS = {kind_of(kind) for kind in KINDS}


def names_read(tree):
    """Yield the names that code reads: attributes, keys of mappings, and parameters that take a block's settings."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name, ctx=ast.Load()) | ast.arg(arg=name):
                yield name
            case ast.Subscript(slice=ast.Constant(value=str(name)), ctx=ast.Load()):
                yield name
            case ast.Call(func=ast.Attribute(attr="get" | "pop"), args=[ast.Constant(value=str(name)), *_]):
                yield name
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
                yield name


@pytest.fixture(scope="module")
def readers():
    """The files of the library that read a name, by name."""
    found = defaultdict(set)
    for file in LIBRARY.parent.rglob("*.py"):
        for name in names_read(ast.parse(file.read_text())):
            found[name].add(file.resolve())
    for file in (LIBRARY.parents[1] / "rules").glob("*.smk"):
        for name in re.findall(r"\.(\w+)", file.read_text()):
            found[name].add(file.resolve())
    return found


def blocks_within(annotation):
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from blocks_within(inner)


def keys_of(block, path=(), met=frozenset()):
    """Yield the path of every key of a block and of the blocks within it, and the block that declares it."""
    for name, field in block.model_fields.items():
        yield (*path, name), block
        for inner in blocks_within(field.annotation):
            if inner not in met:
                yield from keys_of(inner, (*path, name), met | {inner})


def of_another_kind(file, kind):
    """Whether a file is one of those that belong to another kind of task."""
    parts = {part.removesuffix(".py") for part in file.relative_to(LIBRARY.parents[1].resolve()).parts}
    return bool(parts & (NAMES_OF_KINDS - {kind}))


def unread_of(block, readers, kind=None):
    for path, declared in keys_of(block):
        own = Path(sys.modules[declared.__module__].__file__).resolve()
        others = {file for file in readers[path[-1]] - {own} if kind is None or not of_another_kind(file, kind)}
        if not others and path[-1] != "kind":
            yield ".".join(path)


@pytest.mark.parametrize("block", KINDS, ids=kind_of)
def test_every_key_of_a_kind_is_read_in_its_own_files_or_shared_ones(block, readers):
    assert list(unread_of(block, readers, kind_of(block))) == []


@pytest.mark.parametrize("block", [Study, Adaptation, *HEADS, *LOSSES, *BASELINES], ids=lambda block: block.__name__)
def test_every_key_of_the_other_blocks_is_read(block, readers):
    asked = set(QUESTIONS) if block is Study else set()  # read by their names, one rule each
    assert set(unread_of(block, readers)) - asked == set()


def test_a_key_that_nothing_reads_is_found(readers):
    class Planted(pydantic.BaseModel):
        learning_rate: float = 1.0
        never_read_by_anything: int = 0

    assert list(unread_of(Planted, readers)) == ["never_read_by_anything"]
