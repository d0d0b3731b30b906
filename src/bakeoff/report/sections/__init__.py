"""The report's sections, in the order of the page: each turns a View into what the template sets."""
