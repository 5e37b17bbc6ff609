import LinuxIO
import Storage

/// What is said of an image and of a folder for images alike.
struct StorageFindings {
  /// The path of the image or folder.
  let subject: String

  func finding(
    _ identifier: String, _ title: String, _ verdict: Finding.Verdict, _ reason: String, remedy: String? = nil
  ) -> Finding {
    Finding("storage.\(identifier)", subject: subject, title, verdict, reason, remedy: remedy)
  }

  /// That direct I/O works, and what it asks for.
  func direct(_ alignment: DirectAlignment) -> Finding {
    finding(
      "direct", "O_DIRECT", .ok,
      "works: offsets at multiples of \(alignment.offset) bytes, memory at multiples of \(alignment.memory)"
        + (alignment.memory > 4 ? "; what a guest places otherwise is copied." : "."))
  }

  /// Whether a flush makes data durable there.
  func flush(_ fileSystem: FileSystem, buffered: Bool) -> Finding {
    guard !fileSystem.isVolatile else {
      return finding(
        "flush", "flush", .limited,
        "\(fileSystem.name) keeps data in memory: it is gone when the host is switched off, flushed or not.",
        remedy: "move images that matter to a disk")
    }
    return finding(
      "flush", "flush", .ok,
      buffered
        ? "cache = \"buffered\": what a guest writes is in the host's page cache until it flushes (fdatasync)."
        : "cache = \"direct\": what a guest writes may be in the disk's own cache until it flushes (fdatasync). The "
          + "guest is told of that cache.")
  }

  /// What came of making a hole.
  func discard(_ error: Errno?) -> Finding {
    switch error {
    case nil: finding("discard", "discard", .ok, "what guests deallocate is given back (holes).")
    case let error?:
      finding(
        "discard", "discard", .limited,
        "no holes can be made (\(error)): guests may deallocate, and nothing is given back.",
        remedy: "for images that shrink, use ext4, XFS or another file system with holes")
    }
  }

  /// What came of zeroing a range, and of making a hole, which does for deallocating writes of zeros.
  func writeZeroes(_ error: Errno?, holes: Errno?) -> Finding {
    switch (error, holes) {
    case (nil, _): finding("write_zeroes", "write zeroes", .ok, "without writing (FALLOC_FL_ZERO_RANGE).")
    case (let error?, nil):
      finding(
        "write_zeroes", "write zeroes", .limited,
        "by holes where the guest allows it to deallocate; else zeros are written (FALLOC_FL_ZERO_RANGE: \(error)).",
        remedy: "for speed, use ext4 or XFS")
    case (let error?, _?):
      finding(
        "write_zeroes", "write zeroes", .limited, "zeros are written (FALLOC_FL_ZERO_RANGE: \(error)).",
        remedy: "for speed, use ext4 or XFS")
    }
  }

  /// What is tried on a file of its own in a folder.
  func trial(_ file: borrowing TrialFile) -> [Finding] {
    var holes: Errno?
    do throws(Errno) { try file.punchHole() } catch { holes = error }
    var zeroes: Errno?
    do throws(Errno) { try file.zeroRange() } catch { zeroes = error }
    return [discard(holes), writeZeroes(zeroes, holes: holes)]
  }
}

/// A size for people: "1.5 GiB".
func approximateSize(_ bytes: UInt64) -> String {
  for unit in SizeText.units where unit.name.hasSuffix("iB") && bytes >= unit.bytes {
    let tenths = bytes / (unit.bytes / 10)
    return tenths % 10 == 0 || tenths >= 1000
      ? "\(tenths / 10) \(unit.name)" : "\(tenths / 10).\(tenths % 10) \(unit.name)"
  }
  return "\(bytes) bytes"
}
