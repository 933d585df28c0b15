"""safetensors files and checks of named arrays."""
