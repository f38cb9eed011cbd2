"""Why a ZIP of photos, or one photo in it, is not taken: one sentence each, with what to do."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal

_SOURCE = "全国中小学生学籍照片采集要求"
_AGAIN = _("请用系统自带的压缩功能，把本班照片重新打包为ZIP后上传。")
# By the reason that the reader of archives gives.
_ZIP_REASONS = {
    "file_empty": (_("压缩包是空的。"), _("请把本班照片放入压缩包后上传。")),
    "file_too_big": (_("压缩包超过{limit}MB。"), _("请先把照片缩小到规定尺寸，再打包上传。")),
    "file_other": (_("文件不是ZIP压缩包（RAR、7Z只改扩展名也不行）。"), _AGAIN),
    "file_encrypted": (_("压缩包设有密码。"), _("请取消密码后重新打包。")),
    "truncated": (_("压缩包不完整，可能没有传完。"), _("请重新上传。")),
    "damaged": (_("压缩包已损坏。"), _AGAIN),
    "archive_form": (_("压缩包的结构不合规范。"), _AGAIN),
    "part_name": (_("压缩包内有不合规范的文件名或路径。"), _AGAIN),
    "overlap": (_("压缩包内的文件重复或重叠。"), _AGAIN),
    "parts": (_("压缩包内的文件超过{limit}个。"), _("一个压缩包只放一个班的照片。")),
    "unpacked": (_("压缩包解压后超过{limit}MB。"), _("请先把照片缩小到规定尺寸，再打包上传。")),
    "ratio": (_("压缩包内有压缩比超过{limit}倍的文件，疑似压缩炸弹。"), _AGAIN),
    "no_photos": (_("压缩包里没有照片。"), _("请把本班的JPG照片放入压缩包后上传。")),
    "set_aside": (_("压缩包多次使检查中断，已搁置。"), _("请逐张核对照片能否打开，重新打包后上传。")),
}


class BadZip(Refusal):
    """The whole ZIP is refused (FI-2). `code` is "photo_zip_" and the reason."""

    status, rule = 422, "FI-2"
    message = "{why}{remedy}"

    def __init__(self, reason: str, **words: Any) -> None:
        why, remedy = _ZIP_REASONS.get(reason, _ZIP_REASONS["damaged"])
        self.code = f"photo_zip_{reason}"
        super().__init__(why=str(why).format(**words), remedy=remedy)


# ── One file of the ZIP ──────────────────────────────────────────────────────────────────────────────────
class BadPhoto(Refusal):
    """One file is not taken; the others are."""

    status, rule, article = 422, "C4", _SOURCE


class NestedZip(BadPhoto):
    code, rule = "photo_nested", "FI-2"
    message = _("压缩包里还有压缩包，没有展开。照片须直接放在压缩包内。")


class PhotoBroken(BadPhoto):
    code, rule = "photo_broken", "FI-2"
    message = _("这个文件在压缩包内已损坏。请用原照片重新打包。")


class WrongProportions(BadPhoto):
    """Cropping would cut off more than what an eye would forgive."""

    code = "photo_proportions"
    message = _(
        "照片是 {width}×{height} 像素，与 {wanted_width}×{wanted_height} 的比例相差过大。"
        "请改用竖幅的正面免冠半身照。"
    )


class PupilUnknown(BadPhoto):
    code = "photo_pupil_unknown"
    message = _("按文件名没有找到本班学生。文件名应为身份证件号，或“学校标识码_班号_姓名”。")


class PupilsAlike(BadPhoto):
    code = "photo_pupils_alike"
    message = _("本班有 {count} 名学生与这个文件名相符，不能区分。请用各人的身份证件号命名。")


class OtherClass(BadPhoto):
    code = "photo_other_class"
    message = _("该生在{name}，不在本班。请放进那个班的压缩包。")


class PhotoTwice(BadPhoto):
    code = "photo_twice"
    message = _("同一名学生有 {count} 张照片（第 {files} 个文件），不知道用哪一张。请只留一张。")


class PhotoDropped(BadPhoto):
    code = "photo_dropped"
    message = _("学校按退回意见去掉了这张照片。")


class PupilLeft(BadPhoto):
    code = "photo_pupil_left"
    message = _("核准时该生已不在本校，照片没有归档。")


# ── The batch ────────────────────────────────────────────────────────────────────────────────────────────
class ClassBusy(Refusal):
    """A class has one batch under way; the index decides, not a look before."""

    code, status, rule = "photo_class_busy", 409, "C4"
    message = _("{name}已有一批照片在办（{state}）。请先办完、取消或撤回那一批。")


class PhotosNotNow(Refusal):
    code, status, rule = "photo_not_now", 409, "C4"
    message = _("这批照片当前状态为“{state}”，不能进行这项操作。请刷新后再看。")


class SomePhotosWrong(Refusal):
    code, status, rule = "photo_some_wrong", 422, "C4"
    message = _("有 {count} 个文件不能用。请改正后重新上传，或勾选“跳过不能用的文件”后提交。")


class NoPhotoGood(Refusal):
    code, status, rule = "photo_none_good", 422, "C4"
    message = _("没有一张照片可以提交。请按清单改正后重新上传。")


class ZipMissing(Refusal):
    code, status, rule = "photo_zip_missing", 422, "FI-2"
    message = _("没有收到文件。请选择一个班的照片压缩包（.zip，不超过 {limit} MB）后再上传。")
