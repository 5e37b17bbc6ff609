import LinuxIO

/// Why a kernel and its initramfs cannot be loaded.
public enum KernelImageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A file cannot be opened or read.
  case file(String, Errno)
  /// A file is no regular file, or empty.
  case noRegularFile(String)
  /// The kernel does not begin as an ELF file.
  case notELF
  /// The kernel is not of 64 bits, or not for x86.
  case notX86
  /// The kernel's program headers are of another size, too many or not in the file.
  case badProgramHeaders
  /// The program header with this number describes what cannot be.
  case badSegment(Int)
  /// The kernel has no PVH entry.
  case noPVHEntry
  /// The PVH entry is in no segment.
  case entryOutsideOfSegments
  /// A segment lies below 1 MiB or beyond the guest's memory.
  case segmentOutsideOfMemory(Int)
  /// Kernel and initramfs together are larger than the guest's memory.
  case initramfsDoesNotFit
  /// The command line is longer than 2,047 bytes, or has a NUL.
  case badCommandLine
  /// The size of the memory is not supported.
  case badMemorySize

  /// A sentence for people.
  public var description: String {
    switch self {
    case .file(let path, let error): "\(path): \(error)"
    case .noRegularFile(let path): "\(path) is empty or no regular file"
    case .notELF: "the kernel is no ELF file; a bzImage must be unpacked (scripts/extract-vmlinux of Linux does it)"
    case .notX86: "the kernel is not for x86-64"
    case .badProgramHeaders: "the kernel's program headers are damaged"
    case .badSegment(let index): "the kernel's program header \(index) is damaged"
    case .noPVHEntry: "the kernel has no PVH entry (CONFIG_PVH)"
    case .entryOutsideOfSegments: "the kernel's PVH entry lies in none of its segments"
    case .segmentOutsideOfMemory(let index): "the kernel's segment \(index) does not lie in the guest's memory"
    case .initramfsDoesNotFit: "the initramfs does not fit into the guest's memory beside the kernel"
    case .badCommandLine: "the command line has more than 2047 bytes or a NUL"
    case .badMemorySize: "memory must be 16 MiB to 3 GiB"
    }
  }
}
