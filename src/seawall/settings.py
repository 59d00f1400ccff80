"""The one settings class. Every field is described; `docs/reference/settings.md` is generated from it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from seawall.access_settings import AccessSettings
from seawall.desk_settings import DeskSettings
from seawall.errors import ConfigurationError
from seawall.evidence_settings import EvidenceSettings
from seawall.message_settings import MessageSettings
from seawall.readable import bounds_of, readable_bounds
from seawall.records import HarmClass, RevealStage
from seawall.told import hours_of, percents_of, readable_regions, regions_of

MIB = 1024 * 1024


def default_home() -> Path:
    """The platform's usual place for a service's data of this user."""
    return Path(platformdirs.user_data_dir("seawall", appauthor=False))


def default_decoder_processes() -> int:
    """As many as the machine has processors, 8 at most."""
    return max(1, min(8, os.cpu_count() or 1))


class Settings(AccessSettings, DeskSettings, EvidenceSettings, MessageSettings):
    """All of Seawall's settings; each is read from the environment variable ``SEAWALL_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="SEAWALL_", extra="ignore", frozen=True)

    home: Annotated[
        Path, Field(description="The one folder for database, sealed evidence, keys, caches and logs.")
    ] = Field(default_factory=default_home)
    database_url: Annotated[
        SecretStr | None,
        Field(
            description="PostgreSQL to use, as postgresql://user:password@host/name. Unset: Seawall starts its own."
        ),
    ] = None
    database_pool_size: Annotated[int, Field(ge=2, le=200, description="Connections kept open per process.")] = 12
    objects_url: Annotated[
        str | None,
        Field(
            description="Object store for sealed evidence: file:///folder, s3://bucket/prefix, gs:// or az://. Unset:"
            " a folder in the home. Credentials and connection come from the store's own environment "
            "variables, such as AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL, "
            "AWS_ALLOW_HTTP and AWS_TIMEOUT (for a whole request, 20s unless set). An S3 server must know"
            " conditional writes (If-None-Match).",
        ),
    ] = None
    master_key: Annotated[
        SecretStr | None,
        Field(
            description="The 32-byte key that wraps evidence keys, in base64. Unset: the file below is used, and "
            "made on first start."
        ),
    ] = None
    master_key_file: Annotated[
        Path | None, Field(description="Where the master key lies. Unset: keys/master.key in the home.")
    ] = None
    policy_file: Annotated[
        Path | None,
        Field(description="The policy (TOML). Unset: policy.toml in the home if there is one, else the default."),
    ] = None

    host: Annotated[
        str, Field(description="Address to listen on. Put a TLS proxy before any other than loopback.")
    ] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port of API and console; 0 takes a free one.")] = 8420
    workers: Annotated[
        int,
        Field(
            ge=1,
            le=64,
            description="API processes that serve the port together. With more than one, the jobs run in a further "
            "process, and one that dies is replaced.",
        ),
    ] = 1
    public_url: Annotated[
        str | None,
        Field(description="The address under which people reach the console. With https, cookies are Secure."),
    ] = None

    clamd_listen: Annotated[
        str | None,
        Field(
            description="Where programs that speak ClamAV's clamd protocol are answered: host:port, or unix:/path of "
            "a socket. The protocol knows no keys: whoever reaches it may ask. Unset: nowhere.",
        ),
    ] = None
    clamd_key: Annotated[
        str | None,
        Field(description="Name of the API key (scope judge) that what clamd's programs ask counts for."),
    ] = None
    icap_listen: Annotated[
        str | None,
        Field(
            description="Where proxies that speak ICAP are answered: host:port, or unix:/path of a socket. The "
            "protocol knows no keys: whoever reaches it may ask. Unset: nowhere.",
        ),
    ] = None
    icap_key: Annotated[
        str | None, Field(description="Name of the API key (scope judge) that what ICAP proxies ask counts for.")
    ] = None

    fetch_from: Annotated[
        str | None,
        Field(
            description="Hosts that `POST /v1/media:fetch` may fetch from, separated by commas: media.example.com, "
            "*.example.com (all below it, not itself), media.example.com:8443, or * for any. Without a port, 443 and "
            "80 are meant. Unset: nothing is fetched.",
        ),
    ] = None
    fetch_networks: Annotated[
        str | None,
        Field(
            description="Networks whose addresses may be fetched from although they are not public, as 10.20.0.0/16 "
            "or fd00:1::/64, separated by commas. Unset: none, not even of this machine.",
        ),
    ] = None
    fetch_allow_http: Annotated[
        bool,
        Field(
            description="Lets http:// addresses be fetched, whose bytes anybody on the way can change. Redirects may "
            "then lead to http:// too."
        ),
    ] = False
    fetch_timeout_s: Annotated[
        float,
        Field(
            gt=0,
            le=600,
            description="Seconds that fetching one upload may take, with looking up its host and all redirects.",
        ),
    ] = 30.0
    fetch_redirects: Annotated[
        int,
        Field(ge=0, le=10, description="Most redirects that are followed; each is checked like the first address."),
    ] = 3

    max_upload_bytes: Annotated[int, Field(ge=1, description="Largest media body that is accepted, in bytes.")] = (
        64 * MIB
    )
    max_bodies_bytes: Annotated[
        int,
        Field(
            ge=1,
            description="Most bytes of uploads that one process holds at once; above, the answer is 503. One upload "
            "of the largest size always fits.",
        ),
    ] = 1024 * MIB
    max_pixels: Annotated[
        int, Field(ge=1, description="Most pixels (width x height) of one frame; above, the content is held.")
    ] = 100_000_000
    max_frames: Annotated[
        int, Field(ge=1, description="Most frames of one animation; above, the content is held.")
    ] = 200
    max_video_s: Annotated[
        float,
        Field(gt=0, description="Seconds of a video that are read; of a longer one the rest is owed, and held."),
    ] = 600.0
    max_video_decoded: Annotated[
        int, Field(ge=1, description="Most frames of a video that are decoded; the rest is owed, and held.")
    ] = 40_000
    max_regions: Annotated[
        int,
        Field(
            ge=0,
            le=3,
            description="Parts of one picture that are looked up as pictures of their own: what is within a border, "
            "or shown on a page or a screen. Each costs some milliseconds and eight look-ups where there is one.",
        ),
    ] = 3
    regions_by_surface: Annotated[
        str | None,
        Field(
            description="The same for single surfaces, as avatar=0, chat=3. Unset, and for surfaces that are not "
            "named: SEAWALL_MAX_REGIONS."
        ),
        AfterValidator(readable_regions),
    ] = None
    keypoint_surfaces: Annotated[
        str | None,
        Field(
            description="Surfaces, as upload, avatar (or all), where pictures that meet no list are compared by "
            "keypoints with what was confirmed here: finds crops and covered copies. Needs the extra `keypoints`, "
            "and 15 to 30 ms of CPU a picture once anything is kept. Unset: none, and none are kept."
        ),
    ] = None
    max_video_frames: Annotated[
        int,
        Field(
            ge=1,
            le=20_000,
            description="Most frames of a video that are looked up and kept in the ledger, of those that differ; the "
            "rest is owed, and held.",
        ),
    ] = 2000
    video_timeout_s: Annotated[
        float,
        Field(
            gt=0,
            description="Seconds that reading one video, archive or document may take; what is not read by then is "
            "owed, and held.",
        ),
    ] = 30.0
    max_nesting: Annotated[
        int,
        Field(
            ge=0,
            le=20,
            description="How deep files may lie in files (a thumbnail in a picture is one level); what lies deeper "
            "is owed, and held.",
        ),
    ] = 5
    max_members: Annotated[
        int,
        Field(
            ge=1,
            le=100_000,
            description="Most files in archives and documents of one upload that are read; the rest is owed, and "
            "held.",
        ),
    ] = 2000
    max_pages: Annotated[
        int, Field(ge=1, description="Most pages of one document that are read; the rest is owed, and held.")
    ] = 200
    max_expansion_bytes: Annotated[
        int,
        Field(
            ge=1,
            description="Most bytes that the archives of one upload may unfold to; the rest is owed, and held.",
        ),
    ] = 512 * MIB
    decoder_processes: Annotated[
        int,
        Field(
            ge=1,
            le=256,
            description="Sandboxed decoder processes kept warm. Several API processes share them out, and each has "
            "one at least.",
        ),
    ] = Field(default_factory=default_decoder_processes)
    decoder_memory_bytes: Annotated[
        int, Field(ge=256 * MIB, description="Address space that one decoder process may use, in bytes.")
    ] = 2048 * MIB
    decoder_timeout_s: Annotated[
        float,
        Field(gt=0, description="Seconds that decoding one item may take before its process is killed."),
    ] = 10.0
    decoder_queue_s: Annotated[
        float,
        Field(gt=0, description="Seconds that one item may wait for a free decoder before the answer is 503."),
    ] = 10.0
    decoder_recycle_after: Annotated[
        int, Field(ge=1, description="Items after which a decoder process is replaced by a fresh one.")
    ] = 2000

    minimum_pdq_quality: Annotated[
        int, Field(ge=0, le=100, description="Below this PDQ quality a picture never matches by PDQ alone.")
    ] = 50
    index_poll_s: Annotated[
        float,
        Field(gt=0, le=60, description="Seconds between looks for list changes, should a notification be lost."),
    ] = 0.5

    index_memory_bytes: Annotated[
        int,
        Field(
            ge=256 * MIB,
            description="Memory that building a part of the hash index may take beside its files, in bytes.",
        ),
    ] = 1024 * MIB
    index_sealed: Annotated[
        bool,
        Field(
            description="Seals the files of the hash index on disk (AES-256-GCM, with the master key) and opens them "
            "into memory at start; `seawall doctor` says what that costs. Linux only. To switch it, start every "
            "process of the home anew."
        ),
    ] = False
    ledger_keep_days: Annotated[
        int | None,
        Field(
            ge=1,
            description="Days after which the ledger forgets what was judged, in whole months; what is in a case "
            "stays. Unset: never.",
        ),
    ] = None

    key_rate_per_minute: Annotated[
        int,
        Field(ge=1, description="Requests a minute that an API key may make unless the key says otherwise."),
    ] = 6000
    session_hours: Annotated[float, Field(gt=0, le=168, description="Hours after which a console session ends.")] = (
        12.0
    )
    login_attempts_per_minute: Annotated[
        int, Field(ge=1, description="Wrong console logins per name and minute before a pause is demanded.")
    ] = 10
    reveal_floors: Annotated[
        str | None,
        Field(
            description="How looks at evidence start and how clear they may become, by harm class, as "
            "csam=blurred-grey, other=grey-original. Stages are blurred, grey, colour, original. Unset, and for "
            "classes that are not named: blurred-original. The console can raise it, to show less."
        ),
        AfterValidator(readable_bounds),
    ] = None

    webhook_timeout_s: Annotated[float, Field(gt=0, le=120, description="Seconds a webhook receiver may take.")] = (
        15.0
    )
    webhook_attempts: Annotated[
        int,
        Field(ge=1, description="Deliveries tried (with growing pauses, over about four days) before giving up."),
    ] = 16
    webhook_allow_http: Annotated[
        bool,
        Field(
            description="Lets webhooks go to http:// addresses beyond loopback, such as a container on a private "
            "network that you trust."
        ),
    ] = False

    cybertip_reporter_file: Annotated[
        Path | None,
        Field(
            description="What your reports to the CyberTipline have in common (TOML): who reports, which platform. "
            "With it, confirmed abuse material becomes a draft of a report. Unset: nothing is drafted or filed."
        ),
    ] = None
    cybertip_username: Annotated[
        SecretStr | None, Field(description="Name of your account with the CyberTipline's reporting API.")
    ] = None
    cybertip_password: Annotated[SecretStr | None, Field(description="Password of that account.")] = None
    cybertip_password_file: Annotated[
        Path | None, Field(description="A file with that password, where it is not in the environment.")
    ] = None
    cybertip_production: Annotated[
        bool,
        Field(
            description="Files with the CyberTipline's production system, where reports count. Otherwise they go to "
            "its test system."
        ),
    ] = False
    cybertip_url: Annotated[
        str | None,
        Field(
            description="Another address of the reporting API, such as that of `seawall dev cybertip-double` for "
            "training: http://127.0.0.1:8430/ispws. Unset: the authority's test system."
        ),
    ] = None
    cybertip_timeout_s: Annotated[
        float, Field(gt=0, le=600, description="Seconds that the CyberTipline may take for each answer.")
    ] = 60.0
    jurisdictions: Annotated[
        str,
        Field(
            pattern=r"^\s*([A-Z]{2}\s*(,\s*[A-Z]{2}\s*)*)?$",
            description="Whose laws bind you, as GB, US. Their telephone numbers are shown where a child may be in "
            "danger; without it those of all profiles.",
        ),
    ] = ""
    jurisdictions_file: Annotated[
        Path | None,
        Field(
            description="A TOML file with what your jurisdictions want of reports (authorities, clocks, retention, "
            "whom to call), in place of what is shipped. `seawall reports profiles` shows what is in force."
        ),
    ] = None
    worker_concurrency: Annotated[int, Field(ge=1, le=64, description="Jobs that one worker runs at once.")] = 4

    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$", description="What is logged.")] = "info"
    log_json: Annotated[bool, Field(description="One JSON object a line instead of text for people.")] = False
    demo: Annotated[
        bool,
        Field(description="Marks everything as demo and test data. Set by `seawall demo`; never set it elsewhere."),
    ] = False

    def regions_on(self, surface: str) -> int:
        """How many parts of a picture are looked up on that surface."""
        return regions_of(self.regions_by_surface).get(surface, self.max_regions)

    @property
    def reveal_bounds(self) -> Mapping[HarmClass, tuple[RevealStage, RevealStage]]:
        """The first and the clearest stage of each harm class that is named."""
        return bounds_of(self.reveal_floors)

    def keypoints_on(self, surface: str | None) -> bool:
        """Whether keypoints are looked at on that surface; None: on any, so that they are kept when confirmed."""
        named = {part.strip() for part in (self.keypoint_surfaces or "").split(",")} - {""}
        return bool(named if surface is None else named & {"all", surface})

    @property
    def hours_to_decide(self) -> Mapping[str, float]:
        """Within how many hours cases ought to be decided: `urgent` ones, and others by their harm class."""
        return hours_of(self.decide_within)

    def percent_reviewed(self, harm_class: HarmClass) -> float:
        """How many of a hundred decisions of a harm class are decided once more, blindly."""
        return percents_of(self.blind_review_percent).get(harm_class.value, 0.0)

    @property
    def resolved_master_key_file(self) -> Path:
        """Where the master key file lies or would lie."""
        return self.master_key_file or self.home / "keys" / "master.key"

    @property
    def resolved_audit_key_file(self) -> Path:
        """Where the audit key file lies or would lie."""
        return self.audit_key_file or self.home / "keys" / "audit.key"

    @property
    def audit_heads_file(self) -> Path:
        """The signed heads of the audit chain once more, outside the database."""
        return self.home / "audit" / "heads.jsonl"

    @property
    def database_folder(self) -> Path:
        """The folder of the embedded PostgreSQL."""
        return self.home / "postgresql"

    @property
    def objects_folder(self) -> Path:
        """The folder of the default object store."""
        return self.home / "objects"

    @property
    def index_folder(self) -> Path:
        """The files of the hash index; made anew from the database when they are gone."""
        return self.home / "index"

    @property
    def cache_folder(self) -> Path:
        """Compiled code; can be deleted at any time."""
        return self.home / "cache"

    @property
    def tls(self) -> bool:
        """Whether people reach the console over TLS."""
        return (self.public_url or "").startswith("https://")


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, with overrides from the command line.

    Raises:
        ConfigurationError: names each wrong variable; the values are left out since one may be a secret.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(
            f"SEAWALL_{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(f"Settings are not usable: {problems}.") from None
