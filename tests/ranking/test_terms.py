from hypothesis import given
from hypothesis import strategies as st

from digest.ranking.stories.terms import headline, title_words
from digest.ranking.text import tokens
from tests.ranking.articles import QUICK, article

_BITS = (
    "Fed",
    "rates",
    "U.S.",
    "AT&T's",
    "1.5%",
    "oil-price",
    "央行下调",
    "ﬁrms’",
    "x",
    ".",
    "-",
    "–",
    '"',
    "<",
    ",",
    " ",
    " ",
    "\n",
)


@QUICK
@given(st.lists(st.sampled_from(_BITS), max_size=30).map("".join) | st.text(max_size=30))
def test_a_text_read_in_pieces_has_the_words_it_has_as_a_whole(text: str) -> None:
    one = article(1, text)
    assert [(word.written, word.opens) for word in title_words(one)] == tokens(headline(one))


def test_a_well_known_name_of_several_words_is_one_word() -> None:
    read = title_words(article(1, "White House: New York banks warn of new rules in Hong Kong"))
    assert [word.small for word in read if word.capital] == ["whitehouse", "newyork", "hongkong"]
    assert [word.small for word in read if word.opens] == ["whitehouse", "newyork"]
