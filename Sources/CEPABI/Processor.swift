public import CCEP
import CEPEngine
import CEPKernels
import Synchronization

// Section 1 of cep.h: instruction set and threads.

/// Strings that C callers may keep.
enum StaticText {
    private static let known = Mutex<[String: UInt]>([:])

    /// The same pointer for the same text, valid for ever.
    static func shared(_ text: String) -> UnsafePointer<CChar>? {
        let address = known.withLock { known in
            if let address = known[text] { return address }
            let characters = text.utf8CString
            let memory = UnsafeMutablePointer<CChar>.allocate(capacity: characters.count)
            for (i, character) in characters.enumerated() { memory[i] = character }
            known[text] = UInt(bitPattern: memory)
            return UInt(bitPattern: memory)
        }
        return UnsafePointer(bitPattern: address)
    }
}

@c @implementation
public func cep_instruction_set() -> UnsafePointer<CChar> { instructionSetName }

private nonisolated(unsafe) let instructionSetName = StaticText.shared(InstructionSet.current.name)!

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
