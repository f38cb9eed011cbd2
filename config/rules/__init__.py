"""Rules are data (ARCHITECTURE 5): declared in `catalogue`, set in `setting`, resolved in `in_force`.

rule("TRANSFER_STEP_DAYS", at=case.to_path, on=today)   # nearest office's value within the national bound
"""

from config.rules.bounds import Bound, Value
from config.rules.catalogue import PARAMETERS, SUBJECTS
from config.rules.in_force import (
    CATALOGUE_VERSION,
    RuleInForce,
    in_force,
    rule,
    rulebook_version,
    rules,
    values_set,
)
from config.rules.parameter import Level, Parameter
from config.rules.setting import (
    RuleEnded,
    RuleMalformed,
    RuleNotYours,
    RuleOutOfBound,
    RuleOverlaps,
    RulePeriodWrong,
    RuleRefused,
    RuleWithoutDocument,
    end_rule,
    set_rule,
)

__all__ = [
    "CATALOGUE_VERSION",
    "PARAMETERS",
    "SUBJECTS",
    "Bound",
    "Level",
    "Parameter",
    "RuleEnded",
    "RuleInForce",
    "RuleMalformed",
    "RuleNotYours",
    "RuleOutOfBound",
    "RuleOverlaps",
    "RulePeriodWrong",
    "RuleRefused",
    "RuleWithoutDocument",
    "Value",
    "end_rule",
    "in_force",
    "rule",
    "rulebook_version",
    "rules",
    "set_rule",
    "values_set",
]
