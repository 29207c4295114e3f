"""The world `library`: texts to search and to quote from."""
