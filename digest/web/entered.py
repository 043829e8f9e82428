"""What the forms that ask for an address have in common: what is wrong with one."""

from digest.errors import BadAddress
from digest.subscribers import roles
from digest.subscribers.consent import acceptable
from digest.web.pages import Pages


def problem(pages: Pages, typed: str) -> str:
    """Why an address as somebody typed it is not taken, in a sentence; empty where it is."""
    try:
        accepted = acceptable(typed, pages.config)
    except BadAddress:
        return pages.language.gettext("Please check the address. It should look like name@example.org.")
    if roles.is_role(accepted) and not pages.config.sign_up.role_accounts:
        return pages.language.gettext(
            "This address looks like one that several people read. Please enter one of your own."
        )
    return ""


def busy(pages: Pages) -> str:
    """Why nothing is taken from a network that asks too often."""
    return pages.language.gettext("There have been many requests from your network. Please try again in an hour.")
