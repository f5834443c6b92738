"""Per-base signal along the genome: bigWig files averaged, scaled, read and written."""
