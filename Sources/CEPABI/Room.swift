import CEPEngine
import CEPKernels

// Memory that Swift asks for by itself.

/// Sees that there is memory for what Swift asks for by itself, for arrays and objects: where it finds none, it ends the
/// process. In Python a reserve is kept for them (python/src/reserve.c), which is enough for a few layers. This is for what
/// grows with something that callers choose.
///
/// - Throws: `EngineError.outOfMemory` where so much cannot be had.
func checkRoom(bytes: Int, for purpose: @autoclosure () -> String) throws(EngineError) {
    guard isRoom(bytes: bytes) else { throw .outOfMemory("no memory for \(purpose()) (\(bytes) bytes)") }
}

/// The same for what a call has at a time for a network of so many layers. That is up to 2 kB a layer: of few layers it
/// is little, and not asked for.
func checkRoom(layers: Int) throws(EngineError) {
    if layers > 16 { try checkRoom(bytes: layers * 4096, for: "the objects of \(layers) layers") }
}
