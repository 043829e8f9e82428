"""From a frozen edition to the reader's mail server: the message as bytes, the SMTP dialogue, and the ledger between.

The ledger is written before the wire; `message` is pure, `smtp` and `outbox` are edges, `deliver` is the verb.
"""
