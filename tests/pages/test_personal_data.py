import json

from tests.factories import PHONE, Api, Browser, World


def test_all_data_come_as_a_file(browser: Browser) -> None:
    browser.sign_in()
    browser.post("/profile", {"first_name": "Анна"})
    answer = browser.get("/profile/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content_type == "application/json"
    assert '"first_name": "Анна"' in answer.text  # readable by a person too
    assert json.loads(answer.text)["profile"]["phone"] == PHONE


def test_what_stays_is_told_before_the_profile_is_deleted(browser: Browser, world: World) -> None:
    browser.sign_in()
    page = browser.get("/profile").text
    assert "What stays: those whom you invited remain invited" in page
    assert '<input type="checkbox" name="sure" value="yes" required>' in page
    answer = browser.post("/profile/delete", {})
    assert answer.status_code == 422
    assert "Tick that you understand." in answer.text
    assert browser.get("/profile").status_code == 200
    assert browser.get("/profile/delete").location == "/profile"


def test_a_deleted_profile_leads_to_the_start_and_begins_afresh(browser: Browser, api: Api, world: World) -> None:
    browser.sign_in()
    code = browser.get("/profile").text.split("/r/")[1][:6]
    answer = browser.post("/profile/delete", {"sure": "yes"})
    assert (answer.status_code, answer.location) == (303, "/")
    start = browser.get("/").text
    assert "Your profile is deleted." in start
    assert browser.get("/profile").location == "/"
    assert "You were signed out." not in browser.get("/").text
    assert f"/r/{code}" not in browser.sign_in().text
