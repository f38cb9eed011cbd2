"""Rules are data (ARCHITECTURE 5): declared in `catalogue`, set in `setting`, resolved in `in_force`.

rule("TRANSFER_STEP_DAYS", at=case.to_path, on=today)   # nearest office's value within the national bound
"""

from config.rules.bounds import Bound, Value
from config.rules.catalogue import PARAMETERS
from config.rules.in_force import CATALOGUE_VERSION, RuleInForce, rule, rulebook_version, rules
from config.rules.parameter import Level, Parameter
from config.rules.setting import (
    RuleMalformed,
    RuleNotYours,
    RuleOutOfBound,
    RuleOverlaps,
    RuleRefused,
    RuleWithoutDocument,
    set_rule,
)

__all__ = [
    "CATALOGUE_VERSION",
    "PARAMETERS",
    "Bound",
    "Level",
    "Parameter",
    "RuleInForce",
    "RuleMalformed",
    "RuleNotYours",
    "RuleOutOfBound",
    "RuleOverlaps",
    "RuleRefused",
    "RuleWithoutDocument",
    "Value",
    "rule",
    "rulebook_version",
    "rules",
    "set_rule",
]
