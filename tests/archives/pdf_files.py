"""PDFs to send, written out by hand: harmless ones, and ones that carry more than pages."""

from zlib import compress

from tests.archives.pictures import CANARY

PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]%s>>"
RED = b"1 0 0 rg 0 0 600 900 re f"
BLUE = b"0 0 1 rg 0 0 600 900 re f"
SCRIPT = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"


def stream(content: bytes, words: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (words, len(content), content)


def pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """The file of these objects, numbered from 1; the first is the catalogue."""
    out, places = b"%PDF-1.7\n", []
    for number, words in enumerate(objects, 1):
        places.append(b"%010d 00000 n \n" % len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, words)
    size = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, b"".join(places))
    end = b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, len(out))
    return out + table + end


def pages(
    count: int, drawing: bytes = RED, box: tuple[int, int] = (300, 400), words: bytes = b"", end: bytes = b""
) -> bytes:
    """So many pages of the same drawing; `words` stand in each page, `end` in the file's trailer."""
    kids = b"%d 0 R " * count % tuple(range(4, 4 + count))
    tree = b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, kids)
    one = PAGE % (*box, b"/Contents 3 0 R" + words)
    catalogue = b"<</Type/Catalog/Pages 2 0 R>>"
    return pdf(catalogue, tree, stream(drawing), *[one] * count, trailer=end)


def armed() -> bytes:
    """A red and a blue page with scripts, a file inside and words about the author; a seal as government
    papers have it, the look of a signature's field, stands green on the first.
    """
    seal = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(a)/F 4/Rect[0 0 100 100]/AP<</N 6 0 R>>/AA<</E 7 0 R>>>>"
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R/OpenAction 7 0 R/Names<</JavaScript<</Names[(a) 7 0 R]>>"
        b"/EmbeddedFiles<</Names[(a.exe) 8 0 R]>>>>/AcroForm<</Fields[5 0 R]>>>>",
        b"<</Type/Pages/Count 2/Kids[3 0 R 4 0 R]>>",
        PAGE % (300, 400, b"/Contents 10 0 R/Annots[5 0 R]/AA<</O 7 0 R>>"),
        PAGE % (400, 300, b"/Contents 11 0 R"),
        seal,
        stream(b"0 1 0 rg 0 0 100 100 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 100 100]"),
        SCRIPT,
        b"<</Type/Filespec/F(a.exe)/EF<</F 9 0 R>>>>",
        stream(b"MZ" + CANARY, b"/Type/EmbeddedFile"),
        stream(RED),
        stream(BLUE),
        b"<</Author(%s)>>" % CANARY,
        trailer=b"/Info 12 0 R",
    )


def huge_image() -> bytes:
    """A page with an image that says it has 4 gigapixels."""
    words = b"/Type/XObject/Subtype/Image/Width 65000/Height 65000/BitsPerComponent 1/ColorSpace/DeviceGray"
    page = PAGE % (300, 400, b"/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>")
    tree = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
    shown = stream(b"300 0 0 400 0 0 cm /I Do")
    return pdf(b"<</Type/Catalog/Pages 2 0 R>>", tree, page, shown, stream(b"", words))


def endless() -> bytes:
    """A few kilobytes that paint the page a million times."""
    drawing = stream(compress(b"0 0 300 400 re 9 9 m 0 0 1 rg f* " * 1_000_000), b"/Filter/FlateDecode")
    tree = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
    page = PAGE % (300, 400, b"/Contents 4 0 R")
    return pdf(b"<</Type/Catalog/Pages 2 0 R>>", tree, page, drawing)


def locked() -> bytes:
    """A page behind a password that nobody knows."""
    lock = b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>/ID[<00><00>]"
    return pages(1, end=lock % (b"41" * 32, b"42" * 32))


def foreign_font(text: str) -> bytes:
    """A page in a Chinese font that the file names and does not bring."""
    font = (
        b"/Resources<</Font<</F<</Type/Font/Subtype/Type0/BaseFont/SimSun/Encoding/UniGB-UCS2-H/DescendantFonts"
        b"[<</Type/Font/Subtype/CIDFontType2/BaseFont/SimSun/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)"
        b"/Supplement 2>>/FontDescriptor<</Type/FontDescriptor/FontName/SimSun/Flags 32/StemV 80>>>>]>>>>>>"
    )
    drawing = b"BT /F 48 Tf 40 60 Td <%s> Tj ET" % text.encode("utf-16-be").hex().encode()
    return pages(1, drawing, (300, 150), words=font)
