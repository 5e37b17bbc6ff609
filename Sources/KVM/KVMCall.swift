import LinuxIO

/// Runs an `ioctl(2)` until no signal interrupts it.
///
/// - Returns: what it answers, 0 or more.
/// - Throws: its `errno`.
@discardableResult
func kvmCall(_ call: () -> Int32) throws(Errno) -> Int32 {
  while true {
    let result = call()
    if result >= 0 { return result }
    let error = Errno.current
    if error != .interrupted { throw error }
  }
}
