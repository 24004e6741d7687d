"""What is measured: one file per question, each a function of the size and the files that gives `Suite`s."""
