"""Errors are a tree with everything the library says."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest
from scene import Simulator

import psa_host
from psa_host import _codes, errors


def classes() -> dict[str, type[errors.PsaError]]:
    """The first class of each code."""
    found: dict[str, type[errors.PsaError]] = {}
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.PsaError) and kind is not errors.PsaError:
            found.setdefault(kind.code, kind)
    return found


def test_every_code_has_a_class_and_says_whether_it_may_be_applied() -> None:
    assert set(classes()) == set(_codes.NAMES) - {"ok"}
    assert errors.OutcomeUnknown.may_be_applied and errors.Timeout.may_be_applied
    assert not errors.NotSent.may_be_applied and not errors.InvalidArgument.may_be_applied
    assert issubclass(errors.Timeout, TimeoutError)
    assert issubclass(errors.ForkedError, errors.ClosedError)


def test_an_error_says_what_the_library_says() -> None:
    text = (
        b'{"code":"rate_limited","reason":"slow","message":"Slow down.","fields":[{"at":"/a","code":"c","message":"m"}],'
        b'"provider":{"status":429,"request_id":"r-1"},"retry_after_ms":1500,"details":{"x":[1]},"novelty":1}'
    )
    error = errors.of_json(text)
    assert type(error) is errors.RateLimited
    assert (error.message, error.reason, error.retry_after) == ("Slow down.", "slow", 1.5)
    assert error.fields == (errors.FieldError("/a", "c", "m"),)
    assert error.provider is not None and (error.provider.status, error.provider.request_id) == (429, "r-1")
    assert str(error) == "rate_limited (slow): Slow down."
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is errors.RateLimited
        assert vars(other) == vars(error)


def test_a_code_of_tomorrow_is_internal() -> None:
    assert type(errors.of_json(b'{"code":"of_tomorrow","message":"?"}')) is errors.Internal


def test_a_missing_ticket_is_not_found_with_the_providers_answer(host: psa_host.Host, connection: str) -> None:
    with pytest.raises(errors.NotFound) as caught:
        host.tickets.get(tenant="t", connection=connection, ticket="999999")
    assert caught.value.provider is not None
    assert caught.value.provider.status == 404


def test_a_wrong_field_is_named(host: psa_host.Host) -> None:
    with pytest.raises(errors.InvalidArgument, match="missing field `tenant`") as caught:
        host.call("health", {})
    assert caught.value.reason == "missing_field"
    with pytest.raises(errors.InvalidArgument, match="no.such"):
        host.call("no.such")
    with pytest.raises(errors.InvalidArgument, match="NUL"):
        host.call("health\0")


def test_no_secret_is_in_a_traceback_with_variables(host: psa_host.Host, simulator: Simulator) -> None:
    secret = simulator.secrets["private_key"]
    with pytest.raises(errors.PsaError) as caught:
        host.call("connections.create", {"tenant": "t", "plugin": "connectwise", "secrets": {"private_key": secret}})
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    inside = [frame for frame in told.stack if frame.filename.endswith("_native.py")]
    assert inside and all(frame.locals for frame in inside)
    assert not any(secret in value for frame in inside for value in (frame.locals or {}).values())
