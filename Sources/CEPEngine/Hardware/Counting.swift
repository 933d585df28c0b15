import CEPKernels

/// Places in the counters of a network.
private enum Counter { static let steps = 0, sampleSteps = 1, products = 2, stateReads = 3, remembered = 4, count = 5 }

/// What a network has done since it was made or copied: numbers of float64, which count exactly to 2^53.
///
/// - Steps of phases, and the same times the samples of the batch.
/// - Multiply-accumulates of products in phases: at each step those between layers that move, forward and back, and those
///   of a readout that nudges; once a phase those of the input, which is clamped, and at each step if weights change in
///   between. A sample at rest counts as one that moves.
/// - States sent: those of all layers that move, at each step.
/// - Numbers that had to be remembered from one phase to the next: EP's free states, BPTT's trajectory.
struct NetworkCounters {
    let values: Matrix<Double>

    init() throws(EngineError) { values = try Matrix(rows: 1, columns: Counter.count) }

    func addSteps(_ steps: Int, samples: Int, products: Int, states: Int) {
        values.pointer[Counter.steps] += Double(steps)
        values.pointer[Counter.sampleSteps] += Double(steps) * Double(samples)
        values.pointer[Counter.products] += Double(samples) * Double(products)
        values.pointer[Counter.stateReads] += Double(steps) * Double(samples) * Double(states)
    }

    func addRemembered(_ numbers: Int) { values.pointer[Counter.remembered] += Double(numbers) }

    func addProducts(_ count: Int) { values.pointer[Counter.products] += Double(count) }
}

extension Network {
    /// Units of the layers that move.
    private var movingUnits: Int { configuration.layers.dropFirst().reduce(0) { $0 + $1.units } }

    /// - Parameters:
    ///   - steps: Taken.
    ///   - batch: Samples.
    ///   - isNudged: Whether the objective nudges.
    ///   - inputProducts: How often the product of the input was needed.
    func countSteps(_ steps: Int, batch: Int, isNudged: Bool, inputProducts: Int) {
        let input = zip(connections, edges).reduce(0) { $0 + ($1.1.from == 0 ? $1.0.multiplications / 2 : 0) }
        let readout = isNudged ? 2 * (objective.parameters?.weights.count ?? 0) : 0
        counters.addSteps(
            steps, samples: batch, products: steps * (movingMultiplications + readout) + inputProducts * input,
            states: movingUnits)
    }

    /// The states of a batch are kept from one phase to the next, so often.
    func countRememberedStates(of batch: Int, times: Int = 1) { counters.addRemembered(batch * movingUnits * times) }
}
