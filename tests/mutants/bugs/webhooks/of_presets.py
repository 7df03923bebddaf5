"""Bugs in the presets for receivers: each would be seen only in somebody's CRM."""

from hookbundle.tests.mutants.mutant import Mutant

PRESETS_OF = "engine/formats/presets"
TAKEN = "tests/crm/test_presets_are_taken.py"
GOLDENS = "tests/engine/formats/test_goldens_of_receivers.py"

PRESETS = (
    Mutant(
        name="crm1",
        bug="HubSpot's note is put to a company and not to the contact",
        path=f"{PRESETS_OF}/hubspot-note.json",
        edits=(('"associationTypeId": 202', '"associationTypeId": 190'),),
        caught_by=(f"{TAKEN}::test_hubspot_puts_one_note_to_the_contact",),
    ),
    Mutant(
        name="crm2",
        bug="HubSpot's note has its time in seconds, and so is of 1970",
        path=f"{PRESETS_OF}/hubspot-note.json",
        edits=(("last_message_timestamp | ms | strip", "last_message_timestamp | date: '%s'"),),
        caught_by=(f"{TAKEN}::test_hubspot_puts_a_note_where_its_last_message_was",),
    ),
    Mutant(
        name="crm3",
        bug="what Salesforce refuses within its 200 is delivered",
        path=f"{PRESETS_OF}/salesforce-task.json",
        edits=(
            (
                ',\n    {"pointer": "/compositeResponse/0/body/0/errorCode", '
                '"absent": true, "else": "rejected"}',
                "",
            ),
            (
                ',\n    {"pointer": "/compositeResponse/1/body/0/errorCode", '
                '"absent": true, "else": "rejected"}',
                "",
            ),
        ),
        caught_by=(
            f"{TAKEN}::test_a_part_that_salesforce_refuses_within_its_200_is_not_delivered",
        ),
    ),
    Mutant(
        name="crm4",
        bug="the rule looks at Salesforce's second part, which a task without a contact has not",
        path=f"{PRESETS_OF}/salesforce-task.json",
        edits=(
            (
                ',\n    {"pointer": "/compositeResponse/0/body/0/errorCode", '
                '"absent": true, "else": "rejected"}',
                "",
            ),
        ),
        caught_by=(
            f"{TAKEN}::test_a_task_without_a_contact_that_salesforce_refuses_is_not_delivered",
        ),
    ),
    Mutant(
        name="crm5",
        bug="a text longer than HubSpot takes is not cut",
        path=f"{PRESETS_OF}/hubspot-note.json",
        edits=(('  "limits": {"bytes": 65536},\n', ""),),
        caught_by=(f"{TAKEN}::test_a_text_longer_than_hubspot_takes_is_cut_with_a_mark",),
    ),
    Mutant(
        name="crm6",
        bug="a message can make Salesforce look up what it likes, and fail",
        path="engine/formats/filters.py",
        edits=(('    return found.replace("@{", "@\\u200b{")', "    return found"),),
        caught_by=(f"{TAKEN}::test_a_text_that_looks_like_a_reference_of_salesforce_stays_a_text",),
    ),
    Mutant(
        name="crm7",
        bug="Salesforce's contacts get their name in WhatsApp without having been asked",
        path=f"{PRESETS_OF}/salesforce-task.json",
        edits=(
            (
                '            "LastName": {\n              "$if": "options.create_contacts",',
                '            "LastName": {\n              "$if": "contact.phone_digits",',
            ),
        ),
        caught_by=(f"{TAKEN}::test_salesforce_makes_one_task_of_the_contact_with_the_phone",),
    ),
    Mutant(
        name="crm8",
        bug="Pipedrive gets the person's id as a text, which it refuses",
        path=f"{PRESETS_OF}/pipedrive-note.json",
        edits=(("{{ refs.pipedrive_person_id | plus: 0 }}", "{{ refs.pipedrive_person_id }}"),),
        caught_by=(f"{TAKEN}::test_pipedrive_puts_one_note_to_the_person",),
    ),
    Mutant(
        name="crm9",
        bug="a note that would belong to nobody is sent to Pipedrive",
        path=f"{PRESETS_OF}/pipedrive-note.json",
        edits=(('"no_record": "skip"', '"no_record": "send"'),),
        caught_by=(f"{GOLDENS}::test_a_chat_that_the_receiver_could_not_find_is_skipped",),
    ),
    Mutant(
        name="crm10",
        bug="Zapier's text is a list, of which only the first line arrives",
        path=f"{PRESETS_OF}/zapier.json",
        edits=(('"text": "{{ messages | text }}"', '"text": "{{ messages }}"'),),
        caught_by=(f"{TAKEN}::test_zapier_sees_the_conversation_in_flat_fields",),
    ),
)
