"""What can go wrong, as a tree of exceptions.

Holds: `PsaError` and one class per code of the library.
Promises: an exception can be pickled and copied; its text never holds a secret or a note's text.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from ._codes import MAY_BE_APPLIED


class FieldError(msgspec.Struct, frozen=True):
    """One field that was wrong."""

    at: str
    """JSON pointer into the parameters, or the provider's own name of the field."""
    code: str = ""
    """Stable word for programs, "max_length"."""
    message: str = ""
    """A sentence for people."""


class ProviderAnswer(msgspec.Struct, frozen=True):
    """What the provider said, as far as it helps its support."""

    status: int | None = None
    """HTTP status."""
    code: str | None = None
    """The provider's own code."""
    request_id: str | None = None
    """The id under which the provider's support finds the request."""


class PsaError(Exception):
    """Base of all errors of the library. Catch a class below it by what you can do about it."""

    code: ClassVar[str] = "internal"
    """The stable name of the code, "outcome_unknown"."""

    may_be_applied: ClassVar[bool] = True
    """Whether a write that ended so may have been applied at the PSA."""

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        fields: tuple[FieldError, ...] = (),
        provider: ProviderAnswer | None = None,
        retry_after_ms: int | None = None,
        details: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        """What was wrong, where, and what to do."""
        self.reason = reason
        """Refines the code, stable too: "too_late"."""
        self.fields = fields
        """The fields that were wrong."""
        self.provider = provider
        """What the provider answered, if it did."""
        self.retry_after_ms = retry_after_ms
        """When to try again, in milliseconds from now."""
        self.details = details
        """More, for programs."""

    def __init_subclass__(cls, code: str | None = None) -> None:
        super().__init_subclass__()
        if code is not None:
            cls.code = code
            cls.may_be_applied = code in MAY_BE_APPLIED
            _CLASSES.setdefault(code, cls)

    @property
    def retry_after(self) -> float | None:
        """When to try again, in seconds from now."""
        return None if self.retry_after_ms is None else self.retry_after_ms / 1000

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.code}{reason}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        more = {
            "reason": self.reason,
            "fields": self.fields,
            "provider": self.provider,
            "retry_after_ms": self.retry_after_ms,
            "details": self.details,
        }
        return _rebuild, (type(self), self.message, more)


def _rebuild(cls: type[PsaError], message: str, more: dict[str, Any]) -> PsaError:
    return cls(message, **more)


_CLASSES: dict[str, type[PsaError]] = {}


class InvalidArgument(PsaError, code="invalid_argument"):
    """The caller's mistake: a field, a type, the name of a method. `fields` says which."""


class Unauthenticated(PsaError, code="unauthenticated"):
    """The PSA refused the credentials."""


class Forbidden(PsaError, code="forbidden"):
    """Not allowed for these credentials, or by the rules for outgoing requests."""


class NotFound(PsaError, code="not_found"):
    """What was named does not exist, or not for this tenant."""


class Conflict(PsaError, code="conflict"):
    """It contradicts something that is there."""


class Rejected(PsaError, code="rejected"):
    """The PSA's own validation said no."""


class RateLimited(PsaError, code="rate_limited"):
    """The PSA asks to slow down; `retry_after` says for how long."""


class NotSent(PsaError, code="not_sent"):
    """Nothing left this machine: safe to repeat."""


class OutcomeUnknown(PsaError, code="outcome_unknown"):
    """A write may have been applied: never repeat it blindly."""


class Unavailable(PsaError, code="unavailable"):
    """The PSA, or the way to it, does not work now."""


class Timeout(PsaError, TimeoutError, code="timeout"):
    """The time given for it is over."""


class Cancelled(PsaError, code="cancelled"):
    """Somebody asked for its end."""


class Unsupported(PsaError, code="unsupported"):
    """This plugin or platform cannot do it."""


class Rehearsed(PsaError, code="rehearsed"):
    """The write was recorded instead of sent."""


class Unreadable(PsaError, code="unreadable"):
    """Stored credentials cannot be decrypted."""


class Internal(PsaError, code="internal"):
    """A defect of the library or of a plugin."""


class ClosedError(PsaError, code="closed"):
    """The host is closed."""


class ForkedError(ClosedError, code="closed"):
    """The host was opened before a fork, and this is the child: open one here."""


class Storage(PsaError, code="storage"):
    """The disk is full or read-only, or the database damaged or migrated by a newer library."""


class TooLarge(PsaError, code="too_large"):
    """Over a documented limit."""


class _Body(msgspec.Struct):
    code: str = "internal"
    reason: str | None = None
    message: str = ""
    fields: tuple[FieldError, ...] = ()
    provider: ProviderAnswer | None = None
    retry_after_ms: int | None = None
    details: Any = None


_decode = msgspec.json.Decoder(_Body).decode

FORKED = (
    "this host was opened before a fork and works in the parent only. Open one in the child: under gunicorn --preload "
    "in post_fork, under Celery in worker_process_init, under uWSGI after @postfork, with multiprocessing in the child "
    "or with the start method spawn"
)


def of_json(text: Any) -> PsaError:
    """The exception that an error of the library stands for; a code that is not known here is `Internal`."""
    body = _decode(text)
    if body.reason == "forked":
        return ForkedError(FORKED, reason="forked")
    return _CLASSES.get(body.code, Internal)(
        body.message,
        reason=body.reason,
        fields=body.fields,
        provider=body.provider,
        retry_after_ms=body.retry_after_ms,
        details=body.details,
    )
