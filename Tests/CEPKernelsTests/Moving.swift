import CEPKernels

/// Takes a step of some samples, one after another in memory.
///
/// - Returns: The change of each sample.
func move<Element: KernelScalar>(
    _ state: inout [Element], drivenBy drive: [Element], rows: Int = 1, _ step: (MovingLayer<Element>) -> Void
) -> [Element] {
    var changes = [Element](repeating: 0, count: rows)
    let columns = drive.count / rows
    drive.withUnsafeBufferPointer { drive in
        state.withUnsafeMutableBufferPointer { state in
            changes.withUnsafeMutableBufferPointer { changes in
                // Empty arrays have no address; a layer without units is looked at nowhere.
                guard let drive = drive.baseAddress, let state = state.baseAddress,
                    let changes = changes.baseAddress
                else { return }
                step(MovingLayer(rows: rows, columns: columns, drive: drive, state: state, changes: changes))
            }
        }
    }
    return changes
}
