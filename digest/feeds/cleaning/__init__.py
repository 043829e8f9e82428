"""Entries into articles: plain words, canonical links, sane pictures."""
