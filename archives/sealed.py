"""What the archives keep sealed."""

from config.sealed import SealedFiles

SEALED = (
    SealedFiles("archives_material", "stored_as", "材料与照片", "archives_material"),
    SealedFiles("archives_photofile", "stored_as", "照片（待核对）", "archives_material"),
    SealedFiles("archives_photobatch", "stored_as", "照片压缩包", "archives_photobatch"),
    SealedFiles("archives_sheetprint", "stored_as", "确认表文件", "archives_sheetprint"),
)
