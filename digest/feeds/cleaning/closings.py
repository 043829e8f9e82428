"""The closing lines that feed software puts behind a summary, which are no part of what the author wrote. Pure.

A line goes only where it stands as a whole closing sentence and cannot be mistaken: a real sentence that happens to
begin with "Read more" stays.
"""

import re

_REACH = 450
"""How far before its end a summary is looked at, in characters."""
_ELLIPSIS_REACH = 24
_LONGEST_HEADLINE, _LONGEST_SITE = 300, 100
_MOST = 6
"""How many closing lines may stand behind each other."""

_NOTES = ("The post ", "This post ", "The article ", "This article ", "This story ", "This piece ")
# How the notes of common blog software go on and begin: "The post <headline> appeared first on <site>."
_SYNDICATED = (
    (" appeared first on ", _NOTES),
    (" first appeared on ", _NOTES),
    (" originally appeared on ", _NOTES),
    (" originally published on ", _NOTES),
    (" erschien zuerst auf ", ("Der Beitrag ", "Der Artikel ")),
    (" est apparu en premier sur ", ("L’article ", "L'article ", "Cet article ", "Le post ")),
    (" se publicó primero en ", ("La entrada ", "El artículo ", "El cargo ")),
    (" primero en ", ("La entrada ", "El artículo ", "El cargo ")),
    (" proviene da ", ("L’articolo ", "L'articolo ")),
    (" sembra essere il primo su ", ("L’articolo ", "L'articolo ")),
    (" primeiro em ", ("O post ", "O artigo ", "O conteúdo ")),
    (" появились сначала на ", ("Сообщение ", "Запись ")),
    (" впервые появилась ", ("Запись ",)),
    (" verscheen eerst op ", ("Het bericht ",)),
    (" pochodzi z serwisu ", ("Artykuł ", "Post ", "Wpis ")),
    (" pojawił się ", ("Artykuł ", "Post ", "Wpis ")),
    ("に最初に表示されました。", ("投稿 ",)),
    ("最先出现在", ("《", "〈")),
    ("這篇文章最早發佈於", ("〈", "《")),
)

_SENTENCE_END = re.compile(r"[.!?…»”\"'\])。！？」』]\s*")
_ARROWS = r"(?:…|\.{3}|»|→|›|>{1,3})"
# May be followed by the headline itself, as in "Continue reading Rates rise".
_TITLED = (
    r"Continue reading|Keep reading|Read the (?:full|whole|complete|entire|rest of th[ei]s?) (?:story|article|post|report|piece|interview)"
    r"|Read full (?:story|article|post)|Click here to (?:read|continue reading)|Weiterlesen|Hier weiterlesen"
    r"|Lire la suite|Continuer la lecture|Poursuivre la lecture|Seguir leyendo|Sigue leyendo|Continuar leyendo"
    r"|Continua a leggere|Continua la lettura|Continue lendo|Continuar a ler|Читать далее|Читать дальше|Продолжить чтение"
    r"|Lees verder|Verder lezen|Czytaj dalej|Czytaj więcej"
)
# Might as well begin a sentence, so that nothing but a place or an arrow may follow.
_BARE = (
    r"Read more|Read on|Learn more|Full (?:story|article)|View (?:full )?(?:story|article)|Mehr lesen|Lesen Sie mehr|Zum Artikel"
    r"|Lire plus|En savoir plus|Lire l[’']article|Leer más|Leer la noticia completa|Leggi tutto|Leggi di più|Leggi l[’']articolo"
    r"|Leia mais|Ler mais|Saiba mais|Подробнее|Читать полностью|Lees meer|Czytaj całość"
    r"|続きを読む|続きはこちら|もっと読む|阅读全文|阅读更多|继续阅读|查看全文|閱讀全文|閱讀更多|繼續閱讀"
)
_PLACE = r"(?:here|on|at|via|from|about|bei|auf|sur|en|su|em|op|na)"
_LETTER = r"(?:newsletters?|e-?mails?|e-?mail alerts?|mailing list|podcast|channel|рассылку|канал|telegram)"
_INVITATION = re.compile(
    r"[(\[]?(?:"
    rf"(?:{_TITLED})(?:\s[^.!?。！？]{{1,150}}?)?"
    rf"|(?:{_TITLED}|{_BARE})(?:\s{_PLACE}\b[^!?。！？]{{0,80}}?)?\s*[.!:]?"
    r"|Read more: [^.!?]{1,150}"
    r"|(?:\d+ )?Comments|(?:\d+|No) comments?|Leave a (?:comment|reply)|Kommentare|Commentaires|Comentarios|Комментарии"
    rf"|(?:Sign up|Subscribe)\b[^.!?,]{{0,100}}\b{_LETTER}"
    r"(?: (?:here|now|today|for free|by e-?mail)){0,3}(?: to (?:get|receive) [^.!?,]{1,80})?[.!]?"
    r"|(?:Abonnieren Sie|Abonnez-vous|Inscrivez-vous|Suscríbete|Suscríbase|Iscriviti|Assine|Подпишитесь|Подписывайтесь"
    rf"|Schrijf je in)\b[^.!?,]{{0,80}}\b{_LETTER}\b[^.!?,]{{0,40}}[.!]?"
    rf")\s*{_ARROWS}*[)\]]?",
    re.IGNORECASE,
)
_SOFTWARE_ENDS = ("…", "...", "»", "→", "›", ">", ")", "]")
_POINTER = re.compile(
    rf"(?:^|\s)(?:(?:{_TITLED}|{_BARE})\s*{_ARROWS}"
    r"|[(\[](?:more|mehr|suite|más)\s?(?:…|\.{3}|→|»)?[)\]]"
    r"|submitted by\s+/?u/\S+(?: to /?r/\S+)?\s*\[link\]\s*\[(?:\d+ )?comments?\])$",
    re.IGNORECASE,
)
_NEWS_BOARD = re.compile(r"(?:^|\s)Article URL: \S+ Comments URL: \S+(?: Points: \d+)?(?: # Comments: \d+)?$")
_ELLIPSIS = re.compile(r"(?:\s*(?:\[\s*(?:…|\.\.\.)\s*\]|\(\s*(?:…|\.\.\.)\s*\)|…|\.\.\.)){1,3}\s*$")


def without_closings(summary: str) -> str:
    """A plain summary without "The post … appeared first on …", "Read more", "12 comments", "[…]" and their like."""
    for _ in range(_MOST):
        if (shorter := _shortened(summary)) == summary:
            break
        summary = shorter
    return summary


def _shortened(text: str) -> str:
    """The text without the last of its closing lines, or with an ellipsis at its end as "…"."""
    if text and (start := _closing(text)) is not None:
        return text[:start].rstrip()
    if not (found := _ELLIPSIS.search(text, max(0, len(text) - _ELLIPSIS_REACH))):
        return text
    rest = text[: found.start()].rstrip(" ,;:")
    return rest if not rest or rest[-1] in ".!?" else f"{rest}…"


def _closing(text: str) -> int | None:
    """Where the closing line begins, if there is one."""
    if (start := _syndicated(text)) is not None:
        return start
    reach = max(0, len(text) - _REACH)
    if text.endswith(_SOFTWARE_ENDS) and (found := _POINTER.search(text, reach)):
        return found.start()
    if not reach and _INVITATION.fullmatch(text):
        return 0
    for end in _SENTENCE_END.finditer(text, reach):
        if _INVITATION.fullmatch(text, end.end()):
            return end.end()
    if "Comments URL: " in text and (found := _NEWS_BOARD.search(text)):
        return found.start()
    return None


def _syndicated(text: str) -> int | None:
    for phrase, openings in _SYNDICATED:
        at = text.rfind(phrase, max(0, len(text) - _LONGEST_SITE - len(phrase)))
        if at >= 0 and _names_a_site(text[at + len(phrase) :]):
            start = max(text.rfind(opening, max(0, at - _LONGEST_HEADLINE), at) for opening in openings)
            if start == 0 or (start > 0 and (text[start - 1].isspace() or _SENTENCE_END.match(text[start - 1]))):
                return start
    return None


def _names_a_site(rest: str) -> bool:
    """Whether a site's name is all that follows, and not the rest of a sentence such as "… proviene da una legge"."""
    return not rest[:1].islower() or "." in rest.rstrip(".")
