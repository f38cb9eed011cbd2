"""One Chinese sentence per act, as data. `Event.detail` fills the placeholders; what lacks stays empty."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from audit.models import Event

# Short name for lists and filters, and the sentence. {office}, {actor} and {fields} are always there; the
# rest are keys of the event's detail.
ACTS: "dict[str, tuple[StrOrPromise, StrOrPromise]]" = {
    "accounts.user.create": (_lazy("建立账号"), _lazy("{office}的{actor}为{name}建立了账号")),
    "accounts.user.return": (
        _lazy("启用离任账号"),
        _lazy("{office}的{actor}为再次到岗的{name}启用了原账号"),
    ),
    "accounts.user.leave": (
        _lazy("办理离任"),
        _lazy("{office}的{actor}办理了{name}的离任，未办结的 {count} 项由{successor}接手"),
    ),
    "accounts.user.train": (
        _lazy("登记培训"),
        _lazy("{office}的{actor}登记了{day}完成的培训（{hours} 学时）"),
    ),
    "accounts.post.appoint": (
        _lazy("任命岗位"),
        _lazy("{office}的{actor}任命{name}为{at}{role}（{first}起，{last}）"),
    ),
    "accounts.post.end": (_lazy("结束岗位"), _lazy("{office}的{actor}结束了{name}的{at}{role}岗位")),
    "accounts.grant.give": (
        _lazy("临时授权"),
        _lazy("{office}的{actor}授权{name}对{at}“{right}”，{until}失效"),
    ),
    "accounts.grant.end": (_lazy("收回授权"), _lazy("{office}的{actor}收回了{name}对{at}“{right}”的授权")),
    "accounts.code.issue": (_lazy("发放验证码"), _lazy("{office}的{actor}发放了一次性验证码（{purpose}）")),
    "accounts.code.reset": (
        _lazy("确认重设"),
        _lazy("{office}的{actor}核验本人后确认为{name}{purpose}"),
    ),
    "accounts.code.ask": (_lazy("申请重设"), _lazy("{office}的{actor}申请为{name}{purpose}，待另一人复核")),
    "accounts.code.confirm": (_lazy("复核重设"), _lazy("{office}的{actor}复核同意为{name}{purpose}")),
    "accounts.code.refuse": (_lazy("不同意重设"), _lazy("{office}的{actor}不同意为{name}{purpose}")),
    "accounts.list.confirm": (_lazy("批量建立账号"), _lazy("{office}的{actor}批量建立了 {count} 个账号")),
    "transfers.case.file": (_lazy("发起办件"), _lazy("{office}的{actor}发起了{kind}（{number}）")),
    "transfers.case.refile": (
        _lazy("补正后重新提交"),
        _lazy("{office}的{actor}补正后重新提交了{kind}（{number}）"),
    ),
    "transfers.case.approve": (_lazy("同意"), _lazy("{office}的{actor}同意了{kind}（{number}）")),
    "transfers.case.return": (
        _lazy("退回补正"),
        _lazy("{office}的{actor}退回{kind}（{number}），请对方补正"),
    ),
    "transfers.case.refuse": (_lazy("不予通过"), _lazy("{office}的{actor}未予通过{kind}（{number}）")),
    "transfers.case.withdraw": (_lazy("撤回"), _lazy("{office}的{actor}撤回了{kind}（{number}）")),
    "transfers.case.return_rows": (
        _lazy("退回部分学生"),
        _lazy("{office}的{actor}从{kind}（{number}）中退回了 {count} 名学生"),
    ),
    "transfers.case.return_row": (
        _lazy("退回单个学生"),
        _lazy("{office}的{actor}从批量学籍注册（{number}）中退回一名学生，请学校补正"),
    ),
    "transfers.case.exempt": (
        _lazy("准予例外"),
        _lazy("{office}的{actor}在{kind}（{number}）中准予例外：{reason}"),
    ),
    "transfers.case.clean_up": (
        _lazy("清理在办业务"),
        _lazy("{office}的{actor}清理了{kind}（{number}）：{reason}"),
    ),
    "transfers.case.complete": (_lazy("办结"), _lazy("系统办结了{kind}（{number}）")),
    "transfers.step.escalate": (
        _lazy("超期督办"),
        _lazy("办件{number}的“{step}”环节超期未办，已提请上级督办"),
    ),
    "transfers.step.urge": (
        _lazy("催办"),
        _lazy("{office}的{actor}催办了{at}超期未办的“{step}”环节（办件{number}）"),
    ),
    "exchange.guardian.issue": (_lazy("发放监护人查询码"), _lazy("{office}的{actor}向监护人发放了查询码")),
    "exchange.guardian.end": (_lazy("停用监护人查询码"), _lazy("{office}的{actor}停用了监护人查询码")),
    "exchange.guardian.enter": (_lazy("监护人登入"), _lazy("监护人凭查询码登入查询")),
    "exchange.grant.begin": (
        _lazy("对外提供生效"),
        _lazy("对外提供（{number}）生效，接收方{receiver}，批准人{approvers}"),
    ),
    "exchange.grant.stop": (
        _lazy("停止对外提供"),
        _lazy("{office}的{actor}停止了向{receiver}的对外提供（{number}）：{reason}"),
    ),
    "exchange.grant.suspend": (
        _lazy("暂停对外提供"),
        _lazy("{receiver}名称或业务变更，{office}的{actor}暂停了对外提供（{number}）：{reason}"),
    ),
    "exchange.client.make": (
        _lazy("建立客户端"),
        _lazy("{office}的{actor}为{receiver}建立了客户端“{name}”（{client}）"),
    ),
    "exchange.client.stop": (
        _lazy("停用客户端"),
        _lazy("{office}的{actor}停用了{receiver}的客户端“{name}”（{client}）"),
    ),
    "accounts.user.seal": (_lazy("封存账号"), _lazy("账号半年以上未使用，系统自动封存并结束其登录")),
    "accounts.user.unseal": (_lazy("解封账号"), _lazy("{office}的{actor}解封了{name}的账号")),
    "config.fence.lift": (_lazy("解除隔离"), _lazy("{actor}解除了恢复副本的隔离")),
    "accounts.run.confirm": (
        _lazy("确认批量操作"),
        _lazy("{office}的{actor}确认了批量操作“{kind}”（{touched}）"),
    ),
    "accounts.run.plan": (
        _lazy("预先确认批量操作"),
        _lazy("{office}的{actor}预先确认了 {day} 的批量操作“{kind}”（{touched}）"),
    ),
    "registry.student.create": (_lazy("登记学生"), _lazy("{office}的{actor}登记了一名学生")),
    "registry.student.correct": (
        _lazy("补正登记信息"),
        _lazy("{office}的{actor}补正了学生登记信息（{fields}）"),
    ),
    "registry.student.register": (_lazy("注册生效"), _lazy("学籍注册生效")),
    "registry.student.continue": (_lazy("接续学籍"), _lazy("学籍接续生效，转入现就读学校，沿用原学籍号")),
    "registry.student.take_back": (_lazy("撤销登记"), _lazy("撤销了一名学生的登记")),
    "registry.student.change": (
        _lazy("学籍变动"),
        _lazy("{kind}办结（{number}），学籍状态变为“{status}”"),
    ),
    "registry.student.reclass": (_lazy("变更班级"), _lazy("{kind}办结（{number}），编入{school_class}")),
    "registry.student.put_back": (
        _lazy("退回年级"),
        _lazy("{kind}办结（{number}），退回{grade}重读，待编班"),
    ),
    "registry.student.promote": (
        _lazy("统一升级"),
        _lazy("{office}在{year}年统一升级中将其由{before}升入{after}"),
    ),
    "registry.student.promote_back": (
        _lazy("撤销升级"),
        _lazy("{office}的{actor}撤销了{year}年统一升级，年级恢复原状"),
    ),
    "registry.promotion.rehearse": (_lazy("升级演练"), _lazy("{office}的{actor}发起了{year}年升级演练")),
    "registry.promotion.confirm": (
        _lazy("确认升级"),
        _lazy("{office}的{actor}确认了{year}年统一升级（{touched} 人，摘要 {digest}）"),
    ),
    "registry.promotion.hold": (_lazy("暂停升级"), _lazy("{year}年统一升级在{name}暂停（{code}）")),
    "registry.promotion.undo": (
        _lazy("撤销学校升级"),
        _lazy("{office}的{actor}撤销了{name}的{year}年统一升级（{count} 人）"),
    ),
    "registry.student.auxiliary": (
        _lazy("编制学籍辅号"),
        _lazy("{office}的{actor}为{school_class}学生编制了学籍辅号"),
    ),
    "registry.student.enrol": (_lazy("升学入籍"), _lazy("{kind}办结（{number}），学籍接续到{school}")),
    "registry.student.move": (_lazy("学籍转接"), _lazy("{kind}办结（{number}），学籍转入{school}")),
    "registry.student.rekey": (
        _lazy("变更关键数据"),
        _lazy("系统按核准的关键数据变更修改了{fields}"),
    ),
    "registry.student.aid": (_lazy("困难认定"), _lazy("{kind}办结（{number}），已在学籍注明")),
    "registry.student.aid_end": (_lazy("终止困难认定"), _lazy("{kind}办结（{number}），原困难认定已终止")),
    "registry.student.void": (_lazy("撤销学籍"), _lazy("{kind}办结（{number}），学籍已撤销")),
    "registry.student.graduate": (
        _lazy("毕业"),
        _lazy("{office}的{actor}办理了{outcome}，证书编号 {number}"),
    ),
    "registry.student.restore": (_lazy("毕业生回退"), _lazy("{kind}办结（{number}），恢复正常在校")),
    "registry.graduation.open": (
        _lazy("编制毕业名单"),
        _lazy("{office}的{actor}编制了 {year} 学年{grade}的毕业名单"),
    ),
    "registry.graduation.refresh": (
        _lazy("刷新毕业名单"),
        _lazy("{office}的{actor}按现有在校学生刷新了毕业名单，变动 {count} 人"),
    ),
    "registry.graduation.set": (
        _lazy("修改毕业名单"),
        _lazy("{office}的{actor}修改了毕业名单中 {count} 名学生的毕业类型、去向或暂缓"),
    ),
    "registry.graduation.hand_in": (
        _lazy("提交毕业名单"),
        _lazy("{office}的{actor}提交了{grade}毕业名单，{count} 人"),
    ),
    "registry.graduation.return": (_lazy("退回毕业名单"), _lazy("{office}的{actor}退回了毕业名单")),
    "registry.graduation.confirm": (
        _lazy("办理毕业"),
        _lazy("{office}的{actor}办理了{grade}毕业，{count} 人，停用空班 {classes} 个（{number}）"),
    ),
    "registry.graduation.print": (
        _lazy("打印毕业材料"),
        _lazy("{office}的{actor}打印了{words}的{paper} {count} 份"),
    ),
    "registry.graduate.destination": (
        _lazy("登记毕业去向"),
        _lazy("{office}的{actor}登记毕业去向：{destination}{school}（{number}）"),
    ),
    "registry.graduate.void": (
        _lazy("毕业证书作废"),
        _lazy("毕业生回退办结（{number}），证书编号 {certificate} 永久作废"),
    ),
    "registry.graduate.proof": (
        _lazy("出具毕业证明书"),
        _lazy("毕业证书补办办结（{number}），毕业证明书编号 {proof}"),
    ),
    "registry.student.merge": (_lazy("随校合并"), _lazy("{before}并入{school}，学籍随之转入（{number}）")),
    "registry.guest.begin": (
        _lazy("开始借读"),
        _lazy("{kind}办结（{number}），学生到{school}借读，学籍不变"),
    ),
    "registry.guest.end": (_lazy("结束借读"), _lazy("{office}的{actor}结束了{name}的借读")),
    "registry.guest.report": (
        _lazy("报告借读情况"),
        _lazy("{office}的{actor}向学籍学校报告了{name}的借读情况"),
    ),
    "registry.student.update": (_lazy("修改学生信息"), _lazy("{office}的{actor}修改了学生信息（{fields}）")),
    "registry.student.document": (_lazy("登记证件"), _lazy("{office}的{actor}登记了学生证件")),
    "registry.student.report_in": (_lazy("报到登记"), _lazy("{office}的{actor}登记了学生本学期的报到情况")),
    "registry.student.place": (_lazy("编班"), _lazy("{office}的{actor}将学生编入{school_class}")),
    "registry.student.rename": (_lazy("更名"), _lazy("系统按核准的关键数据变更为学生更名，原名记入曾用名")),
    "registry.student.reveal": (_lazy("查看明文"), _lazy("{office}的{actor}查看了学生的{fields}明文")),
    "registry.number.run": (
        _lazy("启动学籍号签发"),
        _lazy("{office}的{actor}启动了学籍号签发，待核对 {total} 名"),
    ),
    "registry.number.issue": (_lazy("签发学籍号"), _lazy("系统签发了{kind}字头学籍号")),
    "registry.problem.found": (_lazy("发现问题学籍"), _lazy("发现问题学籍")),
    "registry.problem.close": (
        _lazy("问题学籍销号"),
        _lazy("问题学籍以“{disposition}”销号（{number}）"),
    ),
    "registry.problem.stand": (_lazy("问题学籍一方办结"), _lazy("问题学籍的一方已办结处置（{number}）")),
    "registry.problem.judge": (_lazy("问题学籍裁定"), _lazy("问题学籍已由国家级裁定（{number}）")),
    "registry.problem.judge_hint": (
        _lazy("核对线索"),
        _lazy("{office}的{actor}核对了线索：{verdict}"),
    ),
    "registry.problem.reopen": (
        _lazy("重新打开问题学籍"),
        _lazy("{office}的{actor}重新打开了已佐证的问题学籍（{number}）"),
    ),
    "registry.roll.confirm": (
        _lazy("确认班级名册"),
        _lazy(
            "{office}的{actor}确认了{class_name}名册：在校 {present}、不在校 {away}、非本班 {not_ours}、"
            "名册外 {unlisted}"
        ),
    ),
    "archives.sheet.print": (
        _lazy("打印确认表"),
        _lazy("{office}的{actor}打印了{class_name}的学籍基础信息确认表 {count} 份"),
    ),
    "archives.sheet.ask": (_lazy("申请打印确认表"), _lazy("{office}的{actor}申请打印{classes}的信息确认表")),
    "archives.sheet.collect": (
        _lazy("下载确认表"),
        _lazy("{office}的{actor}下载了{classes}的信息确认表（第 {count} 次）"),
    ),
    "archives.sheet.file": (_lazy("归档确认表"), _lazy("{office}的{actor}归档了签名的学籍基础信息确认表")),
    "registry.admission.import": (
        _lazy("导入录取名单"),
        _lazy("{office}的{actor}导入了统一招生录取名单（{count} 人）"),
    ),
    "registry.admission.drop": (_lazy("删除录取"), _lazy("{office}的{actor}从录取名单中删除了一名学生")),
    "registry.admission.upload": (_lazy("上传录取名单"), _lazy("{office}的{actor}上传了统一招生录取名单")),
    "registry.admission.place": (
        _lazy("录取学生编班"),
        _lazy("{office}的{actor}将一名录取学生编入{school_class}，待主管部门核准"),
    ),
    "registry.admission.fail": (_lazy("未能入籍"), _lazy("录取名单中一名学生未能入籍，退回学校处理")),
    "registry.entry.add": (_lazy("登记成长记录"), _lazy("{office}的{actor}登记了一条{kind}记录")),
    "registry.entry.void": (_lazy("作废成长记录"), _lazy("{office}的{actor}作废了一条{kind}记录")),
    "registry.entry.lift": (_lazy("解除处分"), _lazy("{office}的{actor}解除了一项处分")),
    "registry.entry.upload": (
        _lazy("上传成长记录表格"),
        _lazy("{office}的{actor}上传了{kind}表格（{rows} 行）"),
    ),
    "registry.entry.drop": (_lazy("删除成长记录表格"), _lazy("{office}的{actor}删除了{kind}表格")),
    "registry.entry.purge": (_lazy("清除成长记录表格"), _lazy("系统清除了过期未写入的成长记录表格")),
    "registry.absence.report": (_lazy("登记缺勤"), _lazy("{office}的{actor}登记了一名学生自{day}起缺勤")),
    "registry.absence.excuse": (_lazy("缺勤改为请假"), _lazy("{office}的{actor}将一名学生的缺勤改为请假")),
    "registry.absence.return": (_lazy("登记返校"), _lazy("{office}的{actor}登记了一名缺勤学生于{day}返校")),
    "registry.absence.end": (_lazy("缺勤结束"), _lazy("学生已办理学籍变动，缺勤登记随之结束")),
    "registry.absence.visit": (
        _lazy("登记劝返"),
        _lazy("{office}的{actor}登记了一次联系劝返（{result}）"),
    ),
    "registry.suspicion.alarm": (
        _lazy("疑似辍学预警"),
        _lazy("一名学生未请假缺勤达到规定时间，列入疑似辍学"),
    ),
    "registry.suspicion.push": (
        _lazy("下发疑似辍学"),
        _lazy("{office}的{actor}下发一名疑似辍学学生，{due}前答复"),
    ),
    "registry.suspicion.upload": (
        _lazy("上传疑似辍学名单"),
        _lazy("{office}的{actor}上传了待下发的疑似辍学名单（{rows} 行）"),
    ),
    "registry.suspicion.drop": (_lazy("删除疑似辍学名单"), _lazy("{actor}删除了一份未下发的疑似辍学名单")),
    "registry.suspicion.host": (
        _lazy("疑似辍学列入所在县台账"),
        _lazy("直属学校的一名疑似辍学学生列入或移出所在县台账"),
    ),
    "registry.suspicion.report": (
        _lazy("疑似辍学书面报告"),
        _lazy("{office}的{actor}将一名疑似辍学学生书面报告{offices}"),
    ),
    "registry.suspicion.answer": (
        _lazy("答复疑似辍学"),
        _lazy("{office}的{actor}答复了一名疑似辍学学生的核查结果（{answer}）"),
    ),
    "registry.suspicion.case": (_lazy("疑似辍学转办销号"), _lazy("学籍变动办结，疑似辍学台账销号")),
    "registry.suspicion.confirmed": (
        _lazy("疑似辍学核实销号"),
        _lazy("{office}的{actor}核实学生在校，疑似辍学台账销号"),
    ),
    "registry.dropout.hand": (
        _lazy("转交辍学档案"),
        _lazy("{office}的{actor}将一名随迁辍学学生的档案转交{county}"),
    ),
    "registry.dropout.receive": (_lazy("接收辍学档案"), _lazy("{office}的{actor}接收了转来的辍学学生档案")),
    "registry.dropout.years_over": (_lazy("辍学法定终止"), _lazy("义务教育年限届满，辍学台账按法定终止销号")),
    "registry.dropout.make": (_lazy("生成控辍保学报告"), _lazy("系统按台账生成了控辍保学报告")),
    "registry.dropout.sign": (
        _lazy("签报控辍保学报告"),
        _lazy("{office}的{actor}签报了{kind}（{period}）"),
    ),
    "registry.watch.enter": (_lazy("列入重点关注"), _lazy("{office}的{actor}将一名学生列入重点关注")),
    "registry.watch.end": (_lazy("终止重点关注"), _lazy("{office}的{actor}终止了一名学生的重点关注")),
    "registry.household.upload": (_lazy("上传户籍名单"), _lazy("{office}的{actor}上传了户籍比对名单")),
    "registry.household.compare": (_lazy("户籍比对"), _lazy("户籍名单比对结束（{state}）")),
    "registry.household.purge": (_lazy("删除户籍名单"), _lazy("保留期已过，户籍比对名单已删除")),
    "registry.export.ask": (
        _lazy("申请导出"),
        _lazy("{office}的{actor}申请导出{place} {count} 人的数据（{number}）"),
    ),
    "registry.export.approve": (
        _lazy("批准导出"),
        _lazy("{office}的{actor}批准了导出（{number}，{count} 人）"),
    ),
    "registry.export.confirm": (
        _lazy("再次确认导出"),
        _lazy("{office}的{actor}再次确认了被预警暂缓的导出（{number}）"),
    ),
    "registry.export.refuse": (
        _lazy("不批准导出"),
        _lazy("{office}的{actor}未批准导出（{number}）"),
    ),
    "registry.export.cancel": (_lazy("撤回导出"), _lazy("{office}的{actor}撤回了导出（{number}）")),
    "registry.export.grown": (
        _lazy("导出须重新审批"),
        _lazy("导出（{number}）的人数增至 {count}，超过批准的人数，须重新审批"),
    ),
    "registry.export.run": (_lazy("生成导出文件"), _lazy("系统生成了导出文件（{number}，{count} 行）")),
    "registry.export.void": (_lazy("导出失效"), _lazy("导出（{number}）失效")),
    "registry.export.collect": (
        _lazy("领取导出文件"),
        _lazy("{office}的{actor}领取了导出文件（{number}，第 {count} 次）"),
    ),
    "reports.file.ask": (_lazy("申请统计报表"), _lazy("{office}的{actor}申请了“{title}”报表文件（{place}）")),
    "reports.file.collect": (
        _lazy("下载统计报表"),
        _lazy("{office}的{actor}第 {count} 次下载了“{title}”报表文件（{place}）"),
    ),
    "reports.summary.refresh": (_lazy("重新统计"), _lazy("{office}的{actor}重新统计了{place}")),
    "reports.summary.drift": (_lazy("统计核对差异"), _lazy("夜间核对更正了 {count} 项统计数字")),
    "registry.export.erase": (_lazy("删除导出文件"), _lazy("系统删除了到期的导出文件（{number}）")),
    "registry.import.upload": (_lazy("上传导入文件"), _lazy("{office}的{actor}上传了新生导入文件")),
    "registry.import.check": (
        _lazy("检查导入文件"),
        _lazy("系统检查了新生导入文件：{rows} 行，{wrong} 行有误"),
    ),
    "registry.import.fail": (_lazy("导入文件无法读取"), _lazy("新生导入文件无法读取（{code}）")),
    "registry.import.correct": (
        _lazy("修改导入行"),
        _lazy("{office}的{actor}修改了导入文件的行（{fields}）"),
    ),
    "registry.import.cancel": (_lazy("取消导入"), _lazy("{office}的{actor}取消了一次新生导入")),
    "registry.import.purge": (_lazy("清除导入文件"), _lazy("系统清除了逾期未提交的导入文件")),
    "registry.import.commit": (_lazy("提交导入"), _lazy("{office}的{actor}提交了新生导入，共 {rows} 行")),
    "registry.import.committed": (
        _lazy("导入写入"),
        _lazy("新生导入写入完成：新建 {created} 人，接续 {continued} 人（办件{number}）"),
    ),
    "registry.campaign.open": (_lazy("组织学籍核准"), _lazy("{office}的{actor}组织学籍核准，截至 {due}")),
    "registry.campaign.again": (_lazy("重新检查"), _lazy("{office}的{actor}要求重新检查全部学校")),
    "registry.verification.check": (
        _lazy("核准检查"),
        _lazy("系统检查了学校的 {pupils} 名学生，未销号问题 {count} 条"),
    ),
    "registry.verification.sign": (
        _lazy("签署核准"),
        _lazy("{office}的{actor}签署了本学期学籍核准：学生 {pupils} 人，整改中 {count} 条"),
    ),
    "registry.finding.plan": (_lazy("定出整改计划"), _lazy("{office}的{actor}为核准问题定出了整改计划")),
    "registry.finding.close": (_lazy("核准问题销号"), _lazy("{office}的{actor}将核准问题销号")),
    "registry.finding.overdue": (_lazy("核准问题逾期"), _lazy("核准问题逾期未整改，已提请上级督办")),
    "registry.finding.order": (
        _lazy("责令整改"),
        _lazy("{office}的{actor}责令整改（第二十六条第 {offence} 项）"),
    ),
    "registry.finding.answer": (_lazy("提交整改报告"), _lazy("{office}的{actor}提交了整改报告")),
    "registry.finding.close_order": (_lazy("整改销号"), _lazy("{office}的{actor}将责令整改的问题销号")),
    "registry.sample.draw": (
        _lazy("抽取样本"),
        _lazy("{office}的{actor}抽取了 {count} 名学生（种子 {seed}）"),
    ),
    "registry.sample.result": (_lazy("登记核查结果"), _lazy("{office}的{actor}登记了抽查结果")),
    "registry.office.rehearse": (
        _lazy("演练机构业务"),
        _lazy("{office}的{actor}演练了{name}的{kind}（摘要 {digest}）"),
    ),
    "registry.office.found": (_lazy("单位设立"), _lazy("{name}设立（{number}）")),
    "registry.office.rename": (_lazy("单位更名"), _lazy("{before}更名为{name}（{number}）")),
    "registry.office.merge": (_lazy("单位合并"), _lazy("{name}并入{target}（{number}）")),
    "registry.office.close": (_lazy("单位撤销"), _lazy("{name}撤销，档案移交{target}（{number}）")),
    "registry.office.alter": (_lazy("关键信息变更"), _lazy("{name}的关键信息变更：{what}（{number}）")),
    "registry.office.rehang": (_lazy("变更主管部门"), _lazy("{name}变更主管部门（{number}）")),
    "registry.class.create": (_lazy("新建班级"), _lazy("{office}的{actor}新建了班级")),
    "registry.class.update": (_lazy("修改班级"), _lazy("{office}的{actor}修改了班级（{fields}）")),
    "registry.class.seats": (_lazy("允许超班额"), _lazy("{office}的{actor}许可{name}超班额 {seats} 人")),
    "registry.plan.set": (
        _lazy("设定招生计划"),
        _lazy("{office}的{actor}为{school}设定{year}年招生计划 {planned} 人"),
    ),
    "registry.quota.set": (_lazy("核定学籍总量"), _lazy("{office}的{actor}为{school}核定学籍总量 {most} 人")),
    "archives.material.add": (_lazy("上传材料"), _lazy("{office}的{actor}上传了材料")),
    "archives.handover.hand": (
        _lazy("移交档案"),
        _lazy("学籍档案（{count} 份材料）移交{school}（办件{number}）"),
    ),
    "archives.handover.receive": (
        _lazy("接收档案"),
        _lazy("{office}的{actor}确认接收学籍档案（办件{number}）"),
    ),
    "archives.photo.upload": (_lazy("上传班级照片"), _lazy("{office}的{actor}上传了{name}的照片压缩包")),
    "archives.photo.check": (
        _lazy("检查班级照片"),
        _lazy("系统检查了照片压缩包：{files} 个文件，{wrong} 个不能用"),
    ),
    "archives.photo.fail": (_lazy("照片压缩包无法读取"), _lazy("照片压缩包无法读取（{code}）")),
    "archives.photo.cancel": (_lazy("取消照片采集"), _lazy("{office}的{actor}取消了一批照片")),
    "archives.photo.purge": (_lazy("清除照片"), _lazy("系统清除了逾期未提交的照片")),
    "archives.photo.attach": (_lazy("照片归档"), _lazy("核准的照片成为学生的现用照片（办件{number}）")),
    "archives.material.attach": (_lazy("材料归档"), _lazy("{office}的{actor}将材料归入学生档案")),
    "accounts.post.substitute": (
        _lazy("安排代办"),
        _lazy("{office}的{actor}安排{name}代{instead_of}办理{role}事务（{first}至{last}）"),
    ),
    "accounts.post.substitute_end": (
        _lazy("结束代办"),
        _lazy("{office}的{actor}提前结束了{name}代{instead_of}办理{role}事务"),
    ),
    "accounts.user.password": (_lazy("修改密码"), _lazy("{office}的{actor}修改了本人的密码")),
    "accounts.user.password_drop": (
        _lazy("停用密码"),
        _lazy("{office}的{actor}停用了本人的密码，只用通行密钥登录"),
    ),
    "accounts.user.factor_add": (
        _lazy("登记验证方式"),
        _lazy("{office}的{actor}登记了验证方式：{kind}"),
    ),
    "accounts.user.factor_remove": (
        _lazy("停用验证方式"),
        _lazy("{office}的{actor}停用了验证方式：{kind}，其登录全部结束、备用码作废"),
    ),
    "accounts.user.recovery_code": (_lazy("使用备用码"), _lazy("{office}的{actor}使用了一个备用码")),
    "accounts.user.recovery_codes": (_lazy("更换备用码"), _lazy("{office}的{actor}换了一组备用码")),
    "accounts.user.sign_in_end": (_lazy("结束登录"), _lazy("{office}的{actor}结束了本人的登录")),
    "audit.log.export": (_lazy("导出日志"), _lazy("{office}的{actor}导出了日志 {size} 条")),
    "audit.log.rotate": (_lazy("更换日志签名密钥"), _lazy("{office}的{actor}更换了日志的签名密钥")),
    "registry.protection.propose": (_lazy("提出保护对象"), _lazy("{office}的{actor}提出设定一名保护对象")),
    "registry.protection.confirm": (_lazy("确认保护对象"), _lazy("{office}的{actor}确认了一名保护对象")),
    "registry.protection.decline": (_lazy("未予确认"), _lazy("{office}的{actor}未予确认一名保护对象")),
    "registry.protection.end": (_lazy("解除保护"), _lazy("{office}的{actor}解除了一名学生的保护")),
    "registry.protection.ask": (
        _lazy("申请两人查看"),
        _lazy("{office}的{actor}申请查看保护对象的{fields}，须另一人同意"),
    ),
    "registry.protection.agree": (
        _lazy("同意两人查看"),
        _lazy("{office}的{actor}同意同事查看保护对象的{fields}"),
    ),
    "audit.warning.open": (_lazy("发出预警"), _lazy("系统发出预警：{title}（{rule}）")),
    "audit.warning.take": (_lazy("受理预警"), _lazy("{office}的{actor}受理了预警：{title}（{rule}）")),
    "audit.warning.close": (
        _lazy("办结预警"),
        _lazy("{office}的{actor}办结了预警：{title}（{rule}）"),
    ),
    "audit.warning.escalate": (_lazy("预警逾期"), _lazy("预警逾期未处置，已报上一级：{title}（{rule}）")),
    "config.rule.set": (
        _lazy("设定规则"),
        _lazy("{office}的{actor}设定规则“{title}”：由{old}改为{new}，自{starts}起施行（{document}）"),
    ),
    "config.rule.end": (
        _lazy("终止规则设定"),
        _lazy("{office}的{actor}终止本级规则“{title}”的设定{old}，自{ends}起不再施行（{document}）"),
    ),
    "config.rule.withdraw": (
        _lazy("撤回规则设定"),
        _lazy("{office}的{actor}撤回尚未施行的规则设定“{title}”：{old}（{document}）"),
    ),
}
# The filter's groups: the first parts of an action.
GROUPS: "dict[str, StrOrPromise]" = {
    "registry.campaign": _lazy("学籍核准"),
    "registry.verification": _lazy("学校核准"),
    "registry.finding": _lazy("核准问题"),
    "registry.sample": _lazy("核准抽查"),
    "registry.graduation": _lazy("毕业名单"),
    "registry.graduate": _lazy("毕业记录"),
    "registry.import": _lazy("批量导入"),
    "registry.export": _lazy("导出"),
    "reports.file": _lazy("统计报表"),
    "reports.summary": _lazy("统计汇总"),
    "registry.entry": _lazy("成长记录"),
    "registry.admission": _lazy("招生入学"),
    "transfers.case": _lazy("办件"),
    "transfers.step": _lazy("办件环节"),
    "registry.student": _lazy("学生信息"),
    "registry.number": _lazy("学籍号"),
    "registry.problem": _lazy("问题学籍"),
    "registry.class": _lazy("班级"),
    "registry.promotion": _lazy("统一升级"),
    "registry.guest": _lazy("借读"),
    "registry.office": _lazy("学校与机构"),
    "registry.plan": _lazy("招生计划"),
    "registry.quota": _lazy("学籍总量"),
    "archives.material": _lazy("材料"),
    "archives.photo": _lazy("照片采集"),
    "archives.sheet": _lazy("信息确认表"),
    "registry.roll": _lazy("班级名册"),
    "archives.handover": _lazy("档案移交"),
    "accounts.post": _lazy("岗位"),
    "accounts.user": _lazy("账号"),
    "accounts.run": _lazy("批量操作"),
    "accounts.grant": _lazy("临时授权"),
    "accounts.code": _lazy("一次性验证码"),
    "accounts.list": _lazy("批量建立账号"),
    "exchange.guardian": _lazy("监护人查询"),
    "exchange.grant": _lazy("对外提供"),
    "exchange.client": _lazy("对外提供的客户端"),
    "audit.log": _lazy("日志"),
    "audit.warning": _lazy("预警"),
    "registry.protection": _lazy("保护对象"),
    "registry.absence": _lazy("缺勤与劝返"),
    "registry.suspicion": _lazy("疑似辍学"),
    "registry.dropout": _lazy("辍学台账与报告"),
    "registry.watch": _lazy("重点关注"),
    "registry.household": _lazy("户籍比对"),
    "config.rule": _lazy("规则"),
    "config.fence": _lazy("恢复副本"),
}


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


# Names of changed fields, by key. The app that owns the fields fills this at start (`AppConfig.ready`).
FIELD_LABELS: "dict[str, StrOrPromise]" = {}


def sentence(event: "Event") -> str:
    """What happened, in words; an act without a template of its own gets a general one. Never raises."""
    words = _Blank({key: value for key, value in event.detail.items() if isinstance(value, str | int)})
    words["office"] = event.office_name or _("上级")
    words["actor"] = event.actor_name
    words["fields"] = _("、").join(str(FIELD_LABELS.get(field, field)) for field in event.fields)
    if event.action in ACTS:
        template = str(ACTS[event.action][1])
    else:
        words["group"] = group_name(event.action)
        template = _("{office}的{actor}办理了{group}事项")
    # Brackets around a detail that an older entry does not have.
    return template.format_map(words).replace("（）", "")


def act_name(action: str) -> str:
    """The short name of an act; an unknown one is shown by its subject."""
    return str(ACTS[action][0]) if action in ACTS else group_name(action)


def group_name(action: str) -> str:
    """The subject an action belongs to: 办件, 学籍号, …"""
    return str(GROUPS.get(".".join(action.split(".")[:2]), _("其他")))


def _acts_of(group: str) -> list[tuple[str, str]]:
    return [(action, str(ACTS[action][0])) for action in ACTS if action.startswith(f"{group}.")]


def choices() -> "list[tuple[str, list[tuple[str, str]]]]":
    """Groups with their acts, for the filter; the first choice of a group is the whole group."""
    return [
        (
            str(label),
            [(group, _("全部{group}").format(group=label)), *_acts_of(group)],
        )
        for group, label in GROUPS.items()
    ]
