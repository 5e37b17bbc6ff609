extension ControllerConfiguration {
  /// The identifiers of the namespaces, in the order of `namespaces`: those that are asked for; for the others, in order,
  /// the lowest that are left.
  public var namespaceIdentifiers: [UInt32] {
    let asked = Set(namespaces.compactMap(\.nsid))
    var next = 1
    return namespaces.map { namespace in
      if let nsid = namespace.nsid { return UInt32(clamping: nsid) }
      while asked.contains(next) { next += 1 }
      defer { next += 1 }
      return UInt32(clamping: next)
    }
  }
}
