import Glibc
import LinuxIO
import NVMeController
import Storage

/// Identifiers of a namespace that are the same whenever the same disk is served.
///
/// They are derived from the serial number of the controller and from what tells its image from the others of that
/// controller. That outlives a restart, another order of the namespaces, and a move to another host, wherever the host
/// gives something that moves along:
///
/// | image                          | derived from                                                      |
/// |--------------------------------|-------------------------------------------------------------------|
/// | block device                   | the identifier that the kernel has of it: `dm/uuid` (LVM, LUKS),  |
/// |                                | `md/uuid`, `wwid` (SCSI, NVMe); without one, its path             |
/// | file                           | its name, without its folder                                      |
/// | no image, or one without a name| the namespace identifier                                          |
///
/// Two files of one controller with the same name are told apart by their paths. The serial number is part of it, as
/// a read-only image may be in several controllers, and a host takes two namespaces with one identifier for one.
public struct NamespaceIdentifiers: Sendable, Equatable {
  /// Namespace UUID: version 8 (RFC 9562, section 5.8).
  public let uuid: [UInt8]
  /// Namespace Globally Unique Identifier, of a locally administered OUI, which no vendor has.
  public let nguid: [UInt8]
  /// IEEE Extended Unique Identifier, locally administered.
  public let eui64: [UInt8]

  /// Identifiers of the namespace of a controller that `identity` stands for.
  init(serial: String, identity: String) {
    var uuid = NamespaceIdentifiers.digest("uuid", serial, identity)
    uuid[6] = uuid[6] & 0x0f | 0x80
    uuid[8] = uuid[8] & 0x3f | 0x80
    self.uuid = uuid
    // Bytes 8 to 10 are the OUI.
    var nguid = NamespaceIdentifiers.digest("nguid", serial, identity)
    nguid[8] = nguid[8] & 0xfc | 0x02
    self.nguid = nguid
    var eui64 = Array(NamespaceIdentifiers.digest("eui64", serial, identity).prefix(8))
    eui64[0] = eui64[0] & 0xfc | 0x02
    self.eui64 = eui64
  }

  /// Identifiers of a namespace.
  ///
  /// - Parameters:
  ///   - image: what it is kept in; nil where there is none.
  ///   - others: the paths of the images of the controller's other namespaces.
  init(serial: String, nsid: UInt32, image: DiskImage?, others: [String]) {
    self.init(serial: serial, identity: NamespaceIdentifiers.identity(nsid: nsid, image: image, others: others))
  }

  /// A serial number for a controller that was given none: 20 characters, from what it serves.
  public static func serial(of name: String) -> String {
    "NVMED-" + hexadecimal(Array(digest("serial", name, "0").prefix(7)))
  }

  private static func identity(nsid: UInt32, image: DiskImage?, others: [String]) -> String {
    guard let image else { return "nsid \(nsid)" }
    if image.isBlockDevice, !others.contains(image.path), let known = deviceIdentity(image.identity.device) {
      return known
    }
    // A descriptor that was handed over has a name, but for one of no file.
    guard let path = path(of: image.fileDescriptor) else { return "nsid \(nsid)" }
    // The same image twice, which is read-only then.
    if others.contains(image.path) { return "path \(path) nsid \(nsid)" }
    let name = fileName(path)
    return image.isBlockDevice || others.contains { fileName($0) == name } ? "path \(path)" : "file \(name)"
  }

  private static func fileName(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// The path of an open file, as the kernel has it; nil where it has none, or not any more.
  private static func path(of number: Int32) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink("/proc/self/fd/\(number)", &buffer, buffer.count)
    guard count > 0 else { return nil }
    let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return path.hasPrefix("/") && !path.hasSuffix(" (deleted)") && !path.hasPrefix("/memfd:") ? path : nil
  }

  /// What the kernel calls a block device by, wherever it is attached; nil where it knows nothing of that kind.
  private static func deviceIdentity(_ device: UInt64) -> String? {
    // A `dev_t` as glibc packs it (`makedev(3)`).
    let major = device >> 32 & 0xffff_f000 | device >> 8 & 0xfff
    let minor = device >> 12 & 0xffff_ff00 | device & 0xff
    let folder = "/sys/dev/block/\(major):\(minor)"
    for file in ["dm/uuid", "md/uuid", "wwid", "device/wwid"] {
      if let text = firstLine(of: "\(folder)/\(file)"), !text.isEmpty { return "\(file) \(text)" }
    }
    return nil
  }

  private static func firstLine(of path: String) -> String? {
    guard let file = try? FileDescriptor(path: path, flags: O_RDONLY) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = unsafe read(file.rawValue, &bytes, bytes.count)
    guard count > 0 else { return nil }
    return String(decoding: bytes.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  /// 128 bits of FNV-1a: identifiers must be stable and differ, not withstand an attacker.
  private static func digest(_ kind: String, _ serial: String, _ identity: String) -> [UInt8] {
    var hash = UInt128(0x6c62_272e_07bb_0142) << 64 | UInt128(0x62b8_2175_6295_c58d)
    let prime = UInt128(1) << 88 | 0x13b
    for byte in "nvmed\u{0}\(kind)\u{0}\(serial)\u{0}\(identity)".utf8 { hash = (hash ^ UInt128(byte)) &* prime }
    return (0..<16).map { UInt8(truncatingIfNeeded: hash >> UInt128(120 - 8 * $0)) }
  }
}
