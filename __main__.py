"""`python -m hookbundle` is the installed program."""

from hookbundle.cli import main

if __name__ == "__main__":
    main()
