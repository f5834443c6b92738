"""From files to a study: `glmflow new` reads headers, proposes, and says what it guessed."""
