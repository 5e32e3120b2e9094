"""The copilot's own surface: accounts, advisory sessions and their turns (REST, PASETO)."""
