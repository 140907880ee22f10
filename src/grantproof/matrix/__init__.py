"""The axes that checks run over: pure data and small functions on it."""
