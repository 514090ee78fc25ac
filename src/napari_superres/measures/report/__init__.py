"""The HTML report: numbers, tables, charts, pictures, page."""
