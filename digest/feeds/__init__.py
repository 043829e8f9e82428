"""The way in: a feed is fetched over HTTP, parsed into entries, cleaned into articles, and stored.

Only `fetch` opens a connection, only `parse` meets feedparser (in a child process), `clean` is pure, `poll` is the verb.
"""
