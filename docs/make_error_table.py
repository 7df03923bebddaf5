"""`make docs`: puts the tables of errors and of faults, made from the code, into docs/errors.md."""

import re
from pathlib import Path

from hookbundle.engine.error_codes import Code
from hookbundle.engine.error_table import MEANINGS, TITLES
from hookbundle.engine.faults import SENTENCES, FaultCode

DOCUMENT = Path(__file__).with_name("errors.md")
ERRORS = re.compile(r"(?<=<!-- errors -->\n).*(?=<!-- /errors -->)", re.DOTALL)
FAULTS = re.compile(r"(?<=<!-- faults -->\n).*(?=<!-- /faults -->)", re.DOTALL)


def errors() -> str:
    rows = ["| code | status | what is wrong | what to do | again? |", "|---|---|---|---|---|"]
    for code in Code:
        meaning = MEANINGS[code]
        status = f"{meaning.status} {TITLES[meaning.status]}"
        again = "yes" if meaning.retry else ""
        name = f'<a id="{code}"></a>`{code}`'
        rows.append(f"| {name} | {status} | {meaning.sentence} | {meaning.remedy} | {again} |")
    return "\n".join(rows) + "\n"


def faults() -> str:
    rows = ["| code | what is wrong with the value |", "|---|---|"]
    rows += [
        f'| <a id="{code}"></a>`{code}` | '
        f"{'its `detail` says it' if code is FaultCode.INVALID else SENTENCES[code]} |"
        for code in FaultCode
    ]
    return "\n".join(rows) + "\n"


def renewed(document: str) -> str:
    return FAULTS.sub(lambda _: faults(), ERRORS.sub(lambda _: errors(), document))


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
