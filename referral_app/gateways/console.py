"""The gateway for trying things out: each SMS becomes a text file, and shows on the console while codes are shown."""

import contextlib
import os
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from .sms import NotTaken, Receipt, Unclear


class ConsoleGateway:
    """Keeps each SMS as a file in a folder that its owner alone can read."""

    name = "console"

    def __init__(self, folder: Path, *, prints: bool) -> None:
        self.folder = folder
        self.prints = prints

    def send(self, key: str, phone: str, text: str) -> Receipt:
        """Write the file: the receiver, a blank line, the text."""
        content = _content(phone, text)
        path = self._path(key)
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            whole = path.with_suffix(".part")
            with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(content)
            whole.replace(path)
        except OSError as error:
            raise NotTaken(error.strerror or "not written") from error
        if self.prints:
            print(f"--- SMS ---\n{content}-----------", flush=True)  # noqa: T201
        return Receipt("delivered", path.name)

    def find(self, key: str, phone: str, text: str, others: Collection[str]) -> Receipt | None:
        """Look for the file, and for the text in it: a database made anew begins with the same keys."""
        path = self._path(key)
        try:
            is_there = path.read_text(encoding="utf-8") == _content(phone, text)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unclear(error.strerror or "not read") from error
        return Receipt("delivered", path.name) if is_there else None

    def status(self, reference: str, key: str, phone: str) -> Receipt:
        """Return what is true of all that was written."""
        return Receipt("delivered", reference)

    def balance(self) -> Decimal | None:
        """Files cost nothing."""
        return None

    def withdraw(self, key: str) -> None:
        """Delete the file of one SMS."""
        self._path(key).unlink(missing_ok=True)

    def forget(self, phones: Collection[str]) -> None:
        """Delete the files of SMS that went to these phones, whatever database they came from."""
        heads = tuple(f"To: {phone}\n".encode() for phone in phones)
        for path in self.folder.glob("*"):
            with contextlib.suppress(FileNotFoundError):  # another process forgets as well
                if path.read_bytes().startswith(heads):
                    path.unlink()

    def forget_before(self, moment: datetime) -> None:
        """Delete the files of SMS that were written before a moment."""
        for path in self.folder.glob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < moment.timestamp():
                    path.unlink()

    def _path(self, key: str) -> Path:
        return self.folder / f"{key.zfill(8)}.txt"


def _content(phone: str, text: str) -> str:
    return f"To: {phone}\n\n{text}\n"
