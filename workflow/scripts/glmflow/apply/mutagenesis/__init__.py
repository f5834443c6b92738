"""In-silico mutagenesis: every base of some regions changed into the three others, as a table, tracks and pictures."""
