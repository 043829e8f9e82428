"""A self-hosted service that mails its subscribers one economic news edition a day.

Feeds are polled into articles, articles are ranked as stories, stories become an edition, and the edition is delivered:
`feeds`, `ranking`, `editions`, `delivery` are the day in that order. `model` is the glossary.
"""

__version__ = "0.1.0"
