"""The pages of one reader: unsubscribe, with an undo, and preferences.

The token in the address is the authority, so there is nothing to log in to, and nothing for a strange site to abuse.
Only a POST that says what it wants changes anything; every other request shows the page.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from digest.language import own_name
from digest.links import Purpose
from digest.model import Digest, Subscription, SubscriptionState, Topic, parted
from digest.store import deliveries
from digest.store import engine as engines
from digest.store import subscribers as store
from digest.subscribers import preferences
from digest.subscribers.consent import masked
from digest.subscribers.preferences import Changes, Choice, Frequency
from digest.web.others import others
from digest.web.pages import Pages


@dataclass(frozen=True, slots=True)
class _Entered:
    """What stands in the form of the preferences page."""

    topics: frozenset[str]
    muted: frozenset[str]
    frequency: str
    day: str
    text_only: bool
    hour: str
    zone: str
    language: str
    pause: str

    @classmethod
    def of(cls, form: FormData) -> "_Entered":
        """As a reader sent it."""
        return cls(
            topics=frozenset(map(str, form.getlist("topic"))),
            muted=frozenset(map(str, form.getlist("mute"))),
            frequency=str(form.get("frequency", "")),
            day=str(form.get("day", "")),
            text_only="text_only" in form,
            hour=str(form.get("hour", "")),
            zone=str(form.get("zone", "")),
            language=str(form.get("language", "")),
            pause=str(form.get("paused_until", "")),
        )

    @classmethod
    def already(cls, found: Subscription, offered: Collection[Topic], until: date | None) -> "_Entered":
        """As the subscription has it."""
        wanted, muted = parted(found.topics)
        return cls(
            topics=frozenset(wanted or (topic.slug for topic in offered)) - frozenset(muted),
            muted=frozenset(muted),
            frequency=preferences.frequency_of(found.days),
            # A week's one day; for others the one that they would be offered.
            day=found.days[0] if len(found.days) == 1 else "",
            text_only=found.text_only,
            hour="" if found.hour is None else str(found.hour),
            zone=found.zone,
            language=found.language,
            pause=_iso(until),
        )


class ReaderPages:
    """Answers the signed links of the mail."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> list[Route]:
        """The addresses answered here."""
        return [
            Route("/unsubscribe/{token}", self.unsubscribe, methods=["GET"]),
            Route("/unsubscribe/{token}", self.unsubscribe_form, methods=["POST"]),
            Route("/preferences/{token}", self.preferences, methods=["GET"]),
            Route("/preferences/{token}", self.preferences_form, methods=["POST"]),
        ]

    def unsubscribe(self, request: Request) -> Response:
        """Ask whether the reader wants to leave, or say that it has left."""
        subscription_id, _ = self._named(request, Purpose.UNSUBSCRIBE)
        with engines.read(self._pages.engine) as connection:
            found = preferences.named(connection, subscription_id)
        if found is None or found.state is SubscriptionState.ENDED:
            return self._left(found, just_now=False)
        return self._pages.to(found).page(
            "unsubscribe.html",
            digest=self._pages.title(found.digest),
            address=masked(found.address),
            preferences_href=self._href(Purpose.PREFERENCES, found),
        )

    async def unsubscribe_form(self, request: Request) -> Response:
        """Leave, by the page's button or by a mail program's one click (RFC 8058); or take it back."""
        async with request.form() as form:
            return await run_in_threadpool(self._unsubscribe_as_told, request, form)

    def preferences(self, request: Request) -> Response:
        """Show what the reader has chosen."""
        found = self._chooser(request)
        return found if isinstance(found, Response) else self._choices(found)

    async def preferences_form(self, request: Request) -> Response:
        """Save what the reader has chosen, and say what has changed."""
        async with request.form() as form:
            return await run_in_threadpool(self._save, request, form)

    def _unsubscribe_as_told(self, request: Request, form: FormData) -> Response:
        subscription_id, _ = self._named(request, Purpose.UNSUBSCRIBE)
        now = self._pages.clock()
        if form.get("List-Unsubscribe") == "One-Click":
            preferences.leave(self._pages.engine, subscription_id, now)
            return PlainTextResponse("Unsubscribed.\n")
        match form.get("action"):
            case "leave":
                return self._left(preferences.leave(self._pages.engine, subscription_id, now), just_now=True)
            case "undo":
                found = preferences.undo(self._pages.config, self._pages.engine, subscription_id, now)
                if found is not None and found.state is SubscriptionState.ACTIVE:
                    return self._choices(found, returned=True)
        return self.unsubscribe(request)

    def _save(self, request: Request, form: FormData) -> Response:
        before = self._chooser(request)
        if isinstance(before, Response):
            return before
        if form.get("action") != "save":
            return self._choices(before)
        offered, today = self._pages.offered(before.digest), self._pages.today(before.digest)
        entered = _Entered.of(form)
        if offered and not (entered.topics - entered.muted) & {topic.slug for topic in offered}:
            problem = self._pages.to(before).language.gettext(
                "Please tick at least one topic. To get no mail at all, unsubscribe."
            )
            return self._choices(before, entered=entered, problem=problem)
        try:
            until = preferences.pause(entered.pause, today, self._pages.to(before).language)
        except ValueError as error:
            return self._choices(before, entered=entered, problem=str(error))
        digest = self._pages.digest(before.digest)
        hour, zone = before.hour, before.zone
        if digest and "hour" in form:
            hour, zone = preferences.hour_of(entered.hour, entered.zone, digest)
        language = before.language
        said, shown = (self._language(one) for one in (entered.language, before.language))
        # One that has lost its words was shown as the site's, and waits for them.
        if "language" in form and said != shown:
            language = said
        chosen = Choice(
            topics=preferences.choice(entered.topics, entered.muted, offered),
            paused_until=until,
            days=preferences.days_of(entered.frequency, entered.day, digest)
            if digest and entered.frequency
            else before.days,
            text_only=entered.text_only,
            hour=hour,
            zone=zone,
            language=language,
        )
        after = preferences.choose(self._pages.engine, before.id, chosen, self._pages.clock())
        if after is None:
            return self._left(None, just_now=False)
        return self._choices(after, changes=preferences.changes(before, after, offered, today))

    def _chooser(self, request: Request) -> Subscription | Response:
        """The subscription whose preferences a link opens, or the page that says why it opens none."""
        subscription_id, version = self._named(request, Purpose.PREFERENCES)
        found = self._subscription(subscription_id)
        if found is None or found.state is SubscriptionState.ENDED:
            return self._left(found, just_now=False)
        if found.version != version:
            pages = self._pages.to(found)
            return pages.error(
                404,
                pages.language.gettext("This link has been replaced"),
                pages.language.gettext(
                    "You have subscribed anew, or changed your address, since that mail was sent. The newest edition in your inbox has the link that works."
                ),
            )
        return found

    def _choices(
        self,
        found: Subscription,
        *,
        entered: "_Entered | None" = None,
        problem: str = "",
        changes: Changes | None = None,
        returned: bool = False,
    ) -> Response:
        """The preferences page; after a refused save with what the reader had entered."""
        offered, today = self._pages.offered(found.digest), self._pages.today(found.digest)
        digest = self._pages.digest(found.digest)
        until = preferences.paused(found, today)
        shown = entered or _Entered.already(found, offered, until)
        frequencies = preferences.frequencies(digest) if digest else ()
        home = digest.zone if digest else "UTC"
        languages = self._pages.config.languages
        return self._pages.to(found).page(
            "preferences.html",
            422 if problem else 200,
            digest=self._pages.title(found.digest),
            address=masked(found.address),
            topics=[(topic, topic.slug in shown.topics, topic.slug in shown.muted) for topic in offered],
            topic_titles={topic.slug: topic.title for topic in offered},
            shared=self._pages.shared(found.digest),
            frequencies=frequencies,
            frequency=shown.frequency if shown.frequency in frequencies else Frequency.DAILY,
            days=[(day, day == shown.day) for day in digest.days] if digest else [],
            text_only=shown.text_only,
            pause=shown.pause,
            earliest=_iso(today + timedelta(days=1)),
            latest=_iso(today + preferences.LONGEST_PAUSE),
            paused_until=until,
            hours=[(str(hour), f"{hour:02}:00") for hour in range(preferences.HOURS)],
            hour=shown.hour,
            zones=sorted({*preferences.zones(), home}),
            # What is the site's own is no choice of another.
            languages=[("" if place == 0 else tag, tag, own_name(tag)) for place, tag in enumerate(languages)],
            language=self._language(shown.language),
            next_at=self._next_mail(digest, found) if digest else None,
            zone=found.zone or home,
            chosen_zone=shown.zone or home,
            problem=problem,
            changes=changes,
            returned=returned,
            save_href=self._href(Purpose.PREFERENCES, found),
            unsubscribe_href=self._href(Purpose.UNSUBSCRIBE, found),
            data_href=f"{self._href(Purpose.PREFERENCES, found)}/data",
            address_href=f"{self._href(Purpose.PREFERENCES, found)}/address",
            others=others(self._pages, found),
            mark=self._pages.links.form(self._pages.clock()),
            digests_href=f"{self._href(Purpose.PREFERENCES, found)}/digests",
        )

    def _language(self, tag: str) -> str:
        """The value of the form for a language; that of the site's own for one that is not offered."""
        return preferences.language_of(tag, self._pages.config.languages) or ""

    def _next_mail(self, digest: Digest, found: Subscription) -> datetime | None:
        now = self._pages.clock()
        with engines.read(self._pages.engine) as connection:
            waiting = deliveries.waits_until(connection, found, now)
        return preferences.next_mail(digest, found, now, waiting)

    def _left(self, found: Subscription | None, *, just_now: bool) -> Response:
        """The page of one who has left; the same, but for the undo, for one who has been erased."""
        undo = found is not None and preferences.may_return(found, self._pages.clock())
        return self._pages.to(found).page(
            "unsubscribed.html",
            digest=self._pages.title(found.digest) if found else self._pages.config.site.title,
            address=masked(found.address) if found else "",
            just_now=just_now,
            undo_href=self._href(Purpose.UNSUBSCRIBE, found) if found and undo else "",
            data_href=f"{self._href(Purpose.PREFERENCES, found)}/data" if found else "",
        )

    def _named(self, request: Request, purpose: Purpose) -> tuple[int, int]:
        return self._pages.links.read(purpose, request.path_params["token"])

    def _subscription(self, subscription_id: int) -> Subscription | None:
        with engines.read(self._pages.engine) as connection:
            return store.subscription(connection, subscription_id)

    def _href(self, purpose: Purpose, found: Subscription) -> str:
        """Relative, so that the pages of one reader lead to each other under whatever address they are reached."""
        return f"../{purpose}/{self._pages.links.token(purpose, found.id, found.version)}"


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()
