"""Request and response shapes, one file a domain. Field names are the API's Spanish ones."""
