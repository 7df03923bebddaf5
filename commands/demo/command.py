"""`hookbundle demo`. What it shows is imported when it runs, and not for its help."""

import click


@click.command()
def demo() -> None:
    """Shows the main job: messages in, bundles out, a broken receiver, the e-mail."""
    from hookbundle.commands.demo.playing import play

    play()
