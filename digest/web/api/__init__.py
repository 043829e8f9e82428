"""The HTTP API of operators, `/api/v1`: what is asked and answered is defined once, in `shapes`, and the document follows from it.

Routes are thin: `door` checks who asks and what, `reads` and `writes` call the verbs that the commands call. Addresses come in bodies
and never in a URL.
"""
