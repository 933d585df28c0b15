public import CCEP
import CEPEngine
import CEPKernels

// Section 1 of cep.h: what the engine runs on.

/// Static memory for the name of the instruction set: a C caller may keep it.
private nonisolated(unsafe) let instructionSetName: UnsafePointer<CChar> = {
    let name = InstructionSet.current.name.utf8CString
    let memory = UnsafeMutablePointer<CChar>.allocate(capacity: name.count)
    for (i, character) in name.enumerated() { memory[i] = character }
    return UnsafePointer(memory)
}()

@c @implementation
public func cep_instruction_set() -> UnsafePointer<CChar> { instructionSetName }

@c @implementation
public func cep_set_num_threads(_ count: Int64) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let largest = WorkerPool.largestThreadCount
        guard count >= 1, count <= largest else {
            throw .invalidArgument("the number of threads must be 1 to \(largest), got \(count)")
        }
        WorkerPool.shared.setThreadCount(Int(count))
    }
}

@c @implementation
public func cep_get_num_threads() -> Int64 { Int64(WorkerPool.shared.threadCount) }
