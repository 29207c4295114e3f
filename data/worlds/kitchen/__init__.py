"""The world `kitchen`: recipes, a larder and a shopping list; held out."""
