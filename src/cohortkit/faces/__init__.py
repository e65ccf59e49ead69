"""Where a head lies in a volume, and what of it is blanked so that no face can be drawn. Pure."""
