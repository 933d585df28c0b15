import CEPKernels

/// Pointers to the rows of consecutive samples of a batch, in everything that a step reads and writes.
///
/// It holds no references, so that threads can work on rows of one state without reference counting. The state owns the
/// memory.
struct StateRows<Element: KernelScalar> {
    /// One layer that moves.
    struct Layer {
        let units: Int
        let activation: Activation
        let state: UnsafeMutablePointer<Element>
        /// The state itself in the prototypical setting, ρ(s) in the real-time one.
        let activity: UnsafeMutablePointer<Element>
        let preactivation: UnsafeMutablePointer<Element>
        /// The contribution of the clamped input to the preactivation: constant while its weights are. nil for a layer
        /// that the input does not reach.
        let fromInput: UnsafeMutablePointer<Element>?
    }

    /// The values per sample that a connection keeps from its forward product for its feedback.
    struct Kept {
        let values: UnsafeMutablePointer<Element>?
        let count: Int
    }

    /// The index of the first sample in the batch, and the number of samples.
    let first: Int
    let count: Int
    /// Layers 1 ... L.
    let layers: [Layer]
    /// One for each connection.
    let kept: [Kept]
    /// max |s(t+1) − s(t)| of each sample in the last step; NaN if a state is not finite.
    let changes: UnsafeMutablePointer<Element>
    /// Memory for scores and the pull of a nudged phase.
    let scores: UnsafeMutablePointer<Element>
    let pull: UnsafeMutablePointer<Element>

    /// The indices of the samples in the batch.
    var range: Range<Int> { first..<first + count }

    /// The first `count` samples.
    func prefix(_ count: Int) -> StateRows {
        StateRows(
            first: first, count: count, layers: layers, kept: kept, changes: changes, scores: scores, pull: pull)
    }

    /// The largest change of all samples; NaN if one change is NaN.
    var residual: Element {
        var residual: Element = 0
        for row in 0..<count where !(changes[row] <= residual) && !residual.isNaN { residual = changes[row] }
        return residual
    }

    /// The first layer with a state or a preactivation that is infinite or not a number.
    var firstLayerNotFinite: Int? {
        layers.firstIndex {
            firstNonFinite(in: $0.state, count: count * $0.units) != nil
                || firstNonFinite(in: $0.preactivation, count: count * $0.units) != nil
        }.map { $0 + 1 }
    }

    /// Checked in the first step of a phase: a saturated layer may have an infinite preactivation and finite states.
    var preactivationsAreFinite: Bool {
        layers.allSatisfy { firstNonFinite(in: $0.preactivation, count: count * $0.units) == nil }
    }
}

extension NetworkState {
    /// The samples of a range.
    func rows(_ range: Range<Int>) -> StateRows<Element> {
        func start(_ matrix: Matrix<Element>) -> UnsafeMutablePointer<Element> {
            matrix.pointer + range.lowerBound * matrix.columns
        }
        let layers = (1..<self.layers.count).map { layer in
            StateRows<Element>.Layer(
                units: self.layers[layer].columns, activation: activations[layer], state: start(self.layers[layer]),
                activity: start(activities[layer]), preactivation: start(preactivations[layer - 1]),
                fromInput: fromInput[layer - 1].map(start))
        }
        let kept = self.kept.map { matrix in
            StateRows<Element>.Kept(values: matrix.columns == 0 ? nil : start(matrix), count: matrix.columns)
        }
        return StateRows(
            first: range.lowerBound, count: range.count, layers: layers, kept: kept, changes: start(changes),
            scores: start(scores), pull: start(pull))
    }

    /// The samples in parts of nearly the same size.
    func parts(_ count: Int) -> [StateRows<Element>] {
        (0..<count).map { rows($0 * batch / count..<($0 + 1) * batch / count) }
    }
}
