"""Portfolio optimisers: an HTTP service, or the embedded one."""
