"""The commands that ask models as they are, called from jobs of a study: what a job does, the command does by hand."""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from glmflow.files import atomic_path

from .dependencies.dependencies_command import add_dependencies_command
from .mutagenesis.mutagenesis_command import add_mutagenesis_command
from .variants.variants_command import add_variants_command

log = logging.getLogger(__name__)

COMMANDS = {
    "variants": add_variants_command,
    "mutagenesis": add_mutagenesis_command,
    "dependencies": add_dependencies_command,
}
BEGUN = "asked.json"
"""File of an unfinished folder that says what is computed in it."""


def words_of(options: Mapping[str, Any]) -> list[str]:
    """Return arguments as they are typed: a list with commas, what is True by its name alone, what is None or False not."""
    words = []
    for key, value in options.items():
        if value is None or value is False:
            continue
        words.append(f"--{key.replace('_', '-')}")
        if value is not True:
            words.append(",".join(map(str, value)) if isinstance(value, list) else str(value))
    return words


def parsed(command: str, words: list[str]) -> argparse.Namespace:
    """Return the arguments of a command as it reads them; what is not given is as in the command."""
    parser = argparse.ArgumentParser(prog="glmflow")
    COMMANDS[command](parser.add_subparsers())
    return parser.parse_args([command, *words])


def ask(command: str, name: str, model: Path, output: Path, options: Mapping[str, Any]) -> None:
    """Run a command with one model; its log begins with the words that do the same by hand.

    Parameters
    ----------
    name
        Name of the model in the output.
    output
        A file, or a folder: it is there once it is whole.
    options
        The other arguments of the command, its input files among them.

    Raises
    ------
    InputError
        The model, the files or the arguments do not fit each other.
    """
    words = ["--model", f"{name}={model}", *words_of(options)]
    log.info("%s", shlex.join(["glmflow", command, *words, "--output", str(output)]))
    if command == "variants":
        arguments = parsed(command, [*words, "--output", str(output)])
        arguments.run(arguments)
        return
    with unfinished(output, {"command": command, "words": words, "files": _written(options)}) as folder:
        arguments = parsed(command, [*words, "--output", str(folder)])
        arguments.run(arguments)


@contextmanager
def unfinished(output: Path, asked: Mapping[str, Any]) -> Iterator[Path]:
    """Yield a folder beside `output`, renamed to it when the block ends; one that was killed is gone on with.

    Snakemake deletes the outputs of a job that was killed, and the parts that it has kept with them: so they lie beside it.
    What was left by a job that was asked something else is deleted.
    """
    folder = output.with_name(f"{output.name}.unfinished")
    begun, text = folder / BEGUN, json.dumps(asked)
    if folder.exists() and not (begun.is_file() and begun.read_text() == text):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(begun) as temporary:
        temporary.write_text(text)
    yield folder
    begun.unlink()
    shutil.rmtree(output, ignore_errors=True)
    folder.rename(output)


def _written(options: Mapping[str, Any]) -> list[list[Any]]:
    """Return the files among some arguments, with their sizes and when they were written."""
    paths = [Path(value) for value in options.values() if isinstance(value, str)]
    return [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in paths if path.is_file()]
