"""The HTTP surface: parse, call one service function, shape the answer."""
