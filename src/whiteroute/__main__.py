"""`python -m whiteroute` is the command `whiteroute`."""

from whiteroute.tools.main import main

if __name__ == "__main__":
    main()
