"""Returned mails as the usual mail servers write them, about a mail of ours; every name in them is made up."""

from textwrap import dedent

READER = "r0@readers.example"
ORIGINAL = """\
Return-Path: <{sender}>
From: "Economic Digest" <digest@news.example>
To: r0@readers.example
Subject: Rates hold; oil falls
Message-ID: <economy.2026-02-10.1@news.example>
"""


def _mail(text: str, sender: str, original: str) -> bytes:
    whole = dedent(text).replace("{original}", original).replace("{sender}", sender)
    return whole.replace("\n", "\r\n").encode()


def postfix(
    sender: str,
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <r0@readers.example>: Recipient address rejected: User unknown",
    *,
    action: str = "failed",
    name: str = "20260210061502.4F2A1@relay.news.example",
) -> bytes:
    """Postfix says of its own bounces that they are automatic replies."""
    return _mail(
        f"""\
        Return-Path: <>
        Delivered-To: {{sender}}
        Received: by relay.news.example (Postfix) id 4F2A1; Tue, 10 Feb 2026 06:15:02 +0000 (UTC)
        Date: Tue, 10 Feb 2026 06:15:02 +0000 (UTC)
        From: MAILER-DAEMON@relay.news.example (Mail Delivery System)
        Subject: Undelivered Mail Returned to Sender
        To: {{sender}}
        Auto-Submitted: auto-replied
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary="3C9.1770704102/relay.news.example"
        Message-Id: <{name}>

        This is a MIME-encapsulated message.

        --3C9.1770704102/relay.news.example
        Content-Description: Notification
        Content-Type: text/plain; charset=us-ascii

        This is the mail system at host relay.news.example.

        <r0@readers.example>: host mx.readers.example[192.0.2.7] said: {diagnostic.partition(";")[2].strip()} (in reply to RCPT TO command)

        --3C9.1770704102/relay.news.example
        Content-Description: Delivery report
        Content-Type: message/delivery-status

        Reporting-MTA: dns; relay.news.example
        X-Postfix-Queue-ID: 3C9
        X-Postfix-Sender: rfc822; {{sender}}
        Arrival-Date: Tue, 10 Feb 2026 06:15:01 +0000 (UTC)

        Final-Recipient: rfc822; r0@readers.example
        Original-Recipient: rfc822;r0@readers.example
        Action: {action}
        Status: {status}
        Remote-MTA: dns; mx.readers.example
        Diagnostic-Code: {diagnostic}

        --3C9.1770704102/relay.news.example
        Content-Description: Undelivered Message Headers
        Content-Type: text/rfc822-headers

        {{original}}
        --3C9.1770704102/relay.news.example--
        """,
        sender,
        ORIGINAL,
    )


def exim(sender: str) -> bytes:
    """Exim's status says no more than that it failed; the code is in what the other server said."""
    return _mail(
        """\
        Return-path: <>
        Envelope-to: {sender}
        X-Failed-Recipients: r0@readers.example
        Auto-Submitted: auto-replied
        From: Mail Delivery System <Mailer-Daemon@relay.news.example>
        To: {sender}
        References: <economy.2026-02-10.1@news.example>
        Content-Type: multipart/report; report-type=delivery-status; boundary=1770704102-eximdsn-1804289383
        MIME-Version: 1.0
        Subject: Mail delivery failed: returning message to sender
        Message-Id: <E1vpqXy-0001Ab-2C@relay.news.example>
        Date: Tue, 10 Feb 2026 06:15:02 +0000

        --1770704102-eximdsn-1804289383
        Content-type: text/plain; charset=us-ascii

        This message was created automatically by mail delivery software.

        A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.

          r0@readers.example
            host mx.readers.example [192.0.2.7]
            SMTP error from remote mail server after RCPT TO:<r0@readers.example>:
            550 5.1.1 No such user here

        --1770704102-eximdsn-1804289383
        Content-type: message/delivery-status

        Reporting-MTA: dns; relay.news.example

        Action: failed
        Final-Recipient: rfc822;r0@readers.example
        Status: 5.0.0
        Remote-MTA: dns; mx.readers.example
        Diagnostic-Code: smtp; 550 5.1.1 No such user here

        --1770704102-eximdsn-1804289383
        Content-type: message/rfc822

        {original}
        --1770704102-eximdsn-1804289383--
        """,
        sender,
        ORIGINAL,
    )


def exim_of_old(sender: str) -> bytes:
    """Before 4.80 Exim named the recipient in a header, and gave no code for a machine to read."""
    return _mail(
        """\
        Return-path: <>
        X-Failed-Recipients: r0@readers.example
        Auto-Submitted: auto-replied
        From: Mail Delivery System <Mailer-Daemon@relay.news.example>
        To: {sender}
        Subject: Mail delivery failed: returning message to sender
        Message-Id: <E1vpqXy-0001Ab-2D@relay.news.example>

        This message was created automatically by mail delivery software.

          r0@readers.example
            SMTP error from remote mail server after RCPT TO:<r0@readers.example>: 550 5.1.1 No such user here
        """,
        sender,
        ORIGINAL,
    )


def exchange(sender: str) -> bytes:
    return _mail(
        """\
        From: <postmaster@readers.example>
        To: <{sender}>
        Date: Tue, 10 Feb 2026 06:15:04 +0000
        Content-Type: multipart/report; report-type=delivery-status;
        \tboundary="8d3a0d1f-8e2c-4ae0-94c8-0f2f3c1b7a11"
        X-MS-Exchange-Message-Is-Ndr:
        Content-Language: en-US
        Message-ID: <8d3a0d1f-8e2c-4ae0-94c8-0f2f3c1b7a11@EXCH01.readers.example>
        In-Reply-To: <economy.2026-02-10.1@news.example>
        Subject: Undeliverable: Rates hold; oil falls
        Auto-Submitted: auto-replied
        MIME-Version: 1.0

        --8d3a0d1f-8e2c-4ae0-94c8-0f2f3c1b7a11
        Content-Type: multipart/alternative; differences=Content-Type;
        \tboundary="c1f63a0e-14d1-4a55-8e9e-35b6d5b6a111"

        --c1f63a0e-14d1-4a55-8e9e-35b6d5b6a111
        Content-Type: text/plain; charset="us-ascii"
        Content-Transfer-Encoding: quoted-printable

        Your message to r0@readers.example couldn't be delivered.

        --c1f63a0e-14d1-4a55-8e9e-35b6d5b6a111
        Content-Type: text/html; charset="us-ascii"
        Content-Transfer-Encoding: quoted-printable

        <p>r0 wasn't found at readers.example.</p>

        --c1f63a0e-14d1-4a55-8e9e-35b6d5b6a111--

        --8d3a0d1f-8e2c-4ae0-94c8-0f2f3c1b7a11
        Content-Type: message/delivery-status

        Reporting-MTA: dns;EXCH01.readers.example
        Received-From-MTA: dns;relay.news.example
        Arrival-Date: Tue, 10 Feb 2026 06:15:03 +0000

        Final-Recipient: rfc822;r0@readers.example
        Action: failed
        Status: 5.1.10
        Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient r0@readers.example not found by SMTP address lookup

        --8d3a0d1f-8e2c-4ae0-94c8-0f2f3c1b7a11
        Content-Type: message/rfc822

        {original}
        --8d3a0d1f-8e2c-4ae0-94c8-0f2f3c1b7a11--
        """,
        sender,
        ORIGINAL,
    )


def gmail(sender: str) -> bytes:
    return _mail(
        """\
        Delivered-To: {sender}
        Return-Path: <>
        From: Mail Delivery Subsystem <mailer-daemon@mail.example>
        To: {sender}
        Auto-Submitted: auto-replied
        Subject: Delivery Status Notification (Failure)
        References: <economy.2026-02-10.1@news.example>
        Message-ID: <65e1f2.650a0220.1c0f1.11aa@mx.mail.example>
        MIME-Version: 1.0
        Content-Type: multipart/report; boundary="00000000000041fa2b064a6b5f4c"; report-type=delivery-status

        --00000000000041fa2b064a6b5f4c
        Content-Type: multipart/related; boundary="00000000000041fe1f064a6b5f50"

        --00000000000041fe1f064a6b5f50
        Content-Type: text/plain; charset="UTF-8"

        ** Address not found **

        --00000000000041fe1f064a6b5f50
        Content-Type: image/png; name="icon.png"
        Content-Transfer-Encoding: base64

        iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==

        --00000000000041fe1f064a6b5f50--

        --00000000000041fa2b064a6b5f4c
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mail.example
        Arrival-Date: Mon, 09 Feb 2026 22:15:03 -0800 (PST)
        X-Original-Message-ID: <economy.2026-02-10.1@news.example>

        Final-Recipient: rfc822; r0@readers.example
        Action: failed
        Status: 5.1.1
        Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
         550-5.1.1 double-checking the recipient's email address for typos or
         550 5.1.1 unnecessary spaces. - gsmtp
        Last-Attempt-Date: Mon, 09 Feb 2026 22:15:04 -0800 (PST)

        --00000000000041fa2b064a6b5f4c
        Content-Type: message/rfc822

        {original}
        --00000000000041fa2b064a6b5f4c--
        """,
        sender,
        ORIGINAL,
    )


def ses(sender: str) -> bytes:
    return _mail(
        """\
        Return-Path: <>
        From: MAILER-DAEMON@ses.example
        To: {sender}
        Subject: Delivery Status Notification (Failure)
        Message-ID: <0102019c4a6f-8f2e2c0a-1111-000000@ses.example>
        MIME-Version: 1.0
        Content-Type: multipart/report; boundary="----=_Part_911_2087.1770704103"; report-type=delivery-status

        ------=_Part_911_2087.1770704103
        Content-Type: text/plain; charset=us-ascii
        Content-Transfer-Encoding: 7bit
        Content-Description: Notification

        An error occurred while trying to deliver the mail to the following recipients:
        r0@readers.example
        ------=_Part_911_2087.1770704103
        Content-Type: message/delivery-status
        Content-Transfer-Encoding: 7bit
        Content-Description: Delivery Status Notification

        Reporting-MTA: dns; a8-50.smtp-out.ses.example

        Action: failed
        Final-Recipient: rfc822; r0@readers.example
        Diagnostic-Code: smtp; 550 5.1.1 user unknown
        Status: 5.1.1


        ------=_Part_911_2087.1770704103
        Content-Type: message/rfc822
        Content-Description: Undelivered Message

        {original}
        ------=_Part_911_2087.1770704103--
        """,
        sender,
        ORIGINAL,
    )


def qmail(sender: str) -> bytes:
    """The format has no fields for a machine; by its definition it begins with the same words in every language."""
    return _mail(
        """\
        Return-Path: <>
        Delivered-To: {sender}
        Received: (qmail 2114 invoked for bounce); 10 Feb 2026 06:15:02 -0000
        Date: 10 Feb 2026 06:15:02 -0000
        From: MAILER-DAEMON@mx.readers.example
        To: {sender}
        Subject: failure notice

        Hi. This is the qmail-send program at mx.readers.example.
        I'm afraid I wasn't able to deliver your message to the following addresses.
        This is a permanent error; I've given up. Sorry it didn't work out.

        <r0@readers.example>:
        Sorry, no mailbox here by that name. (#5.1.1)

        --- Below this line is a copy of the message.

        {original}
        """,
        sender,
        ORIGINAL,
    )


def complaint(
    sender: str, *, feedback: str = "abuse", name: str = "fbl.1", to: str = "complaints@news.example"
) -> bytes:
    """A report of RFC 5965. It goes to whom the sender has named for it, so only what it encloses has our tag."""
    return _mail(
        f"""\
        From: <feedback@mail.example>
        To: <{to}>
        Date: Tue, 10 Feb 2026 09:00:00 +0000
        Subject: FW: Rates hold; oil falls
        Message-ID: <{name}@mail.example>
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=feedback-report; boundary="part1_13d.2e68ed54_boundary"

        --part1_13d.2e68ed54_boundary
        Content-Type: text/plain; charset="US-ASCII"
        Content-Transfer-Encoding: 7bit

        This is an email abuse report for an email message received from IP 192.0.2.1.

        --part1_13d.2e68ed54_boundary
        Content-Type: message/feedback-report

        Feedback-Type: {feedback}
        User-Agent: SomeGenerator/1.0
        Version: 1
        Original-Mail-From: <{{sender}}>
        Received-Date: Tue, 10 Feb 2026 06:15:02 +0000
        Source-IP: 192.0.2.1
        Reported-Domain: news.example

        --part1_13d.2e68ed54_boundary
        Content-Type: message/rfc822
        Content-Disposition: inline

        {{original}}
        Rates hold.
        --part1_13d.2e68ed54_boundary--
        """,
        sender,
        ORIGINAL,
    )


def out_of_office(sender: str, **headers: str) -> bytes:
    """A reader's program that answers for it. By its words alone it could be a bounce."""
    said = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
    return (
        f"From: r0@readers.example\nTo: {sender}\nSubject: Out of office\nMessage-ID: <ooo.1@readers.example>\n{said}\n"
        "I am away. Mail to my old address fails with 550 5.1.1 user unknown.\n"
    ).encode()
