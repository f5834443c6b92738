"""What the files of a study have to be, and audits of what they hold; each audit ends in PASS, WARN or FAIL."""
