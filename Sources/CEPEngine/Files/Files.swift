import CEPKernels

/// All bytes of a file, in memory.
final class FileContent {
    let bytes: UnsafeRawBufferPointer
    private let memory: UnsafeMutablePointer<UInt8>

    /// - Throws: `EngineError.file` if the path is not a readable file; `.outOfMemory`.
    init(_ path: String) throws(EngineError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .file("\(path) cannot be read: \(lastError())") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .file("\(path) is not a file")
        }
        let size = Int(status.st_size)
        memory = try allocate(size, of: UInt8.self, for: "the content of \(path)")
        bytes = UnsafeRawBufferPointer(start: memory, count: size)
        var done = 0
        while done < size {
            let count = read(descriptor, memory + done, size - done)
            guard count > 0 else {
                let reason = count == 0 ? "became shorter while it was read" : "cannot be read: \(lastError())"
                throw .file("\(path) \(reason)")
            }
            done += count
        }
    }

    deinit { free(memory) }
}

/// Replaces a file atomically: writes a new file in the same folder, syncs it to the disk and renames it.
///
/// - Parameter content: Passes the bytes, piece by piece, to the function it is given; returns false if that fails.
/// - Throws: `EngineError.file`; the old file is then unchanged.
func replaceFile(
    _ path: String, with content: (_ write: (UnsafeRawBufferPointer) -> Bool) -> Bool
) throws(EngineError) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    // In the same folder, because renaming is atomic only within a file system.
    let folder = parts.dropLast().map { $0 + "/" }.joined()
    let part = "\(folder).\(parts.last ?? "").\(getpid()).\(UInt32.random(in: 0...UInt32.max)).part"
    let descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .file("\(path) cannot be written: \(lastError())") }
    let isWhole = content { bytes in
        var left = bytes[...]
        while let start = UnsafeRawBufferPointer(rebasing: left).baseAddress, !left.isEmpty {
            let count = write(descriptor, start, left.count)
            guard count >= 0 else { return false }
            left = left.dropFirst(count)
        }
        return true
    }
    var isWritten = isWhole && fsync(descriptor) == 0
    var reason = lastError()
    isWritten = close(descriptor) == 0 && isWritten
    if isWritten, rename(part, path) != 0 { (isWritten, reason) = (false, lastError()) }
    guard isWritten else {
        unlink(part)
        throw .file("\(path) cannot be written: \(reason); the old file is unchanged")
    }
    // Sync the folder, so that the renaming survives a power failure.
    let directory = open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
    if directory >= 0 {
        fsync(directory)
        close(directory)
    }
}

private func lastError() -> String { String(cString: strerror(errno)) }
