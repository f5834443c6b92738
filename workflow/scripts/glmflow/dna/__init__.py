"""What sequences are made of: k-mers, walks, frames, genes, codons, exact matches, and sequences made to be compared with.

Everything takes sequences as text or ASCII codes, upper or lower case, and knows no model, task or file.
"""
