import CEPKernels

/// A safetensors file as the Python package writes it: named arrays, a state as JSON, and a checksum of both.
struct TensorFile {
    /// One array; its bytes are row-major and little-endian.
    struct Tensor {
        /// The safetensors name of the number type: F32 or F64.
        let type: String
        let shape: [Int]
        let bytes: UnsafeRawBufferPointer
    }

    let format: String
    /// A JSON text.
    let state: String
    let tensors: [String: Tensor]
    /// Owns the bytes.
    let owner: AnyObject

    /// SHA-256 of the state, and of all names, types, shapes and numbers.
    private var checksum: String {
        var checksum = SHA256()
        checksum.add(state)
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            let extents = tensor.shape.map(String.init).joined(separator: ", ")
            checksum.add("\(name) <f\(tensor.type == "F32" ? 4 : 8) (\(extents)\(tensor.shape.count == 1 ? "," : ""))")
            checksum.add(tensor.bytes)
        }
        return checksum.finish()
    }

    /// Writes the file atomically: if it fails, the old file is unchanged.
    ///
    /// - Throws: `EngineError.file`.
    func write(to path: String) throws(EngineError) {
        let metadata = [("format", format), ("state", state), ("sha256", checksum)]
        var members = [
            "\"__metadata__\":{" + metadata.map { "\"\($0)\":" + JSON.quoted($1) }.joined(separator: ",") + "}"
        ]
        var end = 0
        let sorted = tensors.sorted { $0.key < $1.key }
        for (name, tensor) in sorted {
            let start = end
            end += tensor.bytes.count
            members.append(
                "\(JSON.quoted(name)):{\"dtype\":\"\(tensor.type)\",\"shape\":\(tensor.shape),"
                    + "\"data_offsets\":[\(start),\(end)]}")
        }
        var header = Array("{\(members.joined(separator: ","))}".utf8)
        header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
        let size = UInt64(header.count).littleEndian
        try replaceFile(path) { write in
            withUnsafeBytes(of: size, write) && header.withUnsafeBytes(write)
                && sorted.allSatisfy { write($0.value.bytes) }
        }
    }
}

extension TensorFile {
    /// Reads a file, and checks everything that does not depend on its purpose.
    ///
    /// - Parameter expected: The format it must have.
    /// - Throws: `EngineError.file` if the file cannot be read, is damaged or has other contents; `.outOfMemory`.
    init(path: String, format expected: String) throws(EngineError) {
        let content = try FileContent(path)
        func isDamaged() -> EngineError {
            .file("\(path) is not a complete safetensors file; it was truncated or has another format")
        }
        let bytes = content.bytes
        guard bytes.count >= 8 else { throw isDamaged() }
        let size = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard size <= UInt64(bytes.count - 8), let header = JSON(bytes[8..<8 + Int(size)])?.members else {
            throw isDamaged()
        }
        let data = UnsafeRawBufferPointer(rebasing: bytes[(8 + Int(size))...])
        let metadata = header["__metadata__"]
        guard let format = metadata?["format"]?.text, let state = metadata?["state"]?.text, format == expected,
            let sum = metadata?["sha256"]?.text
        else {
            throw .file("\(path) is a safetensors file, but its metadata does not have the format '\(expected)'")
        }
        var tensors: [String: Tensor] = [:]
        var ranges: [Range<Int>] = []
        for (name, entry) in header where name != "__metadata__" {
            guard let type = entry["dtype"]?.text, let width = ["F32": 4, "F64": 8][type],
                let shape: [Int] = entry["shape"]?.integers(), shape.allSatisfy({ $0 >= 0 }),
                let offsets: [Int] = entry["data_offsets"]?.integers(), offsets.count == 2,
                0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= data.count,
                shape.reduce(Double(width), { $0 * Double($1) }) == Double(offsets[1] - offsets[0])
            else { throw isDamaged() }
            ranges.append(offsets[0]..<offsets[1])
            tensors[name] = Tensor(
                type: type, shape: shape, bytes: UnsafeRawBufferPointer(rebasing: data[offsets[0]..<offsets[1]]))
        }
        // The arrays must be contiguous, from the first byte to the last.
        ranges.sort { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
        let ends = [0] + ranges.map(\.upperBound)
        guard zip(ranges, ends).allSatisfy({ $0.lowerBound == $1 }), ends.last == data.count else { throw isDamaged() }
        self.init(format: format, state: state, tensors: tensors, owner: content)
        guard checksum == sum else {
            throw .file("\(path) was changed after it was written: its checksum is wrong")
        }
    }
}
