from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from referral_app import clock as clock_module
from referral_app import create_app, schema
from referral_app.config import Settings
from referral_app.db import db
from referral_app.errors import Refused
from referral_app.models import Avatar, Challenge, Guess, Message, Session, User
from referral_app.openapi import StrictParser
from referral_app.services import avatars, batches, erasure, guesses, invites, nightly, outbox, phones, sessions, users
from tests.api.test_avatar import send, shown
from tests.api.test_phone_change import NEW, ask, confirm
from tests.conftest import Clock
from tests.factories import PHONE, Api, Browser, World, wrong
from tests.pictures import plain

WHOLE: dict[str, Any] = {"email": "anna@example.org", "first_name": "Анна", "last_name": "Образцова"}


def send_all(app: Flask) -> None:
    with app.app_context():
        outbox.run_once()


def delete(api: Api, path: str = "/profiles/me") -> Any:
    return api.open("DELETE", path)


def run_jobs(app: Flask) -> None:
    with app.app_context():
        erasure.forget_leftovers()
        nightly.drop_old_rows()


@pytest.mark.both_databases
def test_a_deleted_user_is_gone_at_the_next_request(api: Api, app: Flask, world: World, sms_folder: Path) -> None:
    asked = api.ask().json
    tokens = api.exchange(asked["code"]).json
    me = api.bearer(tokens["access_token"])
    profile = me.get("/profiles/me").json
    me.open("PATCH", "/profiles/me", json=WHOLE)
    send(me, plain())
    api.exchange(wrong(api.ask(PHONE).json["code"]))
    send_all(app)
    assert list(sms_folder.iterdir())

    assert delete(me).status_code == 204
    assert me.get("/profiles/me").status_code == 401
    assert me.get("/profiles/me/export").status_code == 401
    assert api.bearer(tokens["refresh_token"]).post("/auth/refresh").status_code == 401
    assert delete(me).status_code == 401
    (row,) = world.rows(select(User).where(User.id == profile["id"]))
    user = row[0]
    for name in ("phone", "email", "first_name", "last_name", "password_hash", "language"):
        assert getattr(user, name) is None, name
    assert (user.search_key, user.deleted_at is not None) == ("", True)
    for model in (Avatar, Session, Guess):
        assert world.rows(select(func.count()).select_from(model)) == [(0,)]
    for challenge in world.rows(select(Challenge.phone, Challenge.address, Challenge.user_id)):
        assert tuple(challenge) == (None, None, None)
    for message in world.rows(select(Message.phone, Message.text, Message.provider_ref)):
        assert tuple(message) == (None, None, None)
    assert list(sms_folder.iterdir()) == []


@pytest.mark.both_databases
def test_the_forest_stands_and_the_counts_go_down(api: Api, world: World) -> None:
    top = world.user()
    middle = world.user(inviter=top)
    others = [world.user(inviter=top), world.user(inviter=middle)]
    assert delete(api(middle)).status_code == 204
    above = api(top).get("/profiles/me").json
    assert above["invitees_count"] == 1
    assert [one["phone"] for one in above["invitees"]] == [others[0].phone]
    below = api(others[1])
    assert below.get("/profiles/me").json["inviter"] == {"phone": None, "invite_code": None}
    answer = below.post("/profiles/me/inviter", {"invite_code": top.invite_code})
    assert (answer.status_code, answer.json["slug"]) == (409, "inviter_already_set")
    # The circle through the deleted user is one still.
    answer = api(top).post("/profiles/me/inviter", {"invite_code": others[1].invite_code})
    assert (answer.status_code, answer.json["slug"]) == (409, "invite_cycle")


def test_the_old_code_is_unknown(api: Api, browser: Browser, world: World) -> None:
    gone = world.user(first_name="Анна")
    delete(api(gone))
    answer = api(world.user()).post("/profiles/me/inviter", {"invite_code": gone.invite_code})
    assert (answer.status_code, answer.json["slug"]) == (404, "unknown_invite_code")
    page = browser.get(f"/r/{gone.invite_code}")
    assert page.status_code == 404
    assert "Анна" not in page.text


@pytest.mark.both_databases
def test_the_phone_signs_up_afresh(api: Api, world: World) -> None:
    me = api.sign_in()
    before = me.get("/profiles/me").json
    delete(me)
    asked = api.ask().json
    answer = api.exchange(asked["code"])
    assert (answer.status_code, answer.json["created"]) == (201, True)
    after = api.bearer(answer.json["access_token"]).get("/profiles/me").json
    assert after["id"] != before["id"]
    assert after["invite_code"] != before["invite_code"]
    assert after["inviter"] is None


def test_a_running_code_of_the_phone_ends_with_the_account_and_makes_room_for_another(api: Api, world: World) -> None:
    me = api.sign_in()
    running = api.ask().json
    delete(me)
    assert api.exchange(running["code"], challenge_id=running["challenge_id"]).status_code == 400
    again = api.ask()
    assert again.status_code == 202
    assert api.exchange(again.json["code"]).status_code == 201


def test_what_is_queued_for_a_deleted_user_is_not_sent(api: Api, app: Flask, world: World, sms_folder: Path) -> None:
    user = world.user(PHONE)
    me = api(user)
    api.ask(PHONE)
    delete(me)
    assert world.rows(select(Message.state)) == [("expired",)]
    send_all(app)
    assert not list(sms_folder.glob("*"))
    assert world.rows(select(Message.state)) == [("expired",)]


@pytest.mark.both_databases
def test_whoever_is_sending_to_a_deleted_user_leaves_nothing(
    api: Api, app: Flask, world: World, sms_folder: Path
) -> None:
    me = api(world.user(PHONE))
    api.ask(PHONE)
    with app.app_context():
        (held,) = batches.take_due(clock_module.now())
    delete(me)
    with app.app_context():
        result = outbox.send(held)
        assert result is not None
        assert list(sms_folder.iterdir())
        outbox.settle([result])
    assert list(sms_folder.iterdir()) == []
    assert world.rows(select(Message.state, Message.phone, Message.provider_ref)) == [("expired", None, None)]


@pytest.mark.both_databases
def test_what_comes_after_the_deletion_finds_nobody(api: Api, app: Flask, world: World) -> None:
    gone, inviter = world.user(), world.user()
    mine = api(gone)
    with app.app_context():
        (session,) = sessions.list_running(gone.id, limit=1)
        reader = sessions.find_api_reader(session.id, clock_module.now())
        assert reader is not None
    delete(mine)
    calls: list[Callable[[], Any]] = [
        lambda: users.edit(gone.id, first_name="Анна"),
        lambda: avatars.replace(gone.id, plain()),
        lambda: avatars.remove(gone.id),
        lambda: invites.activate(gone.id, inviter.invite_code),
        lambda: phones.ask(reader, NEW, bound="api", challenge_id=None, address="127.0.0.1", language="en"),
    ]
    for call in calls:
        with app.app_context(), pytest.raises(Refused):
            call()
    with app.app_context():
        erasure.erase(gone.id)
    assert world.rows(select(User.first_name, User.inviter_id).where(User.id == gone.id)) == [(None, None)]
    assert world.rows(select(User.invitees_count).where(User.id == inviter.id)) == [(0,)]
    assert world.rows(select(Avatar.version)) == []
    with app.app_context():
        users.set_language(gone.id, "ru")
    assert world.rows(select(User.language).where(User.id == gone.id)) == [(None,)]
    assert world.rows(select(Challenge.phone)) == []


def test_a_picture_goes_with_its_user(api: Api, browser: Browser, world: World) -> None:
    me = api(world.user())
    url = send(me, plain()).json["avatar_url"]
    delete(me)
    assert shown(browser, url).status_code == 404


def test_the_ration_of_guesses_outlives_the_account(api: Api, app: Flask, world: World) -> None:
    me = api(world.user(PHONE))
    asked = api.ask().json
    for _ in range(3):
        api.exchange(wrong(asked["code"]), challenge_id=asked["challenge_id"])
    delete(me)
    with app.app_context():
        assert guesses.of_phone(PHONE) == 3


@pytest.mark.both_databases
def test_the_numbers_before_go_as_well_but_not_their_new_owners(api: Api, world: World, app: Flask) -> None:
    me = api.sign_in(PHONE)
    api.ask(PHONE)  # a stranger, or nobody: never solved
    confirm(me, ask(me, NEW).json["code"], NEW)
    third = "+79990000079"
    confirm(me, ask(me, third).json["code"], third)
    owner = api.sign_in(NEW)
    theirs = owner.get("/profiles/me/export").json["confirmations"]
    assert delete(me).status_code == 204
    assert owner.get("/profiles/me").json["phone"] == NEW
    assert owner.get("/profiles/me/export").json["confirmations"] == theirs
    phones = {phone for model in (User, Challenge, Message) for (phone,) in world.rows(select(model.phone))}
    assert phones == {None, NEW}
    texts = [text for (text,) in world.rows(select(Message.text)) if text]
    assert texts == []


@pytest.mark.both_databases
def test_who_wants_the_number_of_one_who_leaves_gets_it(api: Api, world: World) -> None:
    me, other = api.sign_in(PHONE), api(world.user())
    code = ask(other, PHONE).json["code"]
    delete(me)
    assert confirm(other, code, PHONE).json["phone"] == PHONE


@pytest.mark.both_databases
def test_a_notice_to_another_who_had_the_number_is_still_sent(
    api: Api, world: World, app: Flask, sms_folder: Path
) -> None:
    owner, me = api.sign_in(NEW), api.sign_in(PHONE)
    code = ask(me, NEW).json["code"]
    assert confirm(me, code, NEW).json["slug"] == "phone_taken"
    third = "+79990000079"
    confirm(owner, ask(owner, third).json["code"], third)
    assert delete(me).status_code == 204
    send_all(app)
    assert any("your number is now" in path.read_text() for path in sms_folder.iterdir())
    assert len(owner.get("/profiles/me/export").json["messages"]) == 3


@pytest.mark.both_databases
def test_the_next_owner_takes_the_number_out_of_what_is_over(api: Api, world: World, app: Flask) -> None:
    first = api.sign_in(PHONE)
    confirm(first, ask(first).json["code"])
    send_all(app)
    second = api.sign_in(PHONE)
    send_all(app)
    assert delete(second).status_code == 204
    phones = {phone for model in (User, Challenge, Message) for (phone,) in world.rows(select(model.phone))}
    assert phones == {None, NEW}
    assert sorted(one["kind"] for one in first.get("/profiles/me/export").json["messages"]) == [
        "code",
        "code",
        "notice",
    ]


def test_others_keep_all_they_have(api: Api, app: Flask, world: World, sms_folder: Path) -> None:
    other = api.sign_in(NEW)
    other.open("PATCH", "/profiles/me", json=WHOLE)
    send(other, plain())
    me = api.sign_in(PHONE)
    send_all(app)
    before = other.get("/profiles/me/export").json
    delete(me)
    assert other.get("/profiles/me/export").json == before
    assert [path.read_text().splitlines()[0] for path in sms_folder.iterdir()] == [f"To: {NEW}"]


def test_only_the_owner_deletes_by_the_id(api: Api, world: World) -> None:
    me, other, admin = world.user(), world.user(), world.user(role="admin")
    assert delete(api(me), f"/profiles/{other.id}").json["slug"] == "admin_required"
    assert delete(api(admin), f"/profiles/{other.id}").json["slug"] == "owner_required"
    assert delete(api, f"/profiles/{me.id}").status_code == 401
    assert delete(api(me), f"/profiles/{me.id}").status_code == 204
    assert api(other).get("/profiles/me").status_code == 200


def test_no_byte_of_the_phone_stays_in_the_files(api: Api, app: Flask, world: World, sms_folder: Path) -> None:
    me = api.sign_in(PHONE)
    me.open("PATCH", "/profiles/me", json=WHOLE | {"last_name": "Стеклянникова"})
    inviter = world.user()
    me.post("/profiles/me/inviter", {"invite_code": inviter.invite_code})
    send_all(app)
    chosen = app.extensions["settings"]
    folders = [chosen.instance_path, Path(chosen.database_url.removeprefix("sqlite:///")).parent]

    def found(text: str) -> list[str]:
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return [path.name for path in files if text.encode() in path.read_bytes()]

    assert found(PHONE)
    assert found("Стеклянникова")
    assert delete(me).status_code == 204
    for text in (PHONE, PHONE[1:], PHONE[2:], "Стеклянникова", "стеклянникова", "anna@example.org"):
        assert found(text) == [], text


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_whoever_is_deleted_while_the_body_comes_is_signed_out(
    api: Api, app: Flask, world: World, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    user = world.user()

    def load(*_args: Any) -> dict[str, str]:
        erasure.erase(user.id)
        return {"first_name": "Анна"}

    monkeypatch.setattr(StrictParser, "load_json", load)
    answer = api(user).open(method, "/profiles/me", json={})
    assert (answer.status_code, answer.json["slug"]) == (401, "unauthorized")
    assert world.rows(select(User.first_name).where(User.id == user.id)) == [(None,)]


def test_what_others_had_under_way_for_the_phone_goes_a_day_later(
    api: Api, app: Flask, world: World, clock: Clock, sms_folder: Path
) -> None:
    me, other = api.sign_in(PHONE), api(world.user(NEW))
    third = api.sign_in("+79161234567")
    send_all(app)
    ask(other, PHONE)
    delete(me)
    send_all(app)
    ask(third, "+79161112233")  # somebody's, who has no account and was not deleted
    send_all(app)

    def phones() -> set[str | None]:
        run_jobs(app)
        return {phone for model in (User, Challenge, Message) for (phone,) in world.rows(select(model.phone))}

    kept = {NEW, "+79161234567", "+79161112233", None}
    assert phones() == kept | {PHONE}
    clock.move(days=1, seconds=1)
    api.ask(PHONE)  # afresh, so that it can still be asked what became of the SMS
    send_all(app)
    assert phones() == kept | {PHONE}
    assert world.rows(select(func.count(Challenge.id)).where(Challenge.phone == PHONE)) == [(1,)]
    assert world.rows(select(Message.state).where(Message.phone == PHONE)) == [("delivered",)]
    clock.move(hours=23)
    assert phones() == kept | {PHONE}
    clock.move(hours=2)
    assert phones() == kept
    assert not [path for path in sms_folder.iterdir() if PHONE in path.read_text()]
    folder = Path(app.extensions["settings"].database_url.removeprefix("sqlite:///"))
    assert PHONE.encode() not in b"".join(path.read_bytes() for path in folder.parent.glob("app.db*"))


def test_of_a_phone_that_has_an_account_again_nothing_goes(api: Api, app: Flask, world: World, clock: Clock) -> None:
    delete(api.sign_in(PHONE))
    api.sign_in(PHONE)
    clock.move(days=2)
    run_jobs(app)
    assert world.rows(select(Challenge.phone).where(Challenge.phone.is_not(None))) == [(PHONE,)]


@pytest.mark.parametrize("step", [3, 5])
def test_copies_that_moved_rows_leave_behind_go_as_well(
    make_settings: Callable[..., Settings], clock: Clock, step: int
) -> None:
    """SQLite does not overwrite them: where some rows grow, others move to other pages."""
    chosen = make_settings()
    app = create_app(chosen)
    world = World(app)
    with app.app_context():
        schema.prepare(chosen.instance_path)
        people = [world.user() for _ in range(120)]
        for one in people[::step]:
            users.edit(one.id, last_name="Я" * 100, first_name="Ю" * 100)
        gone = [one for number, one in enumerate(people) if number % step]
        for one in gone:
            erasure.erase(one.id)
        stored = b"".join(path.read_bytes() for path in chosen.instance_path.glob("app.db*"))
        db.engine.dispose()
    assert [one.phone for one in gone if one.phone.encode() in stored] == []


def marks(app: Flask) -> int:
    with app.app_context():
        return int(db.session.connection().exec_driver_sql("PRAGMA user_version").scalar_one())


@pytest.fixture
def _dying(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process die between the commit and the work on the file."""
    monkeypatch.setattr(erasure, "forget_deleted", lambda: None)


@pytest.mark.usefixtures("_dying")
def test_a_file_that_could_not_be_written_anew_is_so_within_the_hour(api: Api, app: Flask) -> None:
    delete(api.sign_in(PHONE))
    assert marks(app) == 1
    run_jobs(app)
    assert marks(app) == 0


@pytest.mark.usefixtures("_dying")
def test_the_file_is_written_anew_for_what_others_had_under_way_as_well(
    api: Api, app: Flask, world: World, clock: Clock
) -> None:
    me = api.sign_in(PHONE)
    ask(api(world.user(NEW)), PHONE)
    delete(me)
    run_jobs(app)
    assert marks(app) == 0
    clock.move(days=1, seconds=1)
    with app.app_context():
        erasure.forget_leftovers()
    assert marks(app) == 1
    run_jobs(app)
    assert marks(app) == 0


def test_a_request_whose_body_is_still_to_come_keeps_nobody_from_cutting_the_log(
    api: Api, browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading: list[bool] = []

    def load(*_args: Any) -> Any:
        reading.append(db.session().in_transaction())
        raise Refused("validation_failed")

    monkeypatch.setattr(StrictParser, "load_json", load)
    assert api(world.user()).open("PATCH", "/profiles/me", json={}).status_code == 422
    assert reading == [False]
