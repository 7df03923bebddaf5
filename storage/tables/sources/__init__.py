"""What sources have in the database: their records, what they remember, the requests kept."""
