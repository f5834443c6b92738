"""Simulate a cohort, from nothing or over real data."""

from pathlib import Path

from scriptlog import logged

with logged(snakemake):
    from glmflow.config.simulation import Overlay, SimulationSettings

    settings, folder = dict(snakemake.params.settings), Path(snakemake.output.fasta).parent
    if "fasta" in settings:
        from glmflow.simulate.overlay import overlay_cohort

        overlay = Overlay.model_validate(settings)
        overlay_cohort(overlay.fasta, overlay.vcf, overlay.annotation, folder, overlay)
    else:
        from glmflow.simulate.cohort import simulate_cohort

        simulate_cohort(SimulationSettings.model_validate(settings), folder)
