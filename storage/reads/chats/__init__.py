"""Chats as people look for them: by what their customers are called, and by when they are due."""
