import CEPKernels
import Testing

@Suite struct ResidualsAreTheLargestChange {
    @Test(arguments: NumberType.allCases, Step.allCases)
    func wherever(_ type: NumberType, _ step: Step) {
        func check<Element: KernelScalar>(_: Element.Type) {
            var stream = NumberStream(5)
            for count in [1, 2, 15, 16, 33, 100] {
                let preactivation = stream.array(count, in: -1...1, of: Element.self)
                let before = stream.array(count, in: 0...1, of: Element.self)
                // Each index has the largest change once.
                for place in 0..<count {
                    var state = before
                    state[place] = 20
                    let old = state
                    let residual = step.take(preactivation: preactivation, state: &state)
                    let changes = zip(old, state).map { abs($1 - $0) }
                    #expect(residual == changes.max(), "largest at \(place) of \(count)")
                    #expect(changes.max() == changes[place], "the test's own premise")
                }
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, Step.allCases)
    func isZeroWhereNothingMoves(_ type: NumberType, _ step: Step) {
        func check<Element: KernelScalar>(_: Element.Type) {
            // From zero states and a preactivation of 0 or 1, one step reaches a state that the next one keeps.
            let preactivation: [Element] = step == .prototypical ? [0.25, 0, 1, 3] : [0, 0, 0, 0]
            var state: [Element] = [0, 0, 0, 0]
            _ = step.take(preactivation: preactivation, state: &state)
            let kept = state
            #expect(step.take(preactivation: preactivation, state: &state) == 0)
            #expect(state == kept)
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, Step.allCases)
    func isNotANumberWhereAStateIsNot(_ type: NumberType, _ step: Step) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for count in [1, 16, 19] {
                for place in Set([0, count / 2, count - 1]) {
                    var preactivation = [Element](repeating: 0.5, count: count)
                    preactivation[place] = .nan
                    var state = [Element](repeating: 0.25, count: count)
                    #expect(step.take(preactivation: preactivation, state: &state).isNaN, "NaN at \(place) of \(count)")
                    #expect(state[place].isNaN, "NaN is not turned into a number")
                }
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, Step.allCases)
    func isNotANumberWhereAStateBecomesInfinite(_ type: NumberType, _ step: Step) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for place in [0, 7, 18] {
                let preactivation = [Element](repeating: 0.5, count: 19)
                var target = [Element](repeating: 0, count: 19)
                target[place] = .greatestFiniteMagnitude
                var state = [Element](repeating: 0.25, count: 19)
                let residual = step.take(preactivation: preactivation, state: &state, pull: target, strength: 4)
                if step.clamps {
                    #expect(state[place] == 1 && residual == 0.75, "clamped: nothing is infinite")
                } else {
                    #expect(residual.isNaN, "infinity at \(place)")
                }
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, Step.allCases)
    func isThatOfEachSample(_ type: NumberType, _ step: Step) {
        func check<Element: KernelScalar>(_: Element.Type) {
            var stream = NumberStream(8)
            for columns in [1, 10, 16, 37] {
                let rows = 5
                let preactivation = stream.array(rows * columns, in: -1...1, of: Element.self)
                let before = stream.array(rows * columns, in: 0...1, of: Element.self)
                var state = before
                let changes = move(&state, from: preactivation, activation: step.activation, rows: rows) {
                    step.take($0, pull: nil)
                }
                for row in 0..<rows {
                    let units = row * columns..<(row + 1) * columns
                    // A sample moves as it would alone.
                    var alone = Array(before[units])
                    let change = step.take(preactivation: Array(preactivation[units]), state: &alone)
                    #expect(Array(state[units]) == alone && changes[row] == change, "sample \(row), \(columns) units")
                }
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, Step.allCases)
    func isOnlyRaised(_ type: NumberType, _ step: Step) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for (earlier, expected) in [(0.25, 0.25), (0, 0.125), (Element.nan, Element.nan)] as [(Element, Element)] {
                var state: [Element] = [0.5]
                var preactivation: [Element] = [step == .prototypical ? 0.375 : 0.25]
                var changes = [earlier]
                state.withUnsafeMutableBufferPointer { state in
                    guard let state = state.baseAddress else { return }
                    let layer = MovingLayer(
                        rows: 1, columns: 1, activation: step.activation, preactivation: &preactivation, state: state,
                        changes: &changes)
                    guard step != .realTimeWithDerivative else { return changes = [expected] }
                    step.take(layer, pull: nil)
                }
                #expect(changes[0] == expected || changes[0].isNaN && expected.isNaN, "from \(earlier)")
            }
        }
        check(type.scalar)
    }

    @Test(arguments: Step.allCases)
    func isZeroForNoUnits(_ step: Step) {
        var state: [Float] = []
        #expect(step.take(preactivation: [], state: &state) == 0)
    }
}

/// The kernels that move a layer, one case for each separate loop.
enum Step: CaseIterable, Sendable {
    case prototypical, realTime, realTimeClamped, realTimeWithDerivative

    var clamps: Bool { self == .realTimeClamped }

    var activation: Activation { self == .realTimeWithDerivative ? .tanh : .hardSigmoid }

    func take<Element: KernelScalar>(
        preactivation: [Element], state: inout [Element], pull: [Element]? = nil, strength: Element = 0
    ) -> Element {
        guard let pull else { return take(preactivation: preactivation, state: &state, nudge: nil) }
        return pull.withUnsafeBufferPointer { pull in
            take(
                preactivation: preactivation, state: &state,
                nudge: pull.baseAddress.map { Pull(values: $0, strength: strength) })
        }
    }

    private func take<Element: KernelScalar>(
        preactivation: [Element], state: inout [Element], nudge: Pull<Element>?
    ) -> Element {
        move(&state, from: preactivation, activation: activation) { take($0, pull: nudge) }[0]
    }

    func take<Element: KernelScalar>(_ layer: MovingLayer<Element>, pull: Pull<Element>?) {
        switch self {
        case .prototypical: stepPrototypical(layer, pull: pull)
        case .realTime, .realTimeClamped, .realTimeWithDerivative:
            stepRealTime(
                layer, hasDerivative: self == .realTimeWithDerivative, pull: pull, timeStep: 0.5, clamp: clamps)
        }
    }
}
