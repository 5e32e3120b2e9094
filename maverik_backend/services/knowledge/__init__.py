"""The index of the embedded advisor's articles."""
