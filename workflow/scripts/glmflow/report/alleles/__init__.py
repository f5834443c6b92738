"""Pages of tasks that rank alleles: tables and charts of what a score finds, and of where it goes wrong."""
