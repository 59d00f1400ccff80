"""What the schema lets one choose from, word for word."""

from __future__ import annotations

import enum


class IncidentType(enum.StrEnum):
    """What kind of incident is reported."""

    CSAM = "Child Pornography (possession, manufacture, and distribution)"
    TRAFFICKING = "Child Sex Trafficking"
    SEX_TOURISM = "Child Sex Tourism"
    MOLESTATION = "Child Sexual Molestation"
    MISLEADING_DOMAIN = "Misleading Domain Name"
    MISLEADING_WORDS = "Misleading Words or Digital Images on the Internet"
    ENTICEMENT = "Online Enticement of Children for Sexual Acts"
    UNSOLICITED_MATERIAL = "Unsolicited Obscene Material Sent to a Child"


class BatchedReason(enum.StrEnum):
    """Why single incidents were put together into one report."""

    VIRAL_POTENTIAL_MEME = "VIRAL_POTENTIAL_MEME"


class AddressType(enum.StrEnum):
    """What an address is used for."""

    HOME = "Home"
    BUSINESS = "Business"
    BILLING = "Billing"
    SHIPPING = "Shipping"
    TECHNICAL = "Technical"


class EmailType(enum.StrEnum):
    """What an email address is used for."""

    HOME = "Home"
    WORK = "Work"
    BUSINESS = "Business"
    RECOVERY = "Recovery"


class PhoneType(enum.StrEnum):
    """What a telephone is used for."""

    MOBILE = "Mobile"
    HOME = "Home"
    BUSINESS = "Business"
    WORK = "Work"
    FAX = "Fax"
    INTERNET = "Internet"
    RECOVERY = "Recovery"


class CaptureEvent(enum.StrEnum):
    """On what occasion an IP address or a device was recorded."""

    LOGIN = "Login"
    REGISTRATION = "Registration"
    PURCHASE = "Purchase"
    UPLOAD = "Upload"
    OTHER = "Other"
    UNKNOWN = "Unknown"


class AssociatedAccountType(enum.StrEnum):
    """How an account belongs to another."""

    BILLING = "Billing"
    LINKED = "Linked"
    BUSINESS = "Business"
    CREATOR = "Creator"
    PARENT_OR_GUARDIAN = "Parent/Guardian"
    OTHER = "Other"


class FileRelevance(enum.StrEnum):
    """What a file has to do with its report. Without it, a file counts as reported."""

    REPORTED = "Reported"
    SUPPLEMENTAL = "Supplemental Reported"


class IndustryClassification(enum.StrEnum):
    """The industry's scale, for those who have signed to use it."""

    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2 = "B2"


class MetadataType(enum.StrEnum):
    """What pairs of names and values about a file are."""

    EXIF = "EXIF"
    HASH = "HASH"


# The codes of countries: ISO 3166 and those that were part of it, with the schema's own for proxies (A1), satellites
# (A2), other (O1), Europe (EU) and Asia-Pacific (AP).
_COUNTRIES = (
    "A1 A2 O1 AD AE AF AG AI AL AM AN AO AP AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS "
    "BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CX CW CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET "
    "EU FI FJ FK FM FO FR FX GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM "
    "IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF "
    "MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK "
    "PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD "
    "TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
)
COUNTRIES = frozenset(_COUNTRIES.split())

# The codes of states and territories of the United States.
_STATES = (
    "AK AL AR AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH "
    "OK OR PA PR RI SC SD TN TX UT VA VI VT WA WI WV WY"
)
STATES = frozenset(_STATES.split())
