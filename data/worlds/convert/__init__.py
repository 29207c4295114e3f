"""The world `convert`: units, dates and money, worked out."""
