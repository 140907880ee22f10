"""What grantproof costs, as ratios; never an assertion."""
