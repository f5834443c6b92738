"""Download the public data sets that a study names."""

from scriptlog import logged

with logged(snakemake, online=True) as terminal:
    from glmflow.config.public_sets import read_public_sets, wanted_files
    from glmflow.errors import InputError
    from glmflow.fetching import fetch

    if not snakemake.params.sets:
        raise InputError(
            "the study names no data set",
            fix="Name one: snakemake -c1 fetch --config data=geuvadis (docs/data.md lists them).",
        )
    known = {name: read_public_sets()[name] for name in snakemake.params.sets}
    by_hand = [name for name, found in known.items() if not found.files]
    if by_hand == list(known):
        found = known[by_hand[0]]
        raise InputError(f"no file of it can be fetched: {found.note}", where=by_hand[0], fix=f"Its page: {found.page}")
    fetch(wanted_files([name for name in known if name not in by_hand]), terminal=terminal)
    for name in by_hand:
        print(f"{name}: no file of it can be fetched: {known[name].note} Its page: {known[name].page}", file=terminal)
