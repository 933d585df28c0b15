"""Models of synapses and neurons for hardware networks. `cep.hardware` has the public names."""
