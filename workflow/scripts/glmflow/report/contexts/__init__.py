"""Loss and recall of models by the length of context they read."""
