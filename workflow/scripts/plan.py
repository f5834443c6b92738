"""Write and print what every training run will need."""

import sys
from pathlib import Path

from glmflow.plan.jobs import layout

rows = snakemake.params.rows
path = Path(snakemake.params.path)
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text("".join("\t".join(row) + "\n" for row in rows))
text = "\n".join([snakemake.params.heading, layout(rows), *snakemake.params.problems, f"Written to {path}."])
Path(snakemake.log[0]).write_text(text + "\n")
print(text, file=sys.stdout, flush=True)
