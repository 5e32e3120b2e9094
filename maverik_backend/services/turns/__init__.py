"""Turns: accepting what a participant says, running an assistant over it, recording how it ended."""
