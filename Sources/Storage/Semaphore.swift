import CLinux
import Glibc

/// A counting semaphore (`sem_overview(7)`) between the threads of this process. Any thread.
@safe final class Semaphore: @unchecked Sendable {
  private let semaphore: UnsafeMutablePointer<sem_t>

  /// A semaphore with count 0.
  init() {
    unsafe semaphore = .allocate(capacity: 1)
    unsafe semaphore.initialize(to: sem_t())
    _ = unsafe sem_init(semaphore, 0, 0)
  }

  deinit {
    _ = unsafe sem_destroy(semaphore)
    unsafe semaphore.deallocate()
  }

  /// Adds 1 to the count.
  func signal() { _ = unsafe sem_post(semaphore) }

  /// Waits until the count is more than 0 and takes 1 from it.
  func wait() {
    while unsafe sem_wait(semaphore) == -1 {}
  }

  /// As `wait`, for so many ms at most.
  ///
  /// - Returns: whether there was something to take.
  func wait(milliseconds: Int32) -> Bool {
    unsafe clinux_semaphore_wait(semaphore, Int64(milliseconds) * 1_000_000) == 1
  }
}
