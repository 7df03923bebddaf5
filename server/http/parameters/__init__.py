"""What a request asks beside its body: parameters of the query string, and conditions."""
