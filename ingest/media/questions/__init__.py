"""Multiple-choice questions: their files, their options and answers, and what a judge says of them."""
