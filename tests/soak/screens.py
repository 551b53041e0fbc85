"""Every state of every screen: how a person, or bad luck, gets there."""

from collections.abc import Callable

from .account_screens import ACCOUNT
from .walker import Walker


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


def start(w: Walker) -> None:
    w.page.goto("/")


def start_wrong_number(w: Walker) -> None:
    w.send_phone("8 495 123-45-6")


def start_too_many(w: Walker) -> None:
    for _ in range(3):
        code = w.call("/auth/code", {"phone": w.phone})["code"]
        w.call("/auth/token", {"phone": w.phone, "code": code})
    w.send_phone(w.phone)


def code_queued(w: Walker) -> None:
    w.ask()


def _with_sms(state: str) -> Callable[[Walker], None]:
    def screen(w: Walker) -> None:
        w.ask()
        w.rows(
            "UPDATE messages SET state = ?, sent_at = created_at, due_at = '2100-01-01' WHERE phone = ?", state, w.phone
        )
        w.page.reload()

    return screen


def code_wrong(w: Walker) -> None:
    w.send_code(_wrong(w.ask()))


def code_no_digits(w: Walker) -> None:
    w.ask()
    w.page.locator("#code").evaluate("field => field.removeAttribute('pattern')")
    w.send_code("12")


def code_no_tries(w: Walker) -> None:
    code = w.ask()
    for _ in range(3):
        w.send_code(_wrong(code))
    w.page.wait_for_selector("#code", state="detached")


def code_expired(w: Walker) -> None:
    code = w.ask()
    w.rows("UPDATE challenges SET expires_at = created_at WHERE phone = ?", w.phone)
    w.send_code(code)


def code_used(w: Walker) -> None:
    code = w.ask()
    w.rows("UPDATE challenges SET used_at = '2020-01-01 00:00:00.000000' WHERE phone = ?", w.phone)
    w.send_code(code)


def code_sendable(w: Walker) -> None:
    w.ask()
    w.rows("UPDATE challenges SET last_sent_at = '2020-01-01 00:00:00.000000' WHERE phone = ?", w.phone)
    w.page.reload()


def start_tomorrow(w: Walker) -> None:
    for _ in range(3):
        code = w.call("/auth/code", {"phone": w.phone})["code"]
        w.call("/auth/token", {"phone": w.phone, "code": code})
    w.rows("UPDATE counters SET n = 10 WHERE key LIKE 'phone-sends:86400:%'")
    w.send_phone(w.phone)


def code_long(w: Walker) -> None:
    w.ask()
    w.rows("UPDATE challenges SET code_length = 8 WHERE phone = ?", w.phone)
    w.page.reload()


def code_long_wrong(w: Walker) -> None:
    code_long(w)
    w.send_code(_wrong(w.page.locator(".flash .mono.big").inner_text()))


def code_closed(w: Walker) -> None:
    w.send_code(_wrong(w.ask()))
    w.rows("UPDATE counters SET n = 81 WHERE key LIKE 'site-guesses:%'")
    w.page.reload()


def profile_codes_spent(w: Walker) -> None:
    w.sign_in()
    w.invite("7KMO1X")
    w.rows("UPDATE counters SET n = 10 WHERE key LIKE 'wrong-invites:%'")
    w.invite("7KM4QX")


def profile_new(w: Walker) -> None:
    w.sign_in()


def profile_unknown_code(w: Walker) -> None:
    w.sign_in()
    w.invite("7KMO1X")


def profile_own_code(w: Walker) -> None:
    w.invite(w.sign_in())


def profile_circle(w: Walker) -> None:
    mine = w.sign_in()
    token, code = w.another()
    w.call("/profiles/me/inviter", {"invite_code": mine}, token)
    w.invite(code)


def profile_invited(w: Walker) -> None:
    w.sign_in()
    w.invite(w.another()[1])


def profile_twice(w: Walker) -> None:
    _, code = w.another()
    w.sign_in()
    w.rows(
        "UPDATE users SET inviter_id = (SELECT id FROM users WHERE invite_code = ?), invited_at = created_at"
        " WHERE phone = ?",
        code,
        w.phone,
    )
    w.invite(code)


def _with_many(w: Walker) -> None:
    w.sign_in()
    ((me,),) = w.rows("SELECT id FROM users WHERE phone = ?", w.phone)
    w.rows(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
        " INSERT INTO users (phone, invite_code,"
        " inviter_id, invited_at, created_at) SELECT printf('+7998%05d%02d', ?, i), printf('%04d%02d', ?, i), ?,"
        " '2026-11-29 12:00:00.000000', '2026-11-29 12:00:00.000000' FROM n",
        me,
        me,
        me,
    )
    w.rows("UPDATE users SET invitees_count = 60 WHERE id = ?", me)


def profile_many(w: Walker) -> None:
    _with_many(w)
    w.page.goto("/profile")


def invitees(w: Walker) -> None:
    _with_many(w)
    w.page.goto("/profile/invitees?page=2")


def signed_out_elsewhere(w: Walker) -> None:
    w.sign_in()
    w.rows("UPDATE sessions SET ended_at = created_at")
    w.page.fill("#invite_code", "7KM4QX")
    w.submit("form[action='/profile/inviter'] .button")
    w.page.wait_for_selector("#phone")


def connection_lost(w: Walker) -> None:
    w.page.goto("/")
    w.page.route("**/sign-in", lambda route: route.abort())
    w.page.fill("#phone", w.phone)
    w.page.click("form[action='/sign-in'] .main")
    w.page.wait_for_selector("#lost:visible")


def errors(w: Walker) -> None:
    w.page.goto("/errors")


def not_found(w: Walker) -> None:
    w.page.goto("/nothing")


def bad_page(w: Walker) -> None:
    w.sign_in()
    w.page.goto("/profile/invitees?page=x")


def invited(w: Walker) -> None:
    _, code = w.another()
    w.rows("UPDATE users SET first_name = 'Анна' WHERE invite_code = ?", code)
    w.page.goto(f"/r/{code}")


def invited_code(w: Walker) -> None:
    invited(w)
    w.page.fill("#phone", w.phone)
    w.submit("form[action='/sign-in'] .main")
    w.page.wait_for_selector("#code")


def invited_profile(w: Walker) -> None:
    invited_code(w)
    w.send_code(w.page.locator(".flash .mono.big").inner_text())
    w.page.wait_for_selector(".ticket-code")


def invited_signed_in(w: Walker) -> None:
    w.sign_in()
    invited(w)


def invited_own(w: Walker) -> None:
    w.page.goto(f"/r/{w.sign_in()}")


def invited_set(w: Walker) -> None:
    profile_invited(w)
    invited(w)


def unknown_link(w: Walker) -> None:
    w.page.goto("/r/ZZZZZZ")


def profile_sessions(w: Walker) -> None:
    w.sign_in()
    w.rows(
        "INSERT INTO sessions (id, user_id, kind, created_at, last_seen_at, expires_at, user_agent)"
        " SELECT hex(randomblob(8)), id, 'api', created_at, created_at, '2100-01-01 00:00:00.000000', 'curl/8.5.0'"
        " FROM users WHERE phone = ?",
        w.phone,
    )
    w.page.reload()


SCREENS: dict[str, Callable[[Walker], None]] = {
    "start": start,
    "start-wrong-number": start_wrong_number,
    "start-too-many": start_too_many,
    "start-tomorrow": start_tomorrow,
    "code-queued": code_queued,
    "code-sent": _with_sms("sent"),
    "code-delivered": _with_sms("delivered"),
    "code-failed": _with_sms("failed"),
    "code-sms-too-late": _with_sms("expired"),
    "code-sms-unknown": _with_sms("unknown"),
    "code-wrong": code_wrong,
    "code-no-digits": code_no_digits,
    "code-no-tries": code_no_tries,
    "code-expired": code_expired,
    "code-used": code_used,
    "code-sendable": code_sendable,
    "code-long": code_long,
    "code-long-wrong": code_long_wrong,
    "code-closed": code_closed,
    "profile-new": profile_new,
    "profile-unknown-code": profile_unknown_code,
    "profile-codes-spent": profile_codes_spent,
    "profile-own-code": profile_own_code,
    "profile-circle": profile_circle,
    "profile-invited": profile_invited,
    "profile-twice": profile_twice,
    "profile-many": profile_many,
    "invitees": invitees,
    "signed-out-elsewhere": signed_out_elsewhere,
    "connection-lost": connection_lost,
    "invited": invited,
    "invited-code": invited_code,
    "invited-profile": invited_profile,
    "invited-signed-in": invited_signed_in,
    "invited-own": invited_own,
    "invited-set": invited_set,
    "unknown-link": unknown_link,
    "profile-sessions": profile_sessions,
    "errors": errors,
    "not-found": not_found,
    "bad-page": bad_page,
    **ACCOUNT,
}
