import Glibc

/// What tells a disk image from every other of this host, whatever its path: identifiers derived from it are stable.
public struct ImageIdentity: Equatable, Hashable, Sendable {
  /// `st_dev` of the file; `st_rdev` of a block device.
  public let device: UInt64
  /// `st_ino` of the file; 0 for a block device, whose node may be made anew at each boot.
  public let inode: UInt64

  /// Makes an identity of its parts.
  public init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }

  /// The identity of what `stat(2)` found.
  public init(of found: stat) {
    if found.st_mode & S_IFMT == S_IFBLK {
      self.init(device: UInt64(found.st_rdev), inode: 0)
    } else {
      self.init(device: UInt64(found.st_dev), inode: UInt64(found.st_ino))
    }
  }
}
