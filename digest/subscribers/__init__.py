"""Who reads, and what they agreed to: consent, preferences, and lists carried in and out.

Every change here comes from a command or a POST; a GET never reaches a verb of this folder.
"""
