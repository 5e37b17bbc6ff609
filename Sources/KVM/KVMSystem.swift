import CLinux
import Glibc
import LinuxIO

/// The owner of an open `/dev/kvm`: what VMs are made from. Any thread.
///
/// Source: Linux, Documentation/virt/kvm/api.rst, "System ioctls".
public struct KVMSystem: ~Copyable, Sendable {
  /// Where the device is.
  public static let defaultPath = "/dev/kvm"

  /// The only version of the API that there is.
  static let apiVersion: Int32 = 12

  let descriptor: FileDescriptor
  /// Bytes of the memory that a vCPU shares with its user (`KVM_GET_VCPU_MMAP_SIZE`).
  let runMappingSize: Int

  /// Opens the device.
  ///
  /// - Throws: the `errno` of `open(2)`: `ENOENT` or `ENODEV` without KVM, `EACCES` without the right; `EOPNOTSUPP` for
  ///   another version of the API.
  public init(path: String = KVMSystem.defaultPath) throws(Errno) {
    let descriptor = try FileDescriptor(path: path, flags: O_RDWR)
    let number = descriptor.rawValue
    let version = try kvmCall { clinux_kvm_ioctl_value(number, CLINUX_KVM_GET_API_VERSION, 0) }
    guard version == KVMSystem.apiVersion else { throw .notSupported }
    let size = try kvmCall { clinux_kvm_ioctl_value(number, CLINUX_KVM_GET_VCPU_MMAP_SIZE, 0) }
    guard size >= MemoryLayout<kvm_run>.size else { throw .notSupported }
    self.descriptor = descriptor
    runMappingSize = Int(size)
  }

  /// Whether the kernel knows a `KVM_CAP_*`: more than 0 where it does.
  ///
  /// - Throws: the `errno` of `KVM_CHECK_EXTENSION`.
  public borrowing func checkExtension(_ capability: Int32) throws(Errno) -> Int32 {
    let number = descriptor.rawValue
    return try kvmCall {
      clinux_kvm_ioctl_value(number, CLINUX_KVM_CHECK_EXTENSION, UInt(truncatingIfNeeded: capability))
    }
  }
}
