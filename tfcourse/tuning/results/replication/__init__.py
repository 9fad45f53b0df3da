"""What is known of trials that were trained several times."""
