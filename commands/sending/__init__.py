"""What `hookbundle send` sends that stands in no file: a sample conversation."""
