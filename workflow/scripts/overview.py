"""Write the start page over the reports of all studies."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake) as terminal:
    from glmflow.report.overview_page import write_overview

    answers = write_overview(Path("results"))
    studies = len({row.study for row in answers})
    tasks = f"{len(answers)} task{'s' * (len(answers) != 1)}"
    print(f"results/index.html: {tasks} of {studies} {'study' if studies == 1 else 'studies'}", file=terminal)
