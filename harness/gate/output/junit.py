"""JUnit XML: a test case for each gated metric and each budget."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from harness.gate.output.words import budget_sentence, headline, sentence, why_lines
from harness.gate.verdict import GateResult, MetricResult

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, escaped or not (https://www.w3.org/TR/xml/#charsets)."""


def as_junit(result: GateResult) -> str:
    """Write the result of a gate as JUnit XML.

    What fails the gate is a failure; what was not compared, and what is undecided, is skipped, with the reason.
    """
    suite = ET.Element("testsuite", name="harness gate")
    for it in result.metrics:
        _add_metric(suite, result.candidate.scenario, it)
    for budget in result.budgets:
        case = _case(suite, result.candidate.scenario, f"budget {budget.metric}")
        if not budget.passed:
            ET.SubElement(case, "failure", message=_legal(budget_sentence(budget)), type="budget")
    if result.verdict == "nothing to compare with" and result.base is not None:
        case = _case(suite, result.candidate.scenario, "gate")
        ET.SubElement(case, "failure", message=result.verdict, type=result.verdict)
    suite.set("tests", str(len(suite)))
    for name, tag in (("failures", "failure"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"./testcase/{tag}"))))
    suite.set("errors", "0")
    properties = ET.Element("properties")
    ET.SubElement(properties, "property", name="compared", value=_legal(headline(result)))
    ET.SubElement(properties, "property", name="verdict", value=result.verdict)
    suite.insert(0, properties)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _add_metric(suite: ET.Element, scenario: str, result: MetricResult) -> None:
    case = _case(suite, scenario, result.limit.metric)
    text = _legal("\n".join((sentence(result), *why_lines(result))))
    if result.failed:
        found = ET.SubElement(case, "failure", message=_legal(sentence(result)), type=result.status)
        found.text = text
    elif result.status in ("new", "not comparable", "inconclusive"):
        ET.SubElement(case, "skipped", message=_legal(sentence(result)))
    else:
        ET.SubElement(case, "system-out").text = text


def _case(suite: ET.Element, scenario: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_legal(f"gate.{scenario}"), name=name)


def _legal(text: str) -> str:
    return _NOT_IN_XML.sub("?", text)
