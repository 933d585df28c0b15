import CEPKernels

/// Indices of the counters of a network.
private enum Counter { static let steps = 0, sampleSteps = 1, products = 2, stateReads = 3, remembered = 4, count = 5 }

/// Counts of a network's work since its creation or copy, in float64, which counts exactly to 2^53.
///
/// - Steps of phases, and these times the samples of the batch.
/// - Multiply-accumulates of products in phases: at each step those between layers that move, forward and back, and
///   those of a readout that nudges; the product of the clamped input once a phase, or at each step if weights change.
///   A sample at rest counts like one that moves.
/// - States sent: those of all layers that move, at each step.
/// - Values stored from one phase to the next: EP's free states, BPTT's trajectory.
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
    ///   - steps: The number of steps taken.
    ///   - batch: The number of samples.
    ///   - isNudged: Whether the objective nudges.
    ///   - inputProducts: How often the product of the input was computed.
    func countSteps(_ steps: Int, batch: Int, isNudged: Bool, inputProducts: Int) {
        let input = zip(connections, edges).reduce(0) { $0 + ($1.1.from == 0 ? $1.0.multiplications / 2 : 0) }
        let readout = isNudged ? 2 * (objective.parameters?.weights.count ?? 0) : 0
        counters.addSteps(
            steps, samples: batch, products: steps * (movingMultiplications + readout) + inputProducts * input,
            states: movingUnits)
    }

    /// Counts the states of a batch that are stored from one phase to the next, `times` times.
    func countRememberedStates(of batch: Int, times: Int = 1) { counters.addRemembered(batch * movingUnits * times) }
}
