"""What a user receives: one folder with the files, the cards, the sums, and its way to the hub."""
