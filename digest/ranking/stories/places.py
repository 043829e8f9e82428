"""Countries and the like: names that too many events of a day share to tell one event from another."""

DEMONYMS = {
    "afghan": "afghanistan",
    "american": "america",
    "americans": "america",
    "argentine": "argentina",
    "australian": "australia",
    "austrian": "austria",
    "bangladeshi": "bangladesh",
    "belgian": "belgium",
    "brazilian": "brazil",
    "britain": "uk",
    "british": "uk",
    "canadian": "canada",
    "chilean": "chile",
    "chinese": "china",
    "colombian": "colombia",
    "cuban": "cuba",
    "czech": "czechia",
    "danish": "denmark",
    "dutch": "netherlands",
    "egyptian": "egypt",
    "european": "europe",
    "europeans": "europe",
    "finnish": "finland",
    "french": "france",
    "german": "germany",
    "greek": "greece",
    "hungarian": "hungary",
    "indian": "india",
    "indonesian": "indonesia",
    "iranian": "iran",
    "iraqi": "iraq",
    "irish": "ireland",
    "israeli": "israel",
    "italian": "italy",
    "japanese": "japan",
    "kenyan": "kenya",
    "korean": "korea",
    "lebanese": "lebanon",
    "malaysian": "malaysia",
    "mexican": "mexico",
    "nigerian": "nigeria",
    "norwegian": "norway",
    "pakistani": "pakistan",
    "palestinian": "palestine",
    "palestinians": "palestine",
    "peruvian": "peru",
    "philippine": "philippines",
    "polish": "poland",
    "portuguese": "portugal",
    "romanian": "romania",
    "russian": "russia",
    "russians": "russia",
    "saudi": "arabia",
    "scottish": "scotland",
    "singaporean": "singapore",
    "spanish": "spain",
    "swedish": "sweden",
    "swiss": "switzerland",
    "syrian": "syria",
    "taiwanese": "taiwan",
    "thai": "thailand",
    "turkish": "turkey",
    "türkiye": "turkey",
    "ukrainian": "ukraine",
    "ukrainians": "ukraine",
    "venezuelan": "venezuela",
    "vietnamese": "vietnam",
    "welsh": "wales",
}
"""What comes from a place, and other names of it, by the place: "German" is "Germany"."""

PLACES = frozenset(DEMONYMS.values()) | frozenset(
    """
    africa albania algeria angola armenia asia azerbaijan bahrain beijing belarus berlin bolivia bosnia boston brussels
    bulgaria california cambodia cameroon chicago congo croatia cyprus delhi detroit dubai ecuador england estonia ethiopia
    eu eurozone florida frankfurt geneva georgia ghana guatemala haiti honduras houston iceland istanbul jakarta jamaica
    jordan kazakhstan kosovo kuwait kyiv lagos laos latvia libya lithuania london luxembourg madrid malta manila melbourne
    milan moldova mongolia montreal morocco moscow mozambique mumbai munich myanmar nairobi namibia nepal nicaragua niger
    oman ottawa panama paraguay paris qatar riyadh rome rwanda senegal seoul serbia shanghai slovakia slovenia somalia
    sudan sydney tanzania tehran texas tokyo toronto tunisia uae uganda uruguay usa uzbekistan vancouver vienna warsaw
    washington yemen york zambia zealand zimbabwe zone zurich
    """.split()  # noqa: SIM905
)
"""Countries, continents, blocs and great cities, in English and small letters."""

COUNTRY_OF = {
    "bangkok": "thailand",
    "beijing": "china",
    "berlin": "germany",
    "boe": "uk",
    "boj": "japan",
    "brussels": "europe",
    "abudhabi": "uae",
    "newdelhi": "india",
    "newjersey": "america",
    "newyork": "america",
    "newzealand": "zealand",
    "northkorea": "northkorea",
    "saudiarabia": "arabia",
    "southafrica": "southafrica",
    "southkorea": "korea",
    "srilanka": "srilanka",
    "hongkong": "hongkong",
    "whitehouse": "america",
    "delhi": "india",
    "ecb": "europe",
    "england": "uk",
    "eu": "europe",
    "eurozone": "europe",
    "fed": "america",
    "london": "uk",
    "madrid": "spain",
    "moscow": "russia",
    "ottawa": "canada",
    "paris": "france",
    "pboc": "china",
    "rba": "australia",
    "rbi": "india",
    "rome": "italy",
    "scotland": "uk",
    "seoul": "korea",
    "snb": "switzerland",
    "tokyo": "japan",
    "treasury": "america",
    "treasuries": "america",
    "us": "america",
    "usa": "america",
    "wales": "uk",
    "washington": "america",
    "yen": "japan",
    "yuan": "china",
    "zone": "europe",
}
"""Capitals, central banks, currencies and the like by the country or bloc they stand for in a headline."""


_NAMES_OF_WORDS = """
    abu dhabi, cape town, costa rica, el salvador, hong kong, ho chi minh, ivory coast, kuala lumpur,
    latin america, los angeles, middle east, new delhi, new jersey, new york, new zealand, north korea, north sea,
    puerto rico, san francisco, saudi arabia, sierra leone, silicon valley, south africa, south korea, sri lanka,
    super bowl, supreme court, tel aviv, trinidad and tobago, united nations, wall st, wall street, west bank, white house,
    winter olympics, world cup
    """
NAMES_OF_WORDS = {tuple(name.split()): "".join(name.split()) for name in _NAMES_OF_WORDS.split(",")}
"""Names of several words that too many events share. As one word they are one thing in common and not two."""

FIRST_OF_NAMES = {words[0] for words in NAMES_OF_WORDS}


def country_of(written: str) -> str | None:
    """The country or bloc that a word stands for; None if it is no such word, or written small ("us", "fed")."""
    small = written.lower()
    if small in {"us", "fed"} and written == small:
        return None
    place = DEMONYMS.get(small, small)
    return COUNTRY_OF.get(place, place if place in PLACES else None)
