"""How models write a call: one small file per dialect, and how a template's dialect is found."""
