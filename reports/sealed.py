"""What the reports keep sealed."""

from config.sealed import SealedFiles

SEALED = (SealedFiles("reports_reportfile", "stored_as", "统计报表文件", "reports_reportfile"),)
