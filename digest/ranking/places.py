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
    africa albania algeria angola armenia asia azerbaijan bahrain beijing belarus bolivia bosnia brussels bulgaria
    cambodia cameroon congo croatia cyprus ecuador england estonia ethiopia eu eurozone georgia ghana guatemala haiti
    honduras iceland jamaica jordan kazakhstan kosovo kuwait laos latvia libya lithuania london luxembourg malta moldova
    mongolia morocco moscow mozambique myanmar namibia nepal nicaragua niger oman panama paraguay qatar rwanda senegal
    serbia slovakia slovenia somalia sudan tanzania tokyo tunisia uae uganda uruguay usa uzbekistan washington yemen
    zambia zealand zimbabwe zone
    """.split()  # noqa: SIM905
)
"""Countries, continents, blocs and the capitals that stand for them, in English and small letters."""
