"""Lists of feeds: `feeds.toml` changed by a command, OPML, and CSV."""
