"""`python -m grantproof`."""

from grantproof.cli import main

if __name__ == "__main__":
    main()
