"""progress.py: what a training shows while it runs: a line an epoch, with a bar where somebody looks at a terminal, or
a line that is rewritten in a notebook."""
from __future__ import annotations

import math
import sys
import time
from typing import Any, Optional

EVERY = 0.1  # seconds between two looks


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this."""
    shell = sys.modules.get("IPython")
    made = shell.get_ipython() if shell is not None else None
    return made is not None and type(made).__name__ == "ZMQInteractiveShell"


def _number(value: float) -> str:
    return f"{value:.4g}"


def line_of(epoch: Any, epochs: int) -> str:
    """An epoch in a line."""
    parts = [f"epoch {epoch.number}/{epochs}", f"loss {_number(epoch.loss)}"]
    if not math.isnan(epoch.accuracy):
        parts.append(f"accuracy {epoch.accuracy:.2%}")
    if not math.isnan(epoch.val_loss):
        parts.append(f"validation loss {_number(epoch.val_loss)}")
    if not math.isnan(epoch.val_accuracy):
        parts.append(f"accuracy {epoch.val_accuracy:.2%}")
    parts.append(f"{epoch.seconds:.2f} s")
    return "  ".join(parts)


class Progress:
    """Shows a training. With `verbose` False it shows nothing."""

    def __init__(self, epochs: int, verbose: bool, file: Any = None) -> None:
        self.epochs, self.verbose, self.file = epochs, verbose, file or sys.stdout
        self.live = verbose and (in_notebook() or bool(getattr(self.file, "isatty", lambda: False)()))
        self._shown, self._next, self._display = "", 0.0, self._notebook()

    def _notebook(self) -> Optional[Any]:
        if not self.verbose or not in_notebook():
            return None
        from IPython.display import display
        return display({"text/plain": ""}, raw=True, display_id=True)

    def step(self, epoch: int, done: int, steps: int) -> None:
        """After a step; shown a few times a second."""
        now = time.monotonic()
        if not self.live or now < self._next:
            return
        self._next = now + EVERY
        full = 24 * done // max(steps, 1)
        self._rewrite(f"epoch {epoch}/{self.epochs}  [{'#' * full}{'.' * (24 - full)}] {done}/{steps}")

    def _rewrite(self, text: str) -> None:
        if self._display is not None:
            self._display.update({"text/plain": self._past() + text}, raw=True)
        else:
            self.file.write("\r" + text.ljust(len(self._shown)))
            self.file.flush()
            self._shown = text

    def _past(self) -> str:
        return "".join(line + "\n" for line in getattr(self, "_lines", []))

    def epoch(self, epoch: Any) -> None:
        """After an epoch."""
        if not self.verbose:
            return
        text = line_of(epoch, self.epochs)
        if self._display is not None:
            self._rewrite(text)
            self._lines = getattr(self, "_lines", []) + [text]
            return
        if self._shown:
            self._rewrite(text)
        else:
            self.file.write(text)
        self.file.write("\n")
        self.file.flush()
        self._shown = ""
