import CEPKernels

/// A dense connection packed for products. The layout stays the same until the connection is prepared again.
///
/// It holds no reference, so that threads can share it without reference counting. The connection owns the memory.
package struct PackedConnection<Element: KernelScalar> {
    /// nil for a connection without biases.
    let biases: UnsafePointer<Element>?
    /// A row of zeros, for a connection without biases.
    let zeros: UnsafePointer<Element>
    let up: PackedProduct<Element>
    let down: PackedProduct<Element>

    /// `preactivation ← base + W below + b`; a base of nil is zero.
    func forward(
        _ below: UnsafePointer<Element>, rows: Int, addingTo base: UnsafePointer<Element>?,
        into preactivation: UnsafeMutablePointer<Element>
    ) {
        guard let base else {
            up.multiply(below, m: rows, addingTo: biases ?? zeros, baseStride: 0, into: preactivation)
            return
        }
        up.multiply(below, m: rows, addingTo: base, baseStride: up.columns, into: preactivation)
        guard let biases else { return }
        for row in 0..<rows { add(1, times: biases, to: preactivation + row * up.columns, count: up.columns) }
    }

    /// `preactivation ← base + Wᵀ above`, or base + V above.
    func feedback(
        _ above: UnsafePointer<Element>, rows: Int, addingTo base: UnsafePointer<Element>,
        into preactivation: UnsafeMutablePointer<Element>
    ) {
        down.multiply(above, m: rows, addingTo: base, baseStride: down.columns, into: preactivation)
    }
}

/// Weights that products use unpacked, in their own memory: units above × units below; feedback weights are transposed.
/// Without feedback weights, up and down are the same memory.
struct WeightsInPlace<Element: KernelScalar> {
    let up: UnsafeMutablePointer<Element>
    let down: UnsafeMutablePointer<Element>
    let biases: Matrix<Element>
}

/// Memory for a packed connection, reused from phase to phase.
final class PackedWeightsBuffer<Element: KernelScalar> {
    private let up: PackedMatrix<Element>
    /// nil if the same memory serves both.
    private let down: PackedMatrix<Element>?
    private let downProduct: PackedProduct<Element>
    private let biases: Matrix<Element>
    let packed: PackedConnection<Element>

    init(for parameters: ConnectionParameters<Element>) throws(EngineError) {
        let weights = parameters.weights
        up = try .allocate(rows: weights.columns, columns: weights.rows)
        if parameters.feedbackWeights == nil, let transposed = up.product.transposed {
            down = nil
            downProduct = transposed
        } else {
            let down = try PackedMatrix<Element>.allocate(rows: weights.rows, columns: weights.columns)
            self.down = down
            downProduct = down.product
        }
        biases = try Matrix(rows: 1, columns: weights.rows)
        packed = PackedConnection(
            biases: parameters.biases == nil ? nil : UnsafePointer(biases.pointer),
            zeros: UnsafePointer(biases.pointer), up: up.product, down: downProduct)
    }

    /// nil for weights in panels.
    var weightsInPlace: WeightsInPlace<Element>? {
        guard up.product.layout == .columns, downProduct.layout == .rows else { return nil }
        return WeightsInPlace(
            up: up.product.memory.assumingMemoryBound(to: Element.self),
            down: downProduct.memory.assumingMemoryBound(to: Element.self), biases: biases)
    }

    /// Without feedback weights, the transposed weights are the feedback.
    func pack(_ parameters: ConnectionParameters<Element>) {
        up.pack(parameters.weights.pointer, transposing: true)
        if let source = parameters.biases { biases.copy(from: source) }
        guard let down else { return }
        if let feedbackWeights = parameters.feedbackWeights {
            down.pack(feedbackWeights.pointer, transposing: true)
        } else {
            down.pack(parameters.weights.pointer, transposing: false)
        }
    }
}

extension PackedMatrix {
    /// - Parameter layout: nil to choose it by the shape.
    /// - Throws: `EngineError.outOfMemory`.
    static func allocate(
        rows: Int, columns: Int, layout: PackedLayout? = nil
    ) throws(EngineError) -> PackedMatrix<Element> {
        let layout = layout ?? PackedLayout(rows: rows, columns: columns)
        let bytes = Double(byteCount(rows: rows, columns: columns, layout: layout))
        try checkMemory(values: bytes, of: UInt8.self, for: "a packed \(rows) × \(columns) matrix")
        guard let matrix = PackedMatrix(rows: rows, columns: columns, layout: layout) else {
            throw .outOfMemory("no memory to pack a \(rows) × \(columns) matrix")
        }
        return matrix
    }
}
