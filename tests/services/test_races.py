"""What must hold under any parallel load, on both databases: threads that start at one barrier."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session as DbSession

from referral_app import clock as clock_module
from referral_app.db import transaction
from referral_app.environment import Rate
from referral_app.gateways.console import ConsoleGateway
from referral_app.gateways.sms import Receipt
from referral_app.models import Avatar, Challenge, Message, User
from referral_app.models import Counter as CounterRow
from referral_app.models import Session as SessionRow
from referral_app.services import accounts, admins, avatars, batches, codes, guesses, limits, outbox, sessions, statuses
from tests.factories import PHONE, Api, Browser, Person, World, wrong
from tests.pictures import plain

pytestmark = pytest.mark.both_databases
INVITER = "/profiles/me/inviter"


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Make all calls at one moment; return what they return, in their order."""
    barrier = Barrier(len(calls), timeout=60)

    def call(made: Callable[[], Any]) -> Any:
        barrier.wait()
        return made()

    pool = ThreadPoolExecutor(len(calls))
    try:
        return [future.result(timeout=140) for future in [pool.submit(call, made) for made in calls]]
    finally:
        pool.shutdown(wait=False)


def status(call: Callable[..., Any], *args: Any) -> int:
    return int(call(*args).status_code)


def activation(api: Api, who: Person, owner: Person) -> Callable[[], str]:
    mine = api(who)

    def activate() -> str:
        answer = mine.post(INVITER, {"invite_code": owner.invite_code})
        return str(answer.json.get("slug", answer.status_code))

    return activate


def test_a_ring_of_three_at_once_leaves_two_inviters(api: Api, world: World) -> None:
    for _round in range(10):
        ring = [world.user() for _ in range(3)]
        calls = [activation(api, ring[n], ring[n - 1]) for n in range(3)]
        assert Counter(at_once(calls)) == {"200": 2, "invite_cycle": 1}
        named = select(User.inviter_id).where(User.id.in_([person.id for person in ring]), User.inviter_id.is_not(None))
        assert len(world.rows(named)) == 2


def test_of_twenty_activations_by_one_user_one_stands(api: Api, world: World) -> None:
    me, owners = world.user(), [world.user() for _ in range(20)]
    answers = at_once([activation(api, me, owner) for owner in owners])
    assert Counter(answers) == {"200": 1, "inviter_already_set": 19}
    assert world.rows(select(func.sum(User.invitees_count)))[0][0] == 1


def test_forty_invitees_at_once_are_all_counted(api: Api, world: World) -> None:
    owner = world.user()
    assert set(at_once([activation(api, world.user(), owner) for _ in range(40)])) == {"200"}
    assert world.rows(select(User.invitees_count).where(User.id == owner.id))[0][0] == 40


def test_forty_exchanges_of_one_code_make_one_session(api: Api, world: World) -> None:
    code = api.ask().json["code"]
    answers = at_once([partial(status, api.exchange, code)] * 40)
    assert Counter(answers) == {201: 1, 400: 39}
    assert len(world.rows(select(SessionRow.id))) == 1
    assert len(world.rows(select(User.id))) == 1


def test_of_forty_guesses_three_are_compared(api: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = api.ask().json
    compared = []
    derive = codes.code_for

    def compare(challenge: Challenge) -> str:
        compared.append(challenge.id)
        return derive(challenge)

    monkeypatch.setattr(codes, "code_for", compare)
    guesses = [f"{(int(asked['code']) + n) % 10000:04}" for n in range(1, 41)]
    answers = at_once([partial(status, api.exchange, guess) for guess in guesses])
    assert set(answers) == {400}
    assert len(compared) == 3
    assert world.challenge().attempts == 3
    assert api.exchange(asked["code"]).status_code == 400


def test_twenty_first_sign_ins_of_one_phone_make_one_account(
    app: Flask, world: World, clock: Any, change_settings: Callable[..., None]
) -> None:
    change_settings(limit_phone_sends=(Rate(100, 3600),))
    browsers = [Browser(app) for _ in range(20)]
    codes = [browser.ask() for browser in browsers]
    pairs = zip(browsers, codes, strict=True)
    answers = at_once([partial(browser.post, "/sign-in/code", {"code": code}) for browser, code in pairs])
    assert [answer.location for answer in answers] == ["/profile"] * 20
    assert len(world.rows(select(User.id))) == 1
    assert len(world.rows(select(SessionRow.id))) == 20


def test_twenty_browsers_that_ask_for_one_phone_stay_within_its_sends(
    app: Flask, world: World, clock: Any, sms_folder: Path
) -> None:
    browsers = [Browser(app) for _ in range(20)]
    answers = at_once([partial(status, browser.post, "/sign-in", {"phone": PHONE}) for browser in browsers])
    assert Counter(answers) == {303: 3, 429: 17}
    with app.app_context():
        assert outbox.run_once() == 3
    codes = [file.read_text().split("#")[-1].strip() for file in sorted(sms_folder.iterdir())]
    asked = [browser for browser, status in zip(browsers, answers, strict=True) if status == 303]
    locations = [browser.post("/sign-in/code", {"code": codes[-1]}).location for browser in asked]
    assert locations.count("/profile") == codes.count(codes[-1])


def test_twenty_requests_of_the_api_for_one_phone_send_one_code(api: Api, world: World) -> None:
    answers = at_once([partial(status, api.ask)] * 20)
    assert Counter(answers) == {202: 1, 429: 19}
    assert len(world.rows(select(Message.id))) == 1
    assert [row.n for row in world.rows(select(CounterRow.n).where(CounterRow.key.like("phone-sends:%")))] == [1, 1, 1]


@pytest.mark.parametrize("rule", limits.RULES)
def test_of_forty_at_once_every_counter_lets_its_limit_through(
    app: Flask, world: World, clock: Any, change_settings: Callable[..., None], rule: str
) -> None:
    seven: dict[str, Any] = {
        "limit_sms": {"sms_per_hour": 7},
        "limit_sms_money": {"sms_budget_per_day": Decimal("0.07")},
    }
    setting = limits.RULES[rule].setting
    change_settings(**seven.get(setting, {setting: (Rate(7, 60),)}))

    def take() -> bool:
        try:
            with app.app_context(), limits.guarded() as db:
                limits.take(db, rule, "somebody", clock_module.now())
        except limits.Spent:
            return False
        return True

    assert sum(at_once([take for _ in range(40)])) == 7
    fired = select(CounterRow.n).where(CounterRow.key == f"fired:{rule}")
    assert [row.n for row in world.rows(fired)] == [33]


@pytest.mark.usefixtures("same_codes")
def test_sixty_attackers_at_once_get_nine_guesses_at_one_phone(
    app: Flask, world: World, api: Api, change_settings: Callable[..., None]
) -> None:
    change_settings(limit_phone_sends=(Rate(1000, 3600),), limit_block_sends=(Rate(1000, 3600),))

    def by_api(number: int) -> None:
        mine = api.at(f"203.0.113.{number}")
        asked = mine.ask()
        code = asked.json.get("code", "0000")
        for _ in range(3):
            mine.exchange(wrong(code))

    def by_browser(number: int) -> None:
        browser = Browser(app, f"198.51.100.{number}")
        code = browser.ask()
        for _ in range(3):
            browser.post("/sign-in/code", {"code": wrong(code)})

    at_once([partial((by_api, by_browser)[number % 2], number) for number in range(60)])
    guesses = dict(
        map(tuple, world.rows(select(Challenge.code_length, func.sum(Challenge.attempts)).group_by("code_length")))
    )
    assert guesses[4] == 9
    assert guesses[8] > 9
    assert world.rows(select(Challenge.id).where(Challenge.used_at.is_not(None))) == []


def test_guesses_at_forty_phones_at_once_stop_where_the_site_closes(app: Flask, world: World, api: Api) -> None:
    world.count("site-guesses", 75)
    asked = [api.at(f"203.0.113.{n}").ask(f"+7999{n:03}0000").json for n in range(40)]
    assert {one["code_length"] for one in asked} == {4}
    guesses = [
        partial(api.at(f"198.51.100.{n}").exchange, wrong(one["code"]), one["phone"], challenge_id=one["challenge_id"])
        for n, one in enumerate(asked)
    ]
    answers = at_once(guesses)
    assert {answer.status_code for answer in answers} == {400}
    # With 80 wrong ones it is still open: the 81st closes it.
    assert Counter(answer.json["tries_left"] for answer in answers) == {2: 6, 0: 34}
    assert world.counted("site-guesses") == 81
    assert world.rows(select(func.sum(Challenge.attempts)))[0][0] == 6


def test_a_code_posted_twice_at_once_ends_in_one_session(app: Flask, world: World, clock: Any) -> None:
    browser = Browser(app)
    code = browser.ask()
    cookie = browser.client.get_cookie("session")
    assert cookie is not None

    def post() -> Any:
        same = Browser(app)
        same.client.set_cookie("session", cookie.value)
        return same, same.post("/sign-in/code", {"code": code}).location

    ends = at_once([post, post])
    assert [location for _, location in ends] == ["/profile", "/profile"]
    assert len(world.rows(select(SessionRow.id))) == 1
    assert sorted(b.get("/profile").status_code for b, _ in ends) == [200, 303]


def test_of_eight_senders_one_takes_each_message(
    app: Flask, world: World, clock: Any, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        api.ask(f"+7999000000{number}")
    sent: list[str] = []
    send = ConsoleGateway.send

    def note(gateway: ConsoleGateway, key: str, phone: str, text: str) -> Receipt:
        sent.append(key)
        return send(gateway, key, phone, text)

    monkeypatch.setattr(ConsoleGateway, "send", note)

    def run() -> int:
        with app.app_context():
            return outbox.run_once()

    assert sum(at_once([run for _ in range(8)])) == 5
    assert len(sent) == len(set(sent)) == 5
    assert world.rows(select(func.count()).where(Message.state == "delivered"))[0][0] == 5
    assert world.rows(select(func.count()).select_from(Challenge))[0][0] == 5


def test_of_twenty_first_users_at_once_one_is_admin(
    api: Api, world: World, change_settings: Callable[..., None]
) -> None:
    change_settings(first_user_is_admin=True, limit_block_sends=(Rate(1000, 3600),))
    codes = {phone: api.ask(phone).json["code"] for phone in (f"+7999000{number:04}" for number in range(20))}
    answers = at_once([partial(status, api.exchange, code, phone) for phone, code in codes.items()])
    assert answers == [201] * 20
    assert sorted(row.role for row in world.rows(select(User.role))) == ["admin", *["user"] * 19]


def test_of_forty_wrong_passwords_at_once_five_are_compared(app: Flask, api: Api, world: World) -> None:
    with app.app_context():
        admins.create_admin(PHONE, "a password for tests")
    mine = api.sign_in()
    answers = at_once([partial(mine.post, "/auth/second-factor", {"password": "something else"})] * 40)
    assert Counter(answer.json["slug"] for answer in answers) == {"wrong_password": 5, "too_many_passwords": 35}


def test_of_two_first_passwords_at_once_one_is_set(api: Api, change_settings: Callable[..., None]) -> None:
    change_settings(first_user_is_admin=True)
    mine = api.sign_in()
    passwords = ["the first password", "the second password"]
    answers = at_once([partial(status, mine.post, "/auth/second-factor", {"password": one}) for one in passwords])
    assert sorted(answers) == [204, 400]
    right = passwords[answers.index(204)]
    assert mine.post("/auth/second-factor", {"password": right}).status_code == 204


def test_forty_wrong_invite_codes_at_once_stop_at_ten(api: Api, world: World) -> None:
    mine = api(world.user())
    answers = at_once([partial(status, mine.post, INVITER, {"invite_code": "ZZZZZZ"})] * 40)
    assert Counter(answers) == {404: 10, 429: 30}


def test_two_tabs_that_refresh_at_once_leave_one_new_token(api: Api, world: World) -> None:
    for _round in range(5):
        tokens = world.tokens(world.user())
        mine = api.bearer(tokens["refresh_token"])
        answers = at_once([partial(mine.post, "/auth/refresh")] * 2)
        assert sorted(answer.status_code for answer in answers) == [200, 401]
        (new,) = [answer.json for answer in answers if answer.status_code == 200]
        assert api.bearer(new["access_token"]).get("/profiles/me").status_code == 200
        assert api.bearer(new["refresh_token"]).post("/auth/refresh").status_code == 200


def test_of_two_who_confirm_one_number_at_once_one_has_it(api: Api, world: World) -> None:
    number = "+79990000077"
    users = [api(world.user()) for _ in range(3)]
    asked = [one.post("/profiles/me/phone", {"phone": number}).json for one in users]

    def confirm(one: Api, code: str) -> int:
        return int(one.post("/profiles/me/phone/confirm", {"phone": number, "code": code}).status_code)

    statuses = at_once([partial(confirm, one, told["code"]) for one, told in zip(users, asked, strict=True)])
    assert sorted(statuses) == [200, 409, 409]
    assert [one.get("/profiles/me").json["phone"] for one in users].count(number) == 1


def test_a_number_that_is_confirmed_and_signed_up_with_at_once_has_one_account(api: Api, world: World) -> None:
    number = "+79990000077"
    me = api(world.user())
    change, sign_up = me.post("/profiles/me/phone", {"phone": number}).json, api.ask(number).json
    confirmed, signed_in = at_once(
        [
            lambda: me.post("/profiles/me/phone/confirm", {"phone": number, "code": change["code"]}),
            lambda: api.exchange(sign_up["code"], number),
        ]
    )
    assert (confirmed.status_code, signed_in.status_code) in {(200, 200), (409, 201)}
    assert len(world.rows(select(User.id).where(User.phone == number))) == 1


def test_edits_at_once_leave_a_key_that_follows_all_of_them(api: Api, world: World) -> None:
    user = world.user()
    bodies = [{"first_name": f"Имя{n}"} if n % 2 else {"last_name": f"Род{n}"} for n in range(8)]
    me = api(user)
    statuses = at_once([partial(me.open, "PATCH", "/profiles/me", json=body) for body in bodies])
    assert [one.status_code for one in statuses] == [200] * 8
    (row,) = world.rows(select(User.first_name, User.last_name, User.search_key).where(User.id == user.id))
    assert row.first_name.casefold() in row.search_key
    assert row.last_name.casefold() in row.search_key


def test_activations_and_a_deletion_at_once_leave_a_true_count(api: Api, world: World) -> None:
    inviter = world.user()
    leaving = [world.user(inviter=inviter) for _ in range(3)]
    coming = [world.user() for _ in range(5)]
    calls = [partial(api(one).open, "DELETE", "/profiles/me") for one in leaving]
    calls += [partial(api(one).post, INVITER, {"invite_code": inviter.invite_code}) for one in coming]
    assert sorted(answer.status_code for answer in at_once(calls)) == [200] * 5 + [204] * 3
    assert api(inviter).get("/profiles/me").json["invitees_count"] == 5


def test_of_many_deletions_of_one_user_one_counts(api: Api, world: World) -> None:
    inviter = world.user()
    user = world.user(inviter=inviter)
    world.user(inviter=inviter)
    me = api(user)
    statuses = Counter(one.status_code for one in at_once([partial(me.open, "DELETE", "/profiles/me")] * 6))
    assert statuses[204] >= 1
    assert statuses.keys() <= {204, 401}
    assert api(inviter).get("/profiles/me").json["invitees_count"] == 1


@pytest.mark.parametrize("number", range(3))
def test_a_deletion_and_a_sign_in_at_once_both_end(api: Api, world: World, number: int) -> None:
    user = world.user(PHONE)
    me, asked = api(user), api.ask(PHONE).json
    api.exchange(wrong(asked["code"]), PHONE)
    left, entered = at_once([partial(me.open, "DELETE", "/profiles/me"), lambda: api.exchange(asked["code"], PHONE)])
    assert left.status_code == 204
    assert entered.status_code in {200, 400}
    assert world.rows(select(SessionRow.id)) == []
    if entered.status_code == 200:
        assert api.bearer(entered.json["access_token"]).get("/profiles/me").status_code == 401


@pytest.mark.parametrize("rival", ["delete", "sign in", "activate"])
def test_a_change_of_phone_beside_all_else_ends(api: Api, world: World, rival: str) -> None:
    user, other = world.user(PHONE), world.user()
    me, friend, number = api(user), api(other), "+79990000077"
    change, sign_in = me.post("/profiles/me/phone", {"phone": number}).json, api.ask(PHONE).json
    rivals: dict[str, Callable[[], Any]] = {
        "delete": partial(me.open, "DELETE", "/profiles/me"),
        "sign in": lambda: api.exchange(sign_in["code"], PHONE),
        "activate": lambda: friend.post(INVITER, {"invite_code": user.invite_code}),
    }
    confirm = partial(me.post, "/profiles/me/phone/confirm", {"phone": number, "code": change["code"]})
    changed, done = at_once([confirm, rivals[rival]])
    assert changed.status_code in ({200, 400, 401, 404} if rival == "delete" else {200})
    assert done.status_code in {"delete": {204}, "sign in": {200, 201}, "activate": {200}}[rival]


def in_between(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, other: Callable[[], Any], *, after: int = 1
) -> Callable[[], Any]:
    """Let something else begin after so many calls of a function; what is returned waits for its result.

    Where it has to wait for a lock, it goes on after the commit.
    """
    original, calls, pool = getattr(owner, name), count(1), ThreadPoolExecutor(1)
    begun: list[Future[Any]] = []

    def call(*args: Any, **facts: Any) -> Any:
        result = original(*args, **facts)
        if next(calls) == after:
            begun.append(pool.submit(other))
            wait(begun, timeout=0.5)
        return result

    def result() -> Any:
        pool.shutdown(wait=False)
        return begun[0].result(timeout=60)

    monkeypatch.setattr(owner, name, call)
    return result


@pytest.mark.parametrize("first", ["sign in", "change"])
def test_whoever_signs_in_with_the_old_number_while_it_is_changed_does_not_stay(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    # Guesses at long codes go by no row that would put the two in a line.
    monkeypatch.setattr(guesses, "next_length", lambda *_args, **_facts: guesses.Length(8, None))
    user = world.user(PHONE)
    me, number = api(user), "+79990000077"
    stranger = api.at("203.0.113.9")
    change, sign_in = me.post("/profiles/me/phone", {"phone": number}).json, stranger.ask(PHONE).json
    confirm = partial(me.post, "/profiles/me/phone/confirm", {"phone": number, "code": change["code"]})
    enter = partial(stranger.exchange, sign_in["code"], PHONE)
    if first == "sign in":
        other = in_between(monkeypatch, accounts, "find_or_make_user", confirm)
        entered, changed = enter(), other()
    else:
        other = in_between(monkeypatch, sessions, "close_others", enter)
        changed, entered = confirm(), other()
    assert changed.status_code == 200
    seen = api.bearer(entered.json["access_token"]).get("/profiles/me")
    assert seen.status_code == 401 or seen.json["id"] != user.id
    assert me.get("/profiles/me").json["phone"] == number


@pytest.mark.parametrize("job", ["statuses", "outbox"])
def test_a_deletion_beside_the_jobs_of_sms_ends(
    api: Api, app: Flask, world: World, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    user = world.user(PHONE)
    me, now = api(user), clock_module.now()
    row = {"kind": "notice", "phone": PHONE, "language": "en", "text": "…", "user_id": user.id, "created_at": now}
    row |= {"state": "sent", "provider": "console", "sent_at": now} if job == "statuses" else {"state": "queued"}
    with app.app_context(), transaction() as db:
        # The one that is due first has the higher id.
        for seconds in (1, 2):
            before = now - timedelta(seconds=seconds)
            db.execute(insert(Message).values(**row, due_at=before, check_at=before if job == "statuses" else None))
    with app.app_context():
        settle: Callable[[], None]
        if job == "statuses":
            sent = statuses._take_due(now)
            order, settle = [one.id for one in sent], partial(statuses._settle, [], sent)
        else:
            held = batches.take_due(now)
            order, settle = [one.id for one in held], partial(batches.give_back, held)
        assert order == sorted(order, reverse=True)
        left = in_between(
            monkeypatch,
            DbSession,
            "execute",
            partial(me.open, "DELETE", "/profiles/me"),
            after=1 if job == "statuses" else 2,  # the first message is locked
        )
        settle()
    assert left().status_code == 204


def test_a_picture_replaced_and_removed_at_once_is_there_or_not(
    api: Api, app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(avatars, "PATIENCE", 60)
    user = world.user()

    def replace(_number: int) -> None:
        with app.app_context():
            avatars.replace(user.id, plain())

    def remove(_number: int) -> None:
        with app.app_context():
            avatars.remove(user.id)

    at_once([partial(one, n) for n in range(2) for one in (replace, remove)])
    told = api(user).get("/profiles/me").json["avatar_url"]
    assert (told is not None) == bool(world.rows(select(Avatar.user_id)))


def test_whoever_activates_the_code_of_one_who_leaves_has_an_inviter_or_hears_that_it_is_unknown(
    api: Api, world: World
) -> None:
    user, other = world.user(), world.user()
    left, activated = at_once(
        [
            partial(api(user).open, "DELETE", "/profiles/me"),
            partial(api(other).post, INVITER, {"invite_code": user.invite_code}),
        ]
    )
    assert (left.status_code, activated.status_code) in {(204, 200), (204, 404)}
    (row,) = world.rows(select(User.inviter_id).where(User.id == other.id))
    assert (row.inviter_id is not None) == (activated.status_code == 200)
