"""How a call is written and read: `native` and `react_json`."""
