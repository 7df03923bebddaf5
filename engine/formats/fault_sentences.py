"""What can be wrong with a format: the sentences of its fault codes, in English.

engine/faults.py takes them in. The path of such a fault is that of the setting, and then a JSON
pointer into the template: `format.template/properties/hs_note_body`.
"""

from hookbundle.engine.fault_codes import FaultCode

SENTENCES: dict[FaultCode, str] = {
    FaultCode.NO_FORMAT: "must be the name of a preset or an object, as {example}; is {got}",
    FaultCode.NO_PRESET: "{got} is not the name of a preset; known are {known}",
    FaultCode.MISSPELT_PRESET: (
        "{got} is not the name of a preset; did you mean {near}? known are {known}"
    ),
    FaultCode.TEMPLATE_NOT_READ: (
        "takes more of the processor or of memory to be read than any template may"
    ),
    FaultCode.TOO_DEEP: "is nested more than {most} levels deep",
    FaultCode.LIQUID_TAG: (
        "has a tag of Liquid, which is not taken; $each repeats, $if leaves out, filters change"
    ),
    FaultCode.LIQUID_NOT_CLOSED: "has an expression that is not closed with two braces",
    FaultCode.LIQUID_IN_NAME: (
        "has Liquid in the name of a field, which is not taken; names are sent as they are written"
    ),
    FaultCode.LIQUID_TOO_LONG: "has an expression of more than {most} characters",
    FaultCode.LIQUID_SYNTAX: "has {got}, which can't be read; write it as {example}",
    FaultCode.TOO_MANY_EXPRESSIONS: "has more than {most} expressions",
    FaultCode.TOO_MANY_FILTERS: "has {got} with more than {most} filters",
    FaultCode.UNKNOWN_NAME: "has the name {got}, which is not known here; known are {known}",
    FaultCode.MISSPELT_NAME: (
        "has the name {got}, which is not known here; did you mean {near}? known are {known}"
    ),
    FaultCode.UNKNOWN_FILTER: "has the filter {got}, which is not known; known are {known}",
    FaultCode.MISSPELT_FILTER: (
        "has the filter {got}, which is not known; did you mean {near}? known are {known}"
    ),
    FaultCode.FILTER_ARGUMENTS: (
        "gives the filter {filter} {size} values, or one with a name; "
        "it takes {takes}, without names"
    ),
    FaultCode.FILTER_VALUE: "must give the filter {filter} {takes}",
    FaultCode.NOT_FOR_FILTER: "gives the filter {filter} a kind of value that it can't take",
    FaultCode.NO_DIRECTIVE: "has {got}, which date does not know; known are {known}",
    FaultCode.NOT_A_NAME: "must be a name without braces and filters, as {example}; is {got}",
    FaultCode.NOT_A_LIST: "is {got}, which is not a list; lists are {known}",
    FaultCode.NOT_WITHIN_TEXT: (
        "has {got}, a list or an object, within a text; use a filter, as | json or | text"
    ),
    FaultCode.NAME_TAKEN: "is {got}, which is the name of something else here; take another one",
    FaultCode.NESTED_EACH: "is within {most} others, which is the most",
    FaultCode.BESIDE_COMMAND: "is not taken beside {beside}; an object with it has {takes} only",
    FaultCode.VALUE_WANTED: "is missing; the format needs it",
}
