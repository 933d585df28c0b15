import CCEP
import CEPEngine
import CEPKernels

// The opaque pointers that callers hold, and the objects they stand for.

/// The object that an opaque pointer of cep.h stands for.
protocol Handle: AnyObject {
    /// The name used in messages.
    static var kind: String { get }
}

/// The handles in use, each until the matching destroy or release function.
///
/// An opaque pointer is a number that is given out once, not an address. A pointer that was released, belongs to
/// another library or was never valid is not found here, and nothing is read through it.
final class HandleRegistry: @unchecked Sendable {
    static let shared = HandleRegistry()

    private nonisolated(unsafe) let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private nonisolated(unsafe) var handles: [UInt: any Handle] = [:]
    /// Numbers start above all addresses of user memory, so that they differ from every address.
    private nonisolated(unsafe) var latest: UInt = 0xCE90_0000_0000_0000

    private init() {
        pthread_mutex_init(mutex, nil)
        // A fork waits until no other thread holds the lock: in the child nobody would release it.
        pthread_atfork(
            { pthread_mutex_lock(HandleRegistry.shared.mutex) }, { pthread_mutex_unlock(HandleRegistry.shared.mutex) },
            { pthread_mutex_unlock(HandleRegistry.shared.mutex) })
    }

    func add(_ handle: any Handle) -> OpaquePointer? {
        locked {
            latest += 1
            handles[latest] = handle
            return OpaquePointer(bitPattern: latest)
        }
    }

    /// The object behind a pointer. It stays alive while it is used, even if it is released meanwhile.
    ///
    /// - Throws: `EngineError.invalidArgument` if the pointer is not such a handle.
    func find<Found: Handle>(_ pointer: OpaquePointer?, _ name: String) throws(EngineError) -> Found {
        let number = UInt(bitPattern: try required(pointer, name))
        return try Self.cast(locked { handles[number] }, name)
    }

    /// Removes a handle. Its object is freed when the last call that uses it has returned.
    ///
    /// - Throws: `EngineError.invalidArgument` if the pointer is not such a handle.
    func remove<Found: Handle>(_ pointer: OpaquePointer, _ name: String, as _: Found.Type) throws(EngineError) {
        let number = UInt(bitPattern: pointer)
        // The object is freed after the lock is released.
        let removed = locked { handles[number] is Found ? handles.removeValue(forKey: number) : handles[number] }
        let _: Found = try Self.cast(removed, name)
    }

    private static func cast<Found: Handle>(_ handle: (any Handle)?, _ name: String) throws(EngineError) -> Found {
        guard let handle else {
            throw .invalidArgument("\(name) is not \(Found.kind) of the engine: it was released or was never valid")
        }
        guard let found = handle as? Found else {
            throw .invalidArgument("\(name) is \(type(of: handle).kind), not \(Found.kind)")
        }
        return found
    }

    private func locked<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }
}
