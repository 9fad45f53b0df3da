"""What a report shows of a population: who came of whom, and with what."""
