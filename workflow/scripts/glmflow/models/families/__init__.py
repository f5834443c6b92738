"""One file a family; see `glmflow.models` for how to add one."""
