"""The pages of a PDF, as they are shown, and the pictures and files in it. Runs only in a decoder child.

PDFium renders (in the package pypdfium2; built without JavaScript and XFA). It opens what strangers send in every
Chrome, and is confined here all the same. Each page is rendered, since a picture can be cut to pieces or drawn; each
embedded picture is looked up by itself too, since a page can show it small, cut or covered.
"""

from __future__ import annotations

from collections.abc import Iterator

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

from seawall.decoding.allowance import Allowance
from seawall.decoding.limits import Limits
from seawall.decoding.sniff import LOOKED_AT, Kind, sniff
from seawall.errors import MediaCorrupt, MediaTooLarge, MediaUnsupported, NotMedia

# PDQ looks at 64 points a side; a page is rendered large enough that a picture on a quarter of it keeps its detail.
_LONGEST_SIDE = 1024
_LARGEST_SCALE = 4.0
_DEEPEST = 15
_REFUSALS = (pypdfium2.PdfiumError, OSError, ValueError, LookupError, ArithmeticError, TypeError, RuntimeError)

Member = tuple[Kind, bytes]


def look_through(data: bytes, limits: Limits, allowance: Allowance) -> Iterator[Image.Image | Member]:
    """Each page as it is shown, and behind it the pictures on it: decoded, or as the file that they are.

    What cannot be read is owed.
    """
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as problem:
        if problem.err_code in {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}:
            allowance.owe(MediaUnsupported("The PDF is encrypted."))
        else:
            allowance.owe(MediaCorrupt("The PDF cannot be read."))
        return
    try:
        yield from _look_through(document, limits, allowance)
    finally:
        document.close()


def _look_through(
    document: pypdfium2.PdfDocument, limits: Limits, allowance: Allowance
) -> Iterator[Image.Image | Member]:
    _show_forms(document, allowance)
    if len(document) == 0:
        allowance.owe(MediaCorrupt("The PDF has no page."))
    if len(document) > limits.max_pages:
        allowance.owe(MediaTooLarge(f"Only the first {limits.max_pages} pages were read."))
    for number in range(min(len(document), limits.max_pages)):
        if not allowance.has_time():
            return
        try:
            page = document[number]
            try:
                yield from _page(page, limits, allowance)
            finally:
                page.close()
        except _REFUSALS as problem:
            allowance.owe(MediaCorrupt(f"A page cannot be read: {type(problem).__name__}."))
    yield from _attachments(document, allowance)


def _show_forms(document: pypdfium2.PdfDocument, allowance: Allowance) -> None:
    """Makes pages show what is in the fields of a form."""
    if document.get_formtype() != pdfium.FORMTYPE_NONE:
        try:
            document.init_forms()
        except _REFUSALS:
            allowance.owe(MediaCorrupt("The form in the PDF cannot be read."))


def _page(page: pypdfium2.PdfPage, limits: Limits, allowance: Allowance) -> Iterator[Image.Image | Member]:
    """The page, then its pictures. Sizes are checked before anything is unfolded."""
    pictures = [
        each
        for each in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=_DEEPEST)
        if isinstance(each, pypdfium2.PdfImage)
    ]
    sizes = [picture.get_px_size() for picture in pictures]
    if any(width * height > limits.max_pixels for width, height in sizes):
        allowance.owe(MediaTooLarge(f"A picture in the PDF has more than {limits.max_pixels} pixels."))
        return
    width, height = page.get_size()
    if not (width > 0 and height > 0):
        allowance.owe(MediaCorrupt("A page of the PDF has no size."))
        return
    scale = min(_LARGEST_SCALE, _LONGEST_SIDE / max(width, height))
    yield page.render(scale=scale, rev_byteorder=True).to_pil()
    for picture in pictures:
        if not allowance.takes_member():
            return
        try:
            found = _picture(picture, allowance)
        except _REFUSALS as problem:
            allowance.owe(MediaCorrupt(f"A picture in the PDF cannot be read: {type(problem).__name__}."))
        else:
            if found is not None:
                yield found


def _picture(picture: pypdfium2.PdfImage, allowance: Allowance) -> Image.Image | Member | None:
    """An embedded picture. A JPEG is kept in a PDF as it was: a list may know its very bytes."""
    if picture.get_filters(skip_simple=True) == ["DCTDecode"]:
        data = bytes(picture.get_data(decode_simple=True))
        return _file(data, allowance)
    # A copy: the bitmap's own memory goes with the page.
    decoded: Image.Image = picture.get_bitmap(render=False).to_pil().copy()
    return decoded


def _attachments(document: pypdfium2.PdfDocument, allowance: Allowance) -> Iterator[Member]:
    for number in range(document.count_attachments()):
        if not allowance.takes_member():
            return
        try:
            found = _file(bytes(document.get_attachment(number).get_data()), allowance)
        except _REFUSALS as problem:
            allowance.owe(MediaCorrupt(f"A file in the PDF cannot be read: {type(problem).__name__}."))
        else:
            if found is not None:
                yield found


def _file(data: bytes, allowance: Allowance) -> Member | None:
    if not allowance.takes_bytes(len(data)):
        return None
    try:
        return sniff(data[:LOOKED_AT]), data
    except NotMedia:
        return None
