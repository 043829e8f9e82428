"""The database, one module a noun: values in, values out, SQL inside.

Nothing here knows HTTP, mail or a template, and nothing reads the clock. Functions take an open connection and never
commit: whoever opened the transaction (`engine.read`, `engine.write`) decides what belongs together.
"""
