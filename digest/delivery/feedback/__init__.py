"""What comes back of our mail: bounces and complaints, from the bytes of a stranger to what follows from them.

`read` and `rules` are pure, and what is read is read in a child process; `mailbox` is an edge; `absorb` and `collect` are the
verbs. Nothing here ever answers a mail.
"""
