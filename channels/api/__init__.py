"""What programs may ask of channels."""
