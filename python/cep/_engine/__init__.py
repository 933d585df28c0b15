"""What is known of the engine: names of its options, instruction set, threads."""
