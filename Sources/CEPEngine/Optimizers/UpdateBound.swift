import CEPKernels

// Finds updates that would make parameters infinite before they are made. Checking all parameters after every batch
// would take more than a tenth of the training time; the factors of an update are small.

extension Network {
    /// - Parameters:
    ///   - rates: The rates of the updates, one for each set of parameters.
    ///   - rows: The number of products that each parameter's update is a sum of.
    ///   - factors: For each layer, the largest magnitude of the factors of the update.
    /// - Throws: `EngineError.diverged` if a parameter might become infinite or not a number.
    func checkUpdates(rates: [UpdateRates<Element>], rows: Double, factors: [Double]) throws(EngineError) {
        for (k, edge) in edges.enumerated() {
            let index = parameterIndex(of: k)
            // Products are summed before they are multiplied by the rate, so a small rate does not prevent overflow.
            let rate = Double(max(rates[index].largest, 1))
            let (below, above) = (max(factors[edge.from], 1), max(factors[edge.to], 1))
            guard
                rate * rows * Double(connections[k].terms) * below * above < Double(Element.greatestFiniteMagnitude)
                    / 16
            else {
                throw updateIsNotFinite(of: index)
            }
        }
    }

    /// Checks updates before they are added to the parameters.
    ///
    /// - Parameter sums: Updates of each set of parameters.
    /// - Throws: `EngineError.diverged` if an update might make a parameter infinite or not a number.
    public func checkSums(_ sums: [ConnectionParameters<Element>]) throws(EngineError) {
        for (k, sum) in sums.enumerated() where !(sum.largestMagnitude < Element.greatestFiniteMagnitude / 16) {
            throw updateIsNotFinite(of: k)
        }
    }

    func updateIsNotFinite(of connection: Int) -> EngineError {
        .diverged(
            Divergence(
                "the update of connection \(connection) would be infinite or not a number; try a smaller learning rate, or a "
                    + "larger beta"))
    }

    /// The largest magnitude of the state and the activity of each layer.
    func largestMagnitudes(of state: NetworkState<Element>) -> [Double] {
        zip(state.layers, state.activities).map { layer, activity in
            let size = largestMagnitude(in: layer.pointer, count: layer.count)
            return Double(
                activity === layer ? size : max(size, largestMagnitude(in: activity.pointer, count: activity.count)))
        }
    }

    /// The same, including a gradient of each layer's preactivation.
    func largestMagnitudes(of state: NetworkState<Element>, and preactivationGradients: [Matrix<Element>]) -> [Double] {
        var magnitudes = largestMagnitudes(of: state)
        for (k, gradient) in preactivationGradients.enumerated() {
            let size = Double(largestMagnitude(in: gradient.pointer, count: gradient.count))
            if !(size <= magnitudes[k + 1]) { magnitudes[k + 1] = size }
        }
        return magnitudes
    }
}
