"""The phase of the dialogue, not an exception, says whether a message can have been sent."""

import asyncio
import base64
import itertools
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from digest.config import Relay, Security
from digest.delivery import smtp
from digest.delivery.smtp import Connection, Envelope, Patience
from digest.delivery.wire import MOST_REPLY
from digest.model import Accepted, NotSent, Outcome, Phase, Refused, Unconfirmed, Withdrawn
from tests.delivery.sink import HANG_UP, SILENCE, Script, Session, Sink, saying

BODY = b"Subject: Rates\r\n\r\nThey hold.\r\n"
QUICK = Patience(connect=2, reply=0.3, body=0.3, dot=0.3, quit=0.3)
CERTIFICATE = Path(__file__).with_name("localhost.pem")


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


def run(
    sink: Sink,
    messages: int = 1,
    offer: Callable[[], Awaitable[bool]] = yes,
    body: bytes = BODY,
    ahead: Callable[[int], Envelope | None] = lambda _: None,
) -> list[Outcome]:
    """Send messages to r0@x.example and so on over one connection, each of which is told what comes `ahead`."""

    async def scenario() -> list[Outcome]:
        async with sink.serving(), Connection(sink.relay, patience=QUICK) as connection:
            return [
                await connection.send(reader(number), body, offer, ahead=ahead(number + 1))
                for number in range(messages)
            ]

    return asyncio.run(scenario())


def reader(number: int) -> Envelope:
    return Envelope("digest@news.example", f"r{number}@x.example")


def sinks(script: Script) -> Iterator[Sink]:
    yield Sink(script, offers=("PIPELINING",))
    yield Sink(script, offers=())


def once(verb: str, reply: str) -> Script:
    """The reply to the first of these commands; what comes after is answered as usual."""
    left = [reply]
    return lambda heard, _session: left.pop() if heard == verb and left else None


def nth_time(verb: str, nth: int, reply: str) -> Script:
    """The reply to the nth of these commands; all others are answered as usual."""
    heard = itertools.count(1)
    return lambda said, _session: reply if said == verb and next(heard) == nth else None


def test_a_message_arrives_as_it_is_and_the_relays_name_for_it_is_kept() -> None:
    for sink in sinks(saying()):
        assert run(sink, 2) == [Accepted("Q1"), Accepted("Q2")]
        assert sink.accepted == [("r0@x.example", BODY), ("r1@x.example", BODY)]
        assert sink.sessions[0].verbs[-1] == "QUIT"
        assert len(sink.sessions) == 1


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        pytest.param(
            saying(GREETING=HANG_UP), NotSent(Phase.CONNECT, "the connection was closed"), id="closes at connect"
        ),
        pytest.param(saying(GREETING="554 go away"), NotSent(Phase.CONNECT, "554 go away"), id="greets with a refusal"),
        pytest.param(saying(GREETING="421 busy"), NotSent(Phase.CONNECT, "421 busy"), id="greets with 421"),
        pytest.param(saying(GREETING=SILENCE), NotSent(Phase.CONNECT, "no answer within 0.3 s"), id="never greets"),
        pytest.param(saying(EHLO="502 what"), NotSent(Phase.LOGIN, "502 what"), id="refuses EHLO"),
        pytest.param(saying(MAIL=HANG_UP), NotSent(Phase.MAIL, "the connection was closed"), id="closes at MAIL"),
        pytest.param(saying(MAIL="421 busy"), NotSent(Phase.MAIL, "421 busy"), id="421 at MAIL"),
        pytest.param(saying(MAIL="451 later"), Refused(Phase.MAIL, 451, "later", permanent=False), id="451 at MAIL"),
        pytest.param(saying(MAIL="550 never"), Refused(Phase.MAIL, 550, "never", permanent=True), id="550 at MAIL"),
        pytest.param(saying(RCPT="450 later"), Refused(Phase.RCPT, 450, "later", permanent=False), id="450 at RCPT"),
        pytest.param(saying(RCPT="550 never"), Refused(Phase.RCPT, 550, "never", permanent=True), id="550 at RCPT"),
        pytest.param(saying(RCPT="421 busy"), NotSent(Phase.RCPT, "421 busy"), id="421 at RCPT"),
        pytest.param(saying(DATA=HANG_UP), NotSent(Phase.DATA, "the connection was closed"), id="closes at DATA"),
        pytest.param(saying(DATA="500 never"), Refused(Phase.DATA, 500, "never", permanent=True), id="500 at DATA"),
        pytest.param(saying(DATA="250 ok"), NotSent(Phase.DATA, "an unexpected reply: 250 ok"), id="250 at DATA"),
        pytest.param(saying(DOT=HANG_UP), Unconfirmed("the connection was closed"), id="closes after the dot"),
        pytest.param(saying(DOT=SILENCE), Unconfirmed("no answer within 0.3 s"), id="is silent after the dot"),
        pytest.param(saying(DOT="354 go on"), Unconfirmed("an unexpected reply: 354 go on"), id="354 after the dot"),
        pytest.param(saying(DOT="hello"), Unconfirmed("not SMTP: b'hello\\r\\n'"), id="no SMTP after the dot"),
        pytest.param(
            saying(DOT="450 later"), Refused(Phase.DOT, 450, "later", permanent=False), id="450 after the dot"
        ),
        pytest.param(saying(DOT="554 spam"), Refused(Phase.DOT, 554, "spam", permanent=True), id="554 after the dot"),
        pytest.param(saying(DOT="421 busy"), NotSent(Phase.DOT, "421 busy"), id="421 after the dot"),
        pytest.param(saying(QUIT=HANG_UP), Accepted("Q1"), id="closes at QUIT"),
    ],
)
def test_every_misbehaviour_has_its_outcome(script: Script, outcome: Outcome) -> None:
    for sink in sinks(script):
        assert run(sink) == [outcome]
        maybe_sent = isinstance(outcome, Accepted | Unconfirmed)
        assert bool(sink.accepted) <= maybe_sent


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("550 enough", Refused(Phase.BODY, 550, "enough", permanent=True)),
        ("452 full", Refused(Phase.BODY, 452, "full", permanent=False)),
        ("421 busy", NotSent(Phase.BODY, "421 busy")),
        (HANG_UP, NotSent(Phase.BODY, "the connection was closed")),
        ("250 ok", NotSent(Phase.BODY, "an unexpected reply: 250 ok")),
    ],
)
def test_a_relay_that_answers_before_the_body_has_ended_gets_no_dot(said: str, outcome: Outcome) -> None:
    """The body is larger than any buffer, so the answer comes while it is on its way."""
    for sink in sinks(saying(BODY=said)):
        assert run(sink, body=b"x" * 70 + b"\r\n" + BODY * 250_000) == [outcome]
        assert sink.accepted == []


def test_a_relay_that_takes_no_more_of_the_body_is_not_waited_for_long() -> None:
    async def stuck(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n250 hi\r\n250 ok\r\n250 ok\r\n354 go on\r\n")
        await released.wait()
        writer.transport.abort()

    async def scenario() -> Outcome:
        server = await asyncio.start_server(stuck, "127.0.0.1", 0, limit=1024)
        relay = Relay("127.0.0.1", server.sockets[0].getsockname()[1])
        async with server, Connection(relay, patience=QUICK) as connection:
            outcome = await connection.send(Envelope("a@b.example", "c@d.example"), BODY * 400_000, yes)
            released.set()
            return outcome

    released = asyncio.Event()
    assert asyncio.run(scenario()) == NotSent(Phase.BODY, "nothing taken within 0.3 s")


def test_a_relay_that_hangs_up_while_the_ledger_is_asked_has_not_got_the_message() -> None:
    async def scenario() -> tuple[Outcome, Sink]:
        sink = Sink(saying(BODY=HANG_UP))

        async def slowly() -> bool:
            await asyncio.wait(sink.serving_now)
            await asyncio.sleep(0.01)
            return True

        async with sink.serving(), Connection(sink.relay, patience=QUICK) as connection:
            return await connection.send(Envelope("a@b.example", "c@d.example"), BODY, slowly), sink

    outcome, sink = asyncio.run(scenario())
    assert outcome == NotSent(Phase.BODY, "the connection was closed")
    assert sink.accepted == []


def test_without_the_ledgers_leave_there_is_no_dot() -> None:
    for sink in sinks(saying()):
        assert run(sink, 2, offer=no) == [Withdrawn(smtp.WITHDRAWN)] * 2
        assert sink.accepted == []
        assert len(sink.sessions) == 2


def test_the_ledger_is_asked_after_the_body_and_before_the_dot() -> None:
    sink = Sink()
    heard: list[list[str]] = []

    async def offer() -> bool:
        heard.append(list(sink.sessions[0].verbs))
        return True

    run(sink, offer=offer)
    assert heard == [["GREETING", "EHLO", "MAIL", "RCPT", "DATA"]]


def test_the_ledger_is_not_asked_for_a_message_that_is_refused() -> None:
    async def never() -> bool:
        pytest.fail("asked")

    for sink in sinks(saying(RCPT="550 never")):
        run(sink, offer=never)
        assert "RSET" in sink.sessions[0].verbs


def test_a_ledger_that_fails_keeps_the_dot_back() -> None:
    async def broken() -> bool:
        raise RuntimeError("disk full")

    sink = Sink()
    with pytest.raises(RuntimeError, match="disk full"):
        run(sink, offer=broken)
    assert sink.accepted == []


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
def test_after_a_refusal_the_connection_starts_over_and_is_used_again(verb: str) -> None:
    for offers in (("PIPELINING",), ()):
        sink = Sink(once(verb, "450 later"), offers=offers)
        first, second = run(sink, 2)
        assert isinstance(first, Refused)
        assert isinstance(second, Accepted)
        assert len(sink.sessions) == 1
        assert "RSET" in sink.sessions[0].verbs


def test_a_relay_that_wants_a_body_for_nobody_gets_none() -> None:
    """It offers PIPELINING, refuses the recipient, and says 354 all the same."""

    def lying(verb: str, session: Session) -> str | None:
        return {"RCPT": "550 never", "DATA": "354 go on"}.get(verb)

    sink = Sink(lying)
    assert run(sink, 2) == [Refused(Phase.RCPT, 550, "never", permanent=True)] * 2
    assert sink.accepted == []
    assert len(sink.sessions) == 2


def test_a_relay_that_closes_the_connection_between_messages_is_called_again() -> None:
    def one_message(verb: str, session: Session) -> str | None:
        return "421 enough for one connection" if verb == "MAIL" and session.transactions else None

    for sink in sinks(one_message):
        assert run(sink, 3) == [Accepted("Q1"), Accepted("Q2"), Accepted("Q3")]
        assert len(sink.sessions) == 3


def test_a_relay_that_closes_a_connection_which_was_opened_beforehand_is_not_called_again() -> None:
    async def scenario(sink: Sink) -> Outcome:
        async with sink.serving(), Connection(sink.relay, patience=QUICK) as connection:
            assert await connection.open() is None
            return await connection.send(reader(0), BODY, yes)

    for sink in sinks(saying(MAIL="421 not now")):
        assert asyncio.run(scenario(sink)) == NotSent(Phase.MAIL, "421 not now")
        assert len(sink.sessions) == 1


# ── what comes ahead ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_next_envelope_goes_out_with_the_dot_where_the_relay_allows_it() -> None:
    for sink in sinks(saying()):
        assert run(sink, 3, ahead=reader) == [Accepted("Q1"), Accepted("Q2"), Accepted("Q3")]
        assert sink.accepted == [(f"r{number}@x.example", BODY) for number in range(3)]
        assert len(sink.sessions) == 1
        asked = [verb for verb in sink.sessions[0].verbs if verb == "MAIL"]
        assert len(asked) == (4 if sink.offers else 3)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("reply", ["450 later", "550 never"])
def test_a_refusal_concerns_the_message_it_is_about_whatever_came_ahead(verb: str, reply: str) -> None:
    for nth in range(1, 4):
        for offers in (("PIPELINING",), ()):
            sink = Sink(nth_time(verb, nth, reply), offers=offers)
            outcomes = run(sink, 4, ahead=lambda number: reader(number) if number < 4 else None)
            assert [isinstance(outcome, Refused) for outcome in outcomes] == [n == nth - 1 for n in range(4)]
            assert sink.recipients == [f"r{n}@x.example" for n in range(4) if n != nth - 1]
            assert len(sink.sessions) == 1
            assert sink.sessions[0].verbs[-1] == "QUIT"


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("reply", ["421 busy", HANG_UP, SILENCE])
def test_what_breaks_after_the_dot_leaves_only_its_own_message_in_doubt(verb: str, reply: str) -> None:
    for offers in (("PIPELINING",), ()):
        sink = Sink(nth_time(verb, 2, reply), offers=offers)
        first, second, third = run(sink, 3, ahead=lambda number: reader(number) if number < 3 else None)
        assert (first, type(third)) == (Accepted("Q1"), Accepted)
        if verb == "DOT":
            assert isinstance(second, NotSent if reply == "421 busy" else Unconfirmed)
        else:
            # Whoever hangs up between two messages has had enough of the connection, and is called again.
            assert isinstance(second, Accepted if verb == "MAIL" and reply != SILENCE else NotSent | Accepted)
        assert len(set(sink.recipients)) == len(sink.recipients)


def test_another_message_than_was_announced_goes_over_another_connection() -> None:
    sink = Sink()
    assert run(sink, 2, ahead=lambda _: reader(9)) == [Accepted("Q1"), Accepted("Q2")]
    assert sink.recipients == ["r0@x.example", "r1@x.example"]
    assert len(sink.sessions) == 2


def test_an_announced_envelope_that_was_refused_is_taken_back_over_the_same_connection() -> None:
    def refuses_nine(verb: str, session: Session) -> str | None:
        return "550 never" if verb == "RCPT" and session.recipient == "r9@x.example" else None

    sink = Sink(refuses_nine)
    assert run(sink, 2, ahead=lambda number: reader(9) if number == 1 else None) == [Accepted("Q1"), Accepted("Q2")]
    assert sink.recipients == ["r0@x.example", "r1@x.example"]
    assert len(sink.sessions) == 1


def test_an_address_that_holds_more_than_an_address_is_not_announced() -> None:
    sink = Sink()
    run(sink, ahead=lambda _: Envelope("a@b.example", "c@d.example>\r\nRCPT TO:<e@f.example"))
    assert sink.sessions[0].verbs == ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "DOT", "QUIT"]


def test_a_line_of_a_body_that_begins_with_a_dot_arrives_with_it() -> None:
    body = b".\r\n..\r\nA\r\n.B\r\n"
    sink = Sink()
    run(sink, body=smtp.stuffed(body))
    assert sink.accepted[0][1] == body


@pytest.mark.parametrize(
    "address", ["a@b.example>\r\nRCPT TO:<c@d.example", "a b@c.example", "<a@b.example>", "a@b\n", ""]
)
def test_an_address_that_holds_more_than_an_address_is_never_said(address: str) -> None:
    async def scenario(sink: Sink) -> Outcome:
        async with sink.serving(), Connection(sink.relay) as connection:
            return await connection.send(Envelope("digest@news.example", address), BODY, yes)

    sink = Sink()
    outcome = asyncio.run(scenario(sink))
    assert isinstance(outcome, Refused)
    assert outcome.permanent
    assert sink.sessions == []


def test_an_address_beyond_ascii_needs_a_relay_that_takes_it() -> None:
    async def scenario(sink: Sink) -> Outcome:
        async with sink.serving(), Connection(sink.relay) as connection:
            return await connection.send(Envelope("digest@news.example", "zoë@x.example"), BODY, yes)

    modern = Sink(offers=("SMTPUTF8", "8BITMIME"))
    assert asyncio.run(scenario(modern)) == Accepted("Q1")
    assert modern.senders == ["MAIL FROM:<digest@news.example> SMTPUTF8 BODY=8BITMIME"]
    assert modern.recipients == ["zoë@x.example"]
    assert asyncio.run(scenario(Sink())) == Refused(
        Phase.RCPT, 0, "the relay takes no address beyond ASCII", permanent=True
    )


@pytest.mark.parametrize("endless", ["250-" + "x" * (MOST_REPLY + 10), "250-more\r\n" * 2000 + "250 done"])
def test_a_reply_without_end_is_cut_off(endless: str) -> None:
    assert run(Sink(saying(RCPT=endless))) == [NotSent(Phase.RCPT, "a reply without end")]


def test_replies_of_many_lines_are_read_and_kept_in_one() -> None:
    sink = Sink(saying(RCPT="550-5.1.1 No\r\n550-such\x1b[31m\r\n550 reader"))
    assert run(sink) == [Refused(Phase.RCPT, 550, "5.1.1 No such [31m reader", permanent=True)]


@pytest.mark.parametrize(
    ("said", "remote_id"),
    [
        ("250 2.0.0 Ok: queued as 4Xy1Zk", "4Xy1Zk"),
        ("250 OK id=1tXyZ-000001-Ab", "1tXyZ-000001-Ab"),
        ("250 Ok 0100019a-b", "0100019a-b"),
        ("250 2.0.0 53A6h Message accepted for delivery", "53A6h"),
        ("250 thank you", ""),
    ],
)
def test_the_queue_id_is_found_in_what_relays_say(said: str, remote_id: str) -> None:
    assert run(Sink(saying(DOT=said))) == [Accepted(remote_id)]


def test_nobody_listening_is_said_in_plain_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        async def scenario(host: str) -> Outcome:
            async with Connection(Relay(host, port)) as connection:
                return await connection.send(Envelope("a@b.example", "c@d.example"), BODY, yes)

        assert asyncio.run(scenario("127.0.0.1")) == NotSent(Phase.CONNECT, "connection refused")
        assert asyncio.run(scenario("localhost")) == NotSent(Phase.CONNECT, "connection refused")
        assert asyncio.run(scenario("a..b")) == NotSent(Phase.CONNECT, "its name is not known")


def test_a_probe_says_what_is_wrong_and_sends_nothing() -> None:
    async def scenario(sink: Sink) -> str | None:
        async with sink.serving():
            return await smtp.probe(sink.relay, patience=QUICK)

    assert asyncio.run(scenario(Sink(saying(GREETING="554 go away")))) == "554 go away."
    well = Sink()
    assert asyncio.run(scenario(well)) is None
    assert well.sessions[0].verbs == ["GREETING", "EHLO", "QUIT"]


@pytest.mark.parametrize(
    ("offer", "secrets"),
    [
        ("AUTH PLAIN LOGIN", [base64.b64encode(b"\0me\0p\xc3\xa4ss").decode()]),
        ("AUTH LOGIN", [base64.b64encode(b"me").decode(), base64.b64encode(b"p\xc3\xa4ss").decode()]),
    ],
)
def test_a_name_and_password_are_given_in_a_way_that_the_relay_offers(offer: str, secrets: list[str]) -> None:
    sink = Sink(offers=(offer,))
    assert asyncio.run(_logged_in(sink)) is None
    assert sink.secrets == secrets


def test_a_login_that_fails_is_told_without_the_password() -> None:
    assert asyncio.run(_logged_in(Sink(saying(AUTH="535 5.7.8 no"), offers=("AUTH PLAIN",)))) == "535 5.7.8 no."
    assert asyncio.run(_logged_in(Sink(offers=("AUTH CRAM-MD5",)))) == "it offers neither AUTH PLAIN nor AUTH LOGIN."


async def _logged_in(sink: Sink) -> str | None:
    async with sink.serving(user="me", password="päss"):
        return await smtp.probe(sink.relay, patience=QUICK)


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server that shows a certificate for localhost made for these tests, and a client that trusts it."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(CERTIFICATE)
    return server, ssl.create_default_context(cafile=str(CERTIFICATE))


def serving_tls(sink: Sink, security: Security) -> AbstractAsyncContextManager[Sink]:
    sink.tls = contexts()[0]
    sink.offers = (*sink.offers, "STARTTLS") if security is Security.STARTTLS else sink.offers
    return sink.serving(security)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_connection_is_encrypted_and_used_as_any_other(security: Security) -> None:
    async def scenario() -> Outcome:
        async with serving_tls(sink, security), Connection(sink.relay, patience=QUICK, tls=contexts()[1]) as connection:
            return await connection.send(Envelope("digest@news.example", "r0@x.example"), BODY * 5000, yes)

    sink = Sink()
    assert asyncio.run(scenario()) == Accepted("Q1")
    assert sink.accepted == [("r0@x.example", BODY * 5000)]


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_certificate_that_nobody_vouches_for_is_refused(security: Security) -> None:
    async def scenario() -> str | None:
        async with serving_tls(sink, security):
            return await smtp.probe(sink.relay, patience=QUICK)

    sink = Sink()
    assert str(asyncio.run(scenario())).startswith("its certificate is not trusted: ")


def test_a_relay_that_offers_no_starttls_gets_nothing_in_the_clear() -> None:
    async def scenario() -> str | None:
        async with sink.serving(Security.STARTTLS, "me", "secret"):
            return await smtp.probe(sink.relay, patience=QUICK)

    sink = Sink(offers=("AUTH PLAIN",))
    assert asyncio.run(scenario()) == "it does not offer STARTTLS."
    assert sink.secrets == []


def test_what_somebody_slips_in_before_the_encryption_is_forgotten() -> None:
    """After STARTTLS the reply to the second EHLO is read, not one that came in the clear with the first."""
    server, client = contexts()

    async def injected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        await reader.readline()
        writer.write(b"250-hi\r\n250 STARTTLS\r\n")
        await reader.readline()
        writer.write(b"220 go on\r\n250-hi\r\n250 AUTH PLAIN\r\n")
        await writer.drain()
        try:
            await writer.start_tls(server)
        except (OSError, ssl.SSLError):
            return
        finally:
            writer.close()

    async def scenario() -> str | None:
        listening = await asyncio.start_server(injected, "127.0.0.1", 0)
        relay = Relay("localhost", listening.sockets[0].getsockname()[1], Security.STARTTLS, "me", "secret")
        async with listening:
            return await smtp.probe(relay, patience=QUICK, tls=client)

    assert asyncio.run(scenario()) is not None


class Mailbox(Message):
    """An aiosmtpd handler that keeps what arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.subjects: list[str] = []

    def handle_message(self, message: object) -> None:
        self.subjects.append(str(message["Subject"]))  # type: ignore[index]


@contextmanager
def aiosmtpd_relay(mailbox: Mailbox) -> Iterator[Relay]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield Relay("127.0.0.1", port)
    finally:
        controller.stop()


def test_a_server_that_is_not_ours_understands_us() -> None:
    async def scenario(relay: Relay) -> list[Outcome]:
        async with Connection(relay) as connection:
            return [await connection.send(Envelope("a@b.example", f"r{n}@x.example"), BODY, yes) for n in range(3)]

    mailbox = Mailbox()
    with aiosmtpd_relay(mailbox) as relay:
        assert asyncio.run(scenario(relay)) == [Accepted("")] * 3
    assert mailbox.subjects == ["Rates"] * 3
