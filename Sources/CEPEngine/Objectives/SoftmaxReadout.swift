import CEPKernels

/// A softmax readout outside the dynamics: scores o = W s_L + b, L = −Σ_j y_j log softmax(o)_j for each sample. The pull
/// on the last layer is Wᵀ (y − (Σ y) softmax(o)). The readout's own parameters follow the gradient of the loss.
final class SoftmaxReadout<Element: KernelScalar>: Objective, @unchecked Sendable {
    let classes: Int
    /// Weights classes × units, biases of the classes.
    let parameters: ConnectionParameters<Element>?
    private var weights: Matrix<Element>
    private var biases: UnsafePointer<Element>

    init(units: Int, classes: Int) throws(EngineError) {
        let parameters = try ConnectionParameters<Element>(below: units, above: classes, feedback: false)
        self.classes = classes
        self.parameters = parameters
        weights = parameters.weights
        biases = UnsafePointer((parameters.biases ?? parameters.weights).pointer)
    }

    func setProductParameters(_ parameters: ConnectionParameters<Element>) {
        weights = parameters.weights
        biases = UnsafePointer((parameters.biases ?? parameters.weights).pointer)
    }

    func score(_ states: UnsafePointer<Element>, rows: Int, into scores: UnsafeMutablePointer<Element>) {
        multiplyTransposed(
            states, weights.pointer, m: rows, n: classes, k: weights.columns, addingTo: biases, baseStride: 0,
            into: scores)
    }

    func loss(scores: MatrixView<Element>, targets: MatrixView<Element>) -> Double {
        crossEntropy(scores: scores, targets: targets)
    }

    func pull(
        _ states: UnsafePointer<Element>, rows: Int, targets: UnsafePointer<Element>,
        scores: UnsafeMutablePointer<Element>, into pull: UnsafeMutablePointer<Element>
    ) {
        score(states, rows: rows, into: scores)
        setToSoftmaxPull(scores, targets: targets, rows: rows, classes: classes, into: scores)
        setToZero(pull, count: rows * weights.columns)
        addProduct(scores, weights.pointer, m: rows, n: weights.columns, k: classes, scale: 1, to: pull)
    }

    /// dL/dW = −(1/B) (y − (Σ y) softmax(o))ᵀ s, dL/db = −(1/B) Σ (y − (Σ y) softmax(o)).
    func addGradient(
        _ states: MatrixView<Element>, targets: MatrixView<Element>, rates: UpdateRates<Element>,
        into accumulator: ConnectionParameters<Element>
    ) throws(EngineError) {
        let errors = try Matrix<Element>(rows: states.rows, columns: classes)
        score(states.pointer, rows: states.rows, into: errors.pointer)
        setToSoftmaxPull(
            errors.pointer, targets: targets.pointer, rows: states.rows, classes: classes, into: errors.pointer)
        let scale = -1 / Element(states.rows)
        accumulator.weights.view.addOuterProduct(of: errors.view, and: states, scale: rates.weights * scale)
        accumulator.addToBiases(rowsOf: errors.view, scale: rates.biases * scale)
    }
}
