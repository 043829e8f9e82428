"""Readers have their data, or have it erased, by a link that only their own mailbox gets."""

import asyncio
import json
import re
from datetime import timedelta

import pytest

from digest.delivery.orders import post_orders
from digest.links import Purpose, address_key
from digest.model import Cause, Subscription
from digest.store import engine as engines
from digest.store import suppressions
from tests.web.conftest import Service


def asked(service: Service, ann: Subscription) -> str:
    """The path of the link that is mailed when a reader asks for its data."""
    page = service.post(f"{service.path(Purpose.PREFERENCES, ann)}/data", action="data")
    assert "on its way" in page.words
    asyncio.run(post_orders(service.config, service.engine, lambda: service.now))
    mails = sorted(service.config.outbox.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    text = mails[-1].read_text().replace("=\n", "")
    assert f"To: {ann.address}" in text
    [link] = set(re.findall(r"https://news\.example(/your-data/[\w.-]+)", text))
    return str(link)


def test_the_page_of_the_preferences_link_offers_to_mail_the_link_and_nothing_else(service: Service) -> None:
    ann = service.reader("ann.smith@reader.example")
    path = f"{service.path(Purpose.PREFERENCES, ann)}/data"

    page = service.get(path)

    assert page.status == 200
    assert "ann.smith" not in page.text
    assert [button.get("value") for button in page.page.xpath("//button")] == ["data"]


def test_the_copy_has_everything_and_comes_once_a_link(service: Service) -> None:
    ann = service.reader(topics=("trade",))
    service.post(service.path(Purpose.PREFERENCES, ann), action="save", topic="energy")
    link = asked(service, ann)

    copy = service.post(link, action="export")

    assert copy.headers["content-disposition"].startswith("attachment")
    kept = json.loads(copy.text)
    assert (kept["address"], kept["consent"]["how"]) == (ann.address, "test")
    [subscription] = kept["subscriptions"]
    assert subscription["topics"] == ["energy"]
    assert [change["what"] for change in subscription["changes"]] == ["began", "chose", "exported"]
    assert subscription["changes"][1]["detail"] == {"topics": [["trade"], ["energy"]]}
    again = service.post(link, action="export")
    assert "once already" in again.words


def test_the_link_works_for_a_day_and_goes_out_once_a_day(service: Service) -> None:
    ann = service.reader()
    link = asked(service, ann)
    service.post(f"{service.path(Purpose.PREFERENCES, ann)}/data", action="data")
    report = asyncio.run(post_orders(service.config, service.engine, lambda: service.now))

    assert report.sent == 0
    service.now += timedelta(hours=24, seconds=1)
    assert [service.get(link).status, service.post(link, action="erase").status] == [404, 404]
    assert service.stored(ann) == ann
    assert asked(service, ann) != link


def test_looking_changes_nothing_and_neither_does_a_form_that_says_nothing(service: Service) -> None:
    ann = service.reader()
    link = asked(service, ann)
    offer = f"{service.path(Purpose.PREFERENCES, ann)}/data"
    before = service.everything()

    for path in (link, offer):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
            for query in ("", "?action=erase", "?action=export", "?action=data"):
                service.ask(method, path + query)
        assert service.post(path, action="other").status == 200

    assert service.everything() == before


def test_no_other_link_of_a_mail_erases(service: Service) -> None:
    ann = service.reader()
    before = service.everything()

    for purpose in (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE, Purpose.CONFIRM):
        token = service.links.token(purpose, ann.id, ann.version)
        assert service.post(f"/{Purpose.DATA}/{token}", action="erase").status == 404

    assert service.everything() == before


@pytest.mark.parametrize("suppressed", [True, False])
def test_erasing_leaves_the_keyed_hash_of_an_address_that_is_barred_and_no_trace_of_the_address(
    service: Service, suppressed: bool
) -> None:
    address = "ann.needle@reader.example"
    ann = service.reader(address)
    key = address_key(address, service.config.keys)
    if suppressed:
        with engines.write(service.engine) as connection:
            suppressions.suppress(connection, key, Cause.BOUNCED, f"hard bounce: no <{address.upper()}>", service.now)
    link = asked(service, ann)

    page = service.post(link, action="erase")

    assert page.page.xpath("string(//h1)") == "Your data is erased"
    assert service.stored(ann) is None
    everything = repr(service.everything())
    assert "needle" not in everything.lower()
    assert (key in repr(service.everything()["suppressions"])) == suppressed
    assert service.get(link).status == 404
    assert service.post(service.path(Purpose.UNSUBSCRIBE, ann), action="leave").status == 200
