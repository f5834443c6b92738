"""`glmflow variants`: files of variants in, their zero-shot effects out (`glmflow.effects` computes them).

Modules
-------
``variant_sources``  VCF, BCF, tables and BED files, read in parts.
``vcf_lines``        lines of VCF and BCF files of any compression.
``effect_fields``    names, kinds and reasons as outputs have them.
``vcf_writer``       VCFs with further fields.
``effect_vcf``       scores as fields of a VCF.
``effect_tables``    tables.
"""
