"""What lives outside the process, each a small Protocol with its implementations."""
