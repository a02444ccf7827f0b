"""What every page of the hub stands on: layout, style, headers, forms and who may post them; no page is here."""
