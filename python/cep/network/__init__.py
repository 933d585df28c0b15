"""Networks: layers, connections, parameters, states, files, traces of phases."""
