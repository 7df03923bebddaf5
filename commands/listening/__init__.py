"""`hookbundle listen`: a receiver of one's own: its wire, its checks, what it prints."""
