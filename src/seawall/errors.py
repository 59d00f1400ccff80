"""The whole error tree, with stable codes.

Every error that leaves a room is a :class:`SeawallError`. Its ``code`` is stable (clients may branch on it), its
``message`` says what is wrong, and its ``hint`` says what to do next. ``http_status`` is what a gateway answers
with and ``exit_status`` what a command exits with (:class:`ExitStatus`).
"""

from __future__ import annotations

import enum
from typing import ClassVar


class ExitStatus(enum.IntEnum):
    """What a command exits with. Scripts branch on it: a number keeps its meaning for ever."""

    meaning: str

    def __new__(cls, number: int, meaning: str) -> ExitStatus:
        status = int.__new__(cls, number)
        status._value_ = number
        status.meaning = meaning
        return status

    DONE = 0, "done"
    DIFFERS = 1, "a check found a difference, or what was asked for could not be done"
    USAGE = 2, "the command line is wrong"
    MATCHED = 3, "something matched"
    CONFIGURATION = 4, "the configuration is wrong"
    UNAVAILABLE = 5, "a part that Seawall needs cannot be reached"
    BAD_INPUT = 6, "the input is bad"
    UNVERIFIED = 7, "evidence or audit does not verify"
    INTERRUPTED = 130, "interrupted by Ctrl-C"


class SeawallError(Exception):
    """The root of all errors that Seawall raises on purpose."""

    code: ClassVar[str] = "seawall_error"
    http_status: ClassVar[int] = 500
    exit_status: ClassVar[ExitStatus] = ExitStatus.DIFFERS
    default_hint: ClassVar[str] = "Run `seawall doctor` and look at the log."

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.default_hint


class ConfigurationError(SeawallError):
    """A setting is missing, contradictory or out of range."""

    code = "configuration_invalid"
    exit_status = ExitStatus.CONFIGURATION
    default_hint = "Check the SEAWALL_* environment variables against docs/reference/settings.md."


class PolicyInvalid(ConfigurationError):
    """The policy file does not say what a policy may say."""

    code = "policy_invalid"
    default_hint = "Run `seawall policy check FILE`; it points at the line."


class GroomingRulesInvalid(ConfigurationError):
    """The rules by which grooming is noticed do not say what rules may say."""

    code = "grooming_rules_invalid"
    default_hint = "Correct the lines that it names; the files that ship with Seawall show how rules are written."


class GroomingModelInvalid(ConfigurationError):
    """A file is no model of grooming that this version can use, or one cannot be written there."""

    code = "grooming_model_invalid"
    default_hint = "Train it again with `seawall grooming train`."


class MasterKeyMissing(ConfigurationError):
    """The key that wraps every evidence key cannot be had."""

    code = "master_key_missing"
    default_hint = "Restore the key file from its backup, or set SEAWALL_MASTER_KEY."


class AuditKeyMissing(ConfigurationError):
    """The key that signs the audit chain cannot be had."""

    code = "audit_key_missing"
    default_hint = "Restore the key file from its backup, or set SEAWALL_AUDIT_KEY."


class Unavailable(SeawallError):
    """A part that Seawall needs cannot be reached now; trying again later may work."""

    code = "unavailable"
    http_status = 503
    exit_status = ExitStatus.UNAVAILABLE
    default_hint = "Try again; if it lasts, run `seawall doctor`."


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not answer."""

    code = "database_unavailable"


class ObjectStoreUnavailable(Unavailable):
    """The object store that keeps sealed evidence does not answer."""

    code = "object_store_unavailable"


class IndexUnavailable(Unavailable):
    """The hash index is not loaded, so that nothing can be called clean."""

    code = "index_unavailable"


class IndexFileInvalid(Unavailable):
    """A file of the hash index is not what was written. It is not used, and made anew from the database."""

    code = "index_file_invalid"


class DecoderUnavailable(Unavailable):
    """No decoder process can be started, or all stayed busy for too long."""

    code = "decoder_unavailable"


class Overloaded(Unavailable):
    """There is no memory to read another upload into at this moment."""

    code = "overloaded"
    default_hint = "Send it again later; if this lasts, raise SEAWALL_MAX_BODIES_BYTES, or run another process."


class ProviderUnavailable(Unavailable):
    """The provider of single sign-on cannot be reached, or does not describe itself as what the settings name."""

    code = "provider_unavailable"
    default_hint = "Try again, or log in with a password or a passkey."


class BadInput(SeawallError):
    """The caller sent something that cannot be used; nothing was stored."""

    code = "bad_input"
    http_status = 422
    exit_status = ExitStatus.BAD_INPUT
    default_hint = "See the API documentation at /docs."


class BodyEmpty(BadInput):
    """An upload without a single byte."""

    code = "body_empty"
    http_status = 400


class BodyTooLarge(BadInput):
    """An upload over the size limit."""

    code = "body_too_large"
    http_status = 413
    default_hint = "Raise SEAWALL_MAX_UPLOAD_BYTES, or do not publish what was not screened."


class BodyMalformed(BadInput):
    """A request body that does not parse as what its content type says."""

    code = "body_malformed"
    http_status = 400


class NotMedia(BadInput):
    """The bytes are no picture or video of any kind that Seawall knows of."""

    code = "not_media"
    http_status = 415
    default_hint = "Send pictures or video; other files need no verdict from this endpoint."


class HashInvalid(BadInput):
    """A hash of the wrong length, alphabet or entropy."""

    code = "hash_invalid"


class FetchNotPermitted(BadInput):
    """An address to fetch from whose host, port or scheme the settings do not allow. Nothing was asked of it."""

    code = "fetch_not_permitted"
    default_hint = (
        "Do not publish it: nothing was screened. SEAWALL_FETCH_FROM names the hosts, and SEAWALL_FETCH_ALLOW_HTTP "
        "allows http://."
    )


class ReportInvalid(BadInput):
    """A report to an authority that may not be sent as it is."""

    code = "report_invalid"
    default_hint = "`seawall reports show NUMBER --json`, an editor, and `seawall reports complete NUMBER FILE`."


class ListFormatInvalid(BadInput):
    """A hash list file that is of no known format, or that holds bad lines under --strict."""

    code = "list_format_invalid"
    default_hint = "See docs/reference/list-formats.md."


class Unauthenticated(SeawallError):
    """No credentials, or wrong ones."""

    code = "unauthenticated"
    http_status = 401
    exit_status = ExitStatus.CONFIGURATION
    default_hint = "Send `Authorization: Bearer KEY`; `seawall keys create` makes one."


class Forbidden(SeawallError):
    """The credentials are good, but not for this."""

    code = "forbidden"
    http_status = 403
    exit_status = ExitStatus.CONFIGURATION
    default_hint = "Use a key or a person with the scope that is named."


class ExposureSpent(Forbidden):
    """A look by somebody who has looked as much as is enough for a day."""

    code = "exposure_spent"
    default_hint = "Decide without looking, or leave it to a colleague; a senior can grant more for today."


class ProofNeeded(SeawallError):
    """The session is good, but its person has not shown for too long that it is them."""

    code = "proof_needed"
    http_status = 403
    default_hint = "Enter the password once more, or use a passkey."


class ContentRefused(SeawallError):
    """A content that may not be shown: held, blocked or removed, or nobody knows what it is."""

    code = "content_refused"
    http_status = 403
    default_hint = "Do not show it. `GET /v1/content/{content_id}` says where it stands."


class RateLimited(SeawallError):
    """More requests than this key may make."""

    code = "rate_limited"
    http_status = 429
    default_hint = "Wait as long as the Retry-After header says, or raise the key's limit."

    def __init__(self, message: str, *, retry_after_s: float, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class NotFound(SeawallError):
    """Nothing has that name or number."""

    code = "not_found"
    http_status = 404
    exit_status = ExitStatus.BAD_INPUT
    default_hint = "Check the name or number."


class FetchingOff(NotFound):
    """Seawall was to fetch an upload, and fetches nothing here."""

    code = "fetching_off"
    default_hint = (
        "Send the bytes to POST /v1/media; or set SEAWALL_FETCH_FROM to the hosts that Seawall may fetch from, and "
        "start it anew."
    )


class MethodNotAllowed(SeawallError):
    """There is something at that address, but it cannot be asked for in this way."""

    code = "method_not_allowed"
    http_status = 405
    exit_status = ExitStatus.BAD_INPUT
    default_hint = "See the API documentation at /docs."


class Conflict(SeawallError):
    """The state has moved on: already decided, already taken, already there."""

    code = "conflict"
    http_status = 409
    exit_status = ExitStatus.BAD_INPUT
    default_hint = "Reload and look at the present state."


class CaseClaimed(Conflict):
    """Somebody else works on the case now."""

    code = "case_claimed"
    default_hint = "Take another one, or ask them to put it back. A claim runs out by itself when its page is closed."


class UpdateQuarantined(Conflict):
    """A file would remove more than half of a hash list, or hashes of so many entries; nothing was changed."""

    code = "list_update_quarantined"
    default_hint = "Look at the file. If the list has really changed so much, import it again with --force."


class NotFetched(SeawallError):
    """The bytes could not be had from their address. Why is in the log alone, so that nobody looks around by it."""

    code = "not_fetched"
    http_status = 424
    default_hint = (
        "Do not publish it: nothing was screened. The log says why; docs/doors.md says from where Seawall fetches."
    )


class FetchedStatus(NotFetched):
    """The server that was to hand out the bytes answered with another status than 200."""

    code = "fetched_status"
    default_hint = "Do not publish it: nothing was screened. The address must give the bytes to whoever asks."


class FetchedEncoded(NotFetched):
    """The server sent the bytes compressed, though it was asked not to."""

    code = "fetched_encoded"
    default_hint = "Do not publish it: nothing was screened. Have the server heed `Accept-Encoding: identity`."


class AuthorityTrouble(SeawallError):
    """What was to be sent to an authority did not get there, or nobody knows whether it did."""

    code = "authority_trouble"
    http_status = 502
    exit_status = ExitStatus.UNAVAILABLE
    default_hint = "`seawall reports show NUMBER` says how far the report is and what follows."


class NotSent(AuthorityTrouble):
    """The authority could not be reached; it has certainly received nothing."""

    code = "authority_not_reached"


class Unanswered(AuthorityTrouble):
    """A request went out and no usable answer came back: the authority may have carried it out, or not."""

    code = "authority_unanswered"


class DecodingFailed(SeawallError):
    """Bytes that are media but could not be understood. Always becomes "scan owed", never "clean"."""

    code = "decoding_failed"
    http_status = 422
    exit_status = ExitStatus.BAD_INPUT
    default_hint = "The content is held until a person has decided."


class MediaCorrupt(DecodingFailed):
    """The decoder refused the bytes, or they end too early."""

    code = "media_corrupt"


class MediaUnsupported(DecodingFailed):
    """A kind of media that is recognised but cannot be decoded here."""

    code = "media_unsupported"


class MediaTooLarge(DecodingFailed):
    """More pixels or frames than the limits allow; also what a decompression bomb becomes."""

    code = "media_too_large"


class DecoderTimeout(DecodingFailed):
    """The decoder did not finish before its deadline and was killed."""

    code = "decoder_timeout"


class DecoderCrashed(DecodingFailed):
    """The decoder process died on these bytes."""

    code = "decoder_crashed"


class InternalError(SeawallError):
    """Something happened that nobody foresaw. The answer names its place in the log, and nothing else."""

    code = "internal_error"
    default_hint = "Look for the request's id in Seawall's log, and report what stands there."


class EvidenceError(SeawallError):
    """Evidence cannot be sealed, opened or verified."""

    code = "evidence_error"
    exit_status = ExitStatus.UNVERIFIED


class EvidenceTampered(EvidenceError):
    """Sealed bytes, or their key, are not what was sealed."""

    code = "evidence_tampered"
    default_hint = "Keep everything as it is; run `seawall audit verify` and compare with a backup."


class AuditChainBroken(EvidenceError):
    """The audit chain has a changed, missing or reordered event, or its end was cut off."""

    code = "audit_chain_broken"
    default_hint = "Keep everything as it is and compare with a backup."


class BackupDamaged(EvidenceError):
    """A backup is not what was backed up: a file is missing, was changed, or was never finished."""

    code = "backup_damaged"
    default_hint = "Nothing was restored. Take another backup."
