import CVectorKernels

/// The number of processors that this process may use: those in its affinity mask, limited by the quota of its control
/// groups.
///
/// A container that is limited to two processors still sees all of the machine's. One thread for each of those would
/// mostly wait.
func processorCount() -> Int {
    let allowed = max(1, Int(cep_processor_count()))
    let quota = CPUQuota.read(membership: readFile("/proc/self/cgroup") ?? "", root: "/sys/fs/cgroup", readFile)
    return quota.map { min(allowed, max(1, Int($0.rounded(.up)))) } ?? allowed
}

/// The share of processors that control groups grant, of version 1 and 2.
enum CPUQuota {
    /// The smallest quota of the groups of a process and their parents; nil without one.
    ///
    /// - Parameters:
    ///   - membership: /proc/self/cgroup: a line "number:controllers:path" for each hierarchy.
    ///   - root: Where the groups are mounted. A container may see its own group there, so that the path is missing.
    ///   - read: Returns the text of a file; nil if it does not exist.
    static func read(membership: String, root: String, _ read: (String) -> String?) -> Double? {
        var smallest: Double?
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let controllers = fields[1].split(separator: ",")
            let isUnified = fields[0] == "0" && controllers.isEmpty
            guard isUnified || controllers.contains("cpu") else { continue }
            let mounts = isUnified ? [root, root + "/unified"] : [root + "/cpu", root + "/cpu,cpuacct"]
            for mount in mounts {
                var path = fields[2].split(separator: "/")
                while true {
                    let folder = ([mount] + path.map(String.init)).joined(separator: "/")
                    if let quota = isUnified ? unified(read(folder + "/cpu.max")) : legacy(folder, read) {
                        smallest = min(smallest ?? quota, quota)
                    }
                    guard !path.isEmpty else { break }
                    path.removeLast()
                }
            }
        }
        return smallest
    }

    /// "200000 100000": microseconds granted in each period. "max 100000" means unlimited.
    private static func unified(_ text: String?) -> Double? {
        guard let fields = text?.split(whereSeparator: \.isWhitespace), fields.count == 2 else { return nil }
        return share(Double(fields[0]), of: Double(fields[1]))
    }

    /// The same in two files; −1 means unlimited.
    private static func legacy(_ folder: String, _ read: (String) -> String?) -> Double? {
        func number(_ file: String) -> Double? {
            read(folder + "/" + file)?.split(whereSeparator: \.isWhitespace).first.flatMap { Double($0) }
        }
        return share(number("cpu.cfs_quota_us"), of: number("cpu.cfs_period_us"))
    }

    private static func share(_ quota: Double?, of period: Double?) -> Double? {
        guard let quota, let period, quota > 0, period > 0 else { return nil }
        return quota / period
    }
}

/// The first 4096 bytes of a file as text; nil if it cannot be read.
private func readFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(descriptor, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
}
