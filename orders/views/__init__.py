"""The merchants' pages that show or touch stores and orders together. One module, one page."""
