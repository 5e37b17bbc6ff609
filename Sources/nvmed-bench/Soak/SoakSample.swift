import Benchmarking
import Glibc

/// What the daemon holds at one time.
struct SoakSample {
  /// Since the start, in seconds.
  let seconds: Double
  let footprint: ProcessFootprint

  /// Names and values of a table, memory in KiB.
  var values: [(name: String, value: Int)] {
    [
      ("RSS KiB", Int(footprint.residentBytes >> 10)), ("its own KiB", Int(footprint.anonymousBytes >> 10)),
      ("descriptors", footprint.descriptors), ("threads", footprint.threads), ("mappings", footprint.mappings),
      ("aio contexts", footprint.aioContexts),
    ]
  }

  /// The values, for a line.
  var text: String { values.map { "\($0.name) \($0.value)" }.joined(separator: ", ") }
}

/// What came of a soak, and whether it is as it should be.
struct SoakVerdict {
  /// How many mappings more or less there may be: the allocator's, which come and go by two. A guest has three.
  private static let spareMappings = 8

  /// With no client, after the warm-up and after every spell since.
  let rests: [SoakSample]
  /// How much more memory of its own the daemon may have at the end than after the warm-up, in KiB.
  let allowance: Int

  private func median(_ name: Int, of samples: ArraySlice<SoakSample>) -> Int {
    let values = samples.map { $0.values[name].value }.sorted()
    return values.isEmpty ? 0 : values[values.count / 2]
  }

  /// First, median and last of every value.
  var table: String {
    guard let first = rests.first, let last = rests.last else { return "" }
    var table = TextTable([
      TextTable.Column("without clients", isNumber: false), TextTable.Column("first"), TextTable.Column("median"),
      TextTable.Column("last"),
    ])
    for index in first.values.indices {
      table.add([
        first.values[index].name, "\(first.values[index].value)", "\(median(index, of: rests[...]))",
        "\(last.values[index].value)",
      ])
    }
    return table.text
  }

  /// What is not as it should be.
  var faults: [String] {
    guard let first = rests.first, let last = rests.last else { return ["nothing was measured"] }
    var faults: [String] = []
    for index in 2..<first.values.count {
      let (name, before) = first.values[index]
      let spare = name == "mappings" ? SoakVerdict.spareMappings : 0
      if abs(last.values[index].value - before) <= spare { continue }
      faults.append("\(name): \(last.values[index].value) at the end, \(before) after the warm-up")
    }
    // Medians of the first and the last quarter: a single value says what the allocator has just kept.
    let quarter = max(rests.count / 4, 1)
    let growth = median(1, of: rests.suffix(quarter)) - median(1, of: rests.prefix(quarter))
    if growth > allowance {
      faults.append("memory: \(growth) KiB more than after the warm-up, \(allowance) KiB are allowed")
    }
    return faults
  }
}
