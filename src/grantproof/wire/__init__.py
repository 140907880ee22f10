"""The wire format of OAuth: requests, answers, client authentication, grammar. No I/O in here."""
