"""Portfolios: what a session asks the optimiser for, and the text that shows one."""
