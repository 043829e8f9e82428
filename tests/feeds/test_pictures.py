"""Pictures: which ones an entry offers, in which order, and which of them show a reader something."""

from dataclasses import replace

import pytest

from digest.feeds.cleaning.clean import clean
from digest.feeds.cleaning.pictures import is_worthwhile
from digest.feeds.outcomes import Parsed
from digest.feeds.reading.parse import parse
from digest.model import Article, Entry, Feed, Image
from tests.conftest import NOW
from tests.feeds.servers import item, rss

FEED = Feed("https://feeds.example/wire.xml", "Harbour Wire")
SPACES = (
    b'<rss xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    b' xmlns:content="http://purl.org/rss/1.0/modules/content/" '
)


def entry(more: str) -> Entry:
    outcome = parse(rss(item(more=more)).replace(b"<rss ", SPACES), FEED.url, "", 500)
    assert isinstance(outcome, Parsed)
    return outcome.entries[0]


def inline(*tags: str) -> tuple[Image, ...]:
    return entry(f"<content:encoded><![CDATA[<p>Rates</p>{''.join(tags)}]]></content:encoded>").images


def chosen(*images: Image) -> Image | None:
    article = clean(
        Entry("7", "https://wire.example/2026/a", "Rates rise", "", images=images), FEED, NOW, "", "", "Harbour Wire"
    )
    assert isinstance(article, Article)
    return article.image


def test_media_come_before_thumbnails_before_covers_before_what_stands_in_the_text() -> None:
    more = """<itunes:image href="https://img.example/cover.jpg"/>
        <media:thumbnail url="https://img.example/small.jpg" width="70" height="70"/>
        <enclosure url="https://img.example/enclosed.png" type="image/png" length="4"/>
        <media:content url="https://img.example/large.jpg" medium="image" width="1100"/>
        <content:encoded><![CDATA[<img src="https://img.example/inline.jpg">]]></content:encoded>"""

    assert [image.url.rpartition("/")[2] for image in entry(more).images] == [
        "large.jpg",
        "enclosed.png",
        "small.jpg",
        "cover.jpg",
    ]


def test_a_picture_in_a_media_group_is_one_with_its_credit() -> None:
    more = """<media:group><media:content url="https://img.example/a.jpg" type="image/jpeg" width="640" height="480"/>
        <media:credit role="photographer">Ann Lee</media:credit></media:group>"""

    assert entry(more).images == (Image("https://img.example/a.jpg", "Ann Lee", width=640, height=480),)


def test_who_holds_the_rights_is_named_where_nobody_is_credited() -> None:
    more = '<media:content url="https://img.example/a.jpg"/><media:copyright>Harbour Photos</media:copyright>'

    assert entry(more).images == (Image("https://img.example/a.jpg", "Harbour Photos"),)


def test_an_enclosure_without_a_type_is_known_by_its_ending_and_sound_is_no_picture() -> None:
    assert [image.url for image in entry('<enclosure url="https://img.example/a.webp" length="9"/>').images] == [
        "https://img.example/a.webp"
    ]
    assert entry('<enclosure url="https://img.example/a.mp3" type="audio/mpeg" length="9"/>').images == ()


@pytest.mark.rows(89)
@pytest.mark.parametrize("length", ["4294967296", "-1", "", "9" * 500, "1e9", "&#x664;"])
def test_what_a_feed_says_of_a_files_length_changes_nothing(length: str) -> None:
    found = entry(f'<enclosure url="https://img.example/a.jpg" type="image/jpeg" length="{length}"/>')

    assert found.images == (Image("https://img.example/a.jpg"),)


@pytest.mark.rows(89)
@pytest.mark.parametrize("size", ["-4", "0", "1e9", "999999", "oops", "٤٠", "100%", "0x64", "9" * 500])
def test_a_size_that_is_none_is_not_believed(size: str) -> None:
    found = entry(f'<media:content url="https://img.example/a.jpg" width="{size}" height="480"/>')

    assert found.images == (Image("https://img.example/a.jpg", height=480),)


def test_the_first_picture_in_the_text_that_shows_something_is_taken_with_its_words() -> None:
    found = inline(
        '<img src="https://stats.wire.example/a.gif">',
        '<img src="https://img.example/pixel.jpg" width="1" height="1">',
        '<img alt="Cranes &amp; ships" class="x" height=480px src=\'/2026/port.jpg?a=1&amp;b=2\' width="640"/>',
        '<img src="https://img.example/second.jpg">',
    )

    assert found[0] == Image("/2026/port.jpg?a=1&b=2", alt="Cranes & ships", width=640, height=480)


def test_a_picture_in_the_text_is_found_where_it_stands_on_the_articles_site() -> None:
    assert chosen(Image("/2026/port.jpg")) == Image("https://wire.example/2026/port.jpg")


@pytest.mark.parametrize(
    "tag",
    [
        '<img src="data:image/gif;base64,R0lGOD">',
        '<img src="https://img.example/a.jpg" width="80" height="80">',
        '<img src="https://img.example/a.jpg" height=99>',
        '<img alt="nothing">',
        '<img src="">',
        "<img>",
        "<imgsrc=https://img.example/a.jpg>",
        '<img src="https://[broken/a.jpg">',
        '<img src="https://img.example/a.svg">',
    ],
)
def test_a_picture_in_the_text_that_is_small_or_none_is_passed_over(tag: str) -> None:
    assert inline(tag) == ()


def test_a_picture_that_loads_late_is_found_by_its_real_address() -> None:
    assert inline('<img src="data:image/gif;base64,R0" data-src="https://img.example/a.jpg">') == (
        Image("https://img.example/a.jpg"),
    )


@pytest.mark.rows(95)
@pytest.mark.parametrize(
    "url",
    [
        "https://feeds.feedburner.com/~r/wire/~4/x",
        "https://pixel.wp.com/b.gif?blog=1",
        "https://stats.wordpress.com/b.gif?x=1",
        "https://b.scorecardresearch.com/p?c1=2",
        "https://www.google-analytics.com/collect?v=1",
        "https://ad.doubleclick.net/x.jpg",
        "https://wire.list-manage.com/track/open.php?u=1",
        "https://secure.gravatar.com/avatar/0?s=96",
        "https://feeds.wordpress.com/1.0/comments/wire.wordpress.com/1/",
        "https://s.w.org/images/core/emoji/15.0.3/72x72/1f4c8.png",
        "https://wire.example/wp-includes/images/smilies/icon_smile.gif",
        "https://wire.example/avatars/7.jpg",
        "https://wire.example/img/share-buttons/facebook.png",
        "https://wire.example/img/twitter-icon.png",
        "https://wire.example/img/spacer.gif",
        "https://wire.example/img/1x1.png",
        "https://wire.example/wp-content/themes/harbour/arrow.png",
        "https://forum.example/skins/default/filetype/jpg.gif",
        "https://da.feedsportal.com/r/1/u/0/f/7/c/1/s/2/a2.img",
        "https://wire.example/tracking/a?x=1",
        "https://wire.example/pixel.gif",
        "https://wire.example/logo.svg",
        "https://wire.example/favicon.ico",
    ],
)
def test_what_counts_readers_or_decorates_is_no_picture(url: str) -> None:
    assert not is_worthwhile(Image(url))
    assert inline(f'<img src="{url}" width="640">') == ()
    assert chosen(Image(url), Image("https://img.example/a.jpg")) == Image("https://img.example/a.jpg")


@pytest.mark.parametrize(
    "url",
    [
        "https://img.example/2026/avatar-tops-box-office.jpg",
        "https://img.example/2026/google-pixel-sales.jpg",
        "https://img.example/tracking-the-recession.png",
        "https://img.example/emoji-lawsuit/lead.jpg",
        "https://i.ytimg.example/vi/x/0.jpg",
        "https://img.example/facebook-headquarters.jpg",
        "https://img.example/image?id=7",
    ],
)
def test_a_picture_of_what_sounds_like_a_button_is_a_picture(url: str) -> None:
    assert is_worthwhile(Image(url))


@pytest.mark.rows(82, 86, 89, 95)
@pytest.mark.parametrize(
    "image",
    [
        Image("javascript:alert(1)"),
        Image("data:image/png;base64," + "A" * 5_000_000),
        Image("https://127.0.0.1/a.jpg"),
        Image("https://user@img.example/a.jpg"),
        Image("https://img.example/" + "a" * 3000),
        Image("https://img.example/a.jpg", width=1, height=1),
        Image("https://img.example/a.jpg", width=-5),
        Image("https://img.example/a.jpg", height=10**12),
        Image(""),
    ],
)
def test_a_picture_from_a_bad_place_or_of_a_nonsense_size_is_none(image: Image) -> None:
    fine = Image("https://img.example/b.jpg", "<b>Lee</b>", "Port\u202e", 640, 480)

    assert chosen(image) is None
    assert chosen(image, fine) == replace(fine, credit="Lee", alt="Port")


def test_a_hostile_text_is_searched_for_pictures_in_no_time() -> None:
    for nasty in ("<img " * 50_000, "<img " + "a" * 200_000, "<img a='" * 50_000, "<img " + "x=" * 50_000 + ">"):
        assert inline(nasty.replace("]]>", "")) == ()
