"""A small tuned track model, saved as a run saves it."""

from glmflow.config.adaptations import Adaptation
from glmflow.config.settings import adaptation_settings
from glmflow.config.tasks.rnaseq_tracks import RnaseqTracks
from glmflow.models import new_model
from glmflow.training.tuned import RunBlocks, new_tuned, save_tuned


def save_tuned_tracks(folder, hidden_size=16):
    """Write the model folder of a run on two tracks, windows of 64 bp, random weights; return the folder."""
    task = RnaseqTracks(kind="rnaseq_tracks", windows={"size": 64, "overlap": 32}, trim=8)
    adaptation = Adaptation(kind="full", head={"kind": "linear"}, train={"reverse_complement": True})
    tracks = {"blood_plus": {"biosample": "blood", "strand": "+"}, "blood_minus": {"biosample": "blood", "strand": "-"}}
    settings = {
        "task": task.model_dump(mode="json"),
        "adaptation": adaptation_settings(adaptation, task),
        "tracks": tracks,
        "seed": 1,
    }
    fitted = {"track_means": {"blood_plus": 3.0, "blood_minus": 5.0}}
    adapter = new_model("small", {"hidden_size": hidden_size, "num_heads": 2, "num_layers": 1})
    save_tuned(new_tuned(RunBlocks.of(settings), adapter, fitted), settings, fitted, folder)
    return folder
