import CEPEngine

// What can be said of memory that is given by its address.

/// The memory that a call is given. Each pointer is seen, as it is taken in, not to be NULL, to be aligned and to be apart
/// from the others where something is written through it.
struct Arguments {
    private struct Region {
        let name: String
        let memory: Range<UInt>
        let isWritten: Bool
    }

    private var regions: [Region] = []

    /// Takes in a pointer through which so many values are read.
    mutating func reads<Value>(
        _ pointer: UnsafePointer<Value>?, count: Int = 1, _ name: String
    ) throws(EngineError) -> UnsafePointer<Value> {
        guard let pointer else { throw isNull(name) }
        try take(UnsafeRawPointer(pointer), count, of: Value.self, name, isWritten: false)
        return pointer
    }

    /// Takes in a pointer through which so many values are written.
    mutating func writes<Value>(
        _ pointer: UnsafeMutablePointer<Value>?, count: Int = 1, _ name: String
    ) throws(EngineError) -> UnsafeMutablePointer<Value> {
        guard let pointer else { throw isNull(name) }
        try take(UnsafeRawPointer(pointer), count, of: Value.self, name, isWritten: true)
        return pointer
    }

    private mutating func take<Value>(
        _ pointer: UnsafeRawPointer, _ count: Int, of _: Value.Type, _ name: String, isWritten: Bool
    ) throws(EngineError) {
        let start = UInt(bitPattern: pointer)
        guard start % UInt(MemoryLayout<Value>.alignment) == 0 else {
            throw .invalidArgument(
                "\(name) is not aligned: its address is not a multiple of \(MemoryLayout<Value>.alignment)")
        }
        let (bytes, tooMany) = UInt(bitPattern: count).multipliedReportingOverflow(by: UInt(MemoryLayout<Value>.size))
        let (end, tooFar) = start.addingReportingOverflow(bytes)
        guard !tooMany, !tooFar, bytes <= UInt(Int.max) else {
            throw .invalidArgument("\(name) has \(count) values, more than can be addressed")
        }
        let taken = Region(name: name, memory: start..<end, isWritten: isWritten)
        for other in regions where isWritten || other.isWritten {
            if other.memory.overlaps(taken.memory) {
                throw .invalidArgument(
                    "\(isWritten ? name : other.name) overlaps \(isWritten ? other.name : name); what is written needs "
                        + "memory of its own")
            }
        }
        regions.append(taken)
    }

    /// - Throws: `EngineError.invalidArgument` where something would be written to memory of the engine.
    func checkApart(from memory: Range<UInt>, of owner: String) throws(EngineError) {
        for region in regions where region.isWritten && region.memory.overlaps(memory) {
            throw .invalidArgument(
                "\(region.name) overlaps memory of \(owner); what is written needs memory of its own")
        }
    }

    /// - Throws: `EngineError.invalidArgument` where something is read from memory of the network, which the work writes.
    func checkInputsApart(from memory: Range<UInt>) throws(EngineError) {
        for region in regions where !region.isWritten && region.memory.overlaps(memory) {
            throw .invalidArgument("\(region.name) overlaps memory of the network, which changes: hand in a copy")
        }
    }
}

/// That a pointer is missing.
func isNull(_ name: String) -> EngineError { .invalidArgument("\(name) is NULL") }

/// Writes defaults where a caller has room for them: NULL has not, and of what is not aligned the message says so.
func fillIn<Value>(_ pointer: UnsafeMutablePointer<Value>?, _ name: String, with value: Value) {
    guard pointer != nil else { return }
    _ = reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        try arguments.writes(pointer, name).pointee = value
    }
}
