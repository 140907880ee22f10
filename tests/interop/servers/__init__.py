"""The authorization servers of the interoperability runs, one folder each."""
