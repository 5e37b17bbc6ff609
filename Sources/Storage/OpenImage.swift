import LinuxIO

/// An image that is open, and what goes with it: when it goes out of scope, the descriptor is closed (and the lock on it
/// with it), then the claim is given up, then whoever waits for that is told.
struct OpenImage: ~Copyable, Sendable {
  let descriptor: FileDescriptor
  /// What tells it from every other image of this host.
  let identity: ImageIdentity
  /// How it is claimed (`ImageClaims`).
  let options: ImageOptions
  let closing: ImageClosing

  deinit {
    let descriptor = descriptor
    // In this order: whoever may claim it must find it unlocked.
    _ = consume descriptor
    if options.lock { ImageClaims.release(identity, readOnly: options.readOnly) }
    closing.tell()
  }
}
