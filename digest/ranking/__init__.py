"""What matters: articles become stories, stories get topics and a receipt, and the receipt's sum orders them.

Everything here is pure: no connection, no file, no clock. Points come from `[ranking]`, words from `topics.toml`.
"""
