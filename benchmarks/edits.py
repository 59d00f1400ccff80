"""How many known pictures are still found after what people do to them, by kind of edit.

    make bench-edits
    make bench-edits ARGS="--pictures 40"

Takes benign pictures (those of Debian packages where they can be fetched, and generated ones), puts the PDQ hash of
each on a list, edits each in every way below, saves it as a JPEG, and looks it up: by its one upright hash (plain, as
most do), by its eight orientations, by all that Seawall hashes of it, which are regions too, and by keypoints where
none of that met anything, as of pictures that were confirmed here. Found is what lies within 31 bits at a quality of
at least 50, or agrees by keypoints. A wrong query is one that meets another picture; pictures that are on no list are
asked about as well, edited, and so are pages of text and lattices. Prints a table and writes
benchmarks/results/edits.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.corpus import fetched  # noqa: E402
from seawall.decoding.asking import Keypoints  # noqa: E402
from seawall.decoding.limits import Limits  # noqa: E402
from seawall.decoding.operations import fingerprint  # noqa: E402
from seawall.decoding.process import limits_of  # noqa: E402
from seawall.fingerprints.keypoints import KeypointSignature  # noqa: E402
from seawall.fingerprints.pdq import hash_picture  # noqa: E402
from seawall.matching.keypoint_geometry import agreement  # noqa: E402
from seawall.matching.keypoint_index import KeypointIndex, words_in  # noqa: E402
from seawall.records import FARTHEST_DISTANCE  # noqa: E402
from seawall.settings import Settings  # noqa: E402
from tests.vectors.files import scene  # noqa: E402

LONGEST = 1400
GOOD_QUALITY = 50
Random = np.random.Generator
Edit = Callable[[Image.Image, Random], Image.Image]
WORDS = [
    "the",
    "sea",
    "is",
    "calm",
    "tonight",
    "the",
    "tide",
    "is",
    "full",
    "the",
    "moon",
    "lies",
    "fair",
    "upon",
    "the",
    "straits",
]


def lettering(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(8, size))


def lines_of_text(
    draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], size: int, ink: object, dice: Random
) -> None:
    """Fills the box with words."""
    left, top, right, bottom = box
    for y in range(top, bottom - size, round(size * 1.5)):
        line = " ".join(dice.choice(WORDS) for _ in range(14))
        draw.text((left, y), line[: max(1, int((right - left) / size * 1.9))], fill=ink, font=lettering(size))


def bordered(share: float, colour: object) -> Edit:
    def edit(image: Image.Image, _dice: Random) -> Image.Image:
        return ImageOps.expand(image, round(share * min(image.size)), colour)  # type: ignore[arg-type]

    return edit


def letterboxed(share: float, *, upright: bool) -> Edit:
    def edit(image: Image.Image, _dice: Random) -> Image.Image:
        across, down = (0, round(share * image.height)) if not upright else (round(share * image.width), 0)
        return ImageOps.expand(image, (across, down), "black")

    return edit


def banner(share: float, *, above: bool, dark: bool = False) -> Edit:
    def edit(image: Image.Image, dice: Random) -> Image.Image:
        high = round(share * image.height)
        page = Image.new("RGB", (image.width, image.height + high), "black" if dark else "white")
        page.paste(image, (0, high if above else 0))
        top = 0 if above else image.height
        draw = ImageDraw.Draw(page)
        lines_of_text(draw, (8, top + 8, image.width - 8, top + high), high // 3, "white" if dark else "black", dice)
        return page

    return edit


def phone(*, dark: bool) -> Edit:
    def edit(image: Image.Image, dice: Random) -> Image.Image:
        wide = 1080
        shown = image.resize((wide, round(wide * image.height / image.width)))
        page = Image.new("RGB", (wide, max(2200, shown.height + 500)), (18, 18, 20) if dark else (250, 250, 250))
        draw, ink = ImageDraw.Draw(page), (230, 230, 230) if dark else (20, 20, 20)
        draw.text((40, 24), "12:34", fill=ink, font=lettering(40))
        draw.rectangle((900, 30, 1040, 60), fill=ink)
        top = 260
        lines_of_text(draw, (40, 120, 900, top), 36, ink, dice)
        page.paste(shown, (0, top))
        lines_of_text(draw, (40, top + shown.height + 40, 1000, page.height - 120), 34, ink, dice)
        for place in range(5):
            draw.ellipse((90 + 200 * place, page.height - 100, 150 + 200 * place, page.height - 40), fill=ink)
        return page

    return edit


def desktop(*, dark: bool, share: float) -> Edit:
    def edit(image: Image.Image, dice: Random) -> Image.Image:
        page = Image.new("RGB", (1920, 1080), (30, 31, 34) if dark else (255, 255, 255))
        draw, ink = ImageDraw.Draw(page), (220, 220, 220) if dark else (30, 30, 30)
        draw.rectangle((0, 0, 1920, 70), fill=(60, 60, 66) if dark else (222, 225, 230))
        draw.text((160, 20), "https://site.example/picture", fill=ink, font=lettering(26))
        lines_of_text(draw, (40, 120, 330, 1040), 18, ink, dice)
        shown = image.copy()
        shown.thumbnail((round(1920 * share), round(950 * min(1.0, share * 1.7))))
        page.paste(shown, (400, 100))
        lines_of_text(draw, (400 + shown.width + 30, 120, 1900, 1040), 18, ink, dice)
        return page

    return edit


def within_another(image: Image.Image, dice: Random) -> Image.Image:
    """The picture on top of another, which shows around it."""
    page = scene(int(dice.integers(10_000, 20_000))).resize((1600, 1200))
    shown = image.copy()
    shown.thumbnail((1100, 800))
    page.paste(shown, (220, 180))
    return page


def cropped(share: float) -> Edit:
    def edit(image: Image.Image, dice: Random) -> Image.Image:
        wide, high = (round(side * (1 - share)) for side in image.size)
        left, top = int(dice.integers(0, image.width - wide + 1)), int(dice.integers(0, image.height - high + 1))
        return image.crop((left, top, left + wide, top + high))

    return edit


def turned(degrees: float) -> Edit:
    return lambda image, _dice: image.rotate(degrees, expand=True, resample=Image.Resampling.BICUBIC)


def captioned(image: Image.Image, dice: Random) -> Image.Image:
    image = image.copy()
    size = image.height // 12
    draw = ImageDraw.Draw(image)
    for y in (size // 2, image.height - 2 * size):
        words = " ".join(dice.choice(WORDS) for _ in range(4)).upper()
        draw.text((size, y), words, fill="white", stroke_width=3, stroke_fill="black", font=lettering(size))
    return image


def stuck_over(image: Image.Image, dice: Random) -> Image.Image:
    image = image.copy()
    side = round(0.3 * min(image.size))
    left, top = int(dice.integers(0, image.width - side)), int(dice.integers(0, image.height - side))
    ImageDraw.Draw(image).ellipse((left, top, left + side, top + side), fill=(250, 200, 40))
    return image


def watermarked(image: Image.Image, _dice: Random) -> Image.Image:
    over = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(over)
    for y in range(0, image.height, image.height // 5):
        for x in range(0, image.width, image.width // 3):
            draw.text((x, y), "SAMPLE", fill=(255, 255, 255, 110), font=lettering(image.height // 14))
    return Image.alpha_composite(image.convert("RGBA"), over).convert("RGB")


def noisy(amount: float) -> Edit:
    def edit(image: Image.Image, dice: Random) -> Image.Image:
        pixels = np.asarray(image, dtype=np.float32) + dice.normal(0, amount, (image.height, image.width, 3))
        return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))

    return edit


def beside_another(image: Image.Image, dice: Random) -> Image.Image:
    other = scene(int(dice.integers(10_000, 20_000))).resize(image.size)
    page = Image.new("RGB", (2 * image.width, image.height))
    page.paste(image, (0, 0))
    page.paste(other, (image.width, 0))
    return page


def in_perspective(image: Image.Image, _dice: Random) -> Image.Image:
    wide, high = image.size
    return image.transform(
        image.size,
        Image.Transform.QUAD,
        (0, 0, 0, high, wide, 0.95 * high, wide, 0.05 * high),
        Image.Resampling.BICUBIC,
    )


def saved(quality: int) -> Edit:
    def edit(image: Image.Image, _dice: Random) -> Image.Image:
        out = BytesIO()
        image.save(out, "JPEG", quality=quality)
        return Image.open(out).convert("RGB")

    return edit


def scaled(share: float) -> Edit:
    return lambda image, _dice: image.resize(
        (max(8, round(image.width * share)), max(8, round(image.height * share)))
    )


EDITS: dict[str, Edit] = {
    "as it is": lambda image, _dice: image,
    "JPEG 30": saved(30),
    "half the size": scaled(0.5),
    "a quarter of the size": scaled(0.25),
    "grey": lambda image, _dice: ImageOps.grayscale(image).convert("RGB"),
    "brighter": lambda image, _dice: ImageEnhance.Brightness(image).enhance(1.4),
    "darker": lambda image, _dice: ImageEnhance.Brightness(image).enhance(0.6),
    "more contrast": lambda image, _dice: ImageEnhance.Contrast(image).enhance(1.6),
    "blurred": lambda image, _dice: image.filter(ImageFilter.GaussianBlur(3)),
    "sharpened": lambda image, _dice: image.filter(ImageFilter.UnsharpMask(3, 200)),
    "noise": noisy(20),
    "posterised": lambda image, _dice: ImageOps.posterize(image, 3),
    "wider by a tenth": lambda image, _dice: image.resize((round(1.1 * image.width), image.height)),
    "mirrored": lambda image, _dice: ImageOps.mirror(image),
    "upside down": lambda image, _dice: ImageOps.flip(image),
    "turned by 90": turned(90),
    "turned by 180": turned(180),
    "turned by 270": turned(270),
    "turned by 3": turned(3),
    "turned by 10": turned(10),
    "cropped by 5 %": cropped(0.05),
    "cropped by 10 %": cropped(0.1),
    "cropped by 25 %": cropped(0.25),
    "white border, 5 %": bordered(0.05, "white"),
    "white border, 15 %": bordered(0.15, "white"),
    "black border, 10 %": bordered(0.1, "black"),
    "coloured border, 10 %": bordered(0.1, (180, 40, 90)),
    "letterbox, above and below": letterboxed(0.15, upright=False),
    "letterbox, at the sides": letterboxed(0.2, upright=True),
    "mirrored, with a border": lambda image, dice: bordered(0.1, "white")(ImageOps.mirror(image), dice),
    "banner above": banner(0.15, above=True),
    "banner below": banner(0.2, above=False),
    "dark banner below": banner(0.2, above=False, dark=True),
    "on a phone": phone(dark=False),
    "on a dark phone": phone(dark=True),
    "on a page": desktop(dark=False, share=0.6),
    "on a dark page": desktop(dark=True, share=0.6),
    "small on a page": desktop(dark=False, share=0.35),
    "on a page, mirrored": lambda image, dice: desktop(dark=False, share=0.6)(ImageOps.mirror(image), dice),
    "within another picture": within_another,
    "beside another picture": beside_another,
    "captions on it": captioned,
    "something stuck over it": stuck_over,
    "watermarks": watermarked,
    "in perspective": in_perspective,
}


def originals(most: int) -> list[Image.Image]:
    """Benign pictures with enough to see in them to be on a list."""
    kept: list[Image.Image] = []
    for path in fetched():
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        image.thumbnail((LONGEST, LONGEST))
        if len(kept) < most // 2 and hash_picture(np.asarray(image)).quality >= GOOD_QUALITY:
            kept.append(image)
    kept += [scene(5000 + number).resize((960, 720)) for number in range(most - len(kept))]
    return kept


def distances(hashes: list[bytes], listed: np.ndarray) -> np.ndarray:
    """(pictures,): the least distance of any of the hashes to each."""
    asked = np.frombuffer(b"".join(hashes), dtype=np.uint64).reshape(-1, 1, 4)
    return np.bitwise_count(asked ^ listed[None]).sum(axis=2).min(axis=0)


def signatures(told: list[dict[str, object]]) -> list[KeypointSignature]:
    """What a decoder child tells of keypoints."""
    read = []
    for each in told:
        places = {name: bytes.fromhex(str(each[name])) for name in ("points", "descriptors")}
        read.append(KeypointSignature(**{**each, **places}))  # type: ignore[arg-type]
    return read


class Confirmed:
    """The keypoints of pictures that were confirmed, and how long it takes to look them up."""

    def __init__(self, pictures: list[Image.Image], limits: Limits) -> None:
        self.kept: dict[int, tuple[int, KeypointSignature]] = {}
        self.seconds, self.asked = 0.0, 0
        for number, picture in enumerate(pictures):
            told = fingerprint(as_jpeg(picture, 95), limits, keypoints=Keypoints.TO_KEEP)["signatures"]
            for signature in signatures(told):
                self.kept[len(self.kept)] = number, signature
        self._index = KeypointIndex().after({at: words_in(one) for at, (_, one) in self.kept.items()}, ())

    def met(self, arrived: list[KeypointSignature]) -> set[int]:
        """The pictures that show the same."""
        started = time.process_time()
        pairs = ((one, self.kept[at]) for one in arrived for at in self._index.candidates(one))
        found = {number for one, (number, kept) in pairs if agreement(one, kept) is not None}
        self.seconds, self.asked = self.seconds + time.process_time() - started, self.asked + 1
        return found


def as_jpeg(picture: Image.Image, quality: int = 85) -> bytes:
    """The picture as a file."""
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def on_no_list(most: int) -> list[Image.Image]:
    """As many pictures that are not among the originals: generated ones, and print and lattices."""
    kept = [scene(40_000 + number).resize((960, 720)) for number in range(most)]
    for step in (16, 24, 40):
        lattice, page = (Image.new("RGB", (960, 720), "white") for _ in range(2))
        draw = ImageDraw.Draw(lattice)
        for at in range(0, 960, step):
            draw.line((at, 0, at, 720), "black", 3)
            draw.line((0, at, 960, at), "black", 3)
        dice = np.random.default_rng(step)
        lines_of_text(ImageDraw.Draw(page), (20, 20, 940, 700), step, "black", dice)
        kept += [lattice, page]
    return kept


def looked_up(read: dict[str, list[dict[str, Any]]]) -> dict[str, list[bytes]]:
    """What would be looked up of a file, by how."""
    frames = read["frames"]
    # What tells too little counts for nothing alone.
    good = [frame for frame in frames if frame["quality"] >= GOOD_QUALITY and not frame["low_information"]]
    hashes = [[bytes.fromhex(frame["hashes"])[at : at + 32] for at in range(0, 256, 32)] for frame in good]
    whole = hashes[:1] if frames and good[:1] == frames[:1] else []
    return {
        "plain": [eight[0] for eight in whole],
        "orientations": [one for eight in whole for one in eight],
        "ours": [one for eight in hashes for one in eight],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=100)
    pictures = originals(parser.parse_args().pictures)
    limits = limits_of(Settings())
    listed = np.stack(
        [np.frombuffer(hash_picture(np.asarray(one)).orientations[0], dtype=np.uint64) for one in pictures]
    )
    apart = np.bitwise_count(listed[:, None] ^ listed[None]).sum(axis=2)
    ways_asked = ("plain", "orientations", "ours", "keypoints")
    found: dict[str, dict[str, int]] = {way: dict.fromkeys(EDITS, 0) for way in ways_asked}
    wrong, frames, seconds = 0, 0, 0.0
    confirmed, wrong_by_keypoints = Confirmed(pictures, limits), 0
    for number, picture in enumerate(pictures):
        alike = apart[number] <= 2 * FARTHEST_DISTANCE
        for name, edit in EDITS.items():
            body = as_jpeg(edit(picture, np.random.default_rng([number, len(name)])))
            started = time.process_time()
            read = fingerprint(body, limits)
            seconds += time.process_time() - started
            ways = looked_up(read)
            frames += len(ways["ours"]) // 8
            by_hash = False
            for way, hashes in ways.items():
                if not hashes:
                    continue
                met = distances(hashes, listed) <= FARTHEST_DISTANCE
                found[way][name] += bool(met[number])
                by_hash = by_hash or bool(met[number])
                wrong += way == "ours" and bool((met & ~alike).any())
            told = fingerprint(body, limits, keypoints=Keypoints.ARRIVING)["signatures"]
            same = confirmed.met(signatures(told))
            found["keypoints"][name] += by_hash or number in same
            wrong_by_keypoints += bool(same - set(np.flatnonzero(alike).tolist()))
    others = 0
    for picture in on_no_list(len(pictures)):
        for edit in (EDITS["as it is"], EDITS["cropped by 25 %"], EDITS["captions on it"], EDITS["on a page"]):
            body = as_jpeg(edit(picture, np.random.default_rng(others)))
            told = fingerprint(body, limits, keypoints=Keypoints.ARRIVING)["signatures"]
            wrong_by_keypoints, others = wrong_by_keypoints + bool(confirmed.met(signatures(told))), others + 1
    more = {
        "wrong_by_keypoints": wrong_by_keypoints,
        "asked_that_are_on_no_list": others,
        "keypoints_ms_a_lookup": 1000 * confirmed.seconds / max(1, confirmed.asked),
    }
    _report(found, len(pictures), wrong, frames, seconds, more)


def _report(
    found: dict[str, dict[str, int]], pictures: int, wrong: int, frames: int, seconds: float, more: dict[str, float]
) -> None:
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    table = Table("Edit", *found, title=f"Found of {pictures} pictures, in per cent ({machine})")
    for name in EDITS:
        table.add_row(name, *(f"{100 * each[name] / pictures:.0f}" for each in found.values()))
    means = {way: sum(each.values()) / len(EDITS) / pictures for way, each in found.items()}
    table.add_row("all", *(f"{100 * mean:.1f}" for mean in means.values()))
    Console().print(table)
    asked = pictures * len(EDITS)
    print(f"wrong queries: {wrong} of {asked}")
    print(", ".join(f"{name}: {value:g}" for name, value in more.items()))
    print(f"hashed for each: {frames / asked:.2f}; ms for each: {1000 * seconds / asked:.1f}")
    document = {
        **{way: {name: count / pictures for name, count in each.items()} for way, each in found.items()},
        "mean": means,
        "wrong_queries": wrong,
        **more,
        "pictures": pictures,
        "hashed_a_picture": frames / asked,
        "ms_a_picture": 1000 * seconds / asked,
        "machine": machine,
    }
    target = ROOT / "benchmarks" / "results" / "edits.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
