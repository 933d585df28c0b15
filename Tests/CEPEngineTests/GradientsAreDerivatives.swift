import CEPKernels
import Testing

@testable import CEPEngine

/// Compares gradients with differences of the loss, computed by the slow reference with parameters or states moved
/// slightly to either side, along random directions, so that a wrong entry cannot stay unnoticed.
@Suite struct GradientsAreDerivatives {
    /// Examples in which the loss has a derivative (the hard sigmoid has corners) that is not 0 (as it is if all
    /// outputs are clamped).
    static let examples = NetworkCase.all.filter { example in
        guard example.type == .float64, example.batch > 1, !example.configuration.activation.hasCorners,
            let outputs = try? Problem(example).relax(steps: steps).last?.joined()
        else { return false }
        return outputs.contains { $0 != 0 && $0 != 1 }
    }
    static let steps = 8

    /// A network, its reference, data, and a direction for each of its parameters.
    struct Problem {
        let network: Network<Double>
        let reference: ReferenceNetwork
        let data: Dataset
        let y: [[Double]]
        let directions: [[[Double]]]

        init(_ example: NetworkCase) throws {
            network = try Network<Double>(example.configuration)
            reference = ReferenceNetwork(network)
            data = Dataset.random(example.batch, inputs: example.inputs, classes: example.outputs)
            y = data.targetRows(units: example.outputs)
            var stream = NumberStream(29)
            let shapes = network.parameterValues
            directions = (0..<3).map { _ in shapes.map { $0.map { _ in stream.next(in: -1...1) } } }
        }

        func relax(_ network: ReferenceNetwork? = nil, from start: ReferenceNetwork.States? = nil, steps: Int)
            -> ReferenceNetwork.States
        {
            (network ?? reference).relax(start ?? reference.zeroStates(data.inputs), steps: steps)
        }

        /// The derivative along each direction, by central differences with moved parameters.
        func derivatives(_ end: (_ moved: ReferenceNetwork) -> ReferenceNetwork.States) -> [Double] {
            directions.map { direction in
                centralDifference { step in
                    let moved = reference.moved(step, along: direction)
                    return moved.loss(end(moved), y)
                }
            }
        }

        func estimate(_ estimator: any LearningRule<Double>) throws -> [Double] {
            let gradient = try data.withSamples {
                try network.gradient($0, estimator: estimator, monitor: ProgressMonitor())
            }
            let values = gradient.connections.inOrderOfConnections(of: network).flatMap { $0.matrices.map(\.values) }
            return directions.map { sumOfProducts(values, $0) }
        }
    }

    @Test(arguments: examples)
    func throughAllSteps(_ example: NetworkCase) throws {
        let problem = try Problem(example)
        expectEqual(
            try problem.estimate(BackpropagationThroughTime(freeSteps: Self.steps, learningRates: nil)),
            problem.derivatives { problem.relax($0, steps: Self.steps) })
    }

    /// With the parameters moved in these steps only.
    @Test(arguments: examples, [1, 3])
    func throughTheLastSteps(_ example: NetworkCase, _ last: Int) throws {
        let problem = try Problem(example)
        let start = problem.relax(steps: Self.steps - last)
        expectEqual(
            try problem.estimate(
                BackpropagationThroughTime(freeSteps: Self.steps, lastSteps: last, learningRates: nil)),
            problem.derivatives { problem.relax($0, from: start, steps: last) })
    }

    /// With the parameters moved until the next steady state is reached.
    @Test(arguments: [SettingKind.prototypical, .realTime(RealTime(timeStep: 0.5, clamp: false))], [false, true])
    func atTheSteadyState(_ setting: SettingKind, _ untied: Bool) throws {
        let configuration = NetworkConfiguration(
            sizes: [3, 4, 4, 2], setting: setting, feedback: untied ? .untied(angle: 60) : .tied, seed: 3)
        let problem = try Problem(NetworkCase(type: .float64, configuration: configuration, batch: 2))
        let steps = 150
        #expect(try problem.network.freePhase(problem.data.inputs, steps: steps).residual < 1e-12, "the premise")
        let rule = RecurrentBackpropagation<Double>(
            freeSteps: steps, tolerance: 1e-10, maximumIterations: 1000, learningRates: nil)
        expectEqual(try problem.estimate(rule), problem.derivatives { problem.relax($0, steps: steps) })
    }

    /// Row t: states moved at T − t, and parameters moved in the step before; the negative derivative.
    @Test(arguments: examples)
    func ofTheTheoremStepByStep(_ example: NetworkCase) throws {
        let problem = try Problem(example)
        let reference = problem.reference
        let check = try theorem(problem, steps: 4, rates: [0, 0, 0, 0])
        for t in 0..<4 {
            let states = problem.relax(steps: Self.steps - t)
            // In the prototypical setting every other layer has derivative 0.
            var (found, derivatives): ([Double], [Double]) = ([], [])
            for layer in 1...reference.last {
                let direction = problem.directions[0][problem.network.biasPlaces[layer - 1]]
                found.append(-sumOfProducts([check.states[layer - 1].gradients.row(t)], [direction]))
                derivatives.append(
                    centralDifference { step in
                        var moved = states
                        for sample in moved[layer].indices {
                            for unit in direction.indices { moved[layer][sample][unit] += step * direction[unit] }
                        }
                        return reference.loss(problem.relax(from: moved, steps: t), problem.y)
                    })
            }
            expectEqual(found, derivatives)
            let start = problem.relax(steps: Self.steps - t - 1)
            expectEqual(
                problem.directions.map { -sumOfProducts(check.parameters { $0.gradients.row(t) }, $0) },
                problem.derivatives { problem.relax(from: problem.relax($0, from: start, steps: 1), steps: t) })
        }
    }

    /// Updates are those of C-EP at each step with learning rate 1; those of neurons are (1/βB) Σ (s(t+1) − s(t)) / dt.
    @Test(arguments: examples)
    func besideTheUpdatesOfTheTheorem(_ example: NetworkCase) throws {
        let problem = try Problem(example)
        let check = try theorem(problem, steps: 4, rates: [0.2, 0.3, 0.1, 0.4])
        let conditions = Conditions(freeSteps: 8, nudgedSteps: 4, beta: 0.5, learningRates: [0.2, 0.3, 0.1, 0.4])
        var unit = conditions
        unit.learningRates = [1, 1, 1, 1]
        var (moving, old) = (problem.reference, problem.relax(steps: Self.steps))
        var timeStep = 1.0
        if case .realTime(let realTime) = example.configuration.setting { timeStep = realTime.timeStep }
        for t in 0..<4 {
            let new = moving.step(old, towards: problem.y, beta: 0.5)
            for layer in 1...moving.last {
                let changes = old[layer][0].indices.map { unit in
                    old[layer].indices.map { new[layer][$0][unit] - old[layer][$0][unit] }.reduce(0, +)
                        / (0.5 * Double(example.batch) * timeStep)
                }
                #expect(largestDifference([check.states[layer - 1].updates.row(t)], [changes]) < 1e-11)
            }
            var updated = moving
            updated.update(from: old, to: new, unit)
            let updates = zip(updated.parameterValues, moving.parameterValues).map { zip($0, $1).map { $0 - $1 } }
            #expect(largestDifference(check.parameters { $0.updates.row(t) }, updates) < 1e-11)
            moving.update(from: old, to: new, conditions)
            old = new
        }
    }

    /// Leaves out the term t = 0 of the weights, on both sides, and the updates of neurons that the nudging has not
    /// reached.
    @Test(arguments: examples.filter { $0.configuration.setting != .realTime(RealTime(timeStep: 0.2, clamp: true)) })
    func asRecordedLeavesOutFirstTerms(_ example: NetworkCase) throws {
        let problem = try Problem(example)
        let whole = try theorem(problem, steps: 4, rates: [0, 0, 0, 0])
        let recorded = try theorem(problem, steps: 4, rates: [0, 0, 0, 0], asRecorded: true)
        for t in 0..<4 {
            for (layersToOutput, (all, left)) in zip(whole.states, recorded.states).reversed().enumerated() {
                let isReached = t >= layersToOutput
                #expect(left.updates.row(t) == all.updates.row(t).map { isReached ? $0 : 0 }, "step \(t)")
                #expect(left.gradients.row(t) == all.gradients.row(t))
            }
            for (all, left) in zip(whole.named { $0 == "biases" }, recorded.named { $0 == "biases" }) {
                #expect(left.updates.row(t) == all.updates.row(t))
            }
            for part in [\TheoremCheck<Double>.Curves.updates, \.gradients] {
                for (all, left) in zip(whole.named { $0 != "biases" }, recorded.named { $0 != "biases" }) {
                    #expect(left[keyPath: part].row(t) == all[keyPath: part].row(t).map { t > 0 ? $0 : 0 })
                }
            }
        }
    }

    private func theorem(
        _ problem: Problem, steps: Int, rates: [Double], asRecorded: Bool = false
    ) throws -> TheoremCheck<Double> {
        let conditions = TheoremConditions(
            freeSteps: Self.steps, nudgedSteps: steps, beta: 0.5,
            learningRates: LearningRates(weights: Array(rates.prefix(problem.network.connections.count))),
            asRecorded: asRecorded)
        return try problem.data.withSamples {
            try problem.network.checkTheorem($0, conditions, monitor: ProgressMonitor())
        }
    }

    private func expectEqual(
        _ found: [Double], _ derivatives: [Double], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(derivatives.contains { abs($0) > 1e-6 }, "the premise", sourceLocation: sourceLocation)
        #expect(largestDifference([found], [derivatives]) < 1e-8, "\(found)", sourceLocation: sourceLocation)
    }
}

private func centralDifference(_ function: (Double) -> Double) -> Double {
    let step = 1e-5
    return (function(step) - function(-step)) / (2 * step)
}

private func sumOfProducts(_ a: [[Double]], _ b: [[Double]]) -> Double {
    zip(a.joined(), b.joined()).map { $0 * $1 }.reduce(0, +)
}

extension Network {
    /// The indices of the biases of each connection in `parameterValues`.
    fileprivate var biasPlaces: [Int] {
        var place = 1
        return connections.map { connection in
            defer { place += connection.parameters.matrices.count }
            return place
        }
    }
}

extension Matrix<Double> {
    fileprivate func row(_ index: Int) -> [Double] { Array(values[index * columns..<(index + 1) * columns]) }
}

extension TheoremCheck<Double> {
    /// A quantity of each parameter's curves, in the order of `Network.parameterValues`.
    fileprivate func parameters(_ part: (Curves) -> [Double]) -> [[Double]] { parameters.joined().map(part) }

    /// The curves of tensors whose names pass a test.
    fileprivate func named(_ passes: (String) -> Bool) -> [Curves] {
        zip(names, parameters).flatMap { zip($0, $1) }.filter { passes($0.0) }.map { $0.1 }
    }
}
