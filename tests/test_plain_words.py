"""The vocabulary is the field's: words of an earlier, private one do not come back.

ARCHITECTURE.md has the words, decision 0061 what they replaced. Not checked is what others wrote or
what is history: vendored files, the rivals in `bench/`, decisions, the changelog.
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENDINGS = (".py", ".md", ".html", ".po")
LEFT_OUT = ("tests/vendor/", "bench/rivals/", "docs/decisions/", "CHANGELOG.md")
PRIVATE_WORDS = {
    r"house(s|keeping)?": "daemon, process, partition",
    r"doors?": "listener, API, queue",
    r"(lodge|entrance|reception)s?": "access check, sign-in, middleware",
    r"(strangers?|guests?)": "unauthenticated client, caller",
    r"residents?": "active virtual actor",
    r"(moves?|moved|moving) in(?! steps)(?= with|[,.:;])": "is activated",
    r"lets? (it|them|him|one) go|let go|lets go": "passivate",
    r"bur(y|ies|ied)|graves?|casualt(y|ies)": "dead letter",
    r"(stop'?s )?patience|hurr(y|ies|ied)": "shutdown deadline, expire",
    r"chores?|upkeep": "maintenance",
    r"gatherings?": "join",
    r"parked|park(s|ing)?": "dead letter",
    r"pending": "queued",
    r"of ours|none of ours|nobody's business": "say whose it is",
    r"is no (setting|number from|key of)\b": "unknown setting, must be 1 to 1000",
    r"whoever|whosoever": "name the caller",
}
# Where the word is somebody else's, or a name of the first edition that programs read or still use.
ALLOWED = re.compile(
    r"hookbundle_residents|residents=|residents:|\"residents\"|`residents`|\.residents\b"
    r"|(delivery|[x*])\.parked|--all-parked|--state (parked|pending)|state=(parked|pending)"
    r"|\"(parked|pending)\"|chat=\"parked\"|Nats-Num-Pending"
)


def sources() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [
        ROOT / name
        for name in listed
        if name.endswith(ENDINGS) and not name.startswith(LEFT_OUT) and (ROOT / name).is_file()
    ]


# Most files have none of them, which one look at the whole text tells.
SUSPECT = re.compile(rf"\b({'|'.join(PRIVATE_WORDS)})\b")


def test_no_word_of_the_private_vocabulary_is_left() -> None:
    words = {re.compile(rf"(?i)\b({word})\b"): better for word, better in PRIVATE_WORDS.items()}
    found = []
    for file in sources():
        if file == Path(__file__).resolve():
            continue
        text = file.read_text(encoding="utf-8")
        if not SUSPECT.search(text.lower()):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            rest = ALLOWED.sub("", line)
            found += [
                f"{file.relative_to(ROOT)}:{number}: {word.group(0)!r}; say {better}"
                for pattern, better in words.items()
                if (word := pattern.search(rest))
            ]

    assert not found, "\n".join(found)
