import CCEP
import CEPEngine
import CEPKernels

// Which opaque pointers callers hold, and what they stand for.

/// What an opaque pointer of cep.h stands for.
protocol Handle: AnyObject {
    /// What messages call it.
    static var kind: String { get }
}

/// The handles that are out, each until the matching destroy or release function.
///
/// An opaque pointer is a number that is given out once, and not an address: one that has been released, belongs to
/// something else, or never was one is found not to be here, and nothing is read through it.
final class HandleRegistry: @unchecked Sendable {
    static let shared = HandleRegistry()

    private nonisolated(unsafe) let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private nonisolated(unsafe) var handles: [UInt: any Handle] = [:]
    /// Numbers count up from where no process has memory of its own, so that no address is taken for one.
    private nonisolated(unsafe) var latest: UInt = 0xCE90_0000_0000_0000

    private init() {
        pthread_mutex_init(mutex, nil)
        // A fork waits until no other thread holds the lock, which nobody would give back in the child.
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

    /// What the pointer stands for, which stays while it is used, released meanwhile or not.
    ///
    /// - Throws: `EngineError.invalidArgument` where it does not stand for one of these.
    func find<Found: Handle>(_ pointer: OpaquePointer?, _ name: String) throws(EngineError) -> Found {
        let number = UInt(bitPattern: try required(pointer, name))
        return try Self.cast(locked { handles[number] }, name)
    }

    /// Takes back what a caller was given. It is gone when the last call that uses it has ended.
    ///
    /// - Throws: `EngineError.invalidArgument` where it does not stand for one of these.
    func remove<Found: Handle>(_ pointer: OpaquePointer, _ name: String, as _: Found.Type) throws(EngineError) {
        let number = UInt(bitPattern: pointer)
        // What it holds is given back behind the lock.
        let removed = locked { handles[number] is Found ? handles.removeValue(forKey: number) : handles[number] }
        let _: Found = try Self.cast(removed, name)
    }

    private static func cast<Found: Handle>(_ handle: (any Handle)?, _ name: String) throws(EngineError) -> Found {
        guard let handle else {
            throw .invalidArgument("\(name) is not \(Found.kind) of the engine: it was released, or never was one")
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
