"""No picture without its owner's name, and none that is silent to those who do not see it."""

import pytest

from digest.config import Pictures
from digest.model import Image
from digest.pictures.words import LONGEST_ALT, LONGEST_CREDIT, alternative, credit

HEADLINE = "Port of Rotterdam closes as dockworkers walk out"


def test_the_credit_is_what_the_feed_says() -> None:
    assert credit(Image("u", credit=" Jo Doe /\n Reuters "), "Harbour Wire", Pictures()) == "Jo Doe / Reuters"


def test_without_a_credit_there_is_none_unless_the_publisher_is_named_or_none_is_needed() -> None:
    assert credit(Image("u", credit="  "), "Harbour Wire", Pictures()) == ""
    assert credit(Image("u"), "Harbour Wire", Pictures(publishers=("Harbour Wire",))) == "Photo: Harbour Wire"
    assert credit(Image("u"), "Ledger", Pictures(publishers=("Harbour Wire",))) == ""
    assert credit(Image("u"), "Ledger", Pictures(credit_needed=False)) == "Photo: Ledger"


def test_the_feeds_description_is_read_out() -> None:
    assert alternative(Image("u", alt="Cranes stand still\nin the port"), HEADLINE) == "Cranes stand still in the port"


@pytest.mark.parametrize(
    "alt",
    [
        *("", "  ", "IMG_2031", "IMG_2031.JPG", "lead-image_1200x675.webp", "2026/02/harbour.jpeg?w=800", "1234567"),
        *(
            "image",
            "Photo",
            "Featured image",
            "null",
            "Read more.",
            "https://cdn.example/i/4711",
            HEADLINE,
            HEADLINE.upper(),
        ),
    ],
)
def test_what_describes_nothing_gives_way_to_the_headline(alt: str) -> None:
    assert alternative(Image("u", alt=alt), HEADLINE) == f"Photo: {HEADLINE}"


def test_words_without_end_come_to_one() -> None:
    endless = Image("u", alt="word " * 200, credit="name " * 200)

    assert len(alternative(endless, HEADLINE)) <= LONGEST_ALT
    assert alternative(endless, HEADLINE).endswith("word…")
    assert len(credit(endless, "Harbour Wire", Pictures())) <= LONGEST_CREDIT
    assert len(alternative(Image("u", alt="x" * 1000), HEADLINE)) <= LONGEST_ALT
