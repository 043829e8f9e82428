"""Pictures are given to everybody, once, and stay what they are."""

import http.client
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from digest.config import Fetch
from digest.editions.publish import publish
from digest.model import EditionState, Image
from digest.store import engine as engines
from digest.store import pictures
from tests.conftest import NOW
from tests.editions import stock
from tests.pictures.gallery import opened
from tests.pictures.publisher import offer, publisher, sending
from tests.web.conftest import Service

NAME = "0123456789abcdef-00112233445566778899aabbccddeeff-552x310.jpg"
BODY = b"\xff\xd8\xff\xe0 a picture"
FOR_A_YEAR = "public, max-age=31536000, immutable"


def ask(service: Service, path: str, method: str = "GET", **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=5)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


@pytest.fixture
def path(service: Service) -> str:
    """Where a picture is."""
    with engines.write(service.engine) as connection:
        pictures.keep(connection, NAME, BODY, NOW)
    return service.links.picture(NAME).removeprefix(service.config.site.base_url)


def test_a_picture_comes_as_it_was_kept_and_may_be_kept_for_good(service: Service, path: str) -> None:
    status, headers, body = ask(service, path)

    assert (status, body) == (200, BODY)
    assert headers["content-type"] == "image/jpeg"
    assert headers["content-length"] == str(len(BODY))
    assert headers["cache-control"] == FOR_A_YEAR
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["etag"] == f'"{NAME.removesuffix(".jpg")}"'
    assert ask(service, path, "HEAD") == (200, {**headers, "date": ask(service, path, "HEAD")[1]["date"]}, b"")


def test_who_has_it_is_told_so(service: Service, path: str) -> None:
    etag = ask(service, path)[1]["etag"]

    for known in (etag, f"W/{etag}", f'"another", {etag}', "*"):
        status, headers, body = ask(service, path, **{"If-None-Match": known})
        assert (status, body) == (304, b"")
        assert headers["cache-control"] == FOR_A_YEAR
        assert headers["etag"] == etag
    assert ask(service, path, **{"If-None-Match": '"another"'})[0] == 200


@pytest.mark.parametrize(
    "name",
    [
        *(NAME.replace("0", "1"), NAME.removesuffix(".jpg"), NAME.upper(), f"{'a' * 100}.jpg", ".jpg", "%00.jpg"),
        *("..%2f..%2fdigest.db", "a%2fb.jpg", "x' OR '1'='1.jpg".replace(" ", "%20")),
    ],
)
def test_what_is_no_picture_of_ours_is_not_found(service: Service, path: str, name: str) -> None:
    status, headers, _ = ask(service, f"/pictures/{name}")

    assert status == 404
    assert "immutable" not in headers.get("cache-control", "")


def test_the_picture_of_an_article_comes_by_way_of_its_edition_to_the_page(service: Service) -> None:
    config = replace(stock.CONFIG, site=service.config.site, fetch=Fetch(allow_private=True))
    with engines.write(service.engine) as connection:
        stock.keep(connection, stock.TITLES, stock.PRESS - timedelta(hours=3))
    day, press = stock.DAY + timedelta(days=1), stock.PRESS + timedelta(days=1)
    with publisher(sending()) as server:
        offer(service.engine, Image(server.url("/lead.jpg"), "Photo: Jo Doe", "A refinery at dawn"))
        published = publish(config, service.engine, stock.DIGEST, day, press, press)

    page = service.get(f"/archive/economy/{day}").page
    (shown,) = page.xpath("//main//img")
    status, headers, body = ask(service, shown.get("src").removeprefix(service.config.site.base_url))

    picture = published.edition.items[0].picture
    assert picture is not None
    assert published.edition.state is EditionState.FROZEN
    assert shown.get("alt") == "A refinery at dawn"
    assert page.xpath("string(//figcaption)") == "Picture: Jo Doe"
    said = {one.get("property") or one.get("name"): one.get("content") for one in page.xpath("//meta[@content]")}
    assert (said["og:image"], said["og:image:alt"]) == (shown.get("src"), "A refinery at dawn")
    assert (said["og:url"], said["twitter:card"]) == (
        service.links.edition("economy", day),
        "summary_large_image",
    )
    assert (status, headers["content-type"]) == (200, "image/jpeg")
    assert opened(body).size == (int(shown.get("width")), int(shown.get("height"))) == (picture.width, picture.height)


def test_only_our_own_pictures_may_stand_on_a_page(service: Service) -> None:
    assert "img-src 'self';" in service.get("/").headers["content-security-policy"]
