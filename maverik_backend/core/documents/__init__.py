"""Documents as text: what kind of file something is, and its passages, read in a child process that is bounded.

``sniffing`` and ``reading`` are what the rest of the product uses; the other modules run in the child.
"""
