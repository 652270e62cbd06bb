"""Safety tests of identity contexts: what moves with them, what stays, and who is trusted."""
