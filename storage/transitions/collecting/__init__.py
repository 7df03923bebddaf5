"""How new messages of a chat are collected where that is more than a length: windows by rule."""
