"""Whole documents, damaged at random: none of them raises, and what is read of them keeps every promise.

A few hundred are tried each time; `MUTATIONS=100000 pytest tests/feeds/test_mutations.py` tries as many as wished. A
failure shows the number that makes the same document again.
"""

import os
from collections import Counter
from datetime import UTC, datetime
from random import Random

import pytest

from digest.feeds.cleaning.clean import clean_all
from digest.feeds.habits import learned
from digest.feeds.outcomes import Parsed, ParseFailed
from digest.feeds.reading.parse import parse
from digest.model import Feed, Habits
from tests.feeds.hostile_text import BAD_LINKS, PAYLOADS
from tests.feeds.invariants import broken_promises

NOW = datetime(2026, 2, 10, 6, 0, tzinfo=UTC)
FEED = Feed("https://wire.example/feeds/all.xml", "Harbour Wire")
MUTATIONS = int(os.environ.get("MUTATIONS", "400"))
BLOCKS = 4
MOST_ENTRIES = 20
CONTENT_TYPES = (
    "",
    "text/xml",
    "application/rss+xml; charset=utf-8",
    "text/html; charset=iso-8859-1",
    "text/xml; charset=utf-16",
)

RSS = """<?xml version="1.0" encoding="{encoding}"?>
<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">
<channel><title>{word}</title><link>https://wire.example/</link><language>en-GB</language><ttl>30</ttl>
<skipHours><hour>3</hour></skipHours><image><url>https://wire.example/logo.png</url><title>Wire</title></image>
<item><title>{word} &amp; rates</title><link>https://wire.example/a?utm_source=rss</link><guid isPermaLink="false">7</guid>
<description><![CDATA[<p>The bank <b>{word}</b>.</p><img src="https://img.example/a.jpg" width="640"/> <a href="/a">Read more</a>]]></description>
<pubDate>Tue, 10 Feb 2026 05:00:00 GMT</pubDate><dc:creator>Ann Lee</dc:creator><category>Banks</category>
<media:group><media:content url="https://img.example/b.jpg" medium="image" width="800" height="600"/><media:credit>Lee</media:credit></media:group>
<enclosure url="https://img.example/c.jpg" type="image/jpeg" length="4"/></item>
<item><title>&lt;i&gt;{word}&lt;/i&gt; falls</title><guid>https://wire.example/b</guid><pubDate>2026-02-09T12:00:00+01:00</pubDate>
<content:encoded>&lt;p&gt;Text of {word}&lt;/p&gt;</content:encoded><source url="https://other.example/feed">Other</source>
<media:thumbnail url="https://img.example/d.jpg" width="100" height="70"/><itunes:image href="https://img.example/e.jpg"/></item>
<item><description>{word}, without a title or a link, is news too.</description></item>
</channel></rss>"""
ATOM = """<?xml version="1.0" encoding="{encoding}"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de" xml:base="https://bote.example/news/"><title>{word}</title><id>urn:feed</id>
<link rel="alternate" href="https://bote.example/"/><updated>2026-02-10T05:00:00Z</updated>
<entry xml:base="2026/"><id>urn:1</id><title type="html">Die &lt;b&gt;{word}&lt;/b&gt;</title><link href="a.html"/>
<published>2026-02-09T23:00:00Z</published><updated>2026-02-10T05:00:00Z</updated><author><name>Lee</name><email>lee@bote.example</email></author>
<summary type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Der Text <em>{word}</em>.</p><script>x()</script></div></summary>
<category term="Banken"/><link rel="enclosure" type="image/png" href="b.png" length="12"/></entry>
<entry><id>https://bote.example/2</id><title type="text">{word} &lt; 2%</title><link rel="alternate" type="text/html" href="//bote.example/2?amp=1"/>
<content type="html">&lt;img src='/c.jpg' onerror='x'&gt;{word} Weiterlesen</content><updated>2026-02-10T04:00:00+02:00</updated></entry></feed>"""
RDF = """<?xml version="1.0" encoding="{encoding}"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel rdf:about="https://faro.example/"><title>{word}</title>
<link>https://faro.example/</link><sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency></channel>
<item rdf:about="https://faro.example/1"><title>{word}</title><link>https://www.google.com/url?q=https://faro.example/1</link>
<description>{word} sube. Leer más</description><dc:date>2026-02-10T04:00:00Z</dc:date><dc:language>es</dc:language></item>
<item rdf:about="https://faro.example/2"><title>Otro {word}</title><link>https://faro.example/2</link></item></rdf:RDF>"""
OLD = """<?xml version="1.0" encoding="{encoding}"?>
<!DOCTYPE rss [<!ENTITY word "{word}"><!ENTITY more "&word;&word;">]>
<rss version="0.91"><channel><title>&word;</title><link>http://old.example/</link><description>x</description>
<item><title>&more; rates</title><link>http://old.example/1</link><description>&word;</description></item></channel></rss>"""
SEEDS = tuple(
    document.format(encoding=encoding, word=word).encode(encoding, "xmlcharrefreplace")
    for document in (RSS, ATOM, RDF, OLD)
    for encoding, word in (
        ("utf-8", "Größe “mehr” 日本 👍🏽"),
        ("iso-8859-1", "Größe"),
        ("windows-1251", "Ставка"),
        ("gb2312", "中国经济"),
        ("shift_jis", "日銀が利上げ"),
        ("utf-16", "Zinsen für alle"),
    )
)
HOSTILE = (
    *PAYLOADS,
    *BAD_LINKS,
    *(
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?xml version='1.0' encoding='utf-7'?>",
        "<!DOCTYPE rss [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>",
    ),
    *(
        "&a;",
        "&word;",
        "&#0;",
        "&#x1;",
        "&#xD800;",
        "&#x110000;",
        "&#99999999999;",
        "&nbsp;",
        "&",
        "<",
        ">",
        '"',
        "'",
    ),
    *(
        "<item>",
        "</item>",
        "<entry>",
        "</entry>",
        "<title>",
        "</title>",
        "<link>javascript:alert(1)</link>",
        "<link/>",
        "</channel>",
    ),
    *(
        " xml:base='javascript:alert(1)//'",
        " xml:lang='\u202e'",
        " encoding='zip'",
        " type='application/octet-stream'",
        " mode='base64'",
    ),
    *(
        "<pubDate>Thu, 32 Foo 99999 25:61:61 +9900</pubDate>",
        "<pubDate>1700000000</pubDate>",
        "<updated>0000-00-00T99:99:99Z</updated>",
    ),
    *(
        "<guid isPermaLink='true'>data:,x</guid>",
        "<source><title>\u202eX</title></source>",
        "<dc:creator>" + "a." * 50 + "</dc:creator>",
    ),
    *(
        "<enclosure url='https://127.0.0.1/a.jpg' type='image/png' length='-9'/>",
        "<media:content url='//' width='-1' height='9999999999'/>",
    ),
    *(
        "<media:content medium='image' url='https://user@img.example/\u202e.jpg'/>",
        "<media:credit>\x1b[31m</media:credit>",
    ),
    *(
        "<x:y xmlns:x='urn:x'>",
        "<![CDATA[<![CDATA[",
        "\ufeff",
        "\ud800",
        "\x00",
        "\x0c",
        "=?utf-8?q?=0d=0a?=",
        "Z" + "\u0335" * 50,
    ),
)
TOKENS = (
    *(token.encode("utf-8", "surrogatepass") for token in HOSTILE),
    *(b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x00\x00\xfe\xff", b"\x80", b"\xc0\xaf", b"\xed\xa0\x80"),
    *(b"\x1b$B", b"\x1f\x8b\x08"),
)


def mutated(random: Random) -> bytes:
    """One of the seeds with up to six faults: a byte changed, a piece lost, repeated or foreign, an end, a token."""
    body = bytearray(random.choice(SEEDS))
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(body) + 1)
        piece = slice(at, at + random.randint(1, 80))
        match random.randrange(8):
            case 0 if at < len(body):
                body[at] ^= 1 << random.randrange(8)
            case 1 if at < len(body):
                body[at] = random.randrange(256)
            case 2:
                del body[piece]
            case 3:
                body[at:at] = body[piece] * random.randint(1, 20)
            case 4:
                other = random.choice(SEEDS)
                start = random.randrange(len(other))
                body[at:at] = other[start : start + random.randint(1, 400)]
            case 5 if random.random() < 0.2:
                del body[at:]
            case _:
                if random.random() < 0.5:
                    at = body.find(b">", at) + 1
                body[at:at] = random.choice(TOKENS)
    return bytes(body)


def outcome_of(number: int) -> Counter[str]:
    """What the document of this number came to: how it was read, and how many entries became articles."""
    random = Random(number)
    parsed = parse(mutated(random), FEED.url, random.choice(CONTENT_TYPES), MOST_ENTRIES)
    if isinstance(parsed, ParseFailed):
        assert parsed.reason
        return Counter({"refused": 1})
    cleaned = clean_all(parsed, FEED, learned(Habits(), parsed, FEED, NOW), NOW)
    broken = [fault for article in cleaned.articles for fault in broken_promises(article)]
    assert broken == []
    assert len(cleaned.articles) + sum(cleaned.dropped.values()) == len(parsed.entries) <= MOST_ENTRIES
    return Counter({"read": 1, "articles": len(cleaned.articles), "dropped": sum(cleaned.dropped.values())})


def test_every_seed_is_read_whole() -> None:
    for seed in SEEDS:
        parsed = parse(seed, FEED.url, "", MOST_ENTRIES)
        assert isinstance(parsed, Parsed), seed[:200]
        assert parsed.entries
        assert len(clean_all(parsed, FEED, Habits(), NOW).articles) == len(parsed.entries)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_damaged_document_raises_or_breaks_a_promise(block: int) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(block, MUTATIONS, BLOCKS):
        outcomes += outcome_of(number)

    assert outcomes["articles"] > outcomes["refused"]
