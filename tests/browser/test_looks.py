"""Looking at evidence: nothing comes before it is asked for, no more than that, and only while it is held."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Error, Response, Route, expect
from sqlalchemy import select

from seawall.cases import floors
from seawall.cases.stages import Floor
from seawall.database.tables import Reveal
from seawall.records import HarmClass, RevealStage, Role
from tests.browser.conftest import Watched
from tests.browser.looking import choose, held, let_go, look, saturation, sharpness
from tests.browser.stand import Stand, picture
from tests.vectors.files import scene
from tests.vectors.videos import still, video

Window = Callable[..., Watched]


@pytest.fixture
def at_case(stand: Stand, window: Window) -> Watched:
    """A reviewer who looks at a case about one listed picture."""
    stand.case()
    stand.person("reviewer-1", Role.REVIEWER)
    watched = window()
    watched.log_in("reviewer-1")
    expect(watched.page.get_by_role("heading", name="Queue")).to_be_visible()
    watched.open("cases/1")
    watched.ready()
    return watched


def _body(answer: Response) -> bytes:
    """What came. The browser forgets what it had in its cache already, and what a page that is left was still told:
    of those a file of our own, or too few bytes for a picture."""
    try:
        return answer.body()
    except Error:
        assert "/console/static/" in answer.url or int(answer.headers["content-length"]) < 1000, answer.url
        return b""


def pictures_in(answers: list[Response]) -> list[bytes]:
    """Every answer whose bytes are pixels, whatever its address and type claim to be."""
    found = []
    for answer in answers:
        if answer.status != 200 or answer.request.resource_type == "preflight":
            continue
        body = _body(answer)
        try:
            Image.open(BytesIO(body)).load()
        except OSError:
            continue
        found.append(body)
    return found


def test_the_network_carries_no_more_of_a_picture_than_was_asked_for(stand: Stand, at_case: Watched) -> None:
    """All that the browser receives is decoded: no pixel before a look, none but grey ones before colour."""
    page, original, answers = at_case.page, picture(), list[Response]()
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - no builtin is taken
    page.reload()
    at_case.ready()
    page.get_by_role("button", name="Hold to look").hover()
    page.wait_for_load_state("networkidle")
    assert pictures_in(answers) == []
    assert page.get_by_role("radio", name="Colour").is_disabled()
    blurred, grey = look(page, "Blurred"), look(page, "Grey")
    page.wait_for_load_state("networkidle")
    assert pictures_in(answers) == [blurred, grey]
    assert saturation(original) > 100
    assert saturation(blurred) <= 8
    assert saturation(grey) <= 8
    assert sharpness(blurred) < sharpness(grey)
    colour, whole = look(page, "Colour"), look(page, "Original size")
    assert saturation(colour) > 100
    assert max(Image.open(BytesIO(colour)).size) <= 480 < max(Image.open(BytesIO(original)).size)
    assert Image.open(BytesIO(whole)).size == Image.open(BytesIO(original)).size
    assert original not in pictures_in(answers)
    assert stand.acts().count("reveal.ask") == stand.acts().count("reveal.show") == 4
    assert at_case.kept() == set()


def test_a_picture_is_there_only_while_it_is_held(stand: Stand, at_case: Watched) -> None:
    page, keys, figure = at_case.page, at_case.page.keyboard, at_case.page.locator("figure.shown")
    with held(page):
        expect(page.locator("figure.shown img")).to_have_js_property("complete", True)
    for leave in (
        lambda: page.evaluate("window.dispatchEvent(new Event('blur'))"),
        lambda: page.evaluate("document.dispatchEvent(new Event('visibilitychange'))"),
        lambda: keys.press("Escape"),
    ):
        page.get_by_role("button", name="Hold to look").hover()
        page.mouse.down()
        expect(figure).to_be_visible()
        leave()
        expect(figure).to_have_count(0)
        page.mouse.up()
    keys.down("b")
    expect(figure).to_be_visible()
    keys.press("j")  # another key that is let go does not end it
    for _ in range(5):
        keys.down("b")
    expect(figure).to_be_visible()
    with page.expect_response(lambda answer: answer.url.split("?")[0].endswith("/picture")):
        keys.up("b")
    expect(figure).to_have_count(0)
    assert len([each for each in at_case.pictures() if not each.url.endswith("/close")]) == 5
    with stand.runtime.database.transaction() as session:
        assert all(each.closed_at is not None for each in session.scalars(select(Reveal)))


def test_what_is_let_go_before_the_answer_is_never_fetched(stand: Stand, at_case: Watched) -> None:
    waiting: list[Route] = []
    page = at_case.page
    page.route("**/reveal", lambda route: waiting.append(route))  # noqa: PLW0108 - no builtin is taken
    page.get_by_role("button", name="Hold to look").hover()
    with page.expect_request("**/reveal"):
        page.mouse.down()
    page.mouse.up()
    waiting[0].continue_()
    page.unroute("**/reveal")
    look(page)
    assert len([each for each in at_case.pictures() if not each.url.endswith("/close")]) == 1


def test_the_keyboard_chooses_how_clearly_and_shows_nothing_by_it(at_case: Watched) -> None:
    page, keys = at_case.page, at_case.page.keyboard
    look(page)
    keys.press(".")
    expect(page.get_by_role("radio", name="Grey")).to_be_checked()
    keys.press(".")  # colour is not open yet
    expect(page.get_by_role("radio", name="Grey")).to_be_checked()
    keys.press(",")
    expect(page.get_by_role("radio", name="Blurred")).to_be_checked()
    assert len([each for each in at_case.pictures() if not each.url.endswith("/close")]) == 1


def test_the_floor_of_the_organisation_ends_the_stages(stand: Stand, at_case: Watched) -> None:
    page = at_case.page
    look(page)
    choose(page, "Grey")
    with stand.runtime.database.transaction() as session:
        wanted = Floor(clearest=RevealStage.BLURRED)
        floors.raise_for_all(session, stand.runtime.settings, HarmClass.CSAM, wanted)
    page.get_by_role("button", name="Hold to look").hover()
    page.mouse.down()
    expect(page.locator("#notice")).to_contain_text("This is shown no clearer than blurred here.")
    page.mouse.up()
    page.reload()
    expect(page.get_by_text("Shown no clearer than blurred.").first).to_be_visible()
    expect(page.locator("[data-look] [name=stage]")).to_have_count(1)
    assert stand.acts().count("reveal.ask") == 1


def test_the_address_of_a_look_works_once(at_case: Watched) -> None:
    look(at_case.page)
    asked = next(each for each in at_case.pictures() if not each.url.endswith("/close"))
    again = at_case.context.request.get(asked.url)
    assert again.status == 404
    assert "svg" in again.headers["content-type"]


def test_the_address_of_a_look_is_one_persons(stand: Stand, at_case: Watched, window: Window) -> None:
    stand.person("reviewer-2", Role.REVIEWER)
    other = window()
    other.log_in("reviewer-2")
    page = at_case.page
    page.route("**/reveals/*", lambda route: route.abort())
    page.get_by_role("button", name="Hold to look").hover()
    with page.expect_request(lambda request: "/reveals/" in request.url) as asked:
        page.mouse.down()
    address = asked.value.url
    assert other.context.request.get(address).status == 404
    assert at_case.context.request.get(address).status == 200
    stranger = window()
    assert stranger.context.request.get(address, max_redirects=0).status == 303
    page.unroute("**/reveals/*")
    let_go(page)


def test_a_film_is_seen_as_small_grey_stills_and_each_goes_through_the_stages(stand: Stand, window: Window) -> None:
    frames = [frame for seed in (31, 32, 33) for frame in still(scene(seed), 1.0)]
    body = video(frames, sound=True)
    stand.put_on_list(body)
    stand.upload(body, "test-film")
    stand.person("reviewer-1", Role.REVIEWER)
    watched = window()
    watched.log_in("reviewer-1")
    expect(watched.page.get_by_role("heading", name="Queue")).to_be_visible()
    watched.open("cases/1")
    watched.ready()
    page, answers = watched.page, list[Response]()
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - no builtin is taken
    look(page)
    page.get_by_label("One every").select_option("1 s")
    page.get_by_role("button", name="Hold to see 12 stills").hover()
    page.mouse.down()
    expect(page.locator("figure.shown.whole img")).to_be_visible()
    expect(page.locator("figure.shown img")).to_have_js_property("complete", True)
    let_go(page)
    assert [each.inner_text() for each in page.locator(".stills a").all()] == ["First", "1 0:00", "2 0:01", "3 0:02"]
    blurred, sheet = pictures_in(answers)
    assert saturation(blurred) <= 8
    assert saturation(sheet) <= 8
    assert Image.open(BytesIO(sheet)).size == (640, 120)
    page.get_by_role("link", name="2 0:01").click()
    expect(page.locator('.stills [aria-current="true"]')).to_have_text("2 0:01")
    colour = look(page, "Colour")
    assert saturation(colour) > 100
    assert len(pictures_in(answers)) == 3
    assert page.locator("video, audio").count() == 0
