"""A publisher's picture becomes one of ours: fetched, checked, made small in a child process. Nothing is stored here."""
