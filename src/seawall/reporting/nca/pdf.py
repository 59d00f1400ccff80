"""A report to the NCA on paper, as a PDF: what a person reads while they enter it in the portal."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate

from seawall.reporting.nca.form import FIELDS, Form

FONT, BOLD = "Vera", "VeraBd"
BODY = ParagraphStyle("body", fontName=FONT, fontSize=9, leading=13, spaceAfter=2)
QUIET = ParagraphStyle("quiet", parent=BODY, fontSize=8, leading=11, textColor="#444444")
TITLE = ParagraphStyle("title", parent=BODY, fontName=BOLD, fontSize=15, leading=20, spaceAfter=6)
HEADING = ParagraphStyle("heading", parent=BODY, fontName=BOLD, fontSize=11, leading=15, spaceBefore=10)
LABEL = ParagraphStyle("label", parent=BODY, fontName=BOLD, spaceBefore=5, spaceAfter=0)


def pdf(form: Form, head: Sequence[tuple[str, str]], files: Sequence[str], *, is_test: bool) -> bytes:
    """The report. What the font cannot show stands as the number of the character: the JSON beside it has the text.

    Args:
        head: what stands at the top, each with its name.
        files: the files that go with it, as they are called in the pack.
    """
    for name in (FONT, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    known = frozenset(pdfmetrics.getFont(FONT).face.charToGlyph)
    out = io.BytesIO()
    margin = 20 * mm
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=margin,
        rightMargin=margin,
        topMargin=margin,
        bottomMargin=margin,
        title="Report to the NCA",
        author="Seawall",
        invariant=True,
    )
    document.build([Paragraph(_shown(text, known), style) for text, style in _lines(form, head, files, is_test)])
    return out.getvalue()


def _lines(
    form: Form, head: Sequence[tuple[str, str]], files: Sequence[str], is_test: bool
) -> Iterator[tuple[str, ParagraphStyle]]:
    yield "Report to the NCA: child sexual exploitation and abuse content", TITLE
    if is_test:
        yield "TEST DATA. Nothing here is real, and it is not to be reported.", LABEL
    yield "Online Safety Act 2023, section 66. To be entered in the NCA's portal.", QUIET
    for name, value in head:
        yield f"{name}: {value}", BODY
    yield "Priority", HEADING
    yield "not assessed" if form.priority is None else form.priority.label, BODY
    yield form.priority_because, BODY
    heading = ""
    for each in FIELDS:
        if each.heading != heading:
            heading = each.heading
            yield heading, HEADING
        answer = form.answers[each.code]
        yield each.says, LABEL
        if answer.held:
            yield answer.value, BODY
        else:
            yield f"Not held: {answer.why_not}" if answer.held is False else "Not said yet", QUIET
    yield "Files", HEADING
    for name in files or ("None: no bytes are held.",):
        yield name, BODY
    yield "Declaration", HEADING
    yield f"{form.declared_by} declares that all information that is reasonably available has been included.", BODY


def _shown(text: str, known: frozenset[int]) -> str:
    """Text as a paragraph takes it: nothing in it is markup."""
    shown = "".join(each if each == "\n" or ord(each) in known else f"[U+{ord(each):04X}]" for each in text)
    return escape(shown).replace("\n", "<br/>")
