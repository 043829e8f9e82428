"""What feed software writes behind a summary goes; what an author wrote stays, however much it looks the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.cleaning.closings import without_closings
from tests.feeds.hostile_text import texts


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ("Rates rose. The post Rates rise appeared first on Harbour Wire.", "Rates rose."),
        ("Rates rose The post Why? Because! appeared first on wire.example.", "Rates rose"),
        ("The post office cut jobs. The post Cuts appeared first on Wire", "The post office cut jobs."),
        ("Rates rose. The post Rates rise first appeared on Harbour Wire.", "Rates rose."),
        ("Rates rose. This article was originally published on Harbour Wire.", "Rates rose."),
        ("Die Zinsen steigen. Der Beitrag Zinsen steigen erschien zuerst auf Hafenbote.", "Die Zinsen steigen."),
        ("Les taux montent. L’article Hausse est apparu en premier sur Le Cahier.", "Les taux montent."),
        ("Suben los tipos. La entrada Suben los tipos se publicó primero en Faro.", "Suben los tipos."),
        ("Suben los tipos. La entrada Suben los tipos aparece primero en Faro.", "Suben los tipos."),
        ("I tassi salgono. L'articolo Tassi proviene da Faro.", "I tassi salgono."),
        ("Os juros sobem. O post Juros apareceu primeiro em Faro.", "Os juros sobem."),
        ("Ставка выросла. Сообщение Ставка появились сначала на Вестник.", "Ставка выросла."),
        ("Ставка выросла. Запись Ставка впервые появилась Вестник.", "Ставка выросла."),
        ("De rente stijgt. Het bericht Rente verscheen eerst op Havenbode.", "De rente stijgt."),
        ("Stopy rosną. Artykuł Stopy pochodzi z serwisu Kurier.", "Stopy rosną."),
        ("金利が上がる。 投稿 金利 は 港通信 に最初に表示されました。", "金利が上がる。"),
        ("利率上升。《利率》最先出现在港口报。", "利率上升。"),
        ("利率上升。〈利率〉這篇文章最早發佈於《港口報》。", "利率上升。"),
    ],
)
def test_the_note_of_who_published_first_goes_in_the_languages_of_blog_software(summary: str, expected: str) -> None:
    assert without_closings(summary) == expected


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ("Rates rose. Continue reading Rates rise", "Rates rose."),
        ("Rates rose. Continue reading Rates rise →", "Rates rose."),
        ("Rates rose in March Continue reading...", "Rates rose in March"),
        ("“More like,” he said.” Continue reading…", "“More like,” he said.”"),
        ("Rates rose by a half […] Read more »", "Rates rose by a half…"),
        ("Rates rose by a half [...]", "Rates rose by a half…"),
        ("Rates rose. […]", "Rates rose."),
        ("Rates rose. (Read more)", "Rates rose."),
        ("Rates rose.Read more", "Rates rose."),
        ("Rates rose. READ MORE >>", "Rates rose."),
        ("Rates rose. [Read more...]", "Rates rose."),
        ("Rates rose. Read more about the decision here.", "Rates rose."),
        ("Rates rose. Read more: What it means for mortgages", "Rates rose."),
        ("Rates rose. Read the full story at wire.example.", "Rates rose."),
        ("Rates rose (more…)", "Rates rose"),
        ("Rates rose. Click here to read", "Rates rose."),
        ("Die Zinsen steigen. Weiterlesen", "Die Zinsen steigen."),
        ("Die Zinsen steigen. Mehr lesen »", "Die Zinsen steigen."),
        ("Les taux montent. Lire la suite", "Les taux montent."),
        ("Les taux montent Lire la suite…", "Les taux montent"),
        ("Suben los tipos. Seguir leyendo", "Suben los tipos."),
        ("Suben los tipos. Leer más", "Suben los tipos."),
        ("I tassi salgono. Continua a leggere Tassi", "I tassi salgono."),
        ("I tassi salgono. Leggi tutto", "I tassi salgono."),
        ("Os juros sobem. Leia mais", "Os juros sobem."),
        ("Ставка выросла. Читать далее", "Ставка выросла."),
        ("Ставка выросла. Подробнее →", "Ставка выросла."),
        ("De rente stijgt. Lees verder", "De rente stijgt."),
        ("Stopy rosną. Czytaj dalej", "Stopy rosną."),
        ("金利が上がる。続きを読む", "金利が上がる。"),
        ("利率上升。阅读全文", "利率上升。"),
        ("利率上升。繼續閱讀 »", "利率上升。"),
        ("Rates rose. Comments", "Rates rose."),
        ("Rates rose. 12 comments", "Rates rose."),
        ("Rates rose. Leave a comment", "Rates rose."),
        ("Rates rose. Sign up for our daily newsletter.", "Rates rose."),
        ("Rates rose. Sign up here for the Morning Briefing newsletter to get it in your inbox", "Rates rose."),
        ("Rates rose. Subscribe to our newsletter today!", "Rates rose."),
        ("Die Zinsen steigen. Abonnieren Sie unseren Newsletter.", "Die Zinsen steigen."),
        ("Ставка выросла. Подпишитесь на наш канал.", "Ставка выросла."),
        ("submitted by /u/harbour to r/economics [link] [comments]", ""),
        ("Rates rose submitted by /u/harbour [link] [12 comments]", "Rates rose"),
        ("Article URL: https://a.example/1 Comments URL: https://b.example/2 Points: 7 # Comments: 0", ""),
        ("Comments", ""),
        ("Read more", ""),
        ("Rates rose. Continue reading […]", "Rates rose."),
        ("Rates rose […] …", "Rates rose…"),
        ("[…]", ""),
        (": […]", ""),
        ("", ""),
        (
            "Rates rose. Continue reading The post Rates rise appeared first on Wire. 3 comments",
            "Rates rose.",
        ),
    ],
)
def test_an_invitation_to_go_on_reading_is_no_part_of_a_summary(summary: str, expected: str) -> None:
    assert without_closings(summary) == expected


@pytest.mark.parametrize(
    "summary",
    [
        "Families read more than ever",
        "Families read more.",
        "He has a plan for the summer. Read more books.",
        "What should investors do? Read more balance sheets, says the author.",
        "Learn more, earn more: the case for longer schooling.",
        "The post of governor is vacant.",
        "The post office first appeared on the exchange in 2013, at 330 pence.",
        "The claim first appeared on Tuesday.",
        "The post that appeared first on the agenda was the governor's, and it was filled.",
        "L'articolo 18 della nuova legge sul lavoro proviene da una proposta del governo.",
        "Het bericht kwam maandag.",
        "Der Beitrag zur Rentenversicherung steigt.",
        "The minister made no comments",
        "Analysts had comments.",
        "Officials were not ready. The bank declined to comment",
        "Workers may sign up for the scheme until Friday.",
        "The scheme is open. Sign up for health cover ends on Friday.",
        "The channel is new. Subscribe to it, they told viewers, and they did.",
        "Subscribers to the newsletter fell by a tenth.",
        "Wait and see…",
        "The rate is 4% (more than forecast)",
        "Weiterlesen lohnt sich nicht.",
        "Mehr lesen die Deutschen nicht.",
        "La suite est connue.",
        "Leer más libros es su propósito.",
        "Подробнее о сделке сообщил банк.",
        "首相は続きを読むと述べた",
        "央行建议投资者阅读全文后再决定。",
        "Rates rose, the bank said in a statement (link).",
    ],
)
def test_a_real_sentence_stays_however_it_begins_or_ends(summary: str) -> None:
    assert without_closings(summary) == summary


@given(
    st.text() | texts(), st.sampled_from([" Continue reading…", " (more…)", " The post x appeared first on Y.", " […]"])
)
def test_nothing_is_added_and_a_second_look_finds_nothing(summary: str, closing: str) -> None:
    once = without_closings(" ".join((summary + closing).split()))

    assert without_closings(once) == once
    assert len(once) <= len(summary) + 1
