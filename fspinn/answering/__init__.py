"""What does a network say? Answers, their accuracy, what happens in one presentation, descriptions."""
