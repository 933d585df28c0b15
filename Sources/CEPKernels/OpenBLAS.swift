import COpenBLAS
import Glibc

/// The library's number of threads while the engine multiplies.
enum OpenBLAS {
    private nonisolated(unsafe) static let mutex: UnsafeMutablePointer<pthread_mutex_t> = {
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_atfork({ pthread_mutex_lock(OpenBLAS.mutex) }, { pthread_mutex_unlock(OpenBLAS.mutex) }) {
            pthread_mutex_unlock(OpenBLAS.mutex)
        }
        return mutex
    }()
    private nonisolated(unsafe) static var users = 0
    private nonisolated(unsafe) static var threadsBefore: Int32 = 1

    /// Multiplies on one thread, and leaves the library's setting to the program as it was: others may share the library.
    /// By default it starts a thread for each core, which costs more than it brings on the matrices of a batch, and makes
    /// results depend on the number of cores.
    static func onOneThread(_ multiply: () -> Void) {
        pthread_mutex_lock(mutex)
        users += 1
        if users == 1 {
            threadsBefore = openblas_get_num_threads()
            if threadsBefore != 1 { openblas_set_num_threads(1) }
        }
        pthread_mutex_unlock(mutex)
        multiply()
        pthread_mutex_lock(mutex)
        users -= 1
        if users == 0, threadsBefore != 1 { openblas_set_num_threads(threadsBefore) }
        pthread_mutex_unlock(mutex)
    }
}
