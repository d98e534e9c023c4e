"""What the ratings say: reports as tables (pure), then as text, pages and files."""
