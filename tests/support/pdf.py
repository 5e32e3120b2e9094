"""PDF files made for tests: byte for byte, so that hostile ones can be made too (ISO 32000-1, 7.5)."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence

from pypdf import PdfReader, PdfWriter

_LINE_CHARS = 90
_CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
_IMAGE = b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"
_WITH_FONT = b"/Font << /F1 3 0 R >>"


def pdf_of(objects: Sequence[bytes]) -> bytes:
    """A file of ``objects``, numbered from 1; the first one is the catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)
    return bytes(out)


def stream(content: bytes, *, filters: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), filters, content)


def make_pdf(*pages: str) -> bytes:
    """A file whose pages hold these texts, lines broken as a printer would."""
    objects = [_CATALOG, b"", _FONT]
    kids = []
    for text in pages:
        objects.append(stream(_drawn(text)))
        kids.append(len(objects) + 1)
        objects.append(_page(len(objects), _WITH_FONT))
    objects[1] = _pages(*kids)
    return pdf_of(objects)


def with_outline(content: bytes, *entries: tuple[str, int, int]) -> bytes:
    """The same file with an outline: title, page from 1, level from 1."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    above: dict[int, object] = {}
    for title, page, level in entries:
        above[level] = writer.add_outline_item(title=title, page_number=page - 1, parent=above.get(level - 1))  # type: ignore[arg-type]
    return _written(writer)


def encrypted(content: bytes) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    writer.encrypt("secreta", algorithm="RC4-128")
    return _written(writer)


def image_only() -> bytes:
    """One page with a grey pixel and no text, as scanners make them."""
    drawn = stream(b"q 595 0 0 842 0 0 cm /I Do Q")
    return pdf_of([_CATALOG, _pages(3), _page(4, b"/XObject << /I 5 0 R >>"), drawn, stream(b"\x80", filters=_IMAGE)])


def bomb(unpacked_bytes: int) -> bytes:
    """One page whose content is drawing commands that pack some hundred to one."""
    packer = zlib.compressobj(9)
    command = b"BT /F1 11 Tf (x) Tj ET " * 1000
    packed = b"".join(packer.compress(command) for _ in range(unpacked_bytes // len(command))) + packer.flush()
    content = stream(packed, filters=b"/Filter /FlateDecode")
    return pdf_of([_CATALOG, _pages(4), _FONT, _page(5, _WITH_FONT), content])


def empty_pages(count: int) -> bytes:
    """One page that stands there ``count`` times: a small file of any number of pages."""
    return pdf_of([_CATALOG, _pages(*[3] * count), b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"])


def endless_pages() -> bytes:
    """A tree of pages that contains itself."""
    return pdf_of([_CATALOG, _pages(2, 2)])


def _pages(*kids: int) -> bytes:
    return b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids))


def _page(content: int, resources: bytes) -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << %s >> >>"
    return page % (content, resources)


def _drawn(text: str) -> bytes:
    lines = [
        line[at : at + _LINE_CHARS] for line in text.split("\n") for at in range(0, max(1, len(line)), _LINE_CHARS)
    ]
    encoded = (line.encode("cp1252").replace(b"\\", b"\\\\") for line in lines)
    escaped = (line.replace(b"(", b"\\(").replace(b")", b"\\)") for line in encoded)
    shown = b"\n".join(b"(%s) Tj T*" % line for line in escaped)
    return b"BT /F1 11 Tf 13 TL 50 800 Td\n%s\nET" % shown


def _written(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
