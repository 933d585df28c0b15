import CEPEngine

// A learning rule, an optimizer and an observer in a package that uses the engine. python/tests/test_swift_users.py
// builds and runs it.

/// EP with Richardson's extrapolation: twice the update at β minus the update at 2β.
struct ExtrapolatedEquilibriumPropagation<Element: KernelScalar>: LearningRule {
    let phases: TwoPhases
    let learningRates: LearningRates?
    let optimizer: any Optimizer

    func validate(for network: Network<Element>) throws(EngineError) { try phases.validate(for: network) }

    func addUpdates(
        of network: Network<Element>, on batch: ClampedBatch<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], random: inout RandomSource, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        let metrics = try network.runFreePhase(on: batch, steps: phases.freeSteps, monitor: monitor)
        let free = try StateSnapshot(of: batch.state)
        let sums = try network.zeroParameters()
        for (beta, share) in [(phases.beta, 2.0), (2 * phases.beta, -1.0)] {
            free.restore(to: batch.state)
            try network.runNudgedPhase(on: batch, beta: beta, steps: phases.nudgedSteps, monitor: monitor)
            let scale = Element(share / (beta * Double(batch.state.batch)))
            network.addUpdates(from: free, to: batch.state, rates: rates.map { $0 * scale }, into: sums)
            try network.addReadoutUpdate(on: batch, rates: rates, share: Element(share), into: sums)
        }
        try network.checkSums(sums)
        for (accumulator, sum) in zip(accumulators, sums) { accumulator.add(sum) }
        return metrics
    }
}

/// θ ← θ − η sign(g).
struct SignDescent: Optimizer {
    static let name = "sign"
    let stateNames: [String] = []
    let weightDecay: [Double] = []

    func validate() throws(EngineError) {}

    func update<Element: KernelScalar>(
        _ parameters: UnsafeMutablePointer<Element>, gradient: UnsafePointer<Element>, count: Int, rate: Double,
        decay: Double, state: [UnsafeMutablePointer<Element>], step: Int
    ) {
        for i in 0..<count where gradient[i] != 0 { parameters[i] -= Element(gradient[i] > 0 ? rate : -rate) }
    }
}

/// Counts steps, and stores the last output of the first sample.
final class StepCounter: PhaseObserver {
    var steps = 0
    var output: [Double] = []

    func observe<Element>(_ step: PhaseStep<Element>) throws(EngineError) {
        if step.step > 0 { steps += 1 }
        output = step.state.layers[step.state.layers.count - 1][0].map { Double($0) }
    }
}

func check(_ holds: Bool, _ what: String) {
    guard !holds else { return }
    print("not so: \(what)")
}

func angle(_ a: [Double], _ b: [Double]) -> Double {
    func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    return 1 - product(a, b) / (product(a, a) * product(b, b)).squareRoot()
}

let network = try Network<Double>(
    NetworkConfiguration(
        sizes: [2, 8, 2], setting: .realTime(RealTime(clamp: false, followsEnergy: true)), seed: 1))
let samples = Samples(inputs: try SampleMatrix([[0, 0], [0, 1], [1, 0], [1, 1]]), classes: [0, 1, 1, 0])
let phases = TwoPhases(freeSteps: 500, nudgedSteps: 500, beta: 0.05)
@MainActor func gradient(_ rule: some LearningRule<Double>) throws -> [Double] {
    try network.gradient(samples, estimator: rule).connections.flatMap { Array($0.weights) }
}

let exact = try gradient(BackpropagationThroughTime(freeSteps: 500))
let plain = try gradient(EquilibriumPropagation(phases))
let rule = ExtrapolatedEquilibriumPropagation<Double>(
    phases: phases, learningRates: [0.125, 0.0625], optimizer: SignDescent())
check(angle(try gradient(rule), exact) < angle(plain, exact) / 4, "the extrapolated gradient is nearer to that of BPTT")

let before = network.parameters.map { Array($0.weights) }
let counter = StepCounter()
try network.trainBatch(samples, rule: rule, monitor: ProgressMonitor(observer: counter))
for (k, rate) in [0.125, 0.0625].enumerated() {
    let changes = zip(before[k], Array(network.parameters[k].weights)).map { abs($1 - $0) }
    check(changes.allSatisfy { abs($0 - rate) < 1e-12 }, "the optimizer changes connection \(k) by its rate")
}
check(counter.steps > 1000, "the observer is shown \(counter.steps) steps")
check(counter.output.count == 2, "the observer sees the output")

network.parameters[0].weights[7, 1] = 0.5
let path = CommandLine.arguments[1]
try network.save(to: path)
check(try Network<Double>(loading: path).parameters[0].weights[7] == network.parameters[0].weights[7], "it is loaded")
let classes: [Int] = try network.predict(samples.inputs, steps: 50)
check(try network.evaluate(Samples(inputs: samples.inputs, classes: classes), steps: 50).errors == 0, "predictions")
do {
    try network.freePhase(samples.inputs, steps: 0)
} catch {
    guard case .invalidArgument(let message) = error else { throw error }
    check(message.contains("steps"), message)
}
print("done")
