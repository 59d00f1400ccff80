"""The error tree: its codes are a contract with everybody who calls Seawall."""

from __future__ import annotations

import inspect
import re

import pytest

from seawall.cli.main import app
from seawall.errors import ExitStatus, NotFound, RateLimited, SeawallError
from tools.reference_docs import error_tree, errors_page

TREE = [error for _, error in error_tree()]

PINNED = {
    "seawall_error": (500, 1),
    "configuration_invalid": (500, 4),
    "policy_invalid": (500, 4),
    "grooming_rules_invalid": (500, 4),
    "grooming_model_invalid": (500, 4),
    "audit_key_missing": (500, 4),
    "master_key_missing": (500, 4),
    "unavailable": (503, 5),
    "database_unavailable": (503, 5),
    "object_store_unavailable": (503, 5),
    "index_unavailable": (503, 5),
    "index_file_invalid": (503, 5),
    "decoder_unavailable": (503, 5),
    "overloaded": (503, 5),
    "bad_input": (422, 6),
    "body_empty": (400, 6),
    "body_too_large": (413, 6),
    "body_malformed": (400, 6),
    "not_media": (415, 6),
    "hash_invalid": (422, 6),
    "report_invalid": (422, 6),
    "list_format_invalid": (422, 6),
    "list_update_quarantined": (409, 6),
    "fetch_not_permitted": (422, 6),
    "fetching_off": (404, 6),
    "not_fetched": (424, 1),
    "fetched_status": (424, 1),
    "fetched_encoded": (424, 1),
    "unauthenticated": (401, 4),
    "forbidden": (403, 4),
    "exposure_spent": (403, 4),
    "authority_trouble": (502, 5),
    "authority_not_reached": (502, 5),
    "authority_unanswered": (502, 5),
    "proof_needed": (403, 1),
    "provider_unavailable": (503, 5),
    "content_refused": (403, 1),
    "rate_limited": (429, 1),
    "not_found": (404, 6),
    "method_not_allowed": (405, 6),
    "conflict": (409, 6),
    "case_claimed": (409, 6),
    "decoding_failed": (422, 6),
    "media_corrupt": (422, 6),
    "media_unsupported": (422, 6),
    "media_too_large": (422, 6),
    "decoder_timeout": (422, 6),
    "decoder_crashed": (422, 6),
    "internal_error": (500, 1),
    "evidence_error": (500, 7),
    "evidence_tampered": (500, 7),
    "audit_chain_broken": (500, 7),
    "backup_damaged": (500, 7),
}
"""Code -> HTTP status and exit status, as published. Only ever add to it."""

PINNED_STATUSES = {
    "DONE": 0,
    "DIFFERS": 1,
    "USAGE": 2,
    "MATCHED": 3,
    "CONFIGURATION": 4,
    "UNAVAILABLE": 5,
    "BAD_INPUT": 6,
    "UNVERIFIED": 7,
    "INTERRUPTED": 130,
}
"""As published. Only ever add to it."""


def test_published_codes_keep_their_meaning() -> None:
    current = {error.code: (error.http_status, error.exit_status) for error in TREE}
    assert {code: current.get(code) for code in PINNED} == PINNED


def test_every_code_is_published() -> None:
    assert {error.code for error in TREE} == set(PINNED)


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in TREE]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("error", TREE, ids=lambda error: error.__name__)
def test_an_error_says_what_happened_and_what_to_do(error: type[SeawallError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
    assert 400 <= error.http_status < 600
    assert isinstance(error.exit_status, ExitStatus)
    assert inspect.getdoc(error)
    assert error.default_hint.endswith(".")


def test_no_error_exits_as_if_all_were_well() -> None:
    assert all(error.exit_status is not ExitStatus.DONE for error in TREE)


def test_published_exit_statuses_keep_their_number() -> None:
    assert {status.name: status.value for status in ExitStatus} == PINNED_STATUSES


def test_every_exit_status_is_described_where_people_look() -> None:
    page, epilog = errors_page(), app.info.epilog or ""
    for status in ExitStatus:
        assert f"| {status.value} | {status.meaning} |" in page
        assert f" {status.value} {status.meaning}" in epilog


def test_message_and_hint_travel_with_the_error() -> None:
    assert str(NotFound("No list is called x.")) == "No list is called x."
    assert NotFound("No list is called x.").hint == NotFound.default_hint
    assert NotFound("No list is called x.", hint="See `seawall lists show`.").hint == "See `seawall lists show`."


def test_a_rate_limit_says_how_long_to_wait() -> None:
    assert RateLimited("Too many.", retry_after_s=1.5).retry_after_s == 1.5
