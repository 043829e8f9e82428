from digest.config import Ranking
from digest.model import Story
from digest.ranking.stories.cluster import cluster
from digest.ranking.stories.rarity import Rarity
from digest.ranking.stories.reasons import reasons
from tests.ranking.articles import article


def test_each_member_tells_the_words_it_shares_as_its_headline_has_them() -> None:
    articles = [
        article(1, "Volkswagen to close plant in Dresden", hours=4),
        article(2, "Dresden plant shut by VOLKSWAGEN as demand weakens", "AP"),
    ]
    (story,) = cluster(articles, Ranking())
    ((member, shared),) = reasons(story, Rarity.of(articles))
    assert member.id == 2
    assert {one.word for one in shared} == {"Dresden", "VOLKSWAGEN", "plant"}
    assert [one.share for one in shared] == sorted((one.share for one in shared), reverse=True)
    assert sum(one.share for one in shared) <= 1.0 + 1e-9


def test_a_member_that_shares_no_word_has_none_to_tell() -> None:
    articles = (article(1, "Volkswagen to close plant"), article(2, "Nvidia overtakes Apple"))
    assert reasons(Story(articles), Rarity.of(articles)) == [(articles[1], ())]


def test_a_story_of_one_has_no_reasons() -> None:
    assert reasons(Story((article(1, "Volkswagen to close plant"),)), Rarity.of([])) == []


def test_a_name_of_several_words_is_told_as_it_is_written() -> None:
    story = Story((article(1, "Hong Kong jails Lai"), article(2, "Lai jailed in Hong Kong", "AP")))
    ((_, shared),) = reasons(story, Rarity.of(story.articles))
    assert "Hong Kong" in {one.word for one in shared}
