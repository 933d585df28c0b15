import CEPKernels

/// Some samples of a batch, relaxed on their own: where weights stay as they are, samples do not know of each other.
///
/// It works on a copy, so that threads do not write to the same lines of memory. A sample that a step left as it was
/// is at rest: further steps would leave it so, and are not taken.
final class SampleBlock<Element: KernelScalar> {
    private let copies: NetworkState<Element>
    private let target: Matrix<Element>
    private let rows: StateRows<Element>
    /// Which sample of the block is in which row: those that move come first.
    private let samples: Integers
    private var moving = 0
    private var home: StateRows<Element>?

    /// Steps until all samples were at rest, or steps taken so far.
    private(set) var steps = 0
    /// max |s(t+1) − s(t)| of the last step, over all samples.
    private(set) var residual = Element.infinity
    /// The step after which a state was no longer finite, and the layer it is in.
    private(set) var divergence: Divergence?

    var isAtRest: Bool { moving == 0 }

    /// Samples there is room for.
    var capacity: Int { rows.count }

    init(samples: Int, sizes: [Int], sendsActivation: Bool) throws(EngineError) {
        // The input does not move: what comes from it is in the input drive.
        copies = try NetworkState(batch: samples, sizes: [0] + sizes.dropFirst(), sendsActivation: sendsActivation)
        target = try Matrix(rows: samples, columns: copies.output.columns)
        rows = copies.rows(0..<samples)
        self.samples = try Integers(upTo: samples)
    }

    /// Takes in samples of a batch at the start of a phase.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func load(_ home: StateRows<Element>, nudge: Nudge<Element>?) {
        self.home = home
        for row in 0..<home.count { samples[row] = row }
        moving = home.count
        (steps, residual, divergence) = (0, .infinity, nil)
        rows.inputDrive.update(from: home.inputDrive, count: home.count * rows.layers[0].units)
        for (mine, theirs) in zip(rows.layers, home.layers) {
            mine.state.update(from: theirs.state, count: home.count * mine.units)
            if mine.sent != mine.state { mine.sent.update(from: theirs.sent, count: home.count * mine.units) }
        }
        if let nudge {
            target.pointer.update(
                from: nudge.target.pointer + home.first * target.columns, count: home.count * target.columns)
        }
    }

    /// Takes steps, fewer where all samples come to rest.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func relax(
        _ network: Network<Element>, through weights: StillWeights<Element>, steps: Int, beta: Element?,
        order: Relaxation
    ) {
        let tolerance = Element(network.configuration.tolerance)
        let pull = beta.map { Pull(target: UnsafePointer(target.pointer), strength: $0) }
        for _ in 0..<steps where moving > 0 {
            let present = rows.prefix(moving)
            network.step(present, through: weights, pull: pull, order: order)
            self.steps += 1
            residual = present.residual
            if residual.isNaN || (self.steps == 1 && !present.drivesAreFinite) {
                divergence = Divergence(step: self.steps, layer: present.firstLayerNotFinite)
                return
            }
            for row in (0..<moving).reversed() where rows.changes[row] <= tolerance { setAside(row) }
        }
    }

    /// Writes the samples back to where they came from.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func store() {
        guard let home else { return }
        for (mine, theirs) in zip(rows.layers, home.layers) {
            for row in 0..<home.count {
                let (from, to) = (row * mine.units, samples[row] * mine.units)
                (theirs.state + to).update(from: mine.state + from, count: mine.units)
                if mine.sent != mine.state { (theirs.sent + to).update(from: mine.sent + from, count: mine.units) }
            }
        }
    }

    /// Puts a sample behind those that move.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    private func setAside(_ row: Int) {
        moving -= 1
        guard row != moving else { return }
        (samples[row], samples[moving]) = (samples[moving], samples[row])
        exchangeRows(row, moving, of: rows.inputDrive, units: rows.layers[0].units)
        exchangeRows(row, moving, of: target.pointer, units: target.columns)
        for layer in rows.layers {
            exchangeRows(row, moving, of: layer.state, units: layer.units)
            if layer.sent != layer.state { exchangeRows(row, moving, of: layer.sent, units: layer.units) }
        }
    }

    private func exchangeRows(_ first: Int, _ second: Int, of array: UnsafeMutablePointer<Element>, units: Int) {
        exchange(array + first * units, array + second * units, count: units)
    }
}

/// Where states, or what drives them, were first found not to be finite.
struct Divergence {
    let step: Int
    /// nil where the states are finite, but changed by more than the number type can hold.
    let layer: Int?

    /// The one that a run on all samples at once would have met.
    static func first(_ all: some Sequence<Divergence>) -> Divergence? {
        all.min { ($0.step, $0.layer ?? .max) < ($1.step, $1.layer ?? .max) }
    }
}

extension StateRows {
    /// The first layer that has a state, or a drive, that is infinite or not a number.
    var firstLayerNotFinite: Int? {
        layers.firstIndex {
            firstNonFinite(in: $0.state, count: count * $0.units) != nil
                || firstNonFinite(in: $0.drive, count: count * $0.units) != nil
        }.map { $0 + 1 }
    }

    /// To be looked at in the first step of a phase: what drives a layer that saturates may be infinite where its state
    /// never is.
    var drivesAreFinite: Bool {
        layers.allSatisfy { firstNonFinite(in: $0.drive, count: count * $0.units) == nil }
    }
}
