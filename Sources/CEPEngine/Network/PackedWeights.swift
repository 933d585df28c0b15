import CEPKernels

/// The weights of a dense connection, laid out for the products of a phase.
struct PackedWeights<Element: KernelScalar> {
    private var up: PackedMatrix<Element>?
    private var down: PackedMatrix<Element>?
    private(set) var isValid = false

    /// - Parameters:
    ///   - weights: Units above × units below.
    ///   - feedback: Units below × units above; nil where the transposed weights are the feedback.
    mutating func pack(_ weights: Matrix<Element>, feedback: Matrix<Element>?) throws(EngineError) {
        if up == nil { up = try Self.room(rows: weights.columns, columns: weights.rows) }
        if down == nil { down = try Self.room(rows: weights.rows, columns: weights.columns) }
        up?.pack(weights.pointer, transposing: true)
        down?.pack((feedback ?? weights).pointer, transposing: feedback != nil)
        isValid = true
    }

    mutating func invalidate() { isValid = false }

    /// `drive ← drive + W below`.
    func addDriveUp(_ below: MatrixView<Element>, to drive: MatrixView<Element>) {
        up?.multiply(below.pointer, m: below.rows, accumulating: true, into: drive.pointer)
    }

    /// `drive ← drive + Wᵀ above`, or V above.
    func addDriveDown(_ above: MatrixView<Element>, to drive: MatrixView<Element>) {
        down?.multiply(above.pointer, m: above.rows, accumulating: true, into: drive.pointer)
    }

    private static func room(rows: Int, columns: Int) throws(EngineError) -> PackedMatrix<Element> {
        guard let room = PackedMatrix<Element>(rows: rows, columns: columns) else {
            throw .outOfMemory("no memory to pack a \(rows) × \(columns) matrix")
        }
        return room
    }
}
