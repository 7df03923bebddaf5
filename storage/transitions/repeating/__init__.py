"""What people do to deliveries that were sent already: a resend, a replay and its cancellation."""
