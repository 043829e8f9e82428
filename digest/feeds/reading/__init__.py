"""Bytes into entries: what is new is cut out and read, in children that can be killed."""
