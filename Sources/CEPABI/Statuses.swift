import CCEP
import CEPEngine

// Maps Swift errors to C statuses. Nothing else does.

/// Runs the body of a C function. An error becomes the status, and its message the thread's last error.
func reportingErrors(_ body: () throws(EngineError) -> Void) -> cep_status {
    do {
        try body()
        return cep_status(CEP_OK)
    } catch {
        record(error.message)
        return cep_status(error.status)
    }
}

extension EngineError {
    fileprivate var status: Int {
        switch self {
        case .invalidArgument, .file: CEP_INVALID_ARGUMENT
        case .invalidState: CEP_INVALID_STATE
        case .outOfMemory: CEP_OUT_OF_MEMORY
        case .diverged: CEP_DIVERGED
        case .stopped: CEP_STOPPED
        case .busy: CEP_BUSY
        }
    }
}

/// Keeps a message for cep_last_error(), cut at a character boundary if it is too long.
private func record(_ message: String) {
    guard let storage = cep_message_storage() else { return }
    var length = 0
    for character in message.unicodeScalars {
        guard let bytes = UTF8.encode(character), length + bytes.count < CEP_MESSAGE_CAPACITY else { break }
        for byte in bytes {
            storage[length] = CChar(bitPattern: byte)
            length += 1
        }
    }
    storage[length] = 0
}
