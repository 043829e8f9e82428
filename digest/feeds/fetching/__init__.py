"""Calling on servers: what may be dialled, how much may arrive, what the headers say."""
