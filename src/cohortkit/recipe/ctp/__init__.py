"""Scripts of the RSNA's Clinical Trial Processor (CTP), put on top of another recipe."""
