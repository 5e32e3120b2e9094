"""Who answers a turn: a RAG service over HTTP, or the embedded advisor."""
