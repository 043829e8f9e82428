"""Every command, setting and table, written from the code."""
