"""Write the start page over the reports of all studies."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake) as terminal:
    from glmflow.report.overview_page import write_overview

    answers = write_overview(Path("results"))
    print(f"results/index.html: {len(answers)} tasks of {len({row.study for row in answers})} studies", file=terminal)
