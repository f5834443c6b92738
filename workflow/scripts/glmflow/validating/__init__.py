"""Commands that set what models know beside controls, with a page: generated sequences beside real ones, DNA behind its text."""
