"""The steps a person runs by hand: `glmflow check`, `haplotype`, `average`, `predict`, `score`, `likelihood` ..."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence

from glmflow.doctor import add_doctor_command, installed_version
from glmflow.errors import InputError


def commands() -> Iterator[Callable]:
    """Yield what adds each command; where a package is missing, `doctor` alone, which says so."""
    yield add_doctor_command
    try:
        from glmflow.genome.commands import add_haplotype_command
        from glmflow.inputs import add_check_command
        from glmflow.models.commands import add_likelihood_command, add_parity_command
        from glmflow.tasks.commands import add_score_command
        from glmflow.tracks.commands import add_average_command
        from glmflow.training.commands import add_predict_command
    except ImportError:
        return
    yield from (add_check_command, add_haplotype_command, add_average_command, add_score_command)
    yield from (add_parity_command, add_likelihood_command, add_predict_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; each mistake in the input, or a file that cannot be read or written, is one line; exit code 1."""
    parser = argparse.ArgumentParser(prog="glmflow", description="Single steps of the workflow, by hand.")
    version = installed_version("glmflow") or "(not installed: run from its sources)"
    parser.add_argument("--version", action="version", version=f"glmflow {version}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in commands():
        add(subparsers)
    parsed = parser.parse_args(arguments)
    try:
        return parsed.run(parsed) or 0
    except InputError as error:
        for line in str(error).splitlines():
            print(f"glmflow {parsed.command}: {line}", file=sys.stderr)
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"glmflow {parsed.command}: {place}{error.strerror or error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
