"""All runs of a task against each other: one table, of which every verdict is made."""
