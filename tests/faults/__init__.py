"""Every fault is killed, every oddity is left alone, no harness fault passes."""
