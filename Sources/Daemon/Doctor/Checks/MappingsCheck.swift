/// Whether the limit of memory mappings leaves room for guests' memory: each range that a client maps is one.
struct MappingsCheck: HostCheck {
  /// Where the limit is.
  var limitPath = "/proc/sys/vm/max_map_count"

  /// The kernel's own default.
  private static let usual: UInt64 = 65_530

  func findings() -> [Finding] {
    let (identifier, title) = ("limits.mappings", "memory mappings")
    guard let limit = SystemFile.number(limitPath) else {
      return [
        Finding(
          identifier, title, .limited, "\(limitPath) does not tell the limit.", remedy: "mount /proc where nvmed runs")
      ]
    }
    let state =
      "vm.max_map_count = \(limit), for all guests of one daemon. A guest takes about a dozen, one with a virtual "
      + "IOMMU up to tens of thousands."
    guard limit < MappingsCheck.usual else { return [Finding(identifier, title, .ok, state)] }
    return [
      Finding(
        identifier, title, .limited, state, remedy: "sysctl vm.max_map_count=\(MappingsCheck.usual), or more")
    ]
  }
}
