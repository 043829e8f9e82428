"""Documentation; the reference is written from the code."""
