import LinuxIO

/// Which images this process has open with a lock, so that none is written by two namespaces of it.
///
/// The locks of `ImageLock` belong to an open file description: they tell two openings of an image from each other, and
/// not two descriptors of one opening, as somebody may hand over by mistake.
enum ImageClaims {
  private struct Users {
    var readers = 0
    var writers = 0
  }

  private static let users = Locked<[ImageIdentity: Users]>([:])

  /// Claims an image for a writer, or for a reader.
  ///
  /// - Returns: whether nobody in this process is in the way; nothing is claimed else.
  static func claim(_ image: ImageIdentity, readOnly: Bool) -> Bool {
    users.withLock { users in
      var now = users[image] ?? Users()
      guard now.writers == 0, readOnly || now.readers == 0 else { return false }
      if readOnly { now.readers += 1 } else { now.writers += 1 }
      users[image] = now
      return true
    }
  }

  /// Whether a namespace of this process has an image, for writing or reading.
  static func isClaimed(_ image: ImageIdentity) -> Bool { users.withLock { $0[image] != nil } }

  /// Gives up what `claim` gave.
  static func release(_ image: ImageIdentity, readOnly: Bool) {
    users.withLock { users in
      guard var now = users[image] else { return }
      if readOnly { now.readers -= 1 } else { now.writers -= 1 }
      users[image] = now.readers + now.writers > 0 ? now : nil
    }
  }
}
