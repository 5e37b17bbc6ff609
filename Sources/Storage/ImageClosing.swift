/// Tells when an image is closed: nobody has it any more, and its descriptor, lock and claim are given up. Any thread.
public final class ImageClosing: Sendable {
  private let closed = Semaphore()

  init() {}

  /// Waits for it. Whoever does must not have the image itself.
  ///
  /// - Returns: false where somebody had it for so many ms.
  public func wait(milliseconds: Int32) -> Bool {
    guard closed.wait(milliseconds: milliseconds) else { return false }
    // For the others who wait.
    closed.signal()
    return true
  }

  /// It is closed.
  func tell() { closed.signal() }
}
