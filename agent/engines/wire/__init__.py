"""The OpenAI chat API as servers really speak it: requests, replies, streams, failures."""
