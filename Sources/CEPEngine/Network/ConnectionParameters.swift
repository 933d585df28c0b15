import CEPKernels

/// The parameters of one connection, or values of the same shapes: updates, gradients, the state of an optimizer.
public final class ConnectionParameters<Element: KernelScalar> {
    /// One of the tensors by its name in files and in the C interface.
    public struct Tensor {
        /// `weights`, `biases` or `feedback_weights`.
        public let name: String
        /// The numbers. Biases are one row.
        public let values: Matrix<Element>
        /// The shape that callers see. A matrix of weights has rank 2, biases have rank 1.
        public let shape: [Int]
        /// Determines the learning rate.
        let kind: Kind

        enum Kind { case weights, biases, feedback }
    }

    /// Units above × units below.
    public let weights: Matrix<Element>
    /// 1 × units above; nil for a connection without biases.
    public let biases: Matrix<Element>?
    /// Units below × units above; nil without feedback weights.
    public let feedbackWeights: Matrix<Element>?
    /// All tensors, weights first.
    public let tensors: [Tensor]

    /// Zeros.
    ///
    /// - Parameters:
    ///   - below: Units of the layer below.
    ///   - above: Units of the layer above.
    ///   - hasBiases: Whether there are biases.
    ///   - feedback: Whether there are feedback weights.
    /// - Throws: `EngineError.outOfMemory`.
    public convenience init(below: Int, above: Int, biases hasBiases: Bool = true, feedback: Bool) throws(EngineError) {
        try self.init(
            weights: [above, below], biases: hasBiases ? above : nil, feedbackWeights: feedback ? [below, above] : nil)
    }

    /// Zeros of these shapes. The first extent of weights counts the rows of their matrix.
    package init(weights shape: [Int], biases units: Int?, feedbackWeights feedbackShape: [Int]?) throws(EngineError) {
        func matrix(_ shape: [Int]) throws(EngineError) -> Matrix<Element> {
            try Matrix(rows: shape[0], columns: shape.dropFirst().reduce(1, *))
        }
        weights = try matrix(shape)
        biases = try units.map { (units) throws(EngineError) in try Matrix(rows: 1, columns: units) }
        feedbackWeights = try feedbackShape.map(matrix)
        var tensors = [Tensor(name: "weights", values: weights, shape: shape, kind: .weights)]
        if let biases { tensors.append(Tensor(name: "biases", values: biases, shape: [biases.columns], kind: .biases)) }
        if let feedbackWeights, let feedbackShape {
            tensors.append(
                Tensor(name: "feedback_weights", values: feedbackWeights, shape: feedbackShape, kind: .feedback))
        }
        self.tensors = tensors
    }

    /// The matrices of all tensors, weights first.
    package var matrices: [Matrix<Element>] { tensors.map { $0.values } }

    /// Zeros of the same shapes.
    ///
    /// - Throws: `EngineError.outOfMemory`.
    public func zeros() throws(EngineError) -> ConnectionParameters {
        try ConnectionParameters(
            weights: tensors[0].shape, biases: biases?.columns,
            feedbackWeights: feedbackWeights == nil ? nil : tensors.last?.shape)
    }

    /// Copies values.
    ///
    /// - Parameter other: Parameters of the same shapes.
    public func copy(from other: ConnectionParameters) {
        for (mine, theirs) in zip(tensors, other.tensors) { mine.values.copy(from: theirs.values) }
    }

    /// Adds other values, times the rates.
    ///
    /// - Parameters:
    ///   - other: Parameters of the same shapes.
    ///   - rates: The factors of `other`.
    public func add(_ other: ConnectionParameters, rates: UpdateRates<Element> = UpdateRates(1)) {
        for (mine, theirs) in zip(tensors, other.tensors) {
            precondition(mine.shape == theirs.shape, "the parameters have different shapes")
            mine.values.view.add(theirs.values.view, scale: rates[mine.kind])
        }
    }

    /// Adds the sum of the rows of a matrix to the biases, if there are biases.
    func addToBiases(rowsOf matrix: MatrixView<Element>, scale: Element) {
        biases?.view.addRowSums(of: matrix, scale: scale)
    }

    var isFinite: Bool {
        tensors.allSatisfy { firstNonFinite(in: $0.values.pointer, count: $0.values.count) == nil }
    }

    /// max |value| over all tensors; NaN if a value is infinite or NaN.
    var largestMagnitude: Element {
        tensors.reduce(0) { largest, tensor in
            let size = CEPKernels.largestMagnitude(in: tensor.values.pointer, count: tensor.values.count)
            return size <= largest || largest.isNaN ? largest : size
        }
    }

    /// Weights and biases from U(−1/√fan_in, 1/√fan_in).
    func draw(using random: inout RandomSource) {
        let bound = 1 / Double(weights.columns).squareRoot()
        for matrix in [weights, biases].compactMap({ $0 }) {
            for i in 0..<matrix.count { matrix.pointer[i] = Element(bound * (2 * random.uniform() - 1)) }
        }
    }

    func setToZero() {
        for tensor in tensors { tensor.values.view.setToZero() }
    }
}

extension UpdateRates {
    fileprivate subscript(kind: ConnectionParameters<Element>.Tensor.Kind) -> Element {
        switch kind {
        case .weights: weights
        case .biases: biases
        case .feedback: feedback
        }
    }
}
