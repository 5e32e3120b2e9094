"""What happens in a turn, apart from how it is delivered (docs/decisions/0001-one-turn-engine.md)."""
