import CEPKernels

/// Takes a step of some samples, one after another in memory.
///
/// - Returns: The change of each sample.
func move<Element: KernelScalar>(
    _ state: inout [Element], from preactivation: [Element], activation: Activation, rows: Int = 1,
    _ step: (MovingLayer<Element>) -> Void
) -> [Element] {
    var changes = [Element](repeating: 0, count: rows)
    let columns = preactivation.count / rows
    var preactivation = preactivation
    preactivation.withUnsafeMutableBufferPointer { preactivation in
        state.withUnsafeMutableBufferPointer { state in
            changes.withUnsafeMutableBufferPointer { changes in
                // Empty arrays have no address; a layer without units is never read.
                guard let preactivation = preactivation.baseAddress, let state = state.baseAddress,
                    let changes = changes.baseAddress
                else { return }
                step(
                    MovingLayer(
                        rows: rows, columns: columns, activation: activation, preactivation: preactivation,
                        state: state, changes: changes))
            }
        }
    }
    return changes
}
