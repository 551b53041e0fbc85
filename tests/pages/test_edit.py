import pytest

from tests.factories import PHONE, Browser, World, plain

FORM = {"first_name": "Анна", "last_name": "Образцова", "email": "anna@example.org"}


def test_names_and_address_are_saved_and_shown(browser: Browser) -> None:
    browser.sign_in()
    answer = browser.post("/profile", FORM)
    assert (answer.status_code, answer.location) == (303, "/profile")
    page = browser.get("/profile").text
    assert "Hello, Анна!" in page
    assert "Saved." in page
    for value in FORM.values():
        assert f'value="{value}"' in page
    browser.post("/profile", {})
    assert "Hello!" in browser.get("/profile").text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("О’Генри", "О’Генри"),
        ("Д'Артаньян", "Д'Артаньян"),
        ("Анна-Мария", "Анна-Мария"),
        ("Ё", "Ё"),
        ("Әсел Құнанбаева", "Әсел Құнанбаева"),
        (" Иван ", "Иван"),
        ("{{7*7}}", "{{7*7}}"),
        ('"><img hx-get="/x">', "&#34;&gt;&lt;img hx-get=&#34;/x&#34;&gt;"),
    ],
)
def test_a_name_is_shown_as_it_is_and_inert(browser: Browser, name: str, shown: str) -> None:
    browser.sign_in()
    browser.post("/profile", {"first_name": name})
    page = browser.get("/profile").text
    assert f"Hello, {shown}!" in page
    assert f'value="{shown}"' in page
    assert "&#39;" not in page
    assert "<img" not in page


def test_a_link_says_who_invites_by_the_first_name(browser: Browser, world: World) -> None:
    inviter = world.user(first_name="Д'Артаньян", last_name="Иванов")
    page = browser.get(f"/r/{inviter.invite_code}").text
    assert "Д'Артаньян invites you" in page
    assert "Иванов" not in page


def test_of_two_errors_the_first_on_the_page_gets_the_focus(browser: Browser) -> None:
    browser.sign_in()
    page = browser.post("/profile", FORM | {"email": "anna", "last_name": "\u202e"}).text
    assert page.count("autofocus") == 1
    assert 'aria-describedby="last_name-error" aria-invalid="true" autofocus' in page


HTMX = {"HX-Request": "true", "HX-Target": "main"}


@pytest.mark.parametrize(
    ("form", "address", "data"),
    [
        ("about", "/profile", {"email": "anna"}),
        ("inviter", "/profile/inviter", {"invite_code": "ZZZZZZ"}),
        ("avatar", "/profile/avatar", {}),
        ("phone", "/profile/phone", {"phone": "12"}),
        ("delete", "/profile/delete", {}),
    ],
)
def test_an_error_leaves_the_other_forms_of_the_page_alone(
    browser: Browser, form: str, address: str, data: dict[str, str]
) -> None:
    browser.sign_in()
    assert f'id="{form}-form"' in browser.get("/profile").text
    answer = browser.post(address, data, headers=HTMX | {"HX-Trigger": f"{form}-form"})
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == answer.headers["HX-Reselect"] == f"#{form}-form"
    assert answer.text.count(f'id="{form}-form"') == 1
    assert '<a href="/profile" aria-current="page">' in answer.text
    # The form that takes a code, and the one that accepts an invitation, stand alone.
    assert "HX-Retarget" not in browser.post(address, data, headers=HTMX).headers


def test_an_inviter_named_elsewhere_meanwhile_is_told_on_the_whole_page(browser: Browser, world: World) -> None:
    browser.sign_in()
    code = {"invite_code": world.user().invite_code}
    assert browser.post("/profile/inviter", code).status_code == 303
    answer = browser.post("/profile/inviter", code, headers=HTMX | {"HX-Trigger": "inviter-form"})
    assert answer.status_code == 422
    assert "HX-Retarget" not in answer.headers


def test_an_error_stands_at_its_field_and_nothing_typed_is_lost(browser: Browser, world: World) -> None:
    world.user(PHONE, first_name="Вера")
    browser.sign_in()
    answer = browser.post("/profile", FORM | {"email": "anna"})
    assert answer.status_code == 422
    assert "<title>Error: Profile" in answer.text
    assert "Enter an e-mail address" in plain(answer.text)
    assert 'id="email-error"' in answer.text
    assert 'aria-describedby="email-error" aria-invalid="true" autofocus' in answer.text
    assert 'value="Образцова"' in answer.text
    assert 'value="anna"' in answer.text
    assert "Hello, Вера!" in browser.get("/profile").text
