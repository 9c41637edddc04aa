"""The console's pages and searches on a hub of sixteen months: three million documents, ten million deliveries."""
