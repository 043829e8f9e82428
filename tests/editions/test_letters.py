import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.editions import letters
from digest.editions.letters import Managed, Notice, Proposal
from digest.editions.render import Renderer
from digest.errors import RenderFault
from digest.model import Approval, Correction, Digest, Rendered
from tests.checks.lint import complaints
from tests.editions import samples
from tests.editions.samples import LINKS, SITE
from tests.editions.test_render import HOSTILE, filled, found, marks

RENDERER = Renderer(SITE, LINKS)
DAILY = Digest("economy", "The Economic Digest", zone="Europe/Berlin", days=("mon", "tue", "wed", "thu", "fri"))
EDITION = samples.whole_edition()
NEXT = datetime(2026, 2, 11, 5, 0, tzinfo=UTC)
MANAGED = tuple(
    Managed(title, f"https://news.example/preferences/{number}", f"https://news.example/unsubscribe/{number}")
    for number, title in enumerate(("The Economic Digest", "The Economic Week"))
)
NOTICE = Notice(
    "The edition of Tuesday is held",
    "More than half of the feeds could not be read, so the edition of Tuesday waits for an editor.",
    ("Look at it: digest preview", "Send it as it is: digest approve"),
    since=datetime(2026, 2, 10, 5, 0, tzinfo=UTC),
    details=("41 of 75 feeds failed",),
)
PROPOSAL = Proposal(
    datetime(2026, 2, 10, 6, 0, tzinfo=UTC),
    Approval.UNLESS_HELD,
    approve_url="https://news.example/desk/approve/token",
    hold_url="https://news.example/desk/hold/token",
    desk_url="https://news.example/desk/economy/2026-02-10",
    findings=("Harbour Wire leads 4 of 12 stories.",),
    changes=("“Oil falls 2%” came in at place 4.",),
)


def correction(text: str, story: str = "s20", minutes: int = 0) -> Correction:
    return Correction(1, story, text, "An editor", samples.NOW + timedelta(hours=3, minutes=minutes))


CORRECTIONS = (correction("We wrote that the bank raised its deposit rate. It held it at 2.00%."),)


def every_letter(renderer: Renderer = RENDERER) -> dict[str, Rendered]:
    return {
        "confirmation": renderer.confirmation_mail(DAILY, "https://news.example/confirm/token"),
        "welcome": renderer.welcome_mail(DAILY, NEXT),
        "manage": renderer.manage_mail(MANAGED),
        "data": renderer.data_mail("https://news.example/your-data/token"),
        "new_address": renderer.new_address_mail("https://news.example/new-address/token"),
        "old_address": renderer.old_address_mail("https://news.example/old-address/token"),
        "known_address": renderer.known_address_mail(),
        "notice": renderer.notice_mail(NOTICE),
        "proposal": renderer.proposal_mail(EDITION, PROPOSAL),
        "correction": renderer.correction_mail(EDITION, CORRECTIONS),
    }


LETTERS = every_letter()


def addresses(markup: str) -> set[str]:
    return {url for url in found(markup, "//a/@href") if not url.startswith("mailto:")}


@pytest.mark.parametrize("kind", LETTERS)
def test_each_letter_has_a_subject_a_headline_and_the_postal_address(kind: str) -> None:
    mail = LETTERS[kind]

    assert 0 < len(mail.subject) <= 78
    assert len(found(mail.html, "//h1")) == 1
    assert SITE.postal_address in mail.html
    assert SITE.postal_address in mail.text
    assert re.search("You get this because", mail.text)


@pytest.mark.parametrize("kind", LETTERS)
def test_html_and_text_of_a_letter_lead_to_the_same_addresses(kind: str) -> None:
    mail = LETTERS[kind]

    assert addresses(mail.html) == {line for line in mail.text.splitlines() if line.startswith(("https://", "__"))}
    assert marks(mail.html) == marks(mail.text)


@pytest.mark.parametrize("kind", LETTERS)
def test_lines_of_a_letter_fit_76_columns_and_hold_no_markup(kind: str) -> None:
    lines = LETTERS[kind].text.splitlines()

    assert all(len(line) <= 76 for line in lines if not line.startswith("https://"))
    assert lines[0]
    assert not any(re.search(r"<|&[a-z]+;|[ \t]$", line) for line in lines)


def test_only_what_is_one_readers_own_is_left_to_be_filled() -> None:
    ways_out = Counter({"__UNSUBSCRIBE__": 1, "__PREFERENCES__": 1, "__ADDRESS__": 1, "__SINCE__": 1})

    assert marks(LETTERS["confirmation"].html) == Counter({"__UNSUBSCRIBE__": 1})
    assert marks(LETTERS["correction"].html) == ways_out
    assert marks(LETTERS["welcome"].html) == ways_out + Counter({"__UNSUBSCRIBE__": 1, "__PREFERENCES__": 1})
    assert marks(LETTERS["manage"].html) == marks(LETTERS["notice"].html) == Counter()
    assert marks(LETTERS["proposal"].html) == marks(RENDERER.edition_mail(EDITION).html)


def test_the_confirmation_says_what_comes_and_how_often_and_for_how_long_its_link_works() -> None:
    text = " ".join(LETTERS["confirmation"].text.split())

    assert "The Economic Digest to be sent to this address" in text
    assert "every weekday at 06:00, Central European Time" in text
    assert "works for 7 days" in text
    assert "If it was not you, do nothing" in text
    assert "works for 1 day." in RENDERER.confirmation_mail(DAILY, "https://news.example/confirm/t", days=1).text


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "every day at 06:00 UTC"),
        (("sat",), "every Saturday at 06:00 UTC"),
        (("tue", "fri"), "every Tuesday and Friday at 06:00 UTC"),
    ],
)
def test_how_often_a_digest_comes_is_said_in_words(days: tuple[str, ...], said: str) -> None:
    digest = replace(DAILY, days=days, zone="UTC")

    assert said in " ".join(RENDERER.confirmation_mail(digest, "https://news.example/confirm/t").text.split())


def test_the_welcome_tells_the_next_edition_in_the_readers_time() -> None:
    text = " ".join(LETTERS["welcome"].text.split())

    assert "The next edition comes on Wednesday, February 11, 2026 at 06:00 CET" in text


def test_the_links_somebody_asked_for_are_given_for_each_subscription() -> None:
    assert found(LETTERS["manage"].html, "//h2/text()") == ["The Economic Digest", "The Economic Week"]
    assert {one.preferences_url for one in MANAGED} <= addresses(LETTERS["manage"].html)
    assert {one.unsubscribe_url for one in MANAGED} <= addresses(LETTERS["manage"].html)


def test_a_notice_says_what_happened_since_when_and_what_to_do_first() -> None:
    mail = LETTERS["notice"]

    assert mail.subject == "The Economic Digest: The edition of Tuesday is held"
    assert "This is so since Tuesday, February 10, 2026, 05:00 UTC." in mail.text
    assert "1. Look at it: digest preview\n2. Send it as it is: digest approve\n" in mail.text
    assert "since" not in RENDERER.notice_mail(replace(NOTICE, since=None)).text


def test_a_proposal_shows_the_edition_as_its_readers_get_it_below_what_is_to_be_decided() -> None:
    mail, sent = LETTERS["proposal"], RENDERER.edition_mail(EDITION)

    def rows(markup: str) -> list[str]:
        return [" ".join(row.text_content().split()) for row in found(markup, "//table[contains(@class,'sheet')]/tr")]

    assert mail.subject == f"Proposed: {sent.subject}"
    assert [row for row in rows(mail.html) if "Approve it" not in row] == rows(sent.html)
    assert mail.text.split("=" * 76)[1].strip() == sent.text.split("\n\n", 1)[1].strip()


def test_a_proposal_says_when_it_goes_out_what_was_found_and_what_changed() -> None:
    text = LETTERS["proposal"].text

    assert text.startswith("It goes out by itself at 07:00 CET unless an editor holds it. One thing to\nsee to.\n")
    assert "- Harbour Wire leads 4 of 12 stories." in text
    assert "- “Oil falls 2%” came in at place 4." in text
    for url in (PROPOSAL.approve_url, PROPOSAL.hold_url, PROPOSAL.desk_url):
        assert f"\n{url}\n" in text


def test_a_proposal_that_needs_an_approval_says_so_and_one_without_findings_too() -> None:
    proposal = replace(PROPOSAL, approval=Approval.ONLY_APPROVED, findings=(), changes=())

    text = " ".join(RENDERER.proposal_mail(EDITION, proposal).text.split())

    assert text.startswith("It goes out at 07:00 CET only if an editor approves it. Nothing was found wrong with it.")
    assert "What the checks found" not in text


def test_corrections_stand_in_the_order_of_the_stories_and_the_older_first() -> None:
    found = letters.corrected(
        EDITION,
        [correction("b", "s20", 2), correction("a", "s20", 1), correction("first", "s10"), correction("x", "s99")],
    )

    assert [one.text for one in found] == ["first", "a", "b"]
    assert found[0].title == EDITION.items[0].title


def test_a_correction_of_no_story_of_the_edition_is_no_mail() -> None:
    with pytest.raises(RenderFault, match="no story that is to be corrected"):
        RENDERER.correction_mail(EDITION, [correction("x", "s99")])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_in_letters(text: str) -> None:
    edition = samples.edition(samples.with_texts(samples.STORIES, title=text, summary=text, publisher=text))
    notice = Notice(text, text, (text,), details=(text,))
    proposal = replace(PROPOSAL, findings=(text,), changes=(text,))
    mails = {
        "notice": RENDERER.notice_mail(notice),
        "proposal": RENDERER.proposal_mail(edition, proposal),
        "correction": RENDERER.correction_mail(edition, [correction(text)]),
        "manage": RENDERER.manage_mail([Managed(text, "javascript:alert(1)", "data:x")]),
        "confirmation": RENDERER.confirmation_mail(replace(DAILY, title=text), "javascript:alert(1)"),
    }

    for mail in mails.values():
        assert not found(mail.html, "//script | //iframe | //plaintext | //textarea")
        assert not found(mail.html, "//@*[starts-with(name(), 'on')]")
        assert all(url.startswith(("https://", "__", "mailto:")) or not url for url in found(mail.html, "//@href"))
        assert not re.search(r"[\u202a-\u202e\u2066-\u2069\u200b\ufeff\U000e0041\x00]", mail.html + mail.text)
        assert not re.search(r"(?i)^Bcc:|^https://evil\.example/$", mail.text, re.MULTILINE)
        assert "\n" not in mail.subject
        assert marks(mail.html) == marks(mail.text)
    assert marks(mails["notice"].html) == marks(mails["manage"].html) == Counter()
    assert marks(mails["correction"].html) == marks(LETTERS["correction"].html)


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=200), st.lists(st.text(max_size=80), max_size=3))
def test_whatever_a_notice_says_it_keeps_its_shape(text: str, steps: list[str]) -> None:
    mail = RENDERER.notice_mail(Notice(text, text, tuple(steps)))
    plain = RENDERER.notice_mail(Notice("T", "E", tuple("S" for _ in steps)))

    assert found(mail.html, "count(//*)") == found(plain.html, "count(//*)")


@pytest.mark.parametrize("locale", ["en", "de", "ar"])
@pytest.mark.parametrize("kind", LETTERS)
def test_the_linter_finds_nothing_to_complain_about_in_a_letter(
    kind: str, locale: str, shared: Path, tmp_path: Path
) -> None:
    mail = every_letter(Renderer(replace(SITE, locale=locale), LINKS))[kind]

    assert complaints(shared, tmp_path, filled(mail.html), filled(mail.text)) == ""
