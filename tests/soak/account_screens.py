"""The states of what people do with their own account: names, picture, phone, data."""

from collections.abc import Callable
from io import BytesIO

from PIL import Image

from .walker import Walker, new_phone

PICTURE = "form[action='/profile/avatar']"


def _portrait() -> bytes:
    """Return a picture that nobody is to be seen on."""
    written = BytesIO()
    Image.linear_gradient("L").resize((400, 300)).convert("RGB").save(written, "JPEG")
    return written.getvalue()


def _edit(w: Walker, first_name: str, email: str) -> None:
    w.page.fill("#first_name", first_name)
    w.page.fill("#last_name", "Образцова")
    w.page.fill("#email", email)
    w.submit("form[action='/profile'] .button")


def _upload(w: Walker, data: bytes) -> None:
    w.page.click("details:has(#file) summary")
    w.page.set_input_files("#file", {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": data})
    w.submit(f"{PICTURE} .button")


def profile_whole(w: Walker) -> None:
    w.sign_in()
    _edit(w, "Анна", "anna@example.org")
    _upload(w, _portrait())
    w.page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")


def profile_wrong_email(w: Walker) -> None:
    w.sign_in()
    _edit(w, "Д'Артаньян", "anna@")


def avatar_unusable(w: Walker) -> None:
    w.sign_in()
    _upload(w, b"no picture")


def avatar_too_large(w: Walker) -> None:
    w.sign_in()
    w.page.click("details:has(#file) summary")
    w.page.set_input_files("#file", {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": bytes(6 * 1024 * 1024)})


def _ask(w: Walker, phone: str) -> None:
    w.page.click("details:has(#phone) summary")
    w.page.fill("#phone", phone)
    w.submit("form[action='/profile/phone'] .button")


def phone_wrong(w: Walker) -> None:
    w.sign_in()
    _ask(w, "8 495 123-45-6")


def phone_too_many(w: Walker) -> None:
    phone = new_phone()
    for _ in range(3):
        code = w.call("/auth/code", {"phone": phone})["code"]
        w.call("/auth/token", {"phone": phone, "code": code})
    w.sign_in()
    _ask(w, phone)


def phone_stale(w: Walker) -> None:
    w.sign_in()
    w.rows("UPDATE sessions SET created_at = '2026-01-01 00:00:00.000000'")
    w.page.reload()
    w.page.click("details:has(form[action='/sign-out']) summary")


def phone_code(w: Walker) -> None:
    w.sign_in()
    _ask(w, new_phone())
    w.page.wait_for_selector("#code")


def _confirm(w: Walker) -> None:
    w.page.fill("#code", w.page.locator(".flash .mono.big").inner_text())
    w.submit("form[action='/profile/phone/code'] .main")


def phone_changed(w: Walker) -> None:
    phone_code(w)
    _confirm(w)


def phone_taken(w: Walker) -> None:
    taken = new_phone()
    code = w.call("/auth/code", {"phone": taken})["code"]
    w.call("/auth/token", {"phone": taken, "code": code})
    w.sign_in()
    _ask(w, taken)
    w.page.wait_for_selector("#code")
    _confirm(w)


def delete_asked(w: Walker) -> None:
    w.sign_in()
    w.page.click(".danger summary")


def delete_unticked(w: Walker) -> None:
    delete_asked(w)
    w.page.locator("[name=sure]").evaluate("box => box.removeAttribute('required')")
    w.submit("form[action='/profile/delete'] .button")


def deleted(w: Walker) -> None:
    delete_asked(w)
    w.page.check("[name=sure]")
    w.submit("form[action='/profile/delete'] .button")


def inviter_deleted(w: Walker) -> None:
    w.sign_in()
    token, code = w.another()
    w.invite(code)
    w.call("/profiles/me", token=token, method="DELETE")
    w.page.reload()


ACCOUNT: dict[str, Callable[[Walker], None]] = {
    "profile-whole": profile_whole,
    "profile-wrong-email": profile_wrong_email,
    "avatar-unusable": avatar_unusable,
    "avatar-too-large": avatar_too_large,
    "phone-wrong": phone_wrong,
    "phone-too-many": phone_too_many,
    "phone-stale": phone_stale,
    "phone-code": phone_code,
    "phone-changed": phone_changed,
    "phone-taken": phone_taken,
    "delete-asked": delete_asked,
    "delete-unticked": delete_unticked,
    "deleted": deleted,
    "inviter-deleted": inviter_deleted,
}
