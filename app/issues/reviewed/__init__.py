"""What reviewers said of issues: their answers, how far they agree, and what their votes say when they are weighed."""
