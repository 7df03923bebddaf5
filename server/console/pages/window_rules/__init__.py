"""The rule of a webhook's windows in its form: chosen, tried on the last days, and saved."""
