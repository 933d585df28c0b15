"""What hardware networks are made of; `cep.hardware` has the public names."""
