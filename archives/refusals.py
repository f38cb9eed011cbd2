"""Why a file is not taken, as data."""

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal

_GUIDE = "全国中小学生学籍信息管理系统使用指南"


class NotAnImage(Refusal):
    """The bytes are no JPEG or PNG, or break off; their name and declared type do not matter."""

    code, status = "not_an_image", 422
    rule, article = "FI-1", _GUIDE
    message = _("这个文件不是完整的JPG或PNG图片，改文件名不能改变格式。请重新拍照或扫描后上传。")


class FileTooLarge(Refusal):
    code, status = "file_too_large", 413
    rule, article = "EVIDENCE_MAX_KB", _GUIDE
    message = _("文件超过 {limit} KB。请降低分辨率或另存为JPG后重新上传。")


class ImageTooLarge(Refusal):
    code, status = "image_too_large", 413
    rule = "FI-1"
    message = _("图片超过 {megapixels} 百万像素。请缩小尺寸（长边 {side} 像素已足够清晰）后重新上传。")


class ImageTooSmall(Refusal):
    code, status = "image_too_small", 422
    rule = "C4"
    message = _(
        "照片只有 {width}×{height} 像素，至少需要 {least_width}×{least_height} 像素。"
        "请上传原始照片，不要用截图或缩略图。"
    )


class ImageTooDetailed(Refusal):
    """Even at the lowest quality that still shows the child or the paper, the bytes pass the limit."""

    code, status = "image_too_detailed", 422
    rule = "FI-1"
    message = _("图片压缩后仍超过 {limit} KB,无法保存。请使用背景单一、噪点较少的图片重新上传。")


class BadPdf(Refusal):
    """A PDF that is not taken. `code` is what the drawing process said, or what became of it."""

    status, rule, article = 422, "FI-1", _GUIDE
    message = "{why}"

    def __init__(self, code: str, **words: int) -> None:
        self.code = code if code in _PDF_REASONS else "pdf_too_heavy"
        super().__init__(why=str(_PDF_REASONS[self.code]).format(**words))


_PDF_REASONS = {
    "pdf_encrypted": _("PDF文件设有打开密码。请取消密码，另存后重新上传。"),
    "pdf_broken": _("PDF文件已损坏、不完整或没有页面。请打开核对，另存后重新上传。"),
    "pdf_too_many_pages": _("PDF文件超过 {pages} 页。请只保留需要的页，或分成几个文件上传。"),
    "pdf_page_too_large": _("PDF文件的页面或图片尺寸过大。请按A4重新扫描，或另存为JPG后重新上传。"),
    "pdf_too_heavy": _("PDF文件的内容过于复杂，无法安全处理。请扫描或打印为普通PDF，或另存为JPG后重新上传。"),
    "pdf_too_detailed": _("PDF文件压缩后仍超过 {limit} KB，无法保存。请减少页数，或分成几个文件上传。"),
}


class FileMissing(Refusal):
    code, status = "file_missing", 422
    message = _("没有收到文件。请选择一张JPG或PNG图片后上传。")


class KindUnknown(Refusal):
    code, status = "material_kind_unknown", 422
    rule = "evidence_type"
    message = _("材料种类或材料类型不在代码表中。请从列表中选择后重新上传。")


class UploadGone(Refusal):
    """An id in a form that is no upload of this office (any more): hidden and missing look alike."""

    code, status = "upload_gone", 422
    message = _("上传的文件已失效，或不是本单位上传的。请重新上传后再提交。")


class MaterialTaken(Refusal):
    """Guarded by the UPDATE: of two forms that hold the same upload, one is told."""

    code, status = "material_taken", 409
    message = _("这份材料已用于另一条学籍。请刷新页面，为本条学籍重新上传。")
