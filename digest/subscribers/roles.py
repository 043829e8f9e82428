"""Names before the @-sign that stand for a task or for many people (RFC 2142), none of whom can agree for the others."""

NOBODY = frozenset(
    (
        *("abuse", "all", "do-not-reply", "donotreply", "everybody", "everyone", "hostmaster", "list", "mailer-daemon"),
        *("no-reply", "nobody", "noc", "noreply", "postmaster", "root", "security", "spam", "undisclosed-recipients"),
        *("usenet", "uucp", "webmaster"),
    )
)
"""Where no person reads who could want a newsletter."""

SHARED = frozenset(
    (
        *(
            "admin",
            "administrator",
            "billing",
            "ftp",
            "info",
            "marketing",
            "news",
            "office",
            "sales",
            "staff",
            "support",
        ),
        *("team", "www"),
    )
)
"""Where a person may read who has agreed elsewhere, but of whom a form cannot know it."""


def is_nobodys(address: str) -> bool:
    """Whether nobody reads at an address for themselves."""
    return _name(address) in NOBODY


def is_role(address: str) -> bool:
    """Whether an address stands for a task or for many people."""
    return _name(address) in NOBODY or _name(address) in SHARED


def _name(address: str) -> str:
    return address.partition("@")[0].partition("+")[0].lower()
