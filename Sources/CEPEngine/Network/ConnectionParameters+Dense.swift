import CEPKernels

// What the dense connections, tied and untied, have in common.

extension ConnectionParameters {
    /// `drive ← W below + b`.
    func driveUp(_ below: MatrixView<Element>, into drive: MatrixView<Element>) {
        drive.setToProduct(of: below, andTransposed: weights.view, addingToEachRow: biases.view)
    }

    /// `W += rᵂ sₐᵀ s_b`, `b += rᵇ Σ sₐ`, of what two layers send at one moment.
    func addProducts(of layers: JoinedLayers<Element>, rates: UpdateRates<Element>) {
        weights.view.addOuterProduct(of: layers.above.sent, and: layers.below.sent, scale: rates.weights)
        biases.view.addRowSums(of: layers.above.sent, scale: rates.biases)
    }

    /// What the drive of the layer above gives: δₐᵀ r_b to the weights, Σ δₐ to the biases.
    func addForwardGradient(
        above: MatrixView<Element>, sentBelow: MatrixView<Element>, rates: UpdateRates<Element>
    ) {
        weights.view.setToProduct(
            of: above, transposingFirst: true, and: sentBelow, scale: rates.weights, keeping: 1)
        biases.view.addRowSums(of: above, scale: rates.biases)
    }
}

// Of the connection from some units of the layer below.

extension ConnectionParameters {
    /// Takes the parameters of these units from those of all; the biases, which are of the layer above, too or 0.
    func copyPart(of whole: ConnectionParameters, below units: Range<Int>, biases: Bool) {
        weights.copyColumns(of: whole.weights, from: units.lowerBound)
        if biases { self.biases.copy(from: whole.biases) } else { self.biases.view.setToZero() }
        if let mine = feedbackWeights, let theirs = whole.feedbackWeights {
            mine.pointer.update(from: theirs.pointer + units.lowerBound * theirs.columns, count: mine.count)
        }
    }

    /// Adds these parameters to those of all units, and the biases where asked to.
    func addPart(to whole: ConnectionParameters, below units: Range<Int>, biases: Bool) {
        for row in 0..<weights.rows {
            CEPKernels.add(
                1, times: weights.pointer + row * units.count,
                to: whole.weights.pointer + row * whole.weights.columns + units.lowerBound, count: units.count)
        }
        if biases { whole.biases.view.add(self.biases.view, scale: 1) }
        if let mine = feedbackWeights, let theirs = whole.feedbackWeights {
            CEPKernels.add(
                1, times: mine.pointer, to: theirs.pointer + units.lowerBound * theirs.columns, count: mine.count)
        }
    }
}

/// Room for what an update needs of the states of the layers below and above.
struct UpdateRoom<Element: KernelScalar> {
    private(set) var below: Matrix<Element>?
    private(set) var above: Matrix<Element>?

    mutating func reserve(rows: Int, for parameters: ConnectionParameters<Element>) throws(EngineError) {
        if below?.rows != rows || above?.rows != rows {
            below = try Matrix(rows: rows, columns: parameters.weights.columns)
            above = try Matrix(rows: rows, columns: parameters.weights.rows)
        }
    }
}
