"""Dropout control: absences, visits, ledgers, watch list, reports, household lists."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import config.scope
from config.wall import wall


class Migration(migrations.Migration):
    dependencies = [
        ("config", "0003_mass_runs"),
        ("registry", "0014_graduation"),
    ]

    operations = [
        migrations.CreateModel(
            name="Absence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                ("name", models.CharField(max_length=100, verbose_name="姓名")),
                ("from_on", models.DateField(verbose_name="缺勤起始")),
                ("is_excused", models.BooleanField(verbose_name="已请假")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("ill", "生病"),
                            ("family", "家中有事"),
                            ("unwilling", "不愿上学"),
                            ("work", "外出务工"),
                            ("away", "随家长外出"),
                            ("unknown", "原因不明"),
                            ("other", "其他"),
                        ],
                        max_length=10,
                        verbose_name="原因",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="说明")),
                ("is_warned", models.BooleanField(default=False, verbose_name="已提醒")),
                ("ended_on", models.DateField(null=True, verbose_name="结束日期")),
                (
                    "ended_how",
                    models.CharField(
                        blank=True,
                        choices=[("returned", "已返校"), ("case", "已办理学籍变动")],
                        max_length=10,
                        verbose_name="结束方式",
                    ),
                ),
                ("reported_by_name", models.CharField(max_length=50, verbose_name="登记人")),
                ("ended_by_name", models.CharField(blank=True, max_length=50, verbose_name="结束登记人")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="登记时间"
                    ),
                ),
                (
                    "school_class",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.schoolclass",
                        verbose_name="班级",
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="absences",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
            ],
            options={
                "verbose_name": "缺勤",
                "indexes": [
                    models.Index(fields=["org_path", "-id"], name="absence_newest"),
                    models.Index(
                        condition=models.Q(("ended_on__isnull", True)),
                        fields=["from_on"],
                        name="absence_running",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_on__isnull", True)),
                        fields=("student",),
                        name="one_open_absence",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_on__isnull", True),
                            ("ended_on__gte", models.F("from_on")),
                            _connector="OR",
                        ),
                        name="absence_ends_after_it_began",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SuspectedDropout",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                (
                    "source",
                    models.CharField(
                        choices=[("alarm", "缺勤预警"), ("ministry", "上级下发")],
                        max_length=10,
                        verbose_name="来源",
                    ),
                ),
                ("opened_on", models.DateField(verbose_name="立账日期")),
                ("last_seen_on", models.DateField(null=True, verbose_name="最后在校日期")),
                ("report_due_on", models.DateField(verbose_name="报告期限")),
                ("reported_at", models.DateTimeField(null=True, verbose_name="报告时间")),
                ("reported_by_name", models.CharField(blank=True, max_length=50, verbose_name="报告人")),
                ("told", models.JSONField(default=list, verbose_name="已告知")),
                ("answer_due_on", models.DateField(null=True, verbose_name="答复期限")),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[("at_school", "在校就读，附证明"), ("absent", "确已缺勤，正在劝返")],
                        max_length=10,
                        verbose_name="答复",
                    ),
                ),
                ("answer_note", models.CharField(blank=True, max_length=300, verbose_name="答复说明")),
                ("answered_at", models.DateTimeField(null=True, verbose_name="答复时间")),
                ("answered_by_name", models.CharField(blank=True, max_length=50, verbose_name="答复人")),
                ("closed_on", models.DateField(null=True, verbose_name="销号日期")),
                (
                    "closed_how",
                    models.CharField(
                        blank=True,
                        choices=[("returned", "返校"), ("case", "学籍变动办结"), ("confirmed", "核实在校")],
                        max_length=10,
                        verbose_name="销号依据",
                    ),
                ),
                ("closed_by_name", models.CharField(blank=True, max_length=50, verbose_name="销号人")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="登记时间"
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="suspicions",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
            ],
            options={
                "verbose_name": "疑似辍学",
                "indexes": [
                    models.Index(fields=["org_path", "-id"], name="suspicion_newest"),
                    models.Index(fields=["org_path", "opened_on"], name="suspicion_opened"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_on__isnull", True)),
                        fields=("student",),
                        name="one_open_suspicion",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closed_on__isnull", True),
                            models.Q(("closed_how", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="suspicion_closed_with_a_ground",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PersuasionVisit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                ("on", models.DateField(verbose_name="日期")),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("phone", "电话"),
                            ("message", "短信或网络"),
                            ("home", "家访"),
                            ("letter", "书面通知"),
                        ],
                        max_length=10,
                        verbose_name="方式",
                    ),
                ),
                ("persons", models.CharField(max_length=100, verbose_name="劝返人员")),
                (
                    "met",
                    models.CharField(
                        choices=[
                            ("nobody", "未见到人"),
                            ("pupil", "学生本人"),
                            ("guardian", "监护人"),
                            ("relative", "其他亲属"),
                            ("village", "村（居）干部"),
                        ],
                        max_length=10,
                        verbose_name="见到",
                    ),
                ),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("unreached", "未联系上"),
                            ("reached", "已联系上"),
                            ("promised", "承诺返校"),
                            ("refused", "不愿返校"),
                        ],
                        max_length=10,
                        verbose_name="结果",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="情况")),
                ("recorded_by_name", models.CharField(max_length=50, verbose_name="登记人")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="登记时间"
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="visits",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
            ],
            options={
                "verbose_name": "劝返记录",
                "indexes": [
                    models.Index(fields=["org_path", "on"], name="visit_of_office"),
                    models.Index(fields=["student", "-on"], name="visit_of_student"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DropoutReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("month", "学校月报"),
                            ("quarter", "县级季度核查"),
                            ("semester", "市级学期报告"),
                            ("year", "省级学年报告"),
                        ],
                        max_length=10,
                        verbose_name="种类",
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="起")),
                ("ends_on", models.DateField(verbose_name="止")),
                ("due_on", models.DateField(verbose_name="报送期限")),
                ("counts", models.JSONField(verbose_name="数据")),
                ("remark", models.CharField(blank=True, max_length=300, verbose_name="说明")),
                ("signed_by_name", models.CharField(blank=True, max_length=50, verbose_name="签报人")),
                ("signed_at", models.DateTimeField(null=True, verbose_name="签报时间")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="生成时间"
                    ),
                ),
                (
                    "office",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                        verbose_name="单位",
                    ),
                ),
            ],
            options={
                "verbose_name": "控辍保学报告",
                "indexes": [
                    models.Index(fields=["org_path", "kind", "-starts_on", "id"], name="dropout_report_list"),
                    models.Index(
                        condition=models.Q(("signed_at__isnull", True)),
                        fields=["due_on"],
                        name="dropout_report_owed",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("office", "kind", "starts_on"), name="one_dropout_report")
                ],
            },
        ),
        migrations.CreateModel(
            name="WatchEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                ("kind_index", models.UUIDField(verbose_name="类别索引")),
                ("private", models.BinaryField(verbose_name="内容")),
                ("is_from_record", models.BooleanField(default=False, verbose_name="出自学籍")),
                ("from_on", models.DateField(verbose_name="起")),
                ("until", models.DateField(null=True, verbose_name="止")),
                ("entered_by_name", models.CharField(max_length=50, verbose_name="登记人")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="登记时间"
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="watched",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
            ],
            options={
                "verbose_name": "重点关注",
                "indexes": [models.Index(fields=["org_path", "-id"], name="watch_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("until__isnull", True)),
                        fields=("student", "kind_index"),
                        name="watched_once_a_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HouseholdList",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                ("file_name", models.CharField(max_length=200, verbose_name="文件名")),
                ("stored_as", models.CharField(blank=True, max_length=32, verbose_name="存储名")),
                ("digest", models.CharField(max_length=64, verbose_name="文件摘要")),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "等待比对"), ("done", "已比对"), ("failed", "无法读取")],
                        default="waiting",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("failure", models.JSONField(default=dict, verbose_name="读取失败")),
                ("counts", models.JSONField(default=dict, verbose_name="结果")),
                ("created_by_name", models.CharField(max_length=50, verbose_name="上传人")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="上传时间"
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="config.job",
                        verbose_name="任务",
                    ),
                ),
            ],
            options={
                "verbose_name": "户籍比对",
                "indexes": [models.Index(fields=["org_path", "-id"], name="household_newest")],
            },
        ),
        migrations.CreateModel(
            name="HouseholdRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                ("number", models.PositiveIntegerField(verbose_name="行号")),
                ("cells", models.BinaryField(verbose_name="内容")),
                ("blind", models.UUIDField(null=True, verbose_name="盲索引")),
                ("birth_on", models.DateField(null=True, verbose_name="出生日期")),
                ("is_poor", models.BooleanField(default=False, verbose_name="脱贫户")),
                (
                    "finding",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("here", "本地有学籍"),
                            ("elsewhere", "外地有学籍"),
                            ("never", "适龄无学籍"),
                            ("absent", "有学籍未到校"),
                            ("dropped", "已登记辍学"),
                            ("other_age", "非适龄"),
                            ("unclear", "证件号有误"),
                        ],
                        max_length=10,
                        verbose_name="比对结果",
                    ),
                ),
                (
                    "sheet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="registry.householdlist",
                        verbose_name="名单",
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="household_rows",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
            ],
            options={
                "verbose_name": "户籍名单行",
                "indexes": [
                    models.Index(fields=["sheet", "finding", "number"], name="household_finding"),
                    models.Index(fields=["sheet", "blind"], name="household_blind"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("sheet", "number"), name="household_row_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="dropoutentry",
            name="legal_end",
            field=models.CharField(blank=True, max_length=50, verbose_name="法定终止"),
        ),
        migrations.AddConstraint(
            model_name="dropoutentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closed_on__isnull", True),
                    models.Q(("closed_by_case", ""), _negated=True),
                    models.Q(("legal_end", ""), _negated=True),
                    _connector="OR",
                ),
                name="dropout_closed_with_a_ground",
            ),
        ),
        migrations.CreateModel(
            name="HandedDropout",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("to_path", config.scope.PathField(db_collation="C", verbose_name="户籍地县路径")),
                ("from_path", config.scope.PathField(db_collation="C", verbose_name="转交单位路径")),
                ("name", models.CharField(max_length=100, verbose_name="姓名")),
                ("school_name", models.CharField(max_length=100, verbose_name="原学校")),
                ("from_name", models.CharField(max_length=100, verbose_name="转交单位")),
                ("to_name", models.CharField(max_length=100, verbose_name="接收单位")),
                ("fields", models.BinaryField(verbose_name="档案内容")),
                ("handed_on", models.DateField(verbose_name="转交日期")),
                ("handed_by_name", models.CharField(max_length=50, verbose_name="转交人")),
                ("received_at", models.DateTimeField(null=True, verbose_name="接收时间")),
                ("received_by_name", models.CharField(blank=True, max_length=50, verbose_name="接收人")),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="handed",
                        to="registry.dropoutentry",
                        verbose_name="辍学台账",
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="handed",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
            ],
            options={
                "verbose_name": "辍学档案转交",
                "indexes": [
                    models.Index(fields=["to_path", "-id"], name="handed_dropout_in"),
                    models.Index(fields=["from_path", "-id"], name="handed_dropout_out"),
                ],
            },
        ),
        wall("registry_absence"),
        wall("registry_suspecteddropout"),
        wall("registry_persuasionvisit"),
        wall("registry_dropoutreport"),
        wall("registry_watchentry"),
        wall("registry_householdlist"),
        wall("registry_householdrow"),
        wall("registry_handeddropout", "from_path", "to_path"),
        # What was said of a child, and the counts of a report, are not rewritten; a path follows its office.
        migrations.RunSQL(
            "REVOKE DELETE, TRUNCATE ON registry_absence, registry_suspecteddropout, registry_watchentry,"
            " registry_handeddropout FROM xueji_app, xueji_worker;"
            "REVOKE UPDATE, DELETE, TRUNCATE ON registry_persuasionvisit, registry_dropoutreport"
            " FROM xueji_app, xueji_worker;"
            "GRANT UPDATE (org_path) ON registry_persuasionvisit TO xueji_app, xueji_worker;"
            "GRANT UPDATE (org_path, remark, signed_by_name, signed_at) ON registry_dropoutreport"
            " TO xueji_app, xueji_worker;",
            migrations.RunSQL.noop,
        ),
    ]
