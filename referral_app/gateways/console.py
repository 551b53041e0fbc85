"""The gateway for trying things out: each SMS becomes a text file, and shows on the console while codes are shown."""

import os
from pathlib import Path

from .sms import GatewayError, Receipt


class ConsoleGateway:
    """Keeps each SMS as a file in a folder that its owner alone can read."""

    name = "console"

    def __init__(self, folder: Path, *, prints: bool) -> None:
        self.folder = folder
        self.prints = prints

    def send(self, message_id: int, phone: str, text: str) -> Receipt:
        """Write the file `<message id>.txt`: the receiver, a blank line, the text."""
        content = f"To: {phone}\n\n{text}\n"
        path = self.folder / f"{message_id:08}.txt"
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            whole = path.with_suffix(".part")
            with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(content)
            whole.replace(path)
        except OSError as error:
            raise GatewayError(error.strerror or "not written") from error
        if self.prints:
            print(f"--- SMS ---\n{content}-----------", flush=True)  # noqa: T201
        return Receipt("delivered", path.name)
