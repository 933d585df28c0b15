import CEPKernels

/// Some samples of a batch, one after another: where their rows of everything that a step reads and writes begin.
///
/// It holds no references, so that threads can work on rows of one state without counting any; the state keeps the
/// memory.
struct StateRows<Element: KernelScalar> {
    /// One layer but the input.
    struct Layer {
        let units: Int
        let state: UnsafeMutablePointer<Element>
        /// What the layer sends to its neighbours: the state itself in the prototypical setting.
        let sent: UnsafeMutablePointer<Element>
        /// What arrives at the layer.
        let drive: UnsafeMutablePointer<Element>
    }

    /// The index of the first sample in the batch, and the number of samples.
    let first: Int
    let count: Int
    /// Layers 1 ... L.
    let layers: [Layer]
    /// What arrives at layer 1 from the clamped input alone.
    let inputDrive: UnsafeMutablePointer<Element>
    /// max |s(t+1) − s(t)| of each sample in the last step; NaN where a state is no longer finite.
    let changes: UnsafeMutablePointer<Element>

    /// The indices of the samples in the batch.
    var range: Range<Int> { first..<first + count }

    /// The first of these.
    func prefix(_ count: Int) -> StateRows {
        StateRows(first: first, count: count, layers: layers, inputDrive: inputDrive, changes: changes)
    }

    /// The largest change of all samples; NaN where one is.
    var residual: Element {
        var residual: Element = 0
        for row in 0..<count where !(changes[row] <= residual) && !residual.isNaN { residual = changes[row] }
        return residual
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
                units: self.layers[layer].columns, state: start(self.layers[layer]), sent: start(sent[layer]),
                drive: start(drives[layer - 1]))
        }
        return StateRows(
            first: range.lowerBound, count: range.count, layers: layers, inputDrive: start(inputDrive),
            changes: start(changes))
    }

    /// The samples in parts of nearly the same size.
    func parts(_ count: Int) -> [StateRows<Element>] {
        (0..<count).map { rows($0 * batch / count..<($0 + 1) * batch / count) }
    }
}
