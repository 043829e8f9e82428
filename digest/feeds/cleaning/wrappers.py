"""Addresses that stand for another which they hold: archives, forwarders and AMP copies. Pure, and nothing is asked."""

import re
from urllib.parse import quote, unquote_to_bytes, urlsplit, urlunsplit

_SAFE = "/%:@!$&'()*+,;=~-._?#[]|"
_BEFORE_TARGET = re.compile(
    r"https?://(?:"
    r"(?:www\.)?archive\.(?:is|ph|today|li|md|vn|fo)/[^?#]*?"
    r"|(?:web\.)?archive\.org/[^?#]*?"
    r"|(?:www\.)?(?:12ft\.io|1ft\.io|outline\.com|txtify\.it|removepaywall\.com)/(?:proxy\?q=)?"
    r"|(?:[a-z]+\.)*rd\.yahoo\.com/[^?#]*?\*"
    r"|href\.li/\?"
    r")(https?)(?::|%3a)(?:/|%2f){1,2}(.+)",
    re.IGNORECASE,
)
_AMP_COPY = re.compile(
    r"https?://(?:(?:www\.)?google\.[a-z.]{2,6}/amp|(?:www\.)?bing\.com/amp|(?:[^/]+\.)?cdn\.ampproject\.org/(?:c|v|wp)"
    r"|[^/]+\.bing-amp\.com/c)/(s/)?([^/]+\..+)",
    re.IGNORECASE,
)
# Host and path of a forwarder, and the parameters that may hold its target.
_FORWARDERS = tuple(
    (re.compile(f"https?://{place}", re.IGNORECASE), names)
    for place, names in (
        (r"(?:www\.)?google\.[a-z.]{2,6}/url\?", ("url", "q")),
        (r"news\.google\.[a-z.]{2,6}/", ("url",)),
        (r"(?:www\.)?bing\.com/news/apiclick\.aspx\?", ("url",)),
        (r"(?:(?:www|l|lm|m)\.)?facebook\.com/(?:l\.php|flx/warn/?)\?", ("u",)),
        (r"l\.(?:instagram|messenger|threads)\.(?:com|net)/(?:l\.php)?\?", ("u",)),
        (r"out\.reddit\.com/", ("url",)),
        (r"(?:www\.)?youtube\.com/redirect\?", ("q",)),
        (r"t\.umblr\.com/redirect\?", ("z",)),
        (r"(?:(?:www|m|away)\.)?vk\.com/(?:away\.php)?\?", ("to",)),
        (r"(?:www\.)?linkedin\.com/(?:redir/redirect|safety/go)/?\?", ("url",)),
        (r"(?:www\.)?duckduckgo\.com/l/?\?", ("uddg",)),
        (r"slack-redir\.net/link\?", ("url",)),
        (r"exit\.sc/\?", ("url",)),
        (r"(?:www\.)?getpocket\.com/redirect\?", ("url",)),
        (r"[a-z0-9]+\.safelinks\.protection\.outlook\.com/", ("url",)),
        (r"go\.(?:skimresources|redirectingat)\.com/", ("url",)),
        (r"redirect\.viglink\.com/", ("u",)),
        (
            r"[^/?]+/(?:[^?]*/)?(?:lnks|redir|redirect|redirect\.php|out|out\.php|away|exit|goto)/?\?",
            ("url", "u", "to"),
        ),
    )
)
_WEB = re.compile(r"https?(?:://|%3a%2f%2f)", re.IGNORECASE)
# Behind a part of the path that looks like a story's and not like a company's: "/markets/rates-rise/amp", "/node/7.amp".
_AMP_TAIL = re.compile(r"(?<=[^/])\.amp(?=(?:\.html?)?$)|(?<=/)([^/]*[-\d.][^/]*)/amp(?=/?$)", re.IGNORECASE)
_AMP_ENDS = ("amp", "amp/", "amp.html", "amp.htm")
_PARAMETER = re.compile(
    r"(?:utm_.*|at_.*|ns_(?:mchannel|source|campaign|linkname|fee)|(?:fb|g|d|tw|msc|y)clid|msclkid|[gw]braid|igshid|mc_[ce]id"
    r"|_hs(?:enc|mi)|mkt_tok|maca|ref|ref_src|cmp|cmpid|cmp_id|ncid|ocid|smid|smtyp|emc|partner|xtor|wt_mc|guccounter"
    r"|guce_.*|soc_(?:src|trk)|feedtype|feedname|traffic_source|ito|__twitter_impression|amp_(?:js_v|gsa|agsa|ct|lite)|usqp)"
    r"(?:=.*)?|amp(?:=(?:1|true|yes|amp)?)?|(?:outputtype|output|mode|view|format)=amp",
    re.IGNORECASE,
)


def unwrapped(url: str) -> str:
    """The address that this one holds or copies, without what only says how a reader came there; else itself.

    One wrapping goes at a time, and the result may be anything: it is to be checked like every other link.
    """
    return _held(url) or _bare(url)


def _held(url: str) -> str | None:
    if "amp" in url and (match := _AMP_COPY.fullmatch(url)):
        return f"http{'s' if match[1] else ''}://{match[2]}"
    if url.find("http", 4) < 0:
        return None
    if match := _BEFORE_TARGET.fullmatch(url):
        target = match[2] if match[0][match.end(1) :].startswith(":") else _decoded(match[2])
        return f"{match[1].lower()}://{target}"
    for place, names in _FORWARDERS:
        if place.match(url):
            parameters = dict(part.partition("=")[::2] for part in reversed(urlsplit(url).query.split("&")))
            return next((_decoded(parameters[n]) for n in names if _WEB.match(parameters.get(n, ""))), None)
    return None


def _bare(url: str) -> str:
    if "?" not in url and not url.lower().endswith(_AMP_ENDS):
        return url
    scheme, host, path, query, _ = urlsplit(url)
    if path.lower().endswith(_AMP_ENDS):
        path = _AMP_TAIL.sub(r"\1", path)
    if query:
        query = "&".join(part for part in query.split("&") if part and not _PARAMETER.fullmatch(part))
    return urlunsplit((scheme, host, path, query, ""))


def _decoded(target: str) -> str:
    return quote(unquote_to_bytes(target.replace("+", " ")), safe=_SAFE)
