import CEPKernels

// Parameters that an update would make infinite are better found before it is made. Looking through all of them after
// every batch would cost more than a tenth of training; what an update is drawn from is small.

extension Network {
    /// - Parameters:
    ///   - rates: With which updates are added.
    ///   - rows: Products each parameter's update is a sum of.
    ///   - factors: The largest magnitude, at each layer, of what is multiplied to make the update.
    /// - Throws: `EngineError.diverged` where a parameter might become infinite or not a number.
    func checkUpdates(rates: [UpdateRates<Element>], rows: Double, factors: [Double]) throws(EngineError) {
        for k in connections.indices {
            let rate = Double(max(rates[k].weights.magnitude, rates[k].biases.magnitude))
            let (below, above) = (max(factors[k], 1), max(factors[k + 1], 1))
            guard rate * rows * below * above < Double(Element.greatestFiniteMagnitude) / 16 else {
                throw .diverged(
                    "the update of connection \(k) would be infinite or not a number; try a smaller learning rate, "
                        + "or a larger beta")
            }
        }
    }

    /// The largest magnitude of what each layer is and sends.
    func largestMagnitudes(of state: NetworkState<Element>) -> [Double] {
        zip(state.layers, state.sent).map { layer, sent in
            let size = largestMagnitude(in: layer.pointer, count: layer.count)
            return Double(sent === layer ? size : max(size, largestMagnitude(in: sent.pointer, count: sent.count)))
        }
    }

    /// The same, of a gradient of each layer's drive (but the input's) too.
    func largestMagnitudes(of state: NetworkState<Element>, and driveGradients: [Matrix<Element>]) -> [Double] {
        var magnitudes = largestMagnitudes(of: state)
        for (k, gradient) in driveGradients.enumerated() {
            let size = Double(largestMagnitude(in: gradient.pointer, count: gradient.count))
            if !(size <= magnitudes[k + 1]) { magnitudes[k + 1] = size }
        }
        return magnitudes
    }
}
