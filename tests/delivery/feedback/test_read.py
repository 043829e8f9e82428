"""A returned mail is read by the fields that exist for it, whoever wrote it and however badly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.delivery.feedback import read as reading
from digest.delivery.feedback import report
from digest.delivery.feedback.read import TooMuch, read
from digest.delivery.feedback.report import Kind, Report
from tests.delivery.feedback import mails

TO = "bounces+7.0123456789abcdef0123@news.example"


@pytest.mark.parametrize(
    ("mail", "status"),
    [
        (mails.postfix(TO), "5.1.1"),
        (mails.exim(TO), "5.1.1"),
        (mails.exchange(TO), "5.1.10"),
        (mails.gmail(TO), "5.1.1"),
        (mails.ses(TO), "5.1.1"),
    ],
    ids=["Postfix", "Exim", "Exchange", "Gmail", "Amazon SES"],
)
def test_the_bounces_of_the_usual_servers_are_understood(mail: bytes, status: str) -> None:
    found = read(mail)

    assert (found.kind, found.status, TO in found.returned_to) == (Kind.BOUNCE, status, True)
    assert mails.READER not in found.detail


@pytest.mark.parametrize("mail", [mails.qmail(TO), mails.exim_of_old(TO)], ids=["qmail", "Exim of old"])
def test_a_bounce_without_fields_is_known_as_one_but_its_words_are_no_code(mail: bytes) -> None:
    found = read(mail)

    assert (found.kind, found.status) == (Kind.BOUNCE, "")
    assert TO in found.returned_to


@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [
        ("delayed", "4.4.1", Kind.DELAY),
        ("failed", "4.4.7", Kind.BOUNCE),
        ("delivered", "2.0.0", Kind.NOTICE),
        ("relayed", "2.6.0", Kind.NOTICE),
        ("expanded", "2.0.0", Kind.NOTICE),
        ("failed", "nonsense", Kind.BOUNCE),
        ("Failed (as ever)", "5.2.2", Kind.BOUNCE),
    ],
)
def test_the_action_says_whether_it_is_over(action: str, status: str, kind: Kind) -> None:
    found = read(mails.postfix(TO, status, "smtp; 250 fine", action=action))

    assert found.kind is kind
    assert found.status == ("" if status == "nonsense" else status)


def test_of_several_recipients_the_mildest_counts_for_one_who_got_it_is_enough() -> None:
    one = b"Final-Recipient: rfc822; r0@readers.example\r\n"
    other = b"Final-Recipient: rfc822; second@readers.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n"

    assert read(mails.postfix(TO).replace(one, other + one)).kind is Kind.NOTICE


def test_a_status_in_letters_of_the_world_is_read_too() -> None:
    mail = mails.postfix(TO).replace(b"message/delivery-status", b"message/global-delivery-status")

    assert (read(mail).kind, read(mail).status) == (Kind.BOUNCE, "5.1.1")


def test_a_code_that_says_nothing_gives_way_to_the_one_of_the_other_server_but_not_to_its_opposite() -> None:
    assert read(mails.postfix(TO, "5.0.0", "smtp; 550-5.2.1 disabled")).status == "5.2.1"
    assert read(mails.postfix(TO, "4.0.0", "smtp; 550 5.1.1 unknown")).status == "4.0.0"
    assert read(mails.postfix(TO, "5.0.0", "x-unix; 5.1.1 says a program")).status == "5.0.0"
    assert read(mails.postfix(TO, "5.0.0", "smtp; 550 user unknown, see rfc3463 5.1.1")).status == "5.0.0"


def test_a_code_that_is_only_quoted_counts_for_nothing() -> None:
    quoting = (
        f"From: somebody@readers.example\nTo: {TO}\nSubject: 550 5.1.1 User unknown\n\nStatus: 5.1.1\nAction: failed\n"
    )
    forwarded = (
        b"From: somebody@readers.example\nTo: " + TO.encode() + b"\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n"
    )

    assert read(quoting.encode()).kind is Kind.OTHER
    assert read(forwarded + mails.postfix("other@news.example")).kind is Kind.OTHER


@pytest.mark.parametrize(
    ("feedback", "kind"),
    [
        ("abuse", Kind.COMPLAINT),
        ("fraud", Kind.COMPLAINT),
        ("opt-out", Kind.COMPLAINT),
        ("not-spam", Kind.NOTICE),
        ("auth-failure", Kind.NOTICE),
        ("other", Kind.NOTICE),
    ],
)
def test_a_complaint_is_one_by_its_type_and_names_our_mail_by_what_it_encloses(feedback: str, kind: Kind) -> None:
    found = read(mails.complaint(TO, feedback=feedback))

    assert (found.kind, TO in found.returned_to) == (kind, True)
    assert "SomeGenerator" in found.detail


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated (vacation)"},
        {"Precedence": "bulk"},
        {"Precedence": "Auto_Reply"},
        {"X_Autoreply": "yes"},
        {"X_Autorespond": "vacation"},
    ],
)
def test_automatic_replies_are_known_by_their_headers(headers: dict[str, str]) -> None:
    assert read(mails.out_of_office(TO, **headers)).kind is Kind.AUTO_REPLY


def test_a_letter_of_a_person_is_none_of_these() -> None:
    assert read(mails.out_of_office(TO)).kind is Kind.OTHER
    assert read(mails.out_of_office(TO, Auto_Submitted="no")).kind is Kind.OTHER
    assert read(b"").kind is Kind.OTHER


def test_a_receipt_says_nothing_against_a_reader() -> None:
    mail = mails.postfix(TO).replace(b"message/delivery-status", b"message/disposition-notification")

    assert read(mail).kind is Kind.NOTICE


def test_the_same_mail_has_the_same_key_whatever_the_way_and_another_has_another() -> None:
    mail = mails.postfix(TO)

    assert read(mail).key == read(b"Received: from elsewhere\r\n" + mail).key
    assert read(mail).key != read(mails.postfix(TO, name="another@relay.news.example")).key
    assert read(mails.qmail(TO)).key != read(mails.qmail(TO) + b"!").key


def test_more_than_fifty_parts_are_too_many() -> None:
    def parts(number: int) -> bytes:
        return b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\nhello\n" * number + b"--x--\n"

    assert read(parts(reading.MOST_PARTS - 1)).kind is Kind.OTHER
    with pytest.raises(TooMuch):
        read(parts(reading.MOST_PARTS))


def test_of_a_long_mail_the_first_megabyte_is_read() -> None:
    long = mails.exim(TO).replace(
        b"Message-ID: <economy", b"X-Long: " + b"x" * reading.MOST_BYTES + b"\r\nMessage-ID: <e"
    )

    assert (read(long).kind, read(long).status) == (Kind.BOUNCE, "5.1.1")


@given(st.data())
def test_whatever_is_cut_or_changed_reading_gives_a_report_or_gives_up(data: st.DataObject) -> None:
    mail = bytearray(data.draw(st.sampled_from([mails.postfix(TO), mails.gmail(TO), mails.complaint(TO)])))
    for _ in range(data.draw(st.integers(0, 20))):
        mail[data.draw(st.integers(0, len(mail) - 1))] = data.draw(st.integers(0, 255))
    mail = mail[: data.draw(st.integers(0, len(mail)))]

    found = read(bytes(mail))
    assert report.unpacked(found.packed()) == found


@given(st.binary(max_size=300))
def test_an_answer_that_is_no_report_is_refused(packed: bytes) -> None:
    try:
        found = report.unpacked(packed)
    except (ValueError, TypeError, KeyError):
        return
    assert isinstance(found, Report)


def test_what_is_kept_of_strangers_words_is_one_short_line_without_addresses() -> None:
    said = report.plain("550 5.1.1\r\n\x1b[31m<r0@readers.example> is\u202e gone " + "x" * 9999)

    assert said.isprintable()
    assert len(said) <= report.LONGEST_DETAIL
    assert said.startswith("550 5.1.1 [31m<…> is gone x")
