"""What every job of a study will need, before anything is queued."""
