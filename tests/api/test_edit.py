from typing import Any

import pytest

from tests.factories import Api, World

WHOLE: dict[str, Any] = {"email": "anna@example.org", "first_name": "Анна", "last_name": "Образцова"}
NOTHING = dict.fromkeys(WHOLE)


def told(api: Api, path: str = "/profiles/me") -> dict[str, str | None]:
    profile = api.get(path).json
    return {name: profile[name] for name in WHOLE}


def test_patch_changes_what_it_names_and_leaves_the_rest(api: Api, world: World) -> None:
    me = api(world.user())
    answer = me.open("PATCH", "/profiles/me", json=WHOLE)
    assert (answer.status_code, answer.json) == (200, me.get("/profiles/me").json)
    assert me.open("PATCH", "/profiles/me", json={"first_name": "Аня"}).status_code == 200
    assert told(me) == WHOLE | {"first_name": "Аня"}
    assert me.open("PATCH", "/profiles/me", json={}).status_code == 200
    assert told(me) == WHOLE | {"first_name": "Аня"}


def test_put_makes_null_of_what_is_missing(api: Api, world: World) -> None:
    me = api(world.user(**WHOLE))
    assert me.open("PUT", "/profiles/me", json={"last_name": "Ё"}).status_code == 200
    assert told(me) == NOTHING | {"last_name": "Ё"}


@pytest.mark.parametrize("empty", [None, "", "  ", "\u00a0"])
def test_null_and_empty_texts_take_a_value_away(api: Api, world: World, empty: str | None) -> None:
    me = api(world.user(**WHOLE))
    assert me.open("PATCH", "/profiles/me", json=dict.fromkeys(WHOLE, empty)).status_code == 200
    assert told(me) == NOTHING


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT"])
def test_the_own_id_is_as_good_as_me_and_others_are_refused(api: Api, world: World, method: str) -> None:
    me, other, admin = world.user(), world.user(**WHOLE), world.user(role="admin")
    body = None if method == "GET" else {"first_name": "Анна"}
    assert api(me).open(method, f"/profiles/{me.id}", json=body).json["id"] == me.id
    refused = api(me).open(method, f"/profiles/{other.id}", json=body)
    assert (refused.status_code, refused.json["slug"]) == (403, "admin_required")
    # Whether there is such a profile is not told.
    assert api(me).open(method, "/profiles/999999", json=body).json["slug"] == "admin_required"
    slug = "second_factor_required" if method == "GET" else "owner_required"
    assert api(admin).open(method, f"/profiles/{other.id}", json=body).json["slug"] == slug
    assert told(api(other)) == WHOLE


@pytest.mark.parametrize("number", ["0", "-1", "9223372036854775808", "1" + "0" * 40, "x"])
def test_an_id_that_no_profile_can_have_is_not_found(api: Api, world: World, number: str) -> None:
    assert api(world.user()).get(f"/profiles/{number}").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"first_name": "Ан\nна"}, "first_name"),
        ({"first_name": "\u202eабв"}, "first_name"),
        ({"last_name": "З\u0335\u0336\u0337"}, "last_name"),
        ({"last_name": "я" * 101}, "last_name"),
        ({"first_name": 7}, "first_name"),
        ({"first_name": ["Анна"]}, "first_name"),
        ({"first_name": "a" + "\u0315\u0327" * 4000}, "first_name"),
        ({"email": "a" + "\u0315\u0327" * 4000}, "email"),
        ({"email": "anna"}, "email"),
        ({"email": {"a": 1}}, "email"),
        ({"phone": "+79990000001"}, "phone"),
        ({"invite_code": "ZZZZZZ"}, "invite_code"),
        ({"role": "admin"}, "role"),
        ({"id": 1}, "id"),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_bad_value_is_named_and_nothing_is_changed(
    api: Api, world: World, method: str, body: dict[str, object], field: str
) -> None:
    me = api(world.user(**WHOLE))
    answer = me.open(method, "/profiles/me", json={"first_name": "Вера"} | body)
    assert (answer.status_code, answer.json["slug"], list(answer.json["errors"])) == (422, "validation_failed", [field])
    assert told(me) == WHOLE


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("О’Генри", "О’Генри"), ("Д'Артаньян", "Д'Артаньян"), ("Анна-Мария", "Анна-Мария"), ("Ё", "Ё"),
        ("Әсел Құнанбаева", "Әсел Құнанбаева"), (" Иван ", "Иван"), ("и\u0306", "й"), ("я" * 100, "я" * 100),
        ('<img hx-get="/x">', '<img hx-get="/x">'), ("{{7*7}}", "{{7*7}}"), ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    ],
)  # fmt: skip
def test_names_as_people_have_them_are_kept(api: Api, world: World, name: str, kept: str) -> None:
    me = api(world.user())
    assert me.open("PATCH", "/profiles/me", json={"last_name": name}).json["last_name"] == kept


@pytest.mark.parametrize("email", ["Ivan@Пример.рф", "İsmail@example.org", f"{'a' * 64}@example.org"])
def test_an_address_is_shown_as_typed(api: Api, world: World, email: str) -> None:
    assert api(world.user()).open("PATCH", "/profiles/me", json={"email": email}).json["email"] == email


def test_two_users_may_have_one_address(api: Api, world: World) -> None:
    for _ in range(2):
        assert api(world.user()).open("PATCH", "/profiles/me", json=WHOLE).status_code == 200


def test_the_search_finds_the_new_name_and_no_longer_the_old(api: Api, world: World) -> None:
    me, boss = world.user(first_name="Пётр"), world.user(role="admin")
    admin = api(boss)
    assert admin.post("/auth/second-factor", {"password": "a password of the tests"}).status_code == 204
    api(me).open("PATCH", "/profiles/me", json={"first_name": "Фёдор"})

    def found(text: str) -> int:
        return int(admin.get(f"/profiles?search={text}").json["count"])

    assert (found("федор"), found("петр")) == (1, 0)


def test_strangers_and_wrong_bodies_are_refused(api: Api, world: World) -> None:
    assert api.open("PATCH", "/profiles/me", json={}).status_code == 401
    me = api(world.user())
    assert me.open("PATCH", "/profiles/me", data="{", content_type="application/json").status_code == 400
    assert me.open("PATCH", "/profiles/me", data="a=b").status_code == 415
    assert me.open("PUT", "/profiles/me", json=[]).status_code == 422
    assert me.open("PUT", "/profiles/me", json={"first_name": "a" * 70_000}).status_code == 413
