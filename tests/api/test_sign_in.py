from tests.factories import PHONE, Api


def test_a_code_is_exchanged_for_tokens_that_open_the_profile(api: Api) -> None:
    asked = api.ask("8 (999) 123-45-67")
    assert asked.status_code == 202
    assert asked.json["phone"] == PHONE
    answer = api.exchange(asked.json["code"])
    assert answer.status_code == 201
    assert api.bearer(answer.json["access_token"]).get("/profiles/me").json["phone"] == PHONE
