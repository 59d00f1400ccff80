"""1,000 random mutations of each picture format over real HTTP: a verdict or a clear refusal, never a 5xx."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

from seawall.database.tables import CaseItem, Content, Evidence
from seawall.evidence import audit
from seawall.gateways.http.answers import ErrorAnswer, VerdictAnswer
from tests.integration.gateways.conftest import Api
from tests.integration.gateways.material import picture
from tests.vectors.files import mutable_files

MUTATIONS = 1000
FORMATS: dict[str, list[bytes]] = defaultdict(list)
for name, data in sorted(mutable_files().items()):
    FORMATS["png" if name == "apng" else name.partition("-")[0]].append(data)
REFUSALS = {400, 413, 415}


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes with one to five things done to them."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        at, length = chance.randrange(len(changed) or 1), chance.choice((1, 2, 4, 30))
        match chance.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                changed[at : at + length] = chance.randbytes(length)
            case 2:
                del changed[at : at + length]
            case 3:
                changed[at:at] = changed[-length:] + chance.randbytes(length)
            case 4:
                changed[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff"))
            case _ if chance.random() < 0.2:
                del changed[at:]
            case _:
                changed[at : at + 1] = bytes([changed[at] ^ 1 << chance.randrange(8)]) if at < len(changed) else b""
    return bytes(changed)


def outcome(api: Api, content_id: str, body: bytes) -> str:
    """What came of an upload; every part of the answer is held to its shape."""
    response = api.client.post("/v1/media", params={"content_id": content_id}, content=body)
    if response.status_code in REFUSALS:
        return ErrorAnswer.model_validate_json(response.content).error.code
    assert response.status_code == 200, response.text
    answer = VerdictAnswer.model_validate_json(response.content)
    assert (answer.case_id is not None) == (answer.verdict == "hold")
    return answer.verdict


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", FORMATS)
def test_mutations(api: Api, name: str) -> None:
    chance = random.Random(f"seawall {name}")
    bodies = [mutated(chance.choice(FORMATS[name]), chance) for _ in range(MUTATIONS)]
    with ThreadPoolExecutor(4) as threads:
        numbered = [(f"{name}-{number}", body) for number, body in enumerate(bodies)]
        outcomes = Counter(threads.map(lambda one: outcome(api, *one), numbered))
    assert set(outcomes) <= {"allow", "hold", "not_media", "body_empty"}, outcomes
    assert outcomes["hold"], "no mutation broke anything: these mutations show nothing"
    answer = api.client.post("/v1/media", params={"content_id": f"{name} sound"}, content=picture(1))
    assert answer.json()["verdict"] == "allow"


def test_everything_that_was_held_is_whole(api: Api) -> None:
    """After all mutations: an item and its evidence for each, and a chain that holds."""
    assert api.count(CaseItem) == api.count(Evidence) > 0
    assert api.count(Content) > api.count(CaseItem)
    with api.runtime.database.transaction() as session:
        assert audit.verify(session).ok
