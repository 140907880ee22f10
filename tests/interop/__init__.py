"""Real authorization servers, written by others: started by script, checked, their verdicts kept."""
