import CLinux
import Glibc

/// The file system that an open file is on.
struct FileSystem: Equatable {
  /// `f_type` of `statfs(2)`.
  let type: UInt

  init(type: UInt) { self.type = type }

  /// Looks at an open file.
  init(of fd: Int32) { type = clinux_file_system_type(fd) }

  /// Its usual name (`<linux/magic.h>`, `statfs(2)`).
  var name: String {
    switch type {
    case 0xEF53: "ext4"
    case 0x5846_5342: "XFS"
    case 0x9123_683E: "btrfs"
    case 0xF2F5_2010: "F2FS"
    case 0xCA45_1A4E: "bcachefs"
    case 0x2FC1_2FC1: "ZFS"
    case 0x0102_1994: "tmpfs"
    case 0x8584_58F6: "ramfs"
    case 0x9584_58F6: "hugetlbfs"
    case 0x794C_7630: "overlayfs"
    case 0x6573_5546: "FUSE"
    case 0x6969: "NFS"
    case 0xFE53_4D42, 0xFF53_4D42: "SMB"
    case 0x00C3_6400: "CephFS"
    case 0x0116_1970: "GFS2"
    case 0x7461_636F: "OCFS2"
    case 0x0102_1997: "9P"
    case 0x4D44: "FAT"
    case 0x2011_BAB0: "exFAT"
    case 0x7366_746E, 0x5346_544E: "NTFS"
    default: "file system 0x\(String(type, radix: 16))"
    }
  }

  /// Whether what it keeps is gone when the host is switched off.
  var isVolatile: Bool { [0x0102_1994, 0x8584_58F6, 0x9584_58F6].contains(type) }

  /// Bytes that an ordinary user can still write; nil where it does not tell.
  static func freeBytes(_ fd: Int32) -> UInt64? {
    var found = statvfs()
    guard unsafe fstatvfs(fd, &found) == 0 else { return nil }
    let (bytes, overflow) = UInt64(found.f_bavail).multipliedReportingOverflow(by: UInt64(found.f_frsize))
    return overflow ? nil : bytes
  }
}
