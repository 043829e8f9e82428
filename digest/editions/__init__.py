"""From ranked stories to a finished page: compose decides what an edition holds, render writes it, publish freezes it.

Compose and market are pure; Jinja and premailer stay in `render`; nothing downstream of a frozen edition reads articles.
"""
