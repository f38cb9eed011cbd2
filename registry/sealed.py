"""What the registry keeps sealed."""

from config.sealed import SealedColumn, SealedFiles, history

SEALED = (
    SealedColumn("registry_student", "private", "学生敏感信息"),
    history("registry_student", "private", "学生敏感信息"),
    SealedColumn("registry_identitydocument", "number", "证件号码"),
    history("registry_identitydocument", "number", "证件号码"),
    SealedColumn("registry_familymember", "private", "家庭成员"),
    history("registry_familymember", "private", "家庭成员"),
    SealedColumn("registry_enrolmentsnapshot", "fields", "离校备份", "enrolment_id"),
    SealedColumn("registry_graduationrecord", "fields", "毕业记录"),
    SealedColumn("registry_importrow", "cells", "导入行", "batch_id || '.' || number"),
    SealedColumn("registry_recordentry", "sealed", "成长记录"),
    SealedColumn("registry_entrysheet", "cells", "成长记录导入表"),
    SealedColumn("registry_dropoutlist", "cells", "下发的疑似辍学名单"),
    SealedColumn("registry_handeddropout", "fields", "转交的辍学档案", "entry_id"),
    SealedColumn("registry_watchentry", "private", "重点关注"),
    SealedColumn("registry_householdrow", "cells", "户籍比对名单行", "sheet_id || '.' || number"),
    SealedFiles("registry_householdlist", "stored_as", "户籍比对名单", "registry_householdlist"),
    SealedFiles("registry_admissionlist", "stored_as", "统一招生录取名单", "registry_admissionlist"),
    SealedFiles("registry_importbatch", "stored_as", "导入文件", "registry_importbatch"),
    SealedFiles("registry_export", "stored_as", "导出文件", "registry_export"),
)
