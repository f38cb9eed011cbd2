"""Images from outside, decoded fully and written anew: metadata and disguises vanish (SECURITY FI-1)."""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from archives.photo_refusals import WrongProportions
from archives.refusals import FileTooLarge, ImageTooDetailed, ImageTooLarge, ImageTooSmall, NotAnImage
from config.errors import Refusal
from config.rules.catalogue import (
    EVIDENCE_MAX_KB,
    EVIDENCE_PDF_PAGES,
    PHOTO_HEIGHT,
    PHOTO_MAX_KB,
    PHOTO_WIDTH,
)
from config.rules.in_force import RuleInForce, rules
from config.scope import NATION

KEYS = (EVIDENCE_MAX_KB, PHOTO_MAX_KB, PHOTO_WIDTH, PHOTO_HEIGHT, EVIDENCE_PDF_PAGES)
MAX_MEGAPIXELS = 25
MAX_PIXELS = MAX_MEGAPIXELS * 1_000_000
LONGEST_SIDE = 2480  # A4 at 212 dots an inch: the small print of a household register stays readable
LEAST_WIDTH, LEAST_HEIGHT = 100, 120
# Below 30 a face or a stamp can no longer be told.
QUALITIES = range(90, 29, -10)
# The library's own stop, for whatever it decodes before we see the size.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


@dataclass(frozen=True, slots=True)
class Limits:
    """The rules a file is read under: sizes of files in KB, of the photo in pixels, of a PDF in pages."""

    evidence_kb: int
    photo_kb: int
    width: int
    height: int
    pdf_pages: int


def _limits(found: list[RuleInForce]) -> Limits:
    return Limits(*(value.number for value in found))


NATIONAL = _limits([RuleInForce(parameter.value, parameter) for parameter in KEYS])


def limits_in_force(at: str = NATION) -> Limits:
    """The limits at one office today, in one query."""
    found = rules(KEYS, at)
    return _limits([found[parameter.key] for parameter in KEYS])


def read_photo(data: bytes, limits: Limits = NATIONAL, *, most_cut: float = 1.0) -> bytes:
    """A pupil's photo as JPEG: upright, cropped to the centre, in the size and KB of the rules (HANDBOOK C4).

    It may come in larger, up to the limit of evidence. `most_cut` is the share of the picture that cropping
    may lose unseen. Raises the refusals of archives.refusals, and WrongProportions.
    """
    image = _decode(data, limits)
    if image.width < LEAST_WIDTH or image.height < LEAST_HEIGHT:
        raise ImageTooSmall(
            width=image.width, height=image.height, least_width=LEAST_WIDTH, least_height=LEAST_HEIGHT
        )
    shape = image.width * limits.height / (image.height * limits.width)
    if 1 - min(shape, 1 / shape) > most_cut:
        raise WrongProportions(
            width=image.width, height=image.height, wanted_width=limits.width, wanted_height=limits.height
        )
    fitted = ImageOps.fit(image, (limits.width, limits.height), Image.Resampling.LANCZOS)
    return _encode(fitted, limits.photo_kb)


def read_image(data: bytes, limits: Limits = NATIONAL) -> bytes:
    """A copy of a paper as JPEG, upright, at most 2,480 pixels long. Raises as read_photo does."""
    image = _decode(data, limits)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return _encode(image, limits.evidence_kb)


def _decode(data: bytes, limits: Limits) -> Image.Image:
    if len(data) > limits.evidence_kb * 1024:
        raise FileTooLarge(limit=limits.evidence_kb)
    try:
        image = Image.open(BytesIO(data), formats=("JPEG", "PNG"))
        if image.width * image.height > MAX_PIXELS:
            raise _too_many_pixels()
        image.load()
        return _plain(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except (Refusal, MemoryError):
        raise
    except Exception:  # Broken files make the decoders raise a dozen kinds, all with one meaning.
        raise NotAnImage from None


def _too_many_pixels() -> ImageTooLarge:
    return ImageTooLarge(megapixels=MAX_MEGAPIXELS, side=LONGEST_SIDE)


def _plain(image: Image.Image) -> Image.Image:
    """The pixels alone, on a new white sheet: the encoder copies comments and XMP from an image it read."""
    if image.mode.startswith("I;16"):
        # A plain conversion would cut 16 bits off at 255 and leave a white page.
        image = image.point(lambda value: value * (1 / 256) + 0).convert("L")
    sheet = Image.new("RGB", image.size, "white")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        sheet.paste(image, mask=image.getchannel("A"))
    else:
        sheet.paste(image.convert("RGB"))
    return sheet


def _encode(image: Image.Image, limit_kb: int) -> bytes:
    for quality in QUALITIES:
        out = BytesIO()
        image.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= limit_kb * 1024:
            return out.getvalue()
    raise ImageTooDetailed(limit=limit_kb)
