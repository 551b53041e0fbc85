import base64
import json
from pathlib import Path

import pytest
from flask import Flask

from referral_app.models import Attempt, Avatar, Challenge, Message, Session, User
from referral_app.profile.schemas import (
    ExportedAvatarSchema,
    ExportedConfirmationSchema,
    ExportedHandoverSchema,
    ExportedMessageSchema,
    ExportedSessionSchema,
    ExportSchema,
    ProfileSchema,
)
from tests.api.test_avatar import send
from tests.api.test_erasure import WHOLE, send_all
from tests.api.test_phone_change import NEW, ask, confirm
from tests.api.test_profile import statements
from tests.conftest import Clock
from tests.factories import PHONE, Api, Person, World
from tests.pictures import opened, plain


@pytest.mark.both_databases
def test_the_export_has_all_that_is_stored(api: Api, app: Flask, world: World, clock: Clock, sms_folder: Path) -> None:
    inviter = world.user()
    me = api.sign_in()
    me.open("PATCH", "/profiles/me", json=WHOLE)
    me.post("/profiles/me/inviter", {"invite_code": inviter.invite_code})
    assert send(me, plain()).status_code == 200
    mine = me.get("/profiles/me").json
    world.user(inviter=Person(mine["id"], PHONE, mine["invite_code"]))
    send_all(app)
    clock.move(minutes=1)
    api.at("203.0.113.9").ask(PHONE)

    stored = me.get("/profiles/me/export").json
    assert stored.keys() == {
        "profile",
        "invited_at",
        "role",
        "language",
        "has_password",
        "avatar",
        "sessions",
        "messages",
        "confirmations",
    }
    assert stored["profile"] == me.get("/profiles/me").json
    assert stored["profile"]["inviter"]["phone"] == inviter.phone
    assert len(stored["profile"]["invitees"]) == 1
    assert (stored["role"], stored["language"]) == ("user", "en")
    assert opened(base64.b64decode(stored["avatar"]["data"])).size == (256, 256)
    (session,) = stored["sessions"]
    assert session.keys() == {
        "kind", "user_agent", "address", "created_at", "last_seen_at", "refreshed_at", "expires_at", "ended_at",
        "second_factor_at",
    }  # fmt: skip
    assert (session["kind"], session["address"]) == ("api", "127.0.0.1")
    assert [(one["kind"], one["phone"], one["state"]) for one in stored["messages"]] == [
        ("code", PHONE, "queued"),
        ("code", PHONE, "delivered"),
    ]
    assert [[one["outcome"] for one in message["attempts"]] for message in stored["messages"]] == [[], ["taken"]]
    # A stranger's address is no data of mine.
    facts = [(one["purpose"], one["phone"], one["address"], one["known"]) for one in stored["confirmations"]]
    assert facts == [("sign_in", PHONE, None, None), ("sign_in", PHONE, "127.0.0.1", False)]
    assert "203.0.113.9" not in json.dumps(stored)


def test_the_export_has_what_was_before_a_change_of_the_phone(api: Api, world: World, app: Flask) -> None:
    me = api.sign_in()
    confirm(me, ask(me).json["code"])
    stored = me.get("/profiles/me/export").json
    assert sorted((one["kind"], one["phone"]) for one in stored["messages"]) == [
        ("code", NEW),
        ("code", PHONE),
        ("notice", PHONE),
    ]
    assert sorted(one["purpose"] for one in stored["confirmations"]) == ["phone_change", "sign_in"]


@pytest.mark.both_databases
def test_the_next_owner_of_a_number_sees_nothing_of_the_one_before(api: Api, world: World) -> None:
    first = api.sign_in(PHONE)
    confirm(first, ask(first).json["code"])
    second = api.sign_in(PHONE)
    stored = second.get("/profiles/me/export").json
    assert [(one["kind"], one["text"]) for one in stored["messages"]] == [("code", None)]
    (notice,) = [one for one in first.get("/profiles/me/export").json["messages"] if one["kind"] == "notice"]
    assert "your number is now" in notice["text"]


@pytest.mark.parametrize("number", [10, 300])
def test_the_export_has_all_invitees_in_a_fixed_number_of_statements(
    api: Api, app: Flask, world: World, number: int
) -> None:
    user = world.user()
    world.invitees(user, number)
    me = api(user)
    with statements(app) as seen:
        stored = me.get("/profiles/me/export").json
    assert len(stored["profile"]["invitees"]) == number
    assert len([one for one in seen if one.startswith("SELECT")]) == 9


def test_no_column_of_what_is_stored_is_forgotten() -> None:
    """A new column has to be exported, or named here with those that say nothing about the user."""
    own = {
        Session: {"id", "user_id", "token_hash", "refresh_no"},
        Message: {"id", "challenge_id", "priority", "due_at", "taken_until", "attempts", "provider_ref", "user_id"}
        | {"checks", "check_at"},
        Challenge: {"id", "phone_key", "user_id", "draw_id", "redeemed_at"},
        Attempt: {"id", "message_id"},
        Avatar: {"user_id", "image", "version"},
        User: {"inviter_id", "password_hash", "search_key", "blocked_at", "deleted_at"},
    }
    exported = {
        Session: ExportedSessionSchema,
        Message: ExportedMessageSchema,
        Challenge: ExportedConfirmationSchema,
        Attempt: ExportedHandoverSchema,
        Avatar: ExportedAvatarSchema,
        User: ExportSchema,
    }
    for model, schema in exported.items():
        told = {one.attribute or name for name, one in schema().fields.items()}
        if model is User:
            told |= set(ProfileSchema().fields) | {"invited_at"}
        assert set(model.__table__.columns.keys()) - told == own[model], model


def test_nothing_of_others_is_in_an_export(api: Api, world: World) -> None:
    other = api.sign_in(NEW)
    other.open("PATCH", "/profiles/me", json=WHOLE)
    assert NEW not in api(world.user()).get("/profiles/me/export").text
    assert api.get("/profiles/me/export").status_code == 401
