import Foundation
import Testing

@testable import Metrics

@Suite struct MetricTableTests {
  @Test func theDocumentationHasTheTable() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: root.appending(path: "docs/metrics.md"), encoding: .utf8)
    #expect(text.contains("\n\n" + MetricTable.markdown + "\n"))
  }

  @Test func namesFollowTheConventions() {
    let metrics = MetricCatalogue.metrics
    #expect(Set(metrics.map(\.name)).count == metrics.count)
    for metric in metrics {
      #expect(metric.name.wholeMatch(of: /(nvmed|process)_[a-z0-9_]+/) != nil, "\(metric.name)")
      #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter), "\(metric.name)")
      #expect(metric.help.last == ".", "\(metric.name)")
      // A pipe would end a column of the table.
      #expect(!metric.help.contains("|"), "\(metric.name)")
    }
  }
}
