import Glibc
import LinuxIO

/// A semaphore (`sem_overview(7)`) that is not waited for for ever. It takes no descriptor. Any thread.
final class TimedSemaphore: @unchecked Sendable {
  private let semaphore: UnsafeMutablePointer<sem_t>

  /// A semaphore with count 0.
  init() {
    semaphore = .allocate(capacity: 1)
    sem_init(semaphore, 0, 0)
  }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// Adds 1 to the count.
  func signal() { sem_post(semaphore) }

  /// Waits until the count is more than 0 and takes 1 from it.
  ///
  /// - Returns: false where a deadline of `Clock.monotonic` passes before.
  func wait(until deadline: UInt64) -> Bool {
    while true {
      let now = Clock.monotonic
      let left = deadline > now ? deadline - now : 0
      // (The wait is by the time of day, which may be set; so it is asked again.)
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      let end = UInt64(time.tv_nsec) + min(left, 1_000_000_000)
      time.tv_sec += Int(end / 1_000_000_000)
      time.tv_nsec = Int(end % 1_000_000_000)
      if sem_timedwait(semaphore, &time) == 0 { return true }
      if left == 0 { return false }
    }
  }
}
